"""Files that are written: what went in is what is read back, in step, and the same twice."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import numpy as np
import pytest

from installation.errors import RenderError
from installation.picture.films.recorder import Recorder

SIZE = (64, 32)
FPS, RATE_HZ = 25.0, 48_000


def frame(index: int) -> np.ndarray:
    """White from frame 25 on, black before."""
    return np.full((SIZE[1], SIZE[0], 3), 255 if index >= 25 else 0, np.uint8)


def tone(start: int, count: int) -> np.ndarray:
    """Silence for a second, then 440 Hz."""
    time_s = np.arange(start, start + count) / RATE_HZ
    wave_ = np.where(time_s >= 1.0, 0.5 * np.sin(2 * np.pi * 440.0 * time_s), 0.0)
    return np.stack([wave_, wave_], axis=1).astype(np.float32)


def film(path: Path, seconds: float = 2.0) -> None:
    """A film as `render` writes it: sound and picture by turns, blocks of a frame's length."""
    block = int(RATE_HZ / FPS)
    with Recorder(path, SIZE, FPS, RATE_HZ, 2) as recorder:
        assert recorder.wants_frames and recorder.wants_sound
        for index in range(int(seconds * FPS)):
            recorder.frame(frame(index))
            recorder.sound(tone(index * block, block))


def test_in_a_film_the_sound_begins_when_the_picture_does(tmp_path: Path) -> None:
    import av

    film(tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as read:
        light = [(float(each.time), each.to_ndarray(format="gray").mean()) for each in read.decode(video=0)]
    with av.open(str(tmp_path / "film.mp4")) as read:
        blocks = [(float(each.time), each.to_ndarray()[0]) for each in read.decode(audio=0)]
    assert len(light) == 50
    lit_s = next(time_s for time_s, mean in light if mean > 128)
    time_s = np.concatenate([start_s + np.arange(len(block)) / RATE_HZ for start_s, block in blocks])
    loud_s = time_s[np.abs(np.concatenate([block for _, block in blocks])) > 0.25][0]
    assert lit_s == pytest.approx(1.0, abs=1e-3)
    assert loud_s == pytest.approx(lit_s, abs=0.005)
    assert time_s[-1] == pytest.approx(2.0, abs=0.03)


def test_the_same_film_is_the_same_bytes(tmp_path: Path) -> None:
    """Forty, for it was one in thirty that differed while PyAV's encoder converted the frames by itself."""
    digests = set()
    for index in range(40):
        film(tmp_path / f"{index}.mp4", 1.4)
        digests.add(hashlib.sha256((tmp_path / f"{index}.mp4").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_wave_file_gives_back_every_sample(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-1.0, 1.0, (1000, 2)).astype(np.float32)
    sound[0], sound[1], sound[2] = 1.0, -1.0, 7.0
    with Recorder(tmp_path / "sound.wav", SIZE, FPS, RATE_HZ, 2) as recorder:
        assert not recorder.wants_frames
        recorder.sound(sound[:300])
        recorder.frame(frame(0))
        recorder.sound(sound[300:])
    with wave.open(str(tmp_path / "sound.wav")) as read:
        assert (read.getframerate(), read.getnchannels(), read.getnframes()) == (RATE_HZ, 2, 1000)
        kept = np.frombuffer(read.readframes(1000), "<i4").reshape(-1, 2) / 2_147_483_647
    np.testing.assert_allclose(kept, np.clip(sound, -1.0, 1.0), atol=1e-8)


def test_a_still_is_the_last_frame(tmp_path: Path) -> None:
    from PIL import Image

    last = np.random.default_rng(2).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    with Recorder(tmp_path / "still.png", SIZE, FPS, RATE_HZ, 2) as recorder:
        recorder.frame(frame(0))
        recorder.sound(tone(0, 10))
        recorder.frame(last)
    with Image.open(tmp_path / "still.png") as image:
        np.testing.assert_array_equal(np.asarray(image), last)


@pytest.mark.parametrize("name", ["film.mp4", "still.png", "sound.wav"])
def test_what_was_broken_off_leaves_nothing_and_spares_what_was_there(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"before")
    with pytest.raises(KeyError), Recorder(tmp_path / name, SIZE, FPS, RATE_HZ, 2) as recorder:
        recorder.frame(frame(0))
        recorder.sound(tone(0, 100))
        raise KeyError
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"before")]


def test_what_can_not_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"allowed are \.mp4, \.png, \.wav"):
        Recorder(tmp_path / "film.gif", SIZE, FPS, RATE_HZ, 2)
    with pytest.raises(RenderError, match="even width"), Recorder(tmp_path / "film.mp4", (63, 32), FPS, RATE_HZ, 2):
        pass
    (tmp_path / "folder.png").mkdir()
    with Recorder(tmp_path / "ok.png", SIZE, FPS, RATE_HZ, 2) as recorder:
        recorder.frame(frame(0))
        with pytest.raises(RenderError, match=r"a frame of shape \(3, 3, 3\)"):
            recorder.frame(np.zeros((3, 3, 3), np.uint8))
        with pytest.raises(RenderError, match=r"\(samples, 2\) expected"):
            recorder.sound(np.zeros((3, 1), np.float32))
    with (
        pytest.raises(RenderError, match="no frame was drawn"),
        Recorder(tmp_path / "none.png", SIZE, FPS, RATE_HZ, 2),
    ):
        pass
