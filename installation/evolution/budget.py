"""How fast the search may evaluate: never faster than people allow, and slower when the sound needs the machine.

Additive increase, multiplicative decrease, as TCP shares a line (Chiu & Jain 1989): each report of a strained sound
halves the rate, from what was really evaluated of late; calm ones lead back in equal steps. Pure: time is an argument,
seconds on any clock that does not go back.
"""

from __future__ import annotations

import math
from collections import deque

FLOOR = 0.5
"""Individuals a second that are left while the sound is strained."""
STRAINED = 0.5
"""Share of a step's duration that decoding it may take before the search gives way."""
PAUSED = 0.8
"""The share from which nothing at all is evaluated."""
STEPS_BACK = 20
"""Calm reports from the floor until the search is as fast as it was."""
ROUNDING = 1e-6
"""Of an individual: a debt so small is none, else who waits exactly as long as told could wait for ever."""
PACE_S = 5.0
"""The pace is what was evaluated in so long."""


class Budget:
    """A debt in individuals: evaluating adds to it, time pays it off at `rate`, and the next batch waits until there is
    none. So in any span no more is evaluated than the rate allows, and one batch."""

    def __init__(self, limit: float, now_s: float = 0.0) -> None:
        self.limit = limit
        self._debt = 0.0
        self._paid_s = now_s
        self._kept: float | None = None
        self._before = limit
        self._paused = False
        self._spent: deque[tuple[float, int]] = deque()

    @property
    def rate(self) -> float:
        """Individuals a second, at the most, now."""
        if self._paused:
            return 0.0
        return self.limit if self._kept is None else min(self.limit, self._kept)

    @property
    def state(self) -> str:
        """`free`, or because of the sound `yielding` or `paused`."""
        if self._paused:
            return "paused"
        return "free" if self._kept is None else "yielding"

    def allow(self, limit: float, now_s: float) -> None:
        """People turn the limit, individuals a second."""
        self._pay(now_s)
        self.limit = limit

    def spend(self, count: int, now_s: float) -> None:
        """So many were evaluated."""
        self._pay(now_s)
        self._debt += count
        if count:
            self._spent.append((now_s, count))

    def wait_s(self, now_s: float) -> float:
        """How long the next batch must wait, as it looks now; infinite while paused."""
        self._pay(now_s)
        if self._paused:
            return math.inf
        return self._debt / self.rate

    def pace(self, now_s: float) -> float:
        """Individuals evaluated a second, over the last PACE_S."""
        while self._spent and self._spent[0][0] <= now_s - PACE_S:
            self._spent.popleft()
        return sum(count for _, count in self._spent) / PACE_S

    def hear(self, decode_ms: float, step_ms: float, now_s: float) -> None:
        """A report of the voice: its slowest decodes of late took `decode_ms`, a step of its sound lasts `step_ms`."""
        self._pay(now_s)
        share = decode_ms / step_ms
        self._paused = share > PAUSED
        if share > STRAINED:
            self._give_way(now_s)
        elif self._kept is not None:
            self._kept += (self._before - FLOOR) / STEPS_BACK
            if self._kept + ROUNDING >= min(self._before, self.limit):
                self._kept = None

    def _give_way(self, now_s: float) -> None:
        if self._kept is None:
            self._before = self._kept = max(FLOOR, min(self.limit, self.pace(now_s)))
        self._kept = max(FLOOR, min(self._kept, self.limit) / 2.0)

    def _pay(self, now_s: float) -> None:
        owed = self._debt - self.rate * max(0.0, now_s - self._paid_s)
        self._debt = owed if owed > ROUNDING else 0.0
        self._paid_s = max(now_s, self._paid_s)

    def figures(self, now_s: float) -> dict[str, float | str]:
        """For the run's report."""
        return {"evaluations_a_second": round(self.pace(now_s), 2), "budget": self.state}
