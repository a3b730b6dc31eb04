"""Notices that the displays a window lies over are no longer what they were: unplugging one is no event anywhere."""

from __future__ import annotations

from collections.abc import Callable, Collection

from installation.picture.wall.randr import Monitor, monitors

LOOK_S = 5.0

Rectangle = tuple[int, int, int, int]
"""Left, top, width, height in px of the desktop."""


class Lookout:
    """Watches the `covered` parts of the desktop; `waits` if displays that are wanted are not there yet. `lit` says
    which outputs are lit now, or None where nobody knows: then nothing is ever noticed."""

    def __init__(
        self,
        covered: Collection[Rectangle],
        waits: bool,
        lit: Callable[[], tuple[Monitor, ...] | None] = monitors,
    ) -> None:
        self._lit, self._waits = lit, waits
        self._before = set(lit() or ())
        self._used = {each for each in self._before if each[1:] in covered}
        self._looked_s: float | None = None

    def changed(self, now_s: float) -> str | None:
        """What is no longer as it was, in a sentence, or None; asked as often as one likes, looks every LOOK_S."""
        if self._looked_s is None:
            self._looked_s = now_s
        if now_s - self._looked_s < LOOK_S:
            return None
        self._looked_s = now_s
        lit = self._lit()
        if lit is None:
            return None
        for each in sorted(self._used - set(lit)):
            moved = next((other for other in lit if other.name == each.name), None)
            return f"display {each.name} is {f'now {_said(moved)}' if moved else 'gone'}"
        come = sorted(set(lit) - self._before)
        return f"display {come[0].name} has come" if come and self._waits else None


def _said(monitor: Monitor) -> str:
    return f"{monitor.width} x {monitor.height} at {monitor.left}, {monitor.top}"
