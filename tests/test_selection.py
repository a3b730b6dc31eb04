"""Who lives on: each way to rank against its definition written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.evolution.selection import SELECTIONS, Field, fronts
from installation.evolution.sparseness import farthest, sparseness

seeds = st.integers(0, 2**32 - 1)


def field(seed: int = 0, count: int = 30, remembered: int = 12, neighbours: int = 5, weight: float = 0.0) -> Field:
    rng = np.random.default_rng(seed)
    points, others = rng.standard_normal((count, 6)), rng.standard_normal((remembered, 6))
    apart = np.linalg.norm(points[:, None] - others[None], axis=2)
    return Field(points.astype(np.float32), rng.random(count).round(1), apart, neighbours, weight)


def pairwise(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)


@pytest.mark.parametrize("name", SELECTIONS)
def test_every_ranking_has_a_novelty_and_a_score_for_each_and_no_regard_for_order(name: str) -> None:
    given = field()
    order = np.random.default_rng(1).permutation(30)
    turned = Field(given.embeddings[order], given.quality[order], given.remembered[order], 5)
    first, second = SELECTIONS[name](given), SELECTIONS[name](turned)
    assert first.novelty.shape == first.score.shape == (30,) and np.isfinite(first.novelty).all()
    assert np.allclose(first.novelty[order], second.novelty)
    assert np.allclose(first.score[order], second.score)


def test_nearest_is_sparseness_with_what_is_remembered() -> None:
    given = field()
    everyone = np.hstack([pairwise(given.embeddings) + np.diag(np.full(30, np.inf)), given.remembered])
    expected = np.sort(everyone, axis=1)[:, :5].mean(axis=1)
    found = SELECTIONS["nearest"](given)
    assert np.allclose(found.novelty, expected) and np.array_equal(found.score, found.novelty)


def test_farthest_is_the_mean_of_the_k_farthest_and_knows_no_archive() -> None:
    given = field()
    expected = np.sort(pairwise(given.embeddings), axis=1)[:, -5:].mean(axis=1)
    found = SELECTIONS["farthest"](given)
    assert np.allclose(found.novelty, expected) and np.array_equal(found.score, found.novelty)
    assert np.allclose(farthest(given.embeddings, 999), np.sort(pairwise(given.embeddings), axis=1)[:, 1:].mean(axis=1))


def test_dominated_is_the_mean_distance_to_the_k_nearest_that_are_strictly_better() -> None:
    given = field()
    apart, expected = pairwise(given.embeddings), []
    for row in range(30):
        better = np.flatnonzero(given.quality > given.quality[row])
        near = np.sort(apart[row, better])[:5]
        expected.append(near.mean() if len(near) else np.inf)
    found = SELECTIONS["dominated"](given)
    assert np.allclose(found.score, expected) and np.isinf(found.score[given.quality == given.quality.max()]).all()
    assert np.allclose(found.novelty, sparseness(given.embeddings, 5, remembered=given.remembered))


def test_dominated_keeps_the_best_of_each_crowd() -> None:
    """Two tight crowds: of each the best comes before all the others of both."""
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 0.01, (10, 2)), rng.normal(5, 0.01, (10, 2))]).astype(np.float32)
    quality = rng.permutation(20) / 20.0
    found = SELECTIONS["dominated"](Field(points, quality, np.zeros((20, 0)), 3))
    first = set(np.argsort(-found.score)[:2].tolist())
    assert first == {int(np.argmax(quality[:10])), 10 + int(np.argmax(quality[10:]))}


def test_local_puts_nobody_before_one_that_is_more_novel_and_beats_more_of_its_neighbours() -> None:
    given = field()
    apart = pairwise(given.embeddings) + np.diag(np.full(30, np.inf))
    near = np.argsort(apart, axis=1)[:, :5]
    beats = (given.quality[near] < given.quality[:, None]).mean(axis=1)
    found = SELECTIONS["local"](given)
    for a, b in itertools.permutations(range(30), 2):
        if found.novelty[a] > found.novelty[b] and beats[a] > beats[b]:
            assert found.score[a] > found.score[b]


@given(seeds, st.integers(1, 25))
@settings(max_examples=60, deadline=None)
def test_fronts_are_those_peeled_off_one_by_one(seed: int, count: int) -> None:
    goals = np.random.default_rng(seed).integers(0, 6, (count, 2)).astype(float)
    left, expected = set(range(count)), np.zeros(count)
    level = 0
    while left:
        front = {a for a in left if not any((goals[b] >= goals[a]).all() and (goals[b] > goals[a]).any() for b in left)}
        for each in front:
            expected[each] = level
        left, level = left - front, level + 1
    assert np.array_equal(fronts(goals), expected)


def test_all_weight_on_quality_ranks_by_quality_and_none_by_novelty() -> None:
    given = field()
    for name in ("nearest", "farthest"):
        wholly = SELECTIONS[name](Field(given.embeddings, given.quality, given.remembered, 5, 1.0))
        order = np.argsort(-wholly.score)
        assert (np.diff(given.quality[order]) <= 0).all()
        half = SELECTIONS[name](Field(given.embeddings, given.quality, given.remembered, 5, 0.5))
        for a, b in itertools.permutations(range(30), 2):
            if half.novelty[a] > half.novelty[b] and given.quality[a] > given.quality[b]:
                assert half.score[a] > half.score[b]


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_few_are_ranked_too(name: str, count: int) -> None:
    found = SELECTIONS[name](field(count=count, remembered=0, neighbours=9))
    assert np.isfinite(found.novelty).all() and not np.isnan(found.score).any()
