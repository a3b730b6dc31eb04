"""Laws of the measures of variety: their bounds, what must not change them, and sets whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from installation.evolution.measures import (
    concordance,
    coverage,
    nearest_neighbour,
    neighbourhood,
    pairwise,
    radii,
    rank_correlation,
    ranks,
    vendi,
)

SIZE = 6


def cloud(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, SIZE)).astype(np.float32)


def moved(points: np.ndarray, seed: int = 1) -> np.ndarray:
    """Turned and shifted: a rigid motion."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((SIZE, SIZE)))
    return points @ turn + rng.standard_normal(SIZE)


def shuffled(points: np.ndarray) -> np.ndarray:
    return np.random.default_rng(2).permutation(points)


def test_identical_points_are_worth_one_sound_and_far_ones_their_number() -> None:
    assert vendi(np.repeat(cloud(1), 9, axis=0), 1.0) == pytest.approx(1.0)
    assert vendi(1000.0 * cloud(9), 1.0) == pytest.approx(9.0)
    assert vendi(cloud(0), 1.0) == 0.0 and vendi(cloud(1), 1.0) == pytest.approx(1.0)


def test_tight_clumps_are_worth_their_number_and_unequal_ones_less() -> None:
    centres = 1000.0 * np.eye(SIZE)[:3]
    assert vendi(np.repeat(centres, 5, axis=0), 1.0) == pytest.approx(3.0)
    shares = np.array([8, 1, 1]) / 10
    assert vendi(np.repeat(centres, [8, 1, 1], axis=0), 1.0) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_of_two_points_vendi_is_its_formula() -> None:
    """The eigenvalues of K / 2 are (1 ± k) / 2."""
    kernel = np.exp(-(1.5**2) / (2 * 0.8**2))
    shares = np.array([1 + kernel, 1 - kernel]) / 2
    points = np.array([[0.0, 0.0], [1.5, 0.0]])
    assert vendi(points, 0.8) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_vendi_lies_between_one_and_the_count_and_falls_as_the_scale_grows() -> None:
    found = [vendi(cloud(30), scale) for scale in (0.3, 1.0, 3.0, 10.0)]
    assert all(1.0 <= each <= 30.0 for each in found)
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("change", [moved, shuffled])
def test_order_and_rigid_motion_change_nothing(change: object) -> None:
    points = cloud(40)
    changed = change(points)  # type: ignore[operator]
    assert vendi(changed, 2.0) == pytest.approx(vendi(points, 2.0), rel=1e-6)
    assert nearest_neighbour(changed) == pytest.approx(nearest_neighbour(points), rel=1e-5)
    assert neighbourhood(changed) == pytest.approx(neighbourhood(points), rel=1e-5)


def test_coverage_is_unchanged_when_reference_and_points_move_together() -> None:
    reference, points = cloud(60), cloud(20, seed=3)
    both = moved(np.vstack([reference, points]))
    assert coverage(both[:60], both[:60]) == 1.0
    assert coverage(both[60:], both[:60]) == coverage(points, reference)
    assert coverage(shuffled(points), shuffled(reference)) == coverage(points, reference)


def test_everything_grows_with_the_unit_but_what_has_none() -> None:
    points, reference = cloud(20), cloud(40, seed=4)
    assert nearest_neighbour(7 * points) == pytest.approx(7 * nearest_neighbour(points), rel=1e-6)
    assert vendi(7 * points, 7 * 1.3) == pytest.approx(vendi(points, 1.3), rel=1e-6)
    assert coverage(7 * points, 7 * reference) == coverage(points, reference)


def test_the_reference_covers_itself_and_what_lies_far_away_covers_nothing() -> None:
    reference = cloud(50)
    assert coverage(reference, reference) == 1.0
    assert coverage(reference + 100.0, reference) == 0.0 and coverage(cloud(0), reference) == 0.0


def test_coverage_is_its_definition_one_by_one_and_more_points_never_cover_less() -> None:
    reference, points = cloud(40), 1.5 * cloud(25, seed=5)
    hit = 0
    for centre in reference:
        radius = sorted(np.linalg.norm(reference - centre, axis=1))[5]
        hit += bool((np.linalg.norm(points - centre, axis=1) <= radius).any())
    assert 0 < hit < 40 and coverage(points, reference) == pytest.approx(hit / 40)
    found = [coverage(points[:count], reference) for count in range(1, 26)]
    assert found == sorted(found)


def test_a_reference_no_larger_than_the_neighbours_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 5"):
        coverage(cloud(3), cloud(5))


def test_twins_have_no_distance_to_the_nearest_and_a_grid_has_its_step() -> None:
    assert nearest_neighbour(np.repeat(cloud(10), 2, axis=0)) == 0.0
    assert nearest_neighbour(np.arange(0.0, 12.0, 1.5)[:, None]) == pytest.approx(1.5)
    assert nearest_neighbour(cloud(1)) == 0.0 and nearest_neighbour(cloud(0)) == 0.0


def test_a_neighbourhood_is_the_median_distance_to_the_fifth_neighbour_however_far_apart_the_crowds() -> None:
    line = np.arange(11.0)[:, None]
    assert radii(line).tolist() == [5.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 4.0, 5.0]
    assert neighbourhood(line) == 3.0
    assert neighbourhood(np.concatenate([line, line + 1000.0])) == 3.0
    assert len(pairwise(cloud(7))) == 21
    with pytest.raises(ValueError, match="allowed are more than 5"):
        neighbourhood(cloud(5))
    with pytest.raises(ValueError, match="allowed is above 0"):
        neighbourhood(np.zeros((9, 2)))


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0, 3.0])).tolist() == [4.0, 1.0, 4.0, 2.0, 4.0]


def test_rank_correlation_hears_order_only() -> None:
    values = np.random.default_rng(6).standard_normal(50)
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1.0)
    assert rank_correlation(values, -(values**3)) == pytest.approx(-1.0)
    assert rank_correlation(values, np.zeros(50)) == 0.0
    other = np.random.default_rng(7).standard_normal(50)
    apart = ranks(values) - ranks(other)
    assert rank_correlation(values, other) == pytest.approx(1 - 6 * (apart**2).sum() / (50 * (50**2 - 1)))


def test_with_ties_it_is_the_correlation_of_mean_ranks() -> None:
    """Worked by hand: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4."""
    found = rank_correlation(np.array([1.0, 2.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0, 40.0]))
    assert found == pytest.approx(4.5 / np.sqrt(4.5 * 5.0))


def test_an_embedding_agrees_with_itself_moved_and_scaled_and_not_with_another() -> None:
    points = cloud(30)
    found = concordance([points, 3.0 * moved(points), cloud(30, seed=8)])
    assert np.allclose(np.diag(found), 1.0) and np.allclose(found, found.T)
    assert found[0, 1] > 0.999 and abs(found[0, 2]) < 0.3
