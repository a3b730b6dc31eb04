"""Sparseness against arithmetic by hand and against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from installation.evolution.sparseness import distances, sparseness


def brute(embeddings: np.ndarray, neighbours: int, others: np.ndarray) -> np.ndarray:
    among = np.vstack([embeddings, others]).astype(np.float64)
    found = []
    for row, point in enumerate(embeddings.astype(np.float64)):
        distances = np.delete(np.linalg.norm(among - point, axis=1), row)
        found.append(np.sort(distances)[:neighbours].mean())
    return np.array(found)


def test_by_hand() -> None:
    points = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert sparseness(points, 1).tolist() == [1.0, 1.0, 2.0, 4.0]
    assert sparseness(points, 2).tolist() == [2.0, 1.5, 2.5, 5.0]
    assert np.allclose(sparseness(points, 64), [11 / 3, 3.0, 3.0, 17 / 3])
    assert sparseness(points[:2], 1, np.array([[0.5]])).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize(("count", "others", "neighbours"), [(80, 0, 15), (40, 300, 15), (600, 100, 1), (5, 0, 30)])
def test_is_brute_force(count: int, others: int, neighbours: int, offset: float) -> None:
    rng = np.random.default_rng(0)
    points = (rng.standard_normal((count, 124)) + offset).astype(np.float32)
    more = (rng.standard_normal((others, 124)) + offset).astype(np.float32)
    assert np.allclose(sparseness(points, neighbours, more), brute(points, neighbours, more), rtol=1e-9)


def test_near_duplicates_far_from_the_origin_keep_their_distance() -> None:
    rng = np.random.default_rng(1)
    points = rng.standard_normal((50, 16)) * 1000 + 1e6
    twins = points + 1e-4 * rng.standard_normal(points.shape)
    both = np.vstack([points, twins])
    expected = np.linalg.norm(points - twins, axis=1)
    assert np.allclose(sparseness(both, 1)[:50], expected, rtol=1e-6)


def test_exact_duplicates_are_at_no_distance_and_nobody_is_their_own_neighbour() -> None:
    points = np.array([[5.0, 5.0], [5.0, 5.0], [9.0, 5.0]])
    assert sparseness(points, 1).tolist() == [0.0, 0.0, 4.0]


def test_order_and_translation_and_turning_change_nothing() -> None:
    rng = np.random.default_rng(2)
    points = rng.standard_normal((70, 8))
    order = rng.permutation(70)
    turn, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    assert np.allclose(sparseness(points, 5)[order], sparseness(points[order] @ turn + 3, 5))


def test_it_scales_with_the_distances() -> None:
    points = np.random.default_rng(3).standard_normal((30, 4))
    assert np.allclose(sparseness(points * 7, 4), 7 * sparseness(points, 4))


def test_alone_or_none_and_a_wrong_count() -> None:
    assert sparseness(np.ones((1, 3)), 5).tolist() == [0.0]
    assert sparseness(np.zeros((0, 3)), 5).shape == (0,)
    with pytest.raises(ValueError, match="0 neighbours"):
        sparseness(np.ones((4, 3)), 0)


@pytest.mark.parametrize("neighbours", [1, 15, 30])
def test_is_pyribs(neighbours: int) -> None:
    """pyribs finds each point itself among its neighbours: one more of them is asked for, at no distance."""
    from ribs.archives import ProximityArchive

    points = np.random.default_rng(4).standard_normal((120, 124))
    archive = ProximityArchive(solution_dim=1, measure_dim=124, k_neighbors=neighbours + 1, novelty_threshold=0.0)
    archive.add(np.zeros((120, 1)), None, points)
    assert archive.stats.num_elites == 120
    expected = archive.compute_novelty(points) * (neighbours + 1) / neighbours
    assert np.allclose(sparseness(points, neighbours), expected, rtol=1e-5)


def test_distances_are_those_of_every_pair_and_the_remembered_count_as_others() -> None:
    rng = np.random.default_rng(5)
    points, others = rng.standard_normal((20, 8)), rng.standard_normal((30, 8)) + 50.0
    others[3] = points[7] + 1e-9
    apart = distances(points, others)
    assert np.allclose(apart, np.linalg.norm(points[:, None] - others[None], axis=2), rtol=1e-7, atol=0)
    assert np.allclose(sparseness(points, 4, others), sparseness(points, 4, remembered=np.sort(apart, axis=1)[:, :4]))
