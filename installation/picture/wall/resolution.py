"""How many pixels are drawn, so that the frame rate holds: fewer while frames take too long, as many as asked for when
they don't. Time is an argument."""

from __future__ import annotations

from collections import deque

import numpy as np

FULL = 0.92
"""Of its period a frame may take so much before pixels are given up."""
AIM = 0.75
"""What a frame is to take after a change: the room between is for what a shader costs more at times."""
STEP = 2**-0.25
"""From one resolution to the next: half the pixels in two steps."""
FRAMES = 24
"""So many frames decide; one slow frame among them doesn't."""
UP_S, UP_AT_MOST_S = 5.0, 600.0
"""How long it must go well before pixels are given back; twice as long after each time that did not last."""
LASTED_S = 20.0


class Resolution:
    """`size` (width, height) px is the whole; width and height are reduced to `least` of it at the most."""

    def __init__(self, size: tuple[int, int], least: float, period_s: float) -> None:
        self._whole, self._period_s = size, period_s
        self._steps = int(np.floor(np.log(least) / np.log(STEP) + 1e-9))
        self._step = 0
        self._costs: deque[float] = deque(maxlen=FRAMES)
        self._well_since_s: float | None = None
        self._wait_s = UP_S
        self._raised_s = -np.inf
        self.changes = 0

    @property
    def scale(self) -> float:
        """Width and height as a share of the whole."""
        return round(float(STEP**self._step), 6)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px to draw now; even."""
        return self._size(self._step)

    def push(self, cost_s: float, now_s: float) -> tuple[int, int] | None:
        """A frame took `cost_s`; the size to draw from now on, if it is another."""
        self._costs.append(cost_s / self._period_s)
        if len(self._costs) < FRAMES:
            return None
        load = float(np.median(self._costs))
        if load > FULL and self._step < self._steps:
            return self._lower(load, now_s)
        self._rise(float(np.percentile(self._costs, 90)), now_s)
        return self._raise(now_s) if self._due(now_s) else None

    def _lower(self, load: float, now_s: float) -> tuple[int, int]:
        """So many steps that a frame, whose cost goes with its pixels, takes AIM of its period."""
        steps = int(np.ceil(np.log(AIM / load) / np.log(STEP**2)))
        if now_s - self._raised_s < LASTED_S:
            self._wait_s = min(UP_AT_MOST_S, 2.0 * self._wait_s)
        return self._change(min(self._steps, self._step + max(1, steps)))

    def _rise(self, load: float, now_s: float) -> None:
        """Note since when a picture of one step more would have taken less than AIM of the period."""
        if self._step == 0 or load * STEP**-2 > AIM:
            self._well_since_s = None
        elif self._well_since_s is None:
            self._well_since_s = now_s

    def _due(self, now_s: float) -> bool:
        return self._well_since_s is not None and now_s - self._well_since_s >= self._wait_s

    def _raise(self, now_s: float) -> tuple[int, int]:
        if now_s - self._raised_s > 10 * LASTED_S:
            self._wait_s = UP_S
        self._raised_s = now_s
        return self._change(self._step - 1)

    def _change(self, step: int) -> tuple[int, int]:
        self._step = step
        self._costs.clear()
        self._well_since_s = None
        self.changes += 1
        return self.size

    def _size(self, step: int) -> tuple[int, int]:
        if step == 0:
            return self._whole
        width, height = (max(2, 2 * round(side * STEP**step / 2)) for side in self._whole)
        return width, height
