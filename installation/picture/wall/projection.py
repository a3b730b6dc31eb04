"""The finished picture where it is wanted: on the wall, by one window on all the outputs it lies over, and in other
programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from installation.picture.canvas import Canvas
from installation.picture.wall.output import Output
from installation.picture.wall.sharing import Shared
from installation.picture.wall.warp import Warp
from installation.picture.wall.window import Window


class Projection:
    """Puts what `canvas` shows on `window`, if there is one: on each of `outputs`, which it lies over in that order and
    which have these `numbers` in the scene; without any, as large as fits. And gives it to all it is `shared` with."""

    def __init__(
        self,
        canvas: Canvas,
        window: Window | None,
        outputs: Sequence[Output] = (),
        numbers: Sequence[int] = (),
        shared: Sequence[Shared] = (),
    ) -> None:
        self._canvas, self._window = canvas, window
        self._warps = [Warp(canvas.context, output) for output in outputs] if window else []
        self._numbers = tuple(numbers)
        self._shared = tuple(shared)
        self._faults: set[str] = set()

    def present(self, values: Mapping[str, float]) -> None:
        """Show the frame that is drawn; `values` are parameters by address."""
        if self._window is not None:
            self._hang(self._window, values)
            self._window.flip()
        for each in self._shared:
            each.share(self._canvas.seen)

    def _hang(self, window: Window, values: Mapping[str, float]) -> None:
        if not self._warps:
            self._canvas.present(window.size)
            return
        for warp, number, area in zip(self._warps, self._numbers, window.areas, strict=True):
            if area is not None:
                warp.move(_moved(values, number))
                warp.present(self._canvas.seen, self._canvas.context.screen, area)

    def changed(self, now_s: float) -> str | None:
        """Why the window must be opened again, in a new process, or None."""
        return self._window.changed(now_s) if self._window else None

    def sentences(self) -> list[str]:
        """What has gone wrong since this was last asked: corners moved across each other, frames that are not taken."""
        faults = {
            f"output {number} stays where it was: {warp.fault}"
            for number, warp in zip(self._numbers, self._warps, strict=False)
            if warp.fault
        }
        faults |= {each.fault for each in self._shared if each.fault}
        new, self._faults = faults - self._faults, faults
        return sorted(new)

    def release(self) -> None:
        """Give back what it draws with, and share no more."""
        for each in self._shared:
            each.close()
        for warp in self._warps:
            warp.release()


def _moved(values: Mapping[str, float], output: int) -> tuple[tuple[float, float], ...]:
    at = f"/picture/output/{output}/corner"
    return tuple((values.get(f"{at}/{n}/x", 0.0), values.get(f"{at}/{n}/y", 0.0)) for n in range(1, 5))
