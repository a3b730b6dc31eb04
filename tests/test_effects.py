"""Every effect and every transition we ship: an effect keeps black black and does nothing at amount 0, a transition
begins and ends with the pictures it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from installation.picture.frame import Frame
from installation.picture.program import defaults
from installation.picture.shading import isf
from tests.pictures import Picture, picture

pytestmark = pytest.mark.gl

SHADERS = Path(__file__).resolve().parent.parent / "shaders"
EFFECTS = sorted((SHADERS / "effects").glob("*.fs"))
TRANSITIONS = sorted((SHADERS / "transitions").glob("*.fs"))
SIZE = (96, 54)
FPS = 30.0

Pixels = npt.NDArray[np.uint8]


@pytest.fixture
def canvas() -> Iterator[Picture]:
    with picture(SIZE) as held:
        yield held


def scene(seed: int, size: tuple[int, int] = SIZE) -> Pixels:
    """A dark ground, a slope and a few lights, as drawings are: opaque, row 0 at the bottom."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0.0 : 1.0 : size[1] * 1j, 0.0 : 1.0 : size[0] * 1j]
    light = np.repeat((0.5 * x * y)[..., None], 3, axis=2)
    for _ in range(6):
        off = (x - rng.random()) ** 2 + (y - rng.random()) ** 2
        light += np.exp(-off * 120.0)[..., None] * rng.random(3)
    pixels = np.full((size[1], size[0], 4), 255, np.uint8)
    pixels[..., :3] = np.clip(light * 255.0, 0, 255)
    return pixels


def filmed(
    canvas: Picture, path: Path, pictures: dict[str, Pixels], frames: int = 1, **values: float
) -> npt.NDArray[np.uint8]:
    """Frames of the shader in `path`, all given the same `pictures`: (frames, height, width, 3), row 0 below."""
    shader = isf.load(path)
    canvas.show(shader)
    film = []
    for index in range(frames):
        given = {**defaults(shader), **values}
        canvas.draw(Frame(index / FPS, 1.0 / FPS, index, values=given, textures=pictures))
        film.append(canvas.read()[::-1])
    return np.array(film)


@pytest.fixture(params=EFFECTS, ids=lambda path: path.stem)
def effect(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(params=TRANSITIONS, ids=lambda path: path.stem)
def transition(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_there_are_four_effects_and_four_transitions_at_least() -> None:
    assert {"bloom", "grain", "trails", "lens"} <= {path.stem for path in EFFECTS}
    assert {"crossfade", "dissolve", "iris", "drift"} <= {path.stem for path in TRANSITIONS}


def test_an_effect_says_what_it_is_and_what_does_nothing(effect: Path) -> None:
    shader = isf.load(effect)
    assert shader.kind == "filter"
    assert shader.description
    amount = next(each for each in shader.inputs if each.name == "amount")
    assert (amount.minimum, amount.maximum, amount.identity) == (0.0, 1.0, 0.0)
    for each in shader.inputs:
        if each.kind == "float":
            assert each.label, f"{each.name} is turned by people"
            assert (
                isinstance(each.default, float) and isinstance(each.minimum, float) and isinstance(each.maximum, float)
            )
            assert each.minimum <= each.default <= each.maximum


def test_at_amount_0_an_effect_changes_nothing(canvas: Picture, effect: Path) -> None:
    given = scene(1)
    for light in filmed(canvas, effect, {"inputImage": given}, frames=3, amount=0.0):
        np.testing.assert_allclose(light.astype(int), given[..., :3], atol=1)


def test_at_its_defaults_an_effect_is_seen(canvas: Picture, effect: Path) -> None:
    given = scene(1)
    before = filmed(canvas, effect, {"inputImage": scene(2)}, frames=1)
    assert canvas.program is not None
    values = defaults(canvas.program.shader)
    canvas.draw(Frame(1 / FPS, 1 / FPS, 1, values=values, textures={"inputImage": given}))
    light = canvas.read()[::-1].astype(float)
    assert before.any()
    assert np.abs(light - given[..., :3]).mean() > 0.4


@pytest.mark.parametrize("amount", [None, 1.0])
def test_an_effect_leaves_black_black(canvas: Picture, effect: Path, amount: float | None) -> None:
    black = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    black[..., 3] = 255
    values = {} if amount is None else {"amount": amount}
    assert not filmed(canvas, effect, {"inputImage": black}, frames=3, **values).any()


def test_an_effect_makes_a_picture_neither_dark_nor_bright(canvas: Picture, effect: Path) -> None:
    given = scene(3)
    light = filmed(canvas, effect, {"inputImage": given}, frames=12)[-1]
    assert 0.75 < light.mean() / given[..., :3].mean() < 1.35
    white = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    middle = filmed(canvas, effect, {"inputImage": white}, frames=3)[-1][SIZE[1] // 2, SIZE[0] // 2]
    assert (middle >= 250).all()


def test_grain_has_no_mean_and_is_another_one_soon(canvas: Picture) -> None:
    grey = np.full((SIZE[1], SIZE[0], 4), 90, np.uint8)
    film = filmed(canvas, SHADERS / "effects/grain.fs", {"inputImage": grey}, frames=12, amount=1.0).astype(float)
    assert film.std(axis=(1, 2)).min() > 4.0
    assert np.abs(film.mean(axis=(1, 2, 3)) - 90.0).max() < 1.5
    assert np.abs(film[-1] - film[0]).mean() > 3.0
    across = film[0, :, :, 0] - film[0, :, :, 0].mean()
    assert np.abs((across[:, 1:] * across[:, :-1]).mean()) < 0.15 * across.var()


def test_trails_fade_to_nothing_at_the_same_rate_in_however_many_frames(canvas: Picture) -> None:
    path = SHADERS / "effects/trails.fs"
    light, dark = scene(4), np.zeros((SIZE[1], SIZE[0], 4), np.uint8)

    def left(frames: int, seconds: float) -> npt.NDArray[np.float64]:
        filmed(canvas, path, {"inputImage": light}, drift=0.0)
        assert canvas.program is not None
        values = {**defaults(canvas.program.shader), "drift": 0.0}
        for index in range(1, frames + 1):
            time_s = index * seconds / frames
            canvas.draw(Frame(time_s, seconds / frames, index, values=values, textures={"inputImage": dark}))
        return canvas.read()[::-1].astype(float)

    quick, slow = left(60, 1.0), left(15, 1.0)
    np.testing.assert_allclose(quick, slow, atol=5.0)
    np.testing.assert_allclose(quick.mean(), 0.5 * light[..., :3].mean(), rtol=0.15)
    assert not left(200, 20.0).any()


def test_bloom_spills_from_what_is_bright_and_from_nothing_else(canvas: Picture) -> None:
    dim = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    dim[21:33, 42:54, :3] = 50
    bright = dim.copy()
    bright[21:33, 42:54, :3] = 255
    path = SHADERS / "effects/bloom.fs"
    np.testing.assert_allclose(filmed(canvas, path, {"inputImage": dim})[0].astype(int), dim[..., :3], atol=1)
    spilt = filmed(canvas, path, {"inputImage": bright}, amount=1.0)[0].astype(float)
    assert spilt[27, 55].min() > spilt[27, 58].min() > 0.0
    np.testing.assert_allclose(spilt[27, 55], spilt[27, 40], atol=3.0)


def test_the_lens_is_clear_in_the_middle_and_dark_in_every_corner_alike(canvas: Picture) -> None:
    white = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    light = filmed(canvas, SHADERS / "effects/lens.fs", {"inputImage": white}, amount=1.0, vignette=1.0)[0].astype(int)
    corners = light[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.ptp(corners) <= 1
    assert corners.max() < 200
    assert light[27, 48].min() > 250


@pytest.mark.parametrize("size", [SIZE, (64, 64), (54, 96)])
def test_a_transition_begins_with_the_one_and_ends_with_the_other(transition: Path, size: tuple[int, int]) -> None:
    ends = scene(5, size), scene(6, size)
    pictures = dict(zip(("startImage", "endImage"), ends, strict=True))
    with picture(size) as canvas:
        for progress, given in enumerate(ends):
            light = filmed(canvas, transition, pictures, progress=float(progress))[0]
            np.testing.assert_allclose(light.astype(int), given[..., :3], atol=1)


def test_a_transition_goes_steadily_and_never_by_way_of_something_brighter(canvas: Picture, transition: Path) -> None:
    """From black to grey: no step of a twentieth takes a quarter of the way, and it never goes back."""
    start, end = np.zeros((SIZE[1], SIZE[0], 4), np.uint8), np.full((SIZE[1], SIZE[0], 4), 128, np.uint8)
    pictures = {"startImage": start, "endImage": end}
    film = [filmed(canvas, transition, pictures, progress=step / 20)[0].mean() for step in range(21)]
    steps = np.diff(film)
    assert steps.min() > -0.5
    assert steps.max() < 0.25 * 128.0
    assert film[0] == 0.0 and abs(film[-1] - 128.0) <= 1.0


def test_a_transition_of_a_picture_into_itself_is_hardly_seen(canvas: Picture, transition: Path) -> None:
    plain = np.full((SIZE[1], SIZE[0], 4), 128, np.uint8)
    light = filmed(canvas, transition, {"startImage": plain, "endImage": plain}, progress=0.5)[0]
    assert light.max() <= 129
    assert light.mean() > 96.0
