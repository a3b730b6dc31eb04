"""Fades by position: what changes places keeps its power."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Fade:
    """An equal-power fade of `length` samples from `begin` on: sine up, or cosine down, so that two lanes that change
    places keep their power together."""

    begin: int
    length: int
    rises: bool

    @property
    def end(self) -> int:
        return self.begin + self.length

    def gains(self, begin: int, count: int) -> Floats:
        """(count, 1)."""
        share = np.clip((np.arange(begin, begin + count) - self.begin) / max(1, self.length), 0.0, 1.0)
        angle = 0.5 * pi * share
        return (np.sin(angle) if self.rises else np.cos(angle)).astype(np.float32)[:, None]
