"""The warp: every pixel of an output shows the place of the picture that the map says, in any part of a window, also
while corners are moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from installation.errors import InstallationError
from installation.picture.canvas import Canvas
from installation.picture.wall.output import SQUARE, Corners, Output, homography
from installation.picture.wall.warp import Warp

Floats = npt.NDArray[np.float32]
SIZE = (64, 40)
AREA = (96, 72)
STILL: Corners = ((0.0, 0.0),) * 4


class Wall:
    """A picture and a window of twice the AREA's width, for one warp after another. Values 0..1, row 0 on top."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.texture = context.texture(SIZE, 4, dtype="f2")
        self.texture.repeat_x = self.texture.repeat_y = False
        self.window = context.framebuffer([context.texture((2 * AREA[0], AREA[1]), 4, dtype="f4")])

    def hang(self, picture: Floats) -> None:
        four = np.concatenate([picture, np.ones_like(picture[:, :, :1])], axis=2)
        self.texture.write(np.ascontiguousarray(four[::-1]).astype(np.float16).tobytes())

    def shown(self, warp: Warp, left: int = 0, size: tuple[int, int] = AREA) -> Floats:
        self.window.clear(0.25, 0.5, 0.75, 1.0)
        warp.present(self.texture, self.window, (left, 0, *size))
        raw = self.window.read(components=3, dtype="f4", alignment=1)
        return np.frombuffer(raw, np.float32).reshape(AREA[1], 2 * AREA[0], 3)[::-1].copy()


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    with Canvas((16, 16)) as canvas:
        wall = Wall(canvas.context)
        x, y = np.meshgrid((np.arange(SIZE[0]) + 0.5) / SIZE[0], (np.arange(SIZE[1]) + 0.5) / SIZE[1])
        wall.hang(np.stack([0.2 + 0.6 * x, 0.2 + 0.6 * y, np.full_like(x, 0.5)], axis=2).astype(np.float32))
        yield wall


def sight(corners: Corners, size: tuple[int, int] = AREA) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Of each pixel: the place in the unit square it shows, (height, width, 2), by a homography's inverse; and whether
    it lies deeper than a pixel between the corners, by the distance to their sides."""
    points = np.array(corners) * size
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    back = np.linalg.inv(np.diag([*size, 1.0]) @ homography(corners)) @ np.stack(
        [x.ravel(), y.ravel(), np.ones(x.size)]
    )
    deep = np.full(x.shape, np.inf)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        deep = np.minimum(deep, ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / np.hypot(x1 - x0, y1 - y0))
    return (back[:2] / back[2]).T.reshape(*x.shape, 2), deep


def light(at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What the picture shows at places in it: two ramps, red to the right and green down."""
    inset = [0.5 / SIZE[0], 0.5 / SIZE[1]]
    held = np.clip(at, inset, np.subtract(1.0, inset))
    return np.concatenate([0.2 + 0.6 * held, np.full((*at.shape[:2], 1), 0.5)], axis=2)


@st.composite
def quadrilaterals(draw: st.DrawFn) -> Corners:
    """Convex ones, clockwise, some of them very skew."""
    moves = [draw(st.tuples(st.floats(-0.45, 0.45), st.floats(-0.45, 0.45))) for _ in range(4)]
    corners = tuple((x + dx, y + dy) for (x, y), (dx, dy) in zip(SQUARE, moves, strict=True))
    turns = []
    for n in range(4):
        (x0, y0), (x1, y1), (x2, y2) = (corners[(n + step) % 4] for step in range(3))
        turns.append((x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1))
    assume(min(turns) > 0.02)
    return corners


@pytest.mark.gl
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(quadrilaterals())
def test_every_pixel_shows_the_place_that_the_map_says_and_nothing_lies_outside(wall: Wall, corners: Corners) -> None:
    warp = Warp(wall.context, Output(corners=corners))
    shown = wall.shown(warp)[:, : AREA[0]]
    warp.release()
    at, deep = sight(corners)
    inside = deep > 1.0
    assert np.abs(shown - light(at))[inside].max(initial=0.0) < 0.006
    assert np.abs(shown[deep < -1.0]).max(initial=0.0) == 0.0


@pytest.mark.gl
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(quadrilaterals(), st.sampled_from([90, 180, 270]), st.sampled_from(["none", "horizontal", "vertical"]))
def test_turned_and_mirrored_it_shows_the_same_places_elsewhere(
    wall: Wall, corners: Corners, rotate: int, flip: str
) -> None:
    warp = Warp(wall.context, Output(corners=corners, rotate=rotate, flip=flip, crop=(0.25, 0.0, 0.5, 0.75)))
    shown = wall.shown(warp)[:, : AREA[0]]
    warp.release()
    at, deep = sight(corners)
    x, y = at[:, :, 0], at[:, :, 1]
    x, y = {90: (y, 1.0 - x), 180: (1.0 - x, 1.0 - y), 270: (1.0 - y, x)}[rotate]
    x, y = (1.0 - x if flip == "horizontal" else x), (1.0 - y if flip == "vertical" else y)
    places = np.stack([0.25 + 0.5 * x, 0.75 * y], axis=2)
    assert np.abs(shown - light(places))[deep > 1.0].max(initial=0.0) < 0.006


@pytest.mark.gl
def test_a_part_of_a_window_is_drawn_on_and_the_rest_is_not_touched(wall: Wall) -> None:
    warp = Warp(wall.context, Output(corners=((0.1, 0.1), (0.9, 0.2), (0.8, 0.9), (0.0, 0.7))))
    left, right = wall.shown(warp), wall.shown(warp, AREA[0])
    np.testing.assert_allclose(left[:, AREA[0] :], np.broadcast_to([0.25, 0.5, 0.75], (*AREA[::-1], 3)))
    np.testing.assert_allclose(right[:, : AREA[0]], np.broadcast_to([0.25, 0.5, 0.75], (*AREA[::-1], 3)))
    np.testing.assert_allclose(right[:, AREA[0] :], left[:, : AREA[0]], atol=0.003)
    warp.release()


@pytest.mark.gl
def test_a_picture_that_fits_is_its_own_texels_and_one_that_is_smaller_is_not_blurred_by_half_a_pixel(
    wall: Wall,
) -> None:
    texels = np.random.default_rng(1).uniform(0.0, 1.0, (SIZE[1], SIZE[0], 3)).astype(np.float16).astype(np.float32)
    before = np.frombuffer(wall.texture.read(), np.float16).reshape(SIZE[1], SIZE[0], 4)
    wall.hang(texels)
    warp = Warp(wall.context, Output())
    np.testing.assert_array_equal(wall.shown(warp, size=SIZE)[-SIZE[1] :, : SIZE[0]], texels)
    odd = wall.shown(warp, size=(SIZE[0] + 5, SIZE[1]))[-SIZE[1] :, : SIZE[0] + 5]
    assert odd[:, :2].max() == odd[:, -3:].max() == 0.0
    np.testing.assert_array_equal(odd[:, 2:-3], texels)
    warp.release()
    wall.texture.write(np.ascontiguousarray(before).tobytes())


@pytest.mark.gl
def test_moved_corners_are_corners_put_there(wall: Wall) -> None:
    start: Corners = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
    moved: Corners = ((0.05, 0.0), (0.0, -0.1), (-0.2, 0.0), (0.0, 0.03))
    put = tuple((x + dx, y + dy) for (x, y), (dx, dy) in zip(start, moved, strict=True))
    warp, wanted = Warp(wall.context, Output(corners=start)), Warp(wall.context, Output(corners=put))
    at_first = wall.shown(warp)
    warp.move(moved)
    np.testing.assert_array_equal(wall.shown(warp), wall.shown(wanted))
    warp.move(STILL)
    np.testing.assert_array_equal(wall.shown(warp), at_first)
    for each in (warp, wanted):
        each.release()


@pytest.mark.gl
def test_corners_moved_across_each_other_leave_the_picture_where_it_was_and_say_so(wall: Wall) -> None:
    warp = Warp(wall.context, Output(corners=((0.2, 0.2), (0.6, 0.2), (0.6, 0.8), (0.2, 0.8))))
    warp.move(((0.1, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)))
    before = wall.shown(warp)
    assert warp.fault is None
    warp.move(((0.5, 0.0), (-0.5, 0.0), (0.0, 0.0), (0.0, 0.0)))
    np.testing.assert_array_equal(wall.shown(warp), before)
    assert warp.fault is not None and "no convex area" in warp.fault
    smaller = wall.shown(warp, size=(48, 36))
    assert smaller[-36:, :48].max() > 0.0, "in a window of another size it lies as the scene says"
    warp.move(STILL)
    wall.shown(warp)
    assert warp.fault is None
    warp.release()


@pytest.mark.gl
def test_gamma_bends_the_middle_and_leaves_black_and_white(wall: Wall) -> None:
    levels = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
    for column, level in enumerate(np.linspace(0.0, 1.0, 8)):
        levels[:, column * 8 : column * 8 + 8] = level
    before = np.frombuffer(wall.texture.read(), np.float16).reshape(SIZE[1], SIZE[0], 4)
    wall.hang(levels)
    warp = Warp(wall.context, Output(gamma=2.2))
    shown = wall.shown(warp, size=SIZE)[-SIZE[1] :, : SIZE[0]]
    warp.release()
    wall.texture.write(np.ascontiguousarray(before).tobytes())
    half_step = 0.5 / 255.0
    assert np.abs(shown - levels**2.2).max() < half_step, "the noise against bands is under half a step"
    assert shown[:, :8].max() == 0.0, "and none on black"
    assert np.abs(shown[:, 32:40].mean() - (4 / 7) ** 2.2) < 0.1 / 255.0, "nor does it change the light"
    assert shown[:, 32:40].std() > 0.1 / 255.0


def test_corners_that_are_none_never_reach_the_wall() -> None:
    with pytest.raises(InstallationError, match="no convex area"):
        homography(((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)))
