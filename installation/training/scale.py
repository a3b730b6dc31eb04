"""The pitches all shipped families are tuned to: a just pentatonic scale above the C below middle C."""

from __future__ import annotations

LOWEST_HZ = 130.8128
STEPS = (1.0, 9 / 8, 5 / 4, 3 / 2, 5 / 3)


def pitches_hz(octaves: int) -> tuple[float, ...]:
    """Every pitch of so many octaves, from LOWEST_HZ to the one that begins the next."""
    within = (LOWEST_HZ * 2.0**octave * step for octave in range(octaves) for step in STEPS)
    return (*within, LOWEST_HZ * 2.0**octaves)
