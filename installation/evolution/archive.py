"""The bounded memory novelty is also measured against, so that the search doesn't come back to what it left.

Lehman & Stanley, "Abandoning Objectives" (Evolutionary Computation 19(2), 2011): what is novel beyond a threshold is
remembered; the threshold falls 5 % when nothing was for long and rises 20 % when too much was at once. Theirs grows
without end; ours forgets its most crowded member when it is full, which keeps far corners known.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.memory import Exact, Memory

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PATIENCE = 10
"""Generations without a new member after which the threshold falls (2,500 evaluations of 250 in the source)."""
FALL = 0.95
RISE = 1.2
AT_ONCE = 4
"""New members in one generation above which the threshold rises."""
CROWDED_AT_MOST = 20_000
"""Members up to which the most crowded is the one that is forgotten; a larger archive forgets its oldest, because to
know who is crowded would take longer than to evaluate a brood."""


class Archive:
    """At most `capacity` points by identity, oldest first, in a `memory`. `threshold` is None until the first
    container is known."""

    def __init__(self, capacity: int, memory: Memory | None = None) -> None:
        self.capacity = capacity
        self.memory: Memory = Exact() if memory is None else memory
        self.threshold: float | None = None
        self.quiet = 0
        self.came: set[int] = set()
        """Who was added, and who removed, since whoever keeps the store last took note."""
        self.went: set[int] = set()
        self._crowding = _Crowding()

    def __len__(self) -> int:
        return len(self.memory)

    @property
    def identities(self) -> list[int]:
        """Who is remembered, oldest first."""
        return [int(each) for each in self.memory.identities]

    def nearest(self, points: Floats, neighbours: int, leave_out: Iterable[int]) -> Doubles:
        """Distances of `points` (count, size) to the `neighbours` nearest members that are not among `leave_out`, for
        nobody is their own neighbour: (count, neighbours or as many as there are)."""
        return self.memory.nearest(points, neighbours, np.array(sorted(leave_out), np.int64))

    def start(self, threshold: float) -> None:
        """Set the first threshold; the mean sparseness of the first container is a good one, if they aren't all alike:
        what is 0 could neither rise nor fall."""
        if self.threshold is None and threshold > 0.0:
            self.threshold = threshold

    def consider(self, brood: list[Individual]) -> list[Individual]:
        """Remember those of `brood` that are sparser than the threshold, tune it, and say who was remembered (and may
        be forgotten already)."""
        if self.threshold is None or self.capacity < 1:
            return []
        new = [each for each in brood if each.sparseness > self.threshold]
        if new:
            self._add(np.array([each.identity for each in new], np.int64), embeddings_of(new, len(new[0].embedding)))
        self._tune(len(new))
        return new

    def restore(self, identities: Integers, points: Floats) -> None:
        """Remember exactly these, which were remembered before, in their order. A memory that holds them already, as
        one in files may, is left as it is."""
        held = self.memory
        if not (np.array_equal(held.identities, identities) and np.array_equal(held.points, points)):
            self.clear()
            if len(identities):
                held.add(identities, points)
        self._crowding = _Crowding()
        if len(identities) and self.capacity <= CROWDED_AT_MOST:
            self._crowding.begin(identities, points, held)
        self._trim()

    def clear(self) -> None:
        """Forget everyone; the threshold stays."""
        self._gone(self.identities)
        self.memory.clear()
        self._crowding = _Crowding()

    def _add(self, identities: Integers, points: Floats) -> None:
        self.memory.add(identities, points)
        self.came.update(map(int, identities))
        if self.capacity <= CROWDED_AT_MOST:
            self._crowding.add(identities, points)
        self._trim()

    def _trim(self) -> None:
        """Forget as many as are too many."""
        extra = len(self.memory) - self.capacity
        if extra > 0:
            gone = self._crowding.remove(extra) if self.capacity <= CROWDED_AT_MOST else self.memory.identities[:extra]
            self._gone(map(int, gone))
            self.memory.remove(np.array(gone, np.int64))

    def _gone(self, identities: Iterable[int]) -> None:
        for identity in identities:
            if identity in self.came:
                self.came.discard(identity)
            else:
                self.went.add(identity)

    def _tune(self, new: int) -> None:
        assert self.threshold is not None
        self.quiet = 0 if new else self.quiet + 1
        if new > AT_ONCE:
            self.threshold *= RISE
        elif self.quiet >= PATIENCE:
            self.threshold *= FALL
            self.quiet = 0


class _Crowding:
    """How near each member's nearest other is. Distances are taken one by one, so that they are the same to the bit
    whenever and in whatever company they are taken: a resumed archive forgets the same members."""

    def __init__(self) -> None:
        self.identities = np.zeros(0, np.int64)
        self.points = np.zeros((0, 0), np.float32)
        self.nearest = np.zeros(0)

    def begin(self, identities: Integers, points: Floats, memory: Memory) -> None:
        """With all the members of a `memory` at once. Its distances are taken as `_from` takes them, of the nearest
        two: the first is a member's to itself."""
        self.identities, self.points = identities.copy(), points.copy()
        near = memory.nearest(points, 2)
        self.nearest = near[:, 1].copy() if near.shape[1] > 1 else np.full(len(points), np.inf)

    def add(self, identities: Integers, points: Floats) -> None:
        """Members come."""
        for identity, point in zip(identities, points, strict=True):
            apart = self._from(point)
            self.nearest = np.append(np.minimum(self.nearest, apart), apart.min(initial=np.inf))
            self.identities = np.append(self.identities, identity)
            self.points = np.vstack([self.points.reshape(-1, len(point)), point])

    def remove(self, count: int) -> Integers:
        """Drop `count` members, each time the one nearest to another, of a pair the older; who they were."""
        gone = []
        for _ in range(count):
            place = int(np.argmin(self.nearest))
            gone.append(self.identities[place])
            apart = self._from(self.points[place])
            orphans = np.flatnonzero(apart == self.nearest)
            self.identities = np.delete(self.identities, place)
            self.points = np.delete(self.points, place, axis=0)
            self.nearest = np.delete(self.nearest, place)
            for orphan in orphans[orphans != place]:
                self._measure(orphan - (orphan > place))
        return np.array(gone, np.int64)

    def _measure(self, place: int) -> None:
        apart = self._from(self.points[place])
        apart[place] = np.inf
        self.nearest[place] = apart.min(initial=np.inf)

    def _from(self, point: Floats) -> Doubles:
        if not len(self.points):
            return np.zeros(0)
        apart = self.points - point.astype(np.float64)
        return np.asarray(np.sqrt(np.square(apart).sum(axis=1)))
