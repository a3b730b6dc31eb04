"""Outputs: crop, rotation and corners are where they are said to be, on real pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import InstallationError
from installation.picture.canvas import Canvas
from installation.picture.wall.output import SQUARE, Output, homography
from installation.picture.wall.warp import Warp

RGB = npt.NDArray[np.uint8]
SIZE = (48, 32)


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    with Canvas(SIZE) as canvas:
        yield canvas


def scene(size: tuple[int, int] = SIZE) -> RGB:
    """Every pixel its own: row 0 on top."""
    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 77)], axis=2).astype(np.uint8)


def put(canvas: Canvas, output: Output, size: tuple[int, int], picture: RGB | None = None) -> RGB:
    """What stands on a display of `size` px, row 0 on top."""
    picture = scene() if picture is None else picture
    context = canvas.context
    texture = context.texture((picture.shape[1], picture.shape[0]), 3, picture[::-1].tobytes(), alignment=1)
    texture.repeat_x = texture.repeat_y = False
    target = context.texture(size, 4)
    into = context.framebuffer([target])
    warp = Warp(context, output)
    warp.present(texture, into, (0, 0, *size))
    raw = into.read(components=3, alignment=1)
    for each in (warp, into, target, texture):
        each.release()
    return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)[::-1].copy()


@pytest.mark.gl
def test_the_whole_picture_is_itself(canvas: Canvas) -> None:
    np.testing.assert_array_equal(put(canvas, Output(), SIZE), scene())
    np.testing.assert_array_equal(put(canvas, Output(corners=SQUARE), SIZE), scene())


@pytest.mark.gl
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_it_is_turned_clockwise(canvas: Canvas, turns: int) -> None:
    size = SIZE if turns % 2 == 0 else SIZE[::-1]
    np.testing.assert_array_equal(put(canvas, Output(rotate=90 * turns), size), np.rot90(scene(), -turns))


@pytest.mark.gl
@pytest.mark.parametrize(("flip", "axis"), [("horizontal", 1), ("vertical", 0)])
def test_it_is_flipped_before_it_is_turned(canvas: Canvas, flip: str, axis: int) -> None:
    np.testing.assert_array_equal(put(canvas, Output(flip=flip), SIZE), np.flip(scene(), axis))
    turned = put(canvas, Output(flip=flip, rotate=90), SIZE[::-1])
    np.testing.assert_array_equal(turned, np.rot90(np.flip(scene(), axis), -1))


@pytest.mark.gl
def test_crops_side_by_side_are_the_whole(canvas: Canvas) -> None:
    half = (SIZE[0] // 2, SIZE[1])
    left, right = (put(canvas, Output(crop=(x, 0.0, 0.5, 1.0)), half) for x in (0.0, 0.5))
    np.testing.assert_array_equal(np.hstack([left, right]), scene())
    quarter = put(canvas, Output(crop=(0.25, 0.5, 0.5, 0.25)), (SIZE[0] // 2, SIZE[1] // 4))
    np.testing.assert_array_equal(quarter, scene()[16:24, 12:36])


@pytest.mark.gl
def test_other_proportions_leave_black_beside_it(canvas: Canvas) -> None:
    wide = put(canvas, Output(), (96, 32))
    assert wide[:, :24].max() == wide[:, 72:].max() == 0
    np.testing.assert_array_equal(wide[:, 24:72], scene())


@pytest.mark.gl
def test_corners_lie_where_they_are_said_to_lie(canvas: Canvas) -> None:
    """A white picture: its outline on the display is the quadrilateral, to half a pixel."""
    corners = ((0.1, 0.2), (0.85, 0.05), (0.95, 0.9), (0.2, 0.75))
    size = (200, 120)
    shown = put(canvas, Output(corners=corners), size, np.full((32, 48, 3), 255, np.uint8))[:, :, 0] / 255.0
    points = np.array(corners) * size
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    deep = np.full(x.shape, np.inf)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        length = np.hypot(x1 - x0, y1 - y0)
        deep = np.minimum(deep, ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / length)
    assert shown[deep > 0.75].min() == 1.0
    assert shown[deep < -0.75].max() == 0.0
    assert abs(shown.sum() - 0.5 * abs(np.cross(points, np.roll(points, -1, axis=0)).sum())) < 6.0


@pytest.mark.gl
def test_what_is_made_smaller_is_averaged_and_keeps_its_light(canvas: Canvas) -> None:
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, ::2] = 255
    small = put(canvas, Output(), (32, 32), stripes)
    assert np.abs(small.astype(float) - 127.5).max() < 45.0
    assert small.mean() == pytest.approx(127.5, abs=3.0)


POINT = st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))


@settings(max_examples=100, deadline=None)
@given(st.tuples(POINT, POINT, POINT, POINT))
def test_a_homography_takes_the_corners_to_the_corners_and_its_inverse_back(
    moved: tuple[tuple[float, float], ...],
) -> None:
    corners = tuple((x + 0.9 * dx, y + 0.9 * dy) for (x, y), (dx, dy) in zip(SQUARE, moved, strict=True))
    try:
        matrix = homography(corners)
    except InstallationError:
        return  # some of these are not convex
    for (u, v), corner in zip(SQUARE, corners, strict=True):
        x, y, w = matrix @ [u, v, 1.0]
        assert (x / w, y / w) == pytest.approx(corner, abs=1e-9)
        back = np.linalg.inv(matrix) @ [*corner, 1.0]
        assert (back / back[2])[:2] == pytest.approx([u, v], abs=1e-6)


@pytest.mark.parametrize(
    "corners",
    [
        ((0, 0), (1, 1), (1, 0), (0, 1)),
        ((0, 0), (1, 0), (0.2, 0.2), (0, 1)),
        ((0, 0), (0.5, 0), (1, 0), (0, 1)),
        ((0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01)),
        ((0, 0), (float("nan"), 0), (1, 1), (0, 1)),
    ],
)
def test_corners_that_are_none_are_refused(corners: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(InstallationError, match="no convex area"):
        homography(corners)
