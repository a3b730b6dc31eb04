"""Rendering: the same seed is the same bytes, and the offline show is the live one."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import numpy as np
import pytest

from installation.errors import RenderError
from installation.render import Rendering, render
from installation.scene import Scene
from installation.schema import load

SCENE = """
name: Small
model: bronze
evolution: {container: 6, brood: 4, interval: 0.5, steps: 16}
picture: {shader: embers.fs, width: 96, height: 54, fps: 10}
"""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    path = tmp_path / "small.yaml"
    path.write_text(SCENE, "utf-8")
    return load(path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (48_000, 2)
        width = file.getsampwidth()
        frames = file.readframes(file.getnframes())
    assert width in (2, 4)
    return np.frombuffer(frames, "<i2" if width == 2 else "<i4").reshape(-1, 2) / float(2 ** (8 * width - 1))


def test_the_same_seed_is_the_same_sound_to_the_byte(tmp_path: Path, scene: Scene) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        figures = render(Rendering(scene, 3.0, seed, tmp_path / f"{name}.wav"))
        assert figures["sound"]["missed_samples"] == 0
        assert figures["evolution"]["generations"] >= 3
    assert digest(tmp_path / "a.wav") == digest(tmp_path / "b.wav")
    assert digest(tmp_path / "a.wav") != digest(tmp_path / "c.wav")
    sound = samples(tmp_path / "a.wav")
    assert len(sound) == 3 * 48_000
    assert 0.001 < np.abs(sound).max() < 0.9


@pytest.mark.gl
def test_the_same_seed_is_the_same_picture_to_the_byte(tmp_path: Path, scene: Scene) -> None:
    for name in ("a", "b"):
        render(Rendering(scene, 2.0, 5, tmp_path / f"{name}.png"))
    assert digest(tmp_path / "a.png") == digest(tmp_path / "b.png")


@pytest.mark.gl
def test_a_film_has_all_its_frames_and_all_its_sound(tmp_path: Path, scene: Scene) -> None:
    import av

    out = tmp_path / "a.mp4"
    render(Rendering(scene, 2.0, 5, out))
    with av.open(str(out)) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        assert (picture.width, picture.height, float(picture.average_rate)) == (96, 54, 10.0)
        assert sum(1 for _ in film.decode(picture)) == 20
    with av.open(str(out)) as film:
        heard = sum(frame.samples for frame in film.decode(film.streams.audio[0]))
        assert abs(heard - 2 * 48_000) <= 2048
        assert sound.rate == 48_000


def test_what_can_not_be_written_is_said_before_anything_is_done(tmp_path: Path, scene: Scene) -> None:
    with pytest.raises(RenderError, match=r"x\.gif: can't write '\.gif'; allowed are \.mp4, \.png, \.wav"):
        render(Rendering(scene, 1.0, 1, tmp_path / "x.gif"))
    with pytest.raises(RenderError, match="no folder"):
        render(Rendering(scene, 1.0, 1, tmp_path / "nowhere" / "x.wav"))


def test_an_orchestra_renders_with_a_search_for_each_part(tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "pair.yaml"
    path.write_text(SCENE + "orchestra:\n  - {model: bronze, pan: 1, detune: 50, steps: 8}\n", "utf-8")
    pair = load(path)
    for name, played in (("a", pair), ("b", pair), ("alone", scene)):
        figures = render(Rendering(played, 2.0, 5, tmp_path / f"{name}.wav"))
    assert digest(tmp_path / "a.wav") == digest(tmp_path / "b.wav")
    both, alone = samples(tmp_path / "a.wav"), samples(tmp_path / "alone.wav")
    assert np.abs(both - alone)[:, 0].max() < 0.02  # part 2 is all on the right, but for what the limiter does
    assert np.abs(both - alone)[:, 1].max() > 0.02
    assert "evolution_of_parts" not in figures


def test_the_search_of_each_part_is_in_the_figures(tmp_path: Path) -> None:
    path = tmp_path / "pair.yaml"
    path.write_text(SCENE + "orchestra:\n  - {model: bronze, steps: 8}\n", "utf-8")
    figures = render(Rendering(load(path), 1.5, 5, tmp_path / "x.wav"))
    (second,) = figures["evolution_of_parts"]
    assert second["generations"] >= 1 and figures["sound"]["models"] == ["bronze", "bronze"]
