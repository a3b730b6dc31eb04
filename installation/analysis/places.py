"""How much likelier an accent is at each kind of place in the beat than anywhere: a small logistic regression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.accents import COUNT
from installation.analysis.metre import PLACES

Doubles = npt.NDArray[np.float64]

TABLE = """
"""
"""Thousandths; a row for each thing heard, a column for each place."""
HEARD = 4 * COUNT + 1
"""What a place is judged by: the accents of this hop and the two before, the squares of this one's, and 1."""


class Places:
    """Pushed the accents of each hop; remembers two."""

    def __init__(self) -> None:
        self._weights: Doubles = np.array(TABLE.split(), np.float64).reshape(HEARD, 2 * len(PLACES)) / 1000
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._heard: Doubles = np.zeros(HEARD)
        self._heard[-1] = 1.0

    def push(self, accents: Doubles) -> Doubles:
        """How likely each kind of place is after hearing a hop's accents (COUNT,), over how likely it was before, as a
        share of the greatest, (2 * len(PLACES),), 0..1."""
        heard = self._heard
        heard[COUNT : 3 * COUNT] = heard[: 2 * COUNT]
        heard[:COUNT] = accents
        heard[3 * COUNT : -1] = accents**2
        score = heard @ self._weights
        return np.asarray(np.exp(score - score.max()))
