"""Written sound: read back it is the same; a file is whole or it is what was there before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from installation.errors import RenderError
from installation.sound.files import FORMATS, SoundWriter, read, read_channels
from tests.parts import Floats

RATE_HZ = 48_000


def chord(channels: int, seconds: float = 1.0) -> Floats:
    time_s = np.arange(int(seconds * RATE_HZ))[:, None] / RATE_HZ
    return (0.4 * np.sin(2 * np.pi * 220.0 * (1 + np.arange(channels)) * time_s)).astype(np.float32)


def write(path: Path, sound: Floats, block: int = 5000, rate_hz: int = RATE_HZ) -> Path:
    with SoundWriter(path, rate_hz, sound.shape[1]) as writer:
        for begin in range(0, len(sound), block):
            writer.write(sound[begin : begin + block])
    return path


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
@pytest.mark.parametrize("ending", [".wav", ".flac", ".WAV"])
def test_what_was_written_is_read_to_24_bits(tmp_path: Path, ending: str, channels: int) -> None:
    sound = chord(channels)
    got = read_channels(write(tmp_path / f"x{ending}", sound), RATE_HZ)
    assert got.shape == sound.shape and np.abs(got - sound).max() < 2.0**-22
    assert np.allclose(read(tmp_path / f"x{ending}", RATE_HZ), sound.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_is_like_it(tmp_path: Path, channels: int) -> None:
    sound = chord(channels)
    got = read_channels(write(tmp_path / "x.mp3", sound), RATE_HZ)
    assert abs(len(got) - len(sound)) < 2500
    middle = got[10_000:30_000, 0]
    near = max(float(np.corrcoef(middle, sound[10_000 + n : 30_000 + n, 0])[0, 1]) for n in range(-1500, 1500, 5))
    assert near > 0.99


@pytest.mark.parametrize("ending", FORMATS)
def test_blocks_of_any_length_are_the_same_bytes(tmp_path: Path, ending: str) -> None:
    one, other = (write(tmp_path / f"{block}{ending}", chord(2), block).read_bytes() for block in (777, 48_000))
    assert one == other


def test_what_is_beyond_full_scale_is_clipped(tmp_path: Path) -> None:
    got = read(write(tmp_path / "x.wav", np.array([[2.0], [-3.0], [0.5]] * 100, np.float32)), RATE_HZ)
    assert np.abs(got).max() <= 1.0 and got[0] > 0.999 and got[1] < -0.999


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    old = write(tmp_path / "x.wav", chord(1)).read_bytes()
    with pytest.raises(KeyboardInterrupt), SoundWriter(tmp_path / "x.wav", RATE_HZ, 1) as writer:
        writer.write(chord(1)[:100])
        raise KeyboardInterrupt
    assert (tmp_path / "x.wav").read_bytes() == old and [each.name for each in tmp_path.iterdir()] == ["x.wav"]


def test_what_can_not_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"can't write '.ogg'; allowed are .wav, .flac, .mp3"):
        SoundWriter(tmp_path / "x.ogg", RATE_HZ, 1)
    with pytest.raises(RenderError, match=r"x.mp3: can't be written"):
        write(tmp_path / "x.mp3", chord(1), rate_hz=96_000)
    with pytest.raises(RenderError, match=r"x.mp3: can't be written"):
        write(tmp_path / "x.mp3", chord(6))
    (tmp_path / "file").touch()
    with pytest.raises(RenderError, match=r"x.wav: can't be written"):
        write(tmp_path / "file" / "x.wav", chord(1))
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(RenderError, match=r"folder.wav: can't be written"):
        write(tmp_path / "folder.wav", chord(1))
    with (
        pytest.raises(RenderError, match=r"shape \(48000, 2\), \(samples, 1\) expected"),
        SoundWriter(tmp_path / "y.wav", RATE_HZ, 1) as writer,
    ):
        writer.write(chord(2))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder.wav"]
