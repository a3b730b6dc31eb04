"""The map of what a search knows, made anew after each generation: those that live and those that are remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.commands import Atlas
from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.layout import Layout
from installation.evolution.search import Search

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

ON_THE_MAP = 1024
"""Individuals on a map, at most: all that live, and of the others the youngest."""
AGE_GENERATIONS = 10.0
"""Of so many generations, age is half: as `picture.heard` has it."""
LIVES = 4 * ON_THE_MAP
"""Lives that are known, at most, before the oldest that are not on the map are forgotten."""


@dataclass(frozen=True)
class _Life:
    """What a map says of an individual besides where it lies."""

    generation: int
    parents: tuple[int, ...]
    sparseness: float


class Survey:
    """Knows where each lies and whom it comes from. One search's, for as long as that goes on."""

    def __init__(self) -> None:
        self._layout = Layout()
        self._lives: dict[int, _Life] = {}
        self._origins: dict[int, Floats] = {}

    def meet(self, individuals: Iterable[Individual]) -> None:
        """Take note of who these are: whom the archive remembers it knows by their points alone."""
        for each in individuals:
            self._lives[each.identity] = _Life(each.generation, each.parents, each.sparseness)
        if len(self._lives) > LIVES:
            young = set(sorted(self._lives)[-LIVES // 2 :]) | set(self._layout.identities.tolist())
            self._lives = {identity: life for identity, life in self._lives.items() if identity in young}

    def hold(self, atlas: Atlas) -> None:
        """Go on from an atlas made before, so that nothing on it jumps."""
        self._layout.hold(atlas.identities, atlas.places)
        self._origins = dict(zip(atlas.identities.tolist(), atlas.origins, strict=True))

    def atlas(self, search: Search) -> Atlas:
        """The map of `search` as it is now."""
        alive = {each.identity: now for each, now in zip(search.container, search.sparseness, strict=True)}
        self.meet(search.container)
        identities, points = _known(search)
        self._layout.renew(identities, points)
        columns = self._layout.identities.tolist()
        lives = [self._lives.get(each) for each in columns]
        born = [life.sparseness if life else 0.0 for life in lives]
        sparseness = [alive.get(each, at_birth) for each, at_birth in zip(columns, born, strict=True)]
        generations = [search.generation - life.generation if life else 0 for life in lives]
        return Atlas(
            identities=self._layout.identities.copy(),
            places=self._layout.places.copy(),
            origins=self._parents_places(columns, lives),
            sparseness=_against(np.array(sparseness), search.mean_sparseness),
            age=_aged(np.maximum(0, np.array(generations, np.int64))),
            alive=np.array([each in alive for each in columns], bool),
        )

    def _parents_places(self, columns: list[int], lives: list[_Life | None]) -> Floats:
        """Of each the place of its first parent on the map; of one whose parents have left where they were last, of one
        without its own. (count, 2)"""
        places = dict(zip(columns, self._layout.places, strict=True))
        origins: dict[int, Floats] = {}
        for identity, life in zip(columns, lives, strict=True):
            known = [places[each] for each in (life.parents if life else ()) if each in places]
            found = known[0] if known else self._origins.get(identity)
            if found is not None:
                origins[identity] = found
        self._origins = origins
        return np.array([origins.get(each, places[each]) for each in columns], np.float32).reshape(-1, 2)


def _known(search: Search) -> tuple[Integers, Floats]:
    """Who is on the map, and their points (count, size)."""
    living = sorted(zip(search.sparseness, search.container, strict=True), key=lambda each: -each[0])[:ON_THE_MAP]
    container = [each for _, each in living]
    names = np.array([each.identity for each in container], np.int64)
    held = np.array(search.archive.identities, np.int64)
    others = np.flatnonzero(~np.isin(held, names))
    others = others[max(0, len(others) - (ON_THE_MAP - len(container))) :]
    size = len(container[0].embedding) if container else search.archive.memory.points.shape[1]
    points = search.archive.memory.points[others].reshape(len(others), size)
    return np.concatenate([names, held[others]]), np.concatenate([embeddings_of(container, size), points])


def _against(sparseness: npt.NDArray[np.float64], usual: float) -> Floats:
    """0..1, .5 for what is `usual`: embeddings differ in scale."""
    both = sparseness + usual
    return np.asarray(np.divide(sparseness, both, out=np.zeros_like(sparseness), where=both > 0.0), np.float32)


def _aged(generations: Integers) -> Floats:
    return np.asarray(generations / (generations + AGE_GENERATIONS), np.float32)
