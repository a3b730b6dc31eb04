"""How fast a training goes, and when it will be done: the second phase's steps are slower than the first's."""

from __future__ import annotations

from installation.training.recipe import Recipe

SLOWER = 2.5
"""A step of the second phase, in steps of the first, until one was timed."""


class Pace:
    """Of a run of `recipe`. Time is given with each step that is reported."""

    def __init__(self, recipe: Recipe) -> None:
        self._boundary, self._total = recipe.phase_1_steps, recipe.steps
        self._last: tuple[int, float] | None = None
        self._timed = {1: [0.0, 0.0], 2: [0.0, 0.0]}

    def phase(self, step: int) -> int:
        """1: the spectral distance alone; 2: the discriminators, too."""
        return 1 if step < self._boundary else 2

    def push(self, step: int, now_s: float) -> None:
        """A step was done by then."""
        if self._last is not None and step > self._last[0]:
            before, then_s = self._last
            timed = self._timed[self.phase(before)]
            timed[0] += step - before
            timed[1] += now_s - then_s
        self._last = (step, now_s)

    def left_s(self) -> float | None:
        """Seconds until the last step; None before there is anything to tell it by."""
        one, two = (seconds / steps if steps else None for steps, seconds in self._timed.values())
        if self._last is None or (one is None and two is None):
            return None
        first = one if one is not None else (two or 0.0) / SLOWER
        second = two if two is not None else first * SLOWER
        step = self._last[0]
        return first * max(0, self._boundary - step) + second * max(0, self._total - max(step, self._boundary))


def clock(seconds: float) -> str:
    """`3:07` or `1:02:07`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
