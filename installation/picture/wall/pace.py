"""When the next frame is seen, when to begin to draw it, and how long the last ones took. Time is an argument."""

from __future__ import annotations

import numpy as np

LEAD_S = 0.004
"""Drawing begins so long before it must, beyond what it usually takes."""
FOLLOW = 0.1
"""How much of what a display keeps a frame waiting, beyond HAND_S, the next deadline moves: it comes to lie on the
display's own beat, and goes with it."""
HAND_S = 0.003
"""Giving a frame to the display takes up to so long where nothing waits for a beat."""


class Pace:
    """Deadlines `1 / fps` apart: the moments frames are seen. A frame that came late does not make the next ones hurry:
    what was lost is lost. Drawing begins as late as it may, so that what it shows is as new as it can be."""

    def __init__(self, fps: float, now_s: float) -> None:
        self.period_s = 1.0 / fps
        self.due_s = now_s + self.period_s
        self._cost_s = self.period_s
        self._hand_s = 0.0
        """What giving a frame to the display takes: so much sooner than it is seen it is given."""

    def begin_s(self, now_s: float) -> float:
        """How long to wait from `now_s` until the next frame is begun."""
        lead_s = min(self.period_s, self._cost_s + self._hand_s + LEAD_S)
        return max(0.0, self.due_s - lead_s - now_s)

    def drawn(self, cost_s: float) -> None:
        """A frame took `cost_s` to draw: the next may, too. Rises at once and falls slowly."""
        self._cost_s = max(cost_s, self._cost_s + (cost_s - self._cost_s) * 0.05)

    def wait_s(self, now_s: float) -> float:
        """How long to wait from `now_s` until the frame that is drawn is given to the display."""
        return max(0.0, self.due_s - self._hand_s - now_s)

    def shown(self, asked_s: float, now_s: float) -> float:
        """The frame was given to the display at `asked_s` and taken at `now_s`: how late that was, against its
        deadline. The next one is due a period later, a little more if the display kept it waiting for its beat."""
        late_s, waited_s = now_s - self.due_s, now_s - asked_s
        self._hand_s += 0.05 * (min(waited_s, HAND_S) - self._hand_s)
        self.due_s += self.period_s
        if HAND_S < waited_s < 1.5 * self.period_s:
            self.due_s += FOLLOW * (waited_s - HAND_S)
        self.due_s = max(self.due_s, now_s)
        return late_s


class FrameTimes:
    """Percentiles of any number of frame times from a uniform sample of `kept` of them (Vitter 1985, algorithm R), so
    that a show of months needs no more memory than one of minutes. The maximum is of all."""

    def __init__(self, rng: np.random.Generator, kept: int = 1024) -> None:
        self._rng = rng
        self._sample_ms = np.zeros(kept)
        self._maximum_ms = 0.0
        self.count = 0

    def push(self, frame_ms: float) -> None:
        """One frame took `frame_ms`."""
        kept = len(self._sample_ms)
        place = self.count if self.count < kept else int(self._rng.integers(self.count + 1))
        if place < kept:
            self._sample_ms[place] = frame_ms
        self._maximum_ms = max(self._maximum_ms, frame_ms)
        self.count += 1

    def figures(self) -> dict[str, float]:
        """`p50`, `p99` and `max` in ms; zeros before the first."""
        sample_ms = self._sample_ms[: max(1, self.count)]
        p50, p99 = np.percentile(sample_ms, [50.0, 99.0]).tolist()
        return {"p50": round(p50, 3), "p99": round(p99, 3), "max": round(self._maximum_ms, 3)}
