"""Who of container and brood lives on: four ways to rank points by novelty and quality. Pure.

nearest     mean distance to the k nearest (Lehman & Stanley 2011; what LVNS-RAVE's text says)
farthest    mean distance to the k farthest (what LVNS-RAVE's public code does)
dominated   mean distance to the k nearest that are *better* (Dominated Novelty Search, arXiv 2502.00593)
local       Pareto fronts of novelty and of the share of neighbours one is better than (Lehman & Stanley, "Evolving a
            diversity of virtual creatures through novelty search and local competition", GECCO 2011)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.evolution.sparseness import distances, farthest, sparseness

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Field:
    """Who is to be ranked: `embeddings` (count, size), `quality` (count,) 0..1, the distances to what is `remembered`
    (count, any), each row's nearest at least, and how many `neighbours` count. `weight` 0..1 is that of quality against
    novelty where a way to rank has no place for quality of its own."""

    embeddings: Floats
    quality: Doubles
    remembered: Doubles
    neighbours: int
    weight: float = 0.0


@dataclass(frozen=True, eq=False)
class Ranking:
    """`novelty` (count,) is what is reported as sparseness; the highest `score` (count,) live on."""

    novelty: Doubles
    score: Doubles


def nearest(field: Field) -> Ranking:
    """The sparsest live on, or with a weight those whose ranks in sparseness and quality are best."""
    found = sparseness(field.embeddings, field.neighbours, remembered=field.remembered)
    return Ranking(found, _weighted(found, field))


def by_farthest(field: Field) -> Ranking:
    """As `nearest`, by the k farthest of container and brood alone: the public code has no archive."""
    found = farthest(field.embeddings, field.neighbours)
    return Ranking(found, _weighted(found, field))


def dominated(field: Field) -> Ranking:
    """Mean distance to the k nearest of higher quality, infinite for the best: a crowd keeps its best only."""
    found = sparseness(field.embeddings, field.neighbours, remembered=field.remembered)
    apart = distances(field.embeddings, field.embeddings)
    better = field.quality[None, :] > field.quality[:, None]
    near = np.sort(np.where(better, apart, np.inf), axis=1)[:, : field.neighbours]
    known = np.isfinite(near)
    count = known.sum(axis=1)
    total = np.where(known, near, 0.0).sum(axis=1)
    return Ranking(found, np.where(count > 0, total / np.maximum(count, 1), np.inf))


def local(field: Field) -> Ranking:
    """Fronts of novelty and local competition; within a front the more novel first."""
    found = sparseness(field.embeddings, field.neighbours, remembered=field.remembered)
    apart = distances(field.embeddings, field.embeddings)
    np.fill_diagonal(apart, np.inf)
    neighbours = min(field.neighbours, len(apart) - 1)
    beaten = np.zeros(len(apart))
    if neighbours > 0:
        near = np.argpartition(apart, neighbours - 1, axis=1)[:, :neighbours]
        beaten = (field.quality[near] < field.quality[:, None]).mean(axis=1)
    place = _ranks(found) / (1.0 + len(found))
    return Ranking(found, place - fronts(np.stack([found, beaten], axis=1)))


Selection = Callable[[Field], Ranking]
SELECTIONS: dict[str, Selection] = {
    "nearest": nearest,
    "farthest": by_farthest,
    "dominated": dominated,
    "local": local,
}
"""By name: (field) → ranking."""


def fronts(goals: Doubles) -> Doubles:
    """The number of each row's Pareto front, from 0, where more of each of the two `goals` (count, 2) is better: the
    front is the longest chain of rows that each dominate the next (Jensen, IEEE Trans. Evol. Comp. 7(5), 2003)."""
    order = np.lexsort((-goals[:, 1], -goals[:, 0]))
    found = np.zeros(len(goals))
    best: list[float] = []
    for place, row in enumerate(order):
        second = goals[row, 1]
        before = order[place - 1] if place else None
        if before is not None and (goals[before] == goals[row]).all():
            found[row] = found[before]
            continue
        level = next((level for level, height in enumerate(best) if second > height), len(best))
        if level == len(best):
            best.append(second)
        best[level] = second
        found[row] = level
    return found


def _ranks(values: Doubles) -> Doubles:
    """0 for the lowest; of equals the first is lower."""
    found = np.empty(len(values))
    found[np.argsort(values, kind="stable")] = np.arange(len(values))
    return found


def _weighted(novelty: Doubles, field: Field) -> Doubles:
    """Novelty itself, or a mean of ranks: distances and quality have no unit in common."""
    if field.weight <= 0.0:
        return novelty
    return (1.0 - field.weight) * _ranks(novelty) + field.weight * _ranks(field.quality)
