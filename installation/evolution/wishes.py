"""What a person wants of the search: more like this, never again, keep this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.evolution.individual import Individual
from installation.evolution.sparseness import distances

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

GENERATIONS = 10
"""For how long more is wanted of what was favoured."""
FAVOURED_AT_MOST = 8
BANISHED_AT_MOST = 256
PINNED_AT_MOST = 32
SHARE = 0.5
"""How often a child's first parent is one that more is wanted of, if there is one."""


class Wishes:
    """`pinned` are identities that selection may not drop; `favoured` those more is wanted of."""

    share = SHARE

    def __init__(self) -> None:
        self.pinned: set[int] = set()
        self._favoured: dict[int, tuple[Individual, int]] = {}
        self._banished: dict[int, tuple[Floats, float]] = {}
        self._gone: dict[int, Individual] = {}

    @property
    def favoured(self) -> list[Individual]:
        """Whom more is wanted of, in the order they were wished for."""
        return [each for each, _ in self._favoured.values()]

    def favour(self, individual: Individual) -> None:
        """More like this, for GENERATIONS; the oldest wish gives way to one too many."""
        self._favoured.pop(individual.identity, None)
        self._favoured[individual.identity] = (individual, GENERATIONS)
        while len(self._favoured) > FAVOURED_AT_MOST:
            del self._favoured[next(iter(self._favoured))]

    def besides(self, container: list[Individual]) -> list[Individual]:
        """The favoured that are not in the container any more."""
        held = {each.identity for each in container}
        return [each for each in self.favoured if each.identity not in held]

    def places(self, pool: list[Individual]) -> npt.NDArray[np.int64]:
        """Where in `pool` the favoured are."""
        return np.array([place for place, each in enumerate(pool) if each.identity in self._favoured], np.int64)

    def pass_on(self) -> None:
        """A generation has passed."""
        self._favoured = {identity: (each, left - 1) for identity, (each, left) in self._favoured.items() if left > 1}

    def pin(self, identity: int, places: int) -> None:
        """Keep `identity`; ValueError where that would leave the search less than half of its `places`."""
        most = min(PINNED_AT_MOST, places // 2)
        if identity not in self.pinned and len(self.pinned) >= most:
            raise ValueError(f"pin: {len(self.pinned)} are pinned already, allowed are {most} of {places} places")
        self.pinned.add(identity)

    def banish(self, individual: Individual, radius: float) -> None:
        """Never again: nothing nearer to it than `radius`; the oldest ban gives way to one too many."""
        self.pinned.discard(individual.identity)
        self._favoured.pop(individual.identity, None)
        self._banished.pop(individual.identity, None)
        self._banished[individual.identity] = (individual.embedding, radius)
        self._gone[individual.identity] = individual
        while len(self._banished) > BANISHED_AT_MOST:
            oldest = next(iter(self._banished))
            del self._banished[oldest]
            self._gone.pop(oldest, None)

    @property
    def banished(self) -> list[Individual]:
        """Who must not come again, as far as they are known."""
        return list(self._gone.values())

    def hear_again(self, favoured: Iterable[Individual], banished: Mapping[int, Floats], radius: float) -> None:
        """Points are of another embedding from now on: those of the `favoured`, and of the `banished` by identity. A
        ban whose point isn't given can't be kept."""
        self._favoured = {each.identity: (each, self._favoured[each.identity][1]) for each in favoured}
        self._banished = {each: (banished[each], radius) for each in self._banished if each in banished}

    def refuse(self, points: Floats) -> Bools:
        """Which of `points` (count, size) are too like one that is banished, (count,)."""
        known = list(self._banished.values())
        if not known or not len(points):
            return np.zeros(len(points), bool)
        apart = distances(points, np.stack([point for point, _ in known]))
        return np.asarray((apart < [radius for _, radius in known]).any(axis=1))

    def state(self) -> dict[str, Any]:
        """Fit for JSON; the favoured by identity and generations left."""
        return {
            "pinned": sorted(self.pinned),
            "favoured": [[identity, left] for identity, (_, left) in self._favoured.items()],
            "banished": [[each, point.tolist(), radius] for each, (point, radius) in self._banished.items()],
        }

    @classmethod
    def of(cls, state: dict[str, Any], wished: Iterable[Individual]) -> Wishes:
        """The wishes of a `state`, with those it speaks of that can still be found."""
        made, known = cls(), {each.identity: each for each in wished}
        made.pinned = set(state["pinned"])
        made._favoured = {
            identity: (known[identity], left) for identity, left in state["favoured"] if identity in known
        }
        made._banished = {
            each: (np.array(point, np.float32), float(radius)) for each, point, radius in state["banished"]
        }
        made._gone = {each: known[each] for each in made._banished if each in known}
        return made
