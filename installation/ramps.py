"""Parameters on their way from one value to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ramp:
    """A parameter on its way from `begin` to `end`."""

    begin: float
    end: float
    begun_s: float
    seconds: float


class Ramps:
    """Parameters on their way, by address. Time is an argument."""

    def __init__(self) -> None:
        self._ramps: dict[str, Ramp] = {}

    def begin(self, address: str, ramp: Ramp) -> None:
        """Send a parameter on its way; where it was going before is forgotten."""
        self._ramps[address] = ramp

    def drop(self, address: str) -> None:
        """It stays where it is."""
        self._ramps.pop(address, None)

    def clear(self) -> None:
        """All stay where they are."""
        self._ramps.clear()

    def at(self, now_s: float) -> dict[str, float]:
        """Where they are; those that have arrived are given once more, and then no longer."""
        found = {}
        for address, ramp in tuple(self._ramps.items()):
            share = min(1.0, (now_s - ramp.begun_s) / ramp.seconds)
            found[address] = ramp.begin + (ramp.end - ramp.begin) * share
            if share >= 1.0:
                self.drop(address)
        return found
