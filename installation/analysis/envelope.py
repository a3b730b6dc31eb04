"""A follower with attack and release in milliseconds, the same at any block size."""

from __future__ import annotations

import math

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
        self._dt_s = self._rising = self._falling = 0.0
        self.values: Doubles = np.zeros(size)

    def push(self, targets: npt.ArrayLike, dt_s: float) -> Doubles:
        """Follow `targets` (size,), held for `dt_s`; the values after it, (size,). Not-finite targets count as 0."""
        if dt_s != self._dt_s:
            self._dt_s = dt_s
            self._rising, self._falling = -np.expm1(-dt_s / self._attack_s), -np.expm1(-dt_s / self._release_s)
        wanted = np.asarray(targets, np.float64)
        if not math.isfinite(wanted.sum()):
            wanted = np.where(np.isfinite(wanted), wanted, 0.0)
        change = wanted - self.values
        values: Doubles = self.values + change * np.where(change > 0.0, self._rising, self._falling)
        values[np.abs(values) < _FLOOR] = 0.0
        self.values = values
        return values


class Follower:
    """An `Envelope` of one number, for steps of `dt_s` only."""

    def __init__(self, attack_ms: float, release_ms: float, dt_s: float) -> None:
        self._rising, self._falling = (-math.expm1(-1000 * dt_s / max(ms, 1e-6)) for ms in (attack_ms, release_ms))
        self.value = 0.0

    def push(self, target: float) -> float:
        """Follow a finite `target` for one step; the value after it."""
        value = self.value + (target - self.value) * (self._rising if target > self.value else self._falling)
        self.value = value if abs(value) >= _FLOOR else 0.0
        return self.value
