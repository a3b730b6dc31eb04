"""A follower with attack and release in milliseconds, the same at any block size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_FLOOR = 1e-9


class Envelope:
    """`size` one-pole followers. Over `dt_s` each goes the share 1 - exp(-dt / time) of the way to its target, with the
    attack's time upwards and the release's downwards: two halves of a `dt_s` make the whole."""

    def __init__(self, attack_ms: float, release_ms: float, size: int = 1) -> None:
        self._attack_s = max(attack_ms, 1e-6) / 1000
        self._release_s = max(release_ms, 1e-6) / 1000
        self.values: Doubles = np.zeros(size)

    def push(self, targets: npt.ArrayLike, dt_s: float) -> Doubles:
        """Follow `targets` (size,), held for `dt_s`; the values after it, (size,). Not-finite targets count as 0."""
        given = np.asarray(targets, np.float64)
        wanted = np.where(np.isfinite(given), given, 0.0)
        rising = -np.expm1(-dt_s / self._attack_s)
        falling = -np.expm1(-dt_s / self._release_s)
        share = np.where(wanted > self.values, rising, falling)
        values: Doubles = self.values + (wanted - self.values) * share
        values[np.abs(values) < _FLOOR] = 0.0
        self.values = values
        return values
