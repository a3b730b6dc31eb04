"""Principal components of points: the few directions in which they differ most (Pearson, Phil. Mag. 2, 1901)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pca:
    """A projection, which never changes: another fit is another one. `mean` (size,), `axes` (size, components)
    orthonormal, the one of largest variance first; nothing is whitened, so distances keep their scale."""

    mean: Doubles
    axes: Doubles

    @classmethod
    def fit(cls, points: Floats, components: int) -> Self:
        """The first `components` of `points` (count, size), or as many as there are numbers or points. By exact SVD in
        doubles; the largest entry of each axis is positive, so the same points have the same axes."""
        if points.ndim != 2 or not len(points) or components < 1:
            raise ValueError(f"pca: {components} components of {points.shape}, allowed are 1 or more of (count, size)")
        mean = points.mean(axis=0, dtype=np.float64)
        _, _, rows = np.linalg.svd(points - mean, full_matrices=False)
        axes = rows[:components].T
        largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
        return cls(mean, np.ascontiguousarray(axes * np.where(largest < 0, -1.0, 1.0)))

    @property
    def components(self) -> int:
        """Numbers in a projected point."""
        return int(self.axes.shape[1])

    def project(self, points: Floats) -> Floats:
        """`points` (count, size) → (count, components)."""
        return np.asarray((points - self.mean) @ self.axes, np.float32)

    def state(self) -> dict[str, Any]:
        """Fit for JSON; `of` it is the same projection, bit for bit."""
        return {"mean": self.mean.tolist(), "axes": self.axes.tolist()}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """The projection `state` was taken of."""
        mean, axes = np.asarray(state["mean"], np.float64), np.asarray(state["axes"], np.float64)
        if mean.ndim != 1 or axes.ndim != 2 or len(axes) != len(mean):
            raise ValueError(
                f"pca: mean {mean.shape} and axes {axes.shape}, allowed are (size,) and (size, components)"
            )
        return cls(mean, axes)
