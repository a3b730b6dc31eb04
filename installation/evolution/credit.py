"""Which operator next: each child's is drawn by what the operators have lately earned.

A bandit: discounted Thompson sampling (Raj & Kalyani, arXiv 1707.09727). An operator earns when its child comes into
the container; what it tried and earned fades, so one that is of use again is found again. (Bandits over the operators
of evolution: Fialho et al., "Analyzing bandit-based adaptive operator selection", Ann. Math. AI 60, 2010.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

FADE = 0.98
"""What is left, a generation later, of what was tried and earned: half after 34."""


class Credit:
    """`tried` and `earned` of each of `names`, both fading."""

    def __init__(self, names: Iterable[str]) -> None:
        self.tried = dict.fromkeys(names, 0.0)
        self.earned = dict.fromkeys(self.tried, 0.0)

    def choose(self, count: int, rng: np.random.Generator) -> list[str]:
        """An operator for each of `count` children: the one with the highest chance, as drawn from what is believed of
        each (a Beta distribution of what it earned and didn't)."""
        names = list(self.tried)
        won = np.array([self.earned[name] for name in names])
        lost = np.array([self.tried[name] for name in names]) - won
        drawn = rng.beta(1.0 + won, 1.0 + np.maximum(0.0, lost), (count, len(names)))
        return [names[place] for place in drawn.argmax(axis=1)]

    def settle(self, operators: Iterable[str], born: Iterable[bool]) -> None:
        """A generation's account: each child's operator, and whether the child came into the container."""
        for name in self.tried:
            self.tried[name] *= FADE
            self.earned[name] *= FADE
        for name, earned in zip(operators, born, strict=True):
            if name in self.tried:
                self.tried[name] += 1.0
                self.earned[name] += float(earned)

    def shares(self) -> dict[str, float]:
        """What each has lately earned a try, 0..1; .5 for one that was not tried."""
        return {name: (1.0 + self.earned[name]) / (2.0 + self.tried[name]) for name in self.tried}

    def state(self) -> dict[str, Any]:
        """Fit for JSON."""
        return {"tried": dict(self.tried), "earned": dict(self.earned)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`; of an operator it doesn't know nothing was tried."""
        for name in self.tried:
            self.tried[name] = float(state["tried"].get(name, 0.0))
            self.earned[name] = float(state["earned"].get(name, 0.0))
