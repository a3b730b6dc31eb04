"""The bounded memory novelty is also measured against, so that the search doesn't come back to what it left.

Lehman & Stanley, "Abandoning Objectives" (Evolutionary Computation 19(2), 2011): what is novel beyond a threshold is
remembered; the threshold falls 5 % when nothing was for long and rises 20 % when too much was at once. Theirs grows
without end; ours forgets its most crowded member when it is full, which keeps far corners known.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.sparseness import sparseness

PATIENCE = 10
"""Generations without a new member after which the threshold falls (2,500 evaluations of 250 in the source)."""
FALL = 0.95
RISE = 1.2
AT_ONCE = 4
"""New members in one generation above which the threshold rises."""


class Archive:
    """At most `capacity` individuals, oldest first. `threshold` is None until the first container is known."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.members: list[Individual] = []
        self.threshold: float | None = None
        self.quiet = 0

    def without(self, identities: Iterable[int]) -> list[Individual]:
        """Its members that are not among `identities`: nobody is their own neighbour."""
        known = set(identities)
        return [member for member in self.members if member.identity not in known]

    def start(self, threshold: float) -> None:
        """Set the first threshold; the mean sparseness of the first container is a good one."""
        if self.threshold is None:
            self.threshold = threshold

    def consider(self, brood: Iterable[Individual]) -> list[Individual]:
        """Remember those of `brood` that are sparser than the threshold, tune it, and say who was remembered."""
        if self.threshold is None or self.capacity < 1:
            return []
        new = [each for each in brood if each.sparseness > (self.threshold or 0.0)]
        self.members += new
        self._tune(len(new))
        while len(self.members) > self.capacity:
            self._forget()
        return new

    def _tune(self, new: int) -> None:
        assert self.threshold is not None
        self.quiet = 0 if new else self.quiet + 1
        if new > AT_ONCE:
            self.threshold *= RISE
        elif self.quiet >= PATIENCE:
            self.threshold *= FALL
            self.quiet = 0

    def _forget(self) -> None:
        """Drop the member nearest to another; of a pair, the older."""
        crowding = sparseness(embeddings_of(self.members, len(self.members[0].embedding)), 1)
        del self.members[int(np.argmin(crowding))]
