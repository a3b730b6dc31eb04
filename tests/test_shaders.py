"""Every shader we ship: it draws, it listens, it obeys its knobs, it never strobes, and it is the same twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from installation.picture.canvas import Canvas
from installation.picture.scenery import Drawing, Scenery
from installation.picture.shading import isf
from installation.track import FEATURES, MOMENT, Moments

pytestmark = pytest.mark.gl

SHADERS = sorted((Path(__file__).resolve().parent.parent / "shaders").glob("*.fs"))
SIZE = (96, 54)
FPS = 30.0
HOP_S = 512 / 48_000


def sounding(seconds: float, level: float = 0.7, seed: int = 2) -> Moments:
    """Two struck notes a second over slowly wandering latents."""
    rng = np.random.default_rng(seed)
    count = int(seconds / HOP_S)
    made = np.zeros(count, MOMENT)
    time_s = HOP_S * np.arange(1, count + 1)
    decay = np.exp(-3.0 * (time_s % 0.5)).astype(np.float32)
    made["time_s"] = time_s
    made["features"] = (level * decay)[:, None] * np.linspace(1.0, 0.5, len(FEATURES))
    made["features"][:, FEATURES.index("onset")] = level * (time_s % 0.5 < 0.05)
    made["spectrum"] = level * decay[:, None] * (0.5 + 0.5 * np.sin(np.arange(512) * 0.21)) ** 4
    made["latent"] = np.sin(time_s[:, None] * rng.uniform(0.5, 3.0, 128) + rng.uniform(0.0, 6.0, 128))
    made["latent_dim"], made["steps"], made["sparseness"] = 16, 64, 0.8
    made["step"], made["trajectory"] = np.arange(count) // 4 % 64, np.arange(count) // 256
    return made


def filmed(path: Path, heard: Moments, seconds: float, values: Mapping[str, float] | None = None) -> np.ndarray:
    """Every frame, (frames, height, width, 3)."""
    frames = []
    with Canvas(SIZE) as canvas:
        scenery = Scenery(canvas, 16, dict(values or {}))
        scenery.show(Drawing.of(path))
        number = 0
        for index in range(int(seconds * FPS)):
            now_s = index / FPS
            until = int(np.searchsorted(heard["time_s"], now_s, side="right"))
            scenery.draw(now_s, heard[number:until])
            number = until
            frames.append(canvas.read())
    return np.array(frames)


@pytest.fixture(scope="module", params=SHADERS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(scope="module")
def film(path: Path) -> np.ndarray:
    return filmed(path, sounding(4.0), 4.0)


def test_there_are_three_and_each_has_the_knobs_of_the_instrument() -> None:
    assert len(SHADERS) >= 3
    loaded = [isf.load(path) for path in SHADERS]
    for shader in loaded:
        names = {each.name: each for each in shader.inputs}
        for knob in ("brightness", "feedback", "hue"):
            assert (names[knob].kind, names[knob].minimum, names[knob].maximum) == ("float", 0.0, 1.0)
        assert shader.description
    assert any(each.persistent for shader in loaded for each in shader.passes)
    assert any({"latentTrail", "sparseness"} <= {each.name for each in shader.inputs} for shader in loaded)
    assert any({"spectrumTrail", "progress"} <= {each.name for each in shader.inputs} for shader in loaded)


def test_it_is_a_picture_neither_black_nor_burnt_out(film: np.ndarray) -> None:
    last = film[-1].astype(np.float64)
    assert last.std() > 4.0
    assert 2.0 < last.mean() < 190.0
    assert (last > 250).mean() < 0.05


def test_it_moves_with_the_sound(path: Path, film: np.ndarray) -> None:
    silent = filmed(path, sounding(2.0, level=0.0), 2.0)
    assert np.abs(film[59].astype(float) - silent[59]).mean() > 1.0


def test_the_same_sound_is_the_same_film(path: Path, film: np.ndarray) -> None:
    np.testing.assert_array_equal(filmed(path, sounding(1.0), 1.0), film[:30])


def test_its_knobs_do_what_they_say(path: Path, film: np.ndarray) -> None:
    half = filmed(path, sounding(2.0), 1.0, {"/picture/brightness": 0.5})[-1]
    assert 0.0 < half.mean() < film[29].mean()
    assert filmed(path, sounding(2.0), 0.2, {"/picture/brightness": 0.0}).max() == 0
    assert filmed(path, sounding(2.0), 0.2, {"/master/blackout": 1.0}).max() == 0
    turned = filmed(path, sounding(2.0), 1.0, {"/picture/hue": 0.5})[-1]
    assert np.abs(turned.astype(float) - film[29]).mean() > 0.5
    around = filmed(path, sounding(2.0), 1.0, {"/picture/hue": 1.0})[-1]
    np.testing.assert_allclose(around.astype(float), film[29], atol=2.0)
    lasting = filmed(path, sounding(2.0), 2.0, {"/picture/feedback": 1.0})[-1]
    fleeting = filmed(path, sounding(2.0), 2.0, {"/picture/feedback": 0.0})[-1]
    # Light on black or ink on paper: a trace is what silence would not have drawn.
    silent = filmed(path, sounding(2.0, level=0.0), 2.0)[-1].astype(float)
    assert np.abs(lasting - silent).mean() > np.abs(fleeting - silent).mean()


def flashes(luminance: np.ndarray) -> int:
    """General flashes of WCAG 2.2 (relative luminance, success criterion 2.3.1): pairs of opposing changes of a tenth
    of the maximum or more where the darker state is below .8; `luminance` (frames,)."""
    changes, low, high, direction = 0, luminance[0], luminance[0], 0
    for value in luminance[1:]:
        low, high = min(low, value), max(high, value)
        if direction >= 0 and high - value >= 0.1 and value < 0.8:
            changes, direction, low, high = changes + 1, -1, value, value
        elif direction <= 0 and value - low >= 0.1 and low < 0.8:
            changes, direction, low, high = changes + 1, 1, value, value
    return changes // 2


def test_flashes_are_counted_as_they_are_defined() -> None:
    assert flashes(np.tile([0.0, 0.5], 6)) == 5
    assert flashes(np.tile([0.0, 0.05], 6)) == 0
    assert flashes(np.linspace(0.0, 1.0, 50)) == 0
    assert flashes(np.tile([0.9, 1.0], 6)) == 0


def test_it_does_not_strobe_however_the_sound_does(path: Path) -> None:
    """Everything heard on and off four times a second: no ninth of the picture flashes more than three times."""
    heard = sounding(2.0, level=1.0)
    on = (heard["time_s"] % 0.25 < 0.125).astype(np.float32)[:, None]
    heard["features"], heard["spectrum"] = on, on
    film = filmed(path, heard, 2.0)[30:] / 255.0
    linear = np.where(film <= 0.04045, film / 12.92, ((film + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    ninths = luminance.reshape(len(film), 3, SIZE[1] // 3, 3, SIZE[0] // 3).mean(axis=(2, 4)).reshape(len(film), 9)
    assert max(flashes(ninths[:, part]) for part in range(9)) <= 3


def test_months_later_it_still_draws(path: Path) -> None:
    heard = sounding(1.0)
    with Canvas(SIZE) as canvas:
        scenery = Scenery(canvas, 16)
        scenery.show(Drawing.of(path))
        scenery.draw(0.0, heard[:1])
        heard["time_s"] += 90 * 86_400.0
        for index in range(20):
            scenery.draw(90 * 86_400.0 + index / FPS, heard[index * 3 : index * 3 + 3])
        first = canvas.read()
        scenery.draw(90 * 86_400.0 + 20 / FPS, heard[60:63])
        assert np.abs(canvas.read().astype(float) - first).mean() > 0.005
        assert first.std() > 2.0
