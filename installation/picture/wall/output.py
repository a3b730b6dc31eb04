"""One output: which part of the picture it shows, turned how, and where its corners are put on the display.

Places are shares of a side, from the top left. All of it is one projective map from the output to the picture (Hartley
and Zisserman, Multiple View Geometry, 2nd ed., section 2.3), so a projector that stands askew is put right without a
second resampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError

Doubles = npt.NDArray[np.float64]
Corners = tuple[tuple[float, float], ...]

WHOLE = (0.0, 0.0, 1.0, 1.0)
SQUARE: Corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
TURNS = (0, 90, 180, 270)
LEAST_AREA = 1e-3
"""Of the display: corners that enclose less are a mistake."""


@dataclass(frozen=True)
class Output:
    """Shows `crop` (left, top, width, height) of the picture, flipped, then turned clockwise by `rotate` degrees.
    `corners` say where its corners, clockwise from the top left, are put on the display; without them it is as large as
    fits, with its own proportions. `gamma` bends its light: above 1 the middle is darker."""

    display: int | str = 0
    crop: tuple[float, float, float, float] = WHOLE
    rotate: int = 0
    flip: str = "none"
    corners: Corners | None = None
    gamma: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether it shows the whole picture as it is."""
        return (self.crop, self.rotate, self.flip, self.corners, self.gamma) == (WHOLE, 0, "none", None, 1.0)

    def placed(self, size: tuple[int, int], picture: tuple[int, int]) -> Corners:
        """Where the corners are put on a display of `size` px for a `picture` of so many; without any of its own they
        lie between pixels, so that a picture that fits is not blurred."""
        if self.corners is not None:
            return self.corners
        width, height = picture[0] * self.crop[2], picture[1] * self.crop[3]
        if self.rotate in (90, 270):
            width, height = height, width
        scale = min(size[0] / width, size[1] / height)
        across, down = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (size[0] - across) // 2, (size[1] - down) // 2
        return tuple(((left + x * across) / size[0], (top + y * down) / size[1]) for x, y in SQUARE)

    def shown(self) -> Doubles:
        """The map from a place on what the corners enclose, 0..1, to one in the picture, (3, 3)."""
        x, y, width, height = self.crop
        cropped = np.array([[width, 0.0, x], [0.0, height, y], [0.0, 0.0, 1.0]])
        return cropped @ _flipped(self.flip) @ _turned(self.rotate)


def homography(corners: Corners) -> Doubles:
    """The projective map that takes the unit square's corners, clockwise from the top left, to `corners`, (3, 3).
    InstallationError where they enclose no convex area."""
    points = np.asarray(corners, np.float64)
    following, last = np.roll(points, -1, axis=0), np.roll(points, 1, axis=0)
    ways, came = following - points, points - last
    crossed = came[:, 0] * ways[:, 1] - came[:, 1] * ways[:, 0]
    area = 0.5 * abs(float(np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0])))
    if not np.isfinite(points).all() or not ((crossed > 1e-6).all() or (crossed < -1e-6).all()) or area < LEAST_AREA:
        raise InstallationError(f"output: corners {[tuple(each) for each in corners]} enclose no convex area, in order")
    rows, wanted = [], []
    for (u, v), (x, y) in zip(SQUARE, points.tolist(), strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        wanted += [x, y]
    return np.append(np.linalg.solve(np.array(rows, np.float64), np.array(wanted)), 1.0).reshape(3, 3)


def _turned(degrees: int) -> Doubles:
    """From a place on what is shown, turned clockwise, to where it was: about the middle."""
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    return np.linalg.matrix_power(quarter, degrees // 90)


def _flipped(flip: str) -> Doubles:
    across = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    down = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]])
    return {"none": np.eye(3), "horizontal": across, "vertical": down}[flip]
