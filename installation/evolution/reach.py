"""How far a search reaches: a factor on sigma that follows how many children come into the container."""

from __future__ import annotations

import math

SUCCESS = 0.2
"""Share of a brood that comes into the container at which the factor stays as it is (Rechenberg 1973)."""
DAMPING = 10.0
"""Generations of nothing but success in which it grows by e, and of nothing but failure in which it falls by the fourth
root of e (Kern et al., "Learning probability distributions in continuous evolutionary algorithms", Natural Computing 3,
2004)."""
AT_MOST = 8.0
"""How far it goes either way."""


def reached(factor: float, came: list[bool]) -> float:
    """The next factor, after a brood of whom those `came` into the container."""
    success = sum(came) / max(1, len(came))
    grown = factor * math.exp((success - SUCCESS) / (1.0 - SUCCESS) / DAMPING)
    return min(AT_MOST, max(1.0 / AT_MOST, grown))
