"""The finished picture on the wall: by one window, on all the outputs it lies over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from installation.picture.canvas import Canvas
from installation.picture.output import Output
from installation.picture.warp import Warp
from installation.picture.window import Window


class Projection:
    """Puts what `canvas` shows on `window`: on each of `outputs`, which it lies over in that order and which have these
    `numbers` in the scene; without any, as large as fits."""

    def __init__(self, canvas: Canvas, window: Window, outputs: Sequence[Output], numbers: Sequence[int]) -> None:
        self._canvas, self._window = canvas, window
        self._warps = [Warp(canvas.context, output) for output in outputs]
        self._numbers = tuple(numbers)

    def present(self, values: Mapping[str, float]) -> None:
        """Show the frame that is drawn; `values` are parameters by address."""
        if not self._warps:
            self._canvas.present(self._window.size)
        for warp, number, area in zip(self._warps, self._numbers, self._window.areas, strict=True):
            if area is None:
                continue
            warp.move(_moved(values, number))
            warp.present(self._canvas.seen, self._canvas.context.screen, area)
        self._window.flip()

    def release(self) -> None:
        """Give back what it draws with."""
        for warp in self._warps:
            warp.release()


def _moved(values: Mapping[str, float], output: int) -> tuple[tuple[float, float], ...]:
    at = f"/picture/output/{output}/corner"
    return tuple((values.get(f"{at}/{n}/x", 0.0), values.get(f"{at}/{n}/y", 0.0)) for n in range(1, 5))
