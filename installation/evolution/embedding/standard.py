"""Numbers of different kinds made comparable: each less its mean, over its deviation, in blocks of stated weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Blocks = tuple[tuple[int, float], ...]
"""Size and weight of each block of numbers, in order. A block's expected length is its weight, whatever its size."""


class Standard:
    """Before `learn` every number is taken as it is, but for its block's weight. `floor` is the least deviation of a
    number in shares of its block's: what hardly moves must not become all that counts."""

    def __init__(self, name: str, blocks: Blocks, calibration: dict[str, Any] | None, floor: float = 0.1) -> None:
        self.size = sum(size for size, _ in blocks)
        self._blocks, self._floor = blocks, floor
        held = calibration or {"mean": [0.0] * self.size, "scale": [1.0] * self.size}
        self._mean = np.asarray(held["mean"], np.float32)
        self._scale = np.asarray(held["scale"], np.float32)
        if self._mean.shape != (self.size,) or self._scale.shape != (self.size,):
            raise ValueError(
                f"{name}: calibration of {self._mean.shape} and {self._scale.shape}, allowed is ({self.size},)"
            )
        self._weights = np.concatenate([np.full(size, weight / np.sqrt(size), np.float32) for size, weight in blocks])

    @property
    def calibration(self) -> dict[str, Any]:
        """Mean and scale of each number, as lists."""
        return {"mean": self._mean.tolist(), "scale": self._scale.tolist()}

    def learn(self, found: Floats) -> None:
        """Mean and scale of each number from `found` (count, size)."""
        deviation = found.std(axis=0)
        parts = np.split(deviation, np.cumsum([size for size, _ in self._blocks])[:-1])
        floors = [np.full(len(part), self._floor * np.sqrt(np.mean(part**2)) + 1e-6, np.float32) for part in parts]
        self._mean = found.mean(axis=0)
        self._scale = np.asarray(np.maximum(deviation, np.concatenate(floors)), np.float32)

    def of(self, found: Floats) -> Floats:
        """`found` (count, size) scaled and weighted, (count, size)."""
        return np.asarray((found - self._mean) / self._scale * self._weights, np.float32)


class Statistical:
    """An embedding whose numbers are `statistics` of a sound in `blocks`, standardised. Before `calibrate` they are
    taken as they are."""

    name: str

    def __init__(self, blocks: Blocks, calibration: dict[str, Any] | None, floor: float = 0.1) -> None:
        self._standard = Standard(self.name, blocks, calibration, floor)
        self.size = self._standard.size

    def statistics(self, sounds: Floats) -> Floats:
        """The numbers of each of `sounds` (batch, samples), not scaled, (batch, size)."""
        raise NotImplementedError

    @property
    def calibration(self) -> dict[str, Any]:
        """Mean and scale of each number, as lists."""
        return self._standard.calibration

    def calibrate(self, sounds: Floats) -> None:
        """Learn mean and scale of each number from `sounds` (count, samples)."""
        self._standard.learn(self.statistics(sounds))

    def embed(self, sounds: Floats) -> Floats:
        """`sounds` (batch, samples) → (batch, size), each block with an expected length of its weight."""
        return self._standard.of(self.statistics(sounds))
