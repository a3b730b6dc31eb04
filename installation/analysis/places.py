"""How much likelier each kind of place in the bar has become by what was heard: a small network, fitted once.

The rises of this hop and of the two before go through one hidden layer to a score for each place; `bench/beat_fit.py`
fits it to music whose beats are known, and prints the two tables of `analysis.weights`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.accents import COUNT
from installation.analysis.metre import BEATS, PLACES
from installation.analysis.weights import HIDDEN, UNIT, WANTED

Doubles = npt.NDArray[np.float64]

HEARD = 4 * COUNT + 1
"""What a place is judged by: the accents of this hop and of the two before, the squares of this one's, and 1."""
KINDS = BEATS * len(PLACES)


class Places:
    """Pushed the accents of each hop; remembers two."""

    def __init__(self) -> None:
        self._hidden = np.array(HIDDEN.split(), np.float64).reshape(HEARD, -1) * UNIT
        self._wanted = np.array(WANTED.split(), np.float64).reshape(-1, KINDS) * UNIT
        self._within: Doubles = np.ones(len(self._wanted))
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._heard: Doubles = np.zeros(HEARD)
        self._heard[-1] = 1.0

    def push(self, accents: Doubles) -> Doubles:
        """How likely each kind of place is after hearing a hop's accents (COUNT,), over how likely it was before, as a
        share of the greatest, (KINDS,), 0..1."""
        heard, within = self._heard, self._within
        heard[COUNT : 3 * COUNT] = heard[: 2 * COUNT]
        heard[:COUNT] = accents
        heard[3 * COUNT : -1] = accents**2
        np.maximum(heard @ self._hidden, 0.0, out=within[:-1])
        score = within @ self._wanted
        return np.asarray(np.exp(score - score.max()))
