"""When the next frame is due, and how long the last ones took."""

from __future__ import annotations

import numpy as np


class Pace:
    """Deadlines `1 / fps` apart. A frame that came late does not make the next ones hurry: what was lost is lost."""

    def __init__(self, fps: float, now_s: float) -> None:
        self.period_s = 1.0 / fps
        self._due_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How long to wait from `now_s` until the next frame is begun; counts one frame."""
        self._due_s += self.period_s
        if self._due_s <= now_s:
            self._due_s = now_s
        return self._due_s - now_s


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
