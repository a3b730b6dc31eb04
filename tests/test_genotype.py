"""Laws of the operators: who gives what to a child, and that nothing is favoured or lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.evolution.genotype import INITS, Space, bumps, crossover, mutate, normal, reflect

SPACE = Space(np.array([0.0, 5.0, -1.0], np.float32), np.array([1.0, 10.0, 0.01], np.float32))
EXCERPTS = np.asarray(SPACE.mean + SPACE.deviation * np.random.default_rng(5).standard_normal((300, 3)), np.float32)
seeds = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", INITS)
def test_every_init_has_its_shape_stays_in_bounds_and_obeys_its_generator(name: str) -> None:
    drawn = INITS[name](40, 20, SPACE, EXCERPTS, rng(1))
    assert drawn.shape == (40, 20, 3) and drawn.dtype == np.float32
    assert (drawn >= SPACE.low).all() and (drawn <= SPACE.high).all()
    assert np.array_equal(drawn, INITS[name](40, 20, SPACE, EXCERPTS, rng(1)))
    assert not np.array_equal(drawn, INITS[name](40, 20, SPACE, EXCERPTS, rng(2)))


def test_uniform_and_normal_are_in_the_models_own_units() -> None:
    drawn = (INITS["random"](200, 50, SPACE, EXCERPTS, rng()) - SPACE.mean) / SPACE.deviation
    assert drawn.min() >= -1.001 and drawn.max() <= 1.001
    assert np.allclose(drawn.std(axis=(0, 1)), 1 / np.sqrt(3), rtol=0.03)
    drawn = (INITS["normal"](200, 50, SPACE, EXCERPTS, rng()) - SPACE.mean) / SPACE.deviation
    assert np.allclose(drawn.mean(axis=(0, 1)), 0, atol=0.03) and np.allclose(drawn.std(axis=(0, 1)), 1, rtol=0.03)


def test_dataset_draws_windows_of_the_excerpts_any_of_them() -> None:
    numbered = np.stack([np.arange(30.0), np.full(30, 5.0), np.full(30, -1.0)], axis=1).astype(np.float32)
    wide = Space(SPACE.mean, np.full(3, 100, np.float32))
    drawn = INITS["dataset"](400, 8, wide, numbered, rng())
    assert (np.diff(drawn[..., 0], axis=1) == 1).all()
    assert set(drawn[:, 0, 0]) == set(range(23))


def test_dataset_is_normal_where_there_are_too_few_excerpts() -> None:
    few = EXCERPTS[:7]
    assert np.array_equal(INITS["dataset"](3, 8, SPACE, few, rng()), normal(3, 8, SPACE, few, rng()))


@given(seeds, st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_crossover_is_the_first_up_to_a_cut_and_the_second_from_it(seed: int, steps: int) -> None:
    first, second = np.zeros((20, steps, 2), np.float32), np.ones((20, steps, 2), np.float32)
    child = crossover(first, second, rng(seed))
    assert (np.diff(child, axis=1) >= 0).all()
    assert (child[:, 0] == 0).all() and (child[:, -1] == 1).all()


def test_every_cut_is_equally_likely_and_drawn_for_each_child() -> None:
    first, second = np.zeros((14_000, 8, 1), np.float32), np.ones((14_000, 8, 1), np.float32)
    cuts = np.bincount((crossover(first, second, rng()) == 0).sum(axis=1)[:, 0], minlength=9)
    assert cuts[0] == cuts[8] == 0
    assert np.allclose(cuts[1:8], 2000, rtol=0.1)


def test_a_trajectory_of_one_step_is_not_cut() -> None:
    first, second = np.zeros((3, 1, 2), np.float32), np.ones((3, 1, 2), np.float32)
    assert np.array_equal(crossover(first, second, rng()), first)


@given(seeds, st.sampled_from([(0.0, 0.6), (0.7, 0.0), (0.0, 0.0)]))
@settings(max_examples=20, deadline=None)
def test_no_rate_or_no_sigma_is_the_identity_bit_for_bit(seed: int, turned: tuple[float, float]) -> None:
    parents = normal(9, 16, SPACE, EXCERPTS, rng(seed)) * np.float32(1.7)
    assert np.array_equal(mutate(parents, *turned, SPACE, rng(seed)), parents)


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 1.0])
def test_every_step_is_mutated_with_the_chance_the_rate_names(rate: float) -> None:
    parents = normal(20_000, 7, SPACE, EXCERPTS, rng(3))
    share = (mutate(parents, rate, 0.5, SPACE, rng(4)) != parents).any(axis=2).mean(axis=0)
    assert np.allclose(share, rate, atol=4 * np.sqrt(rate * (1 - rate) / 20_000) + 1e-3)


@given(seeds, st.floats(0, 1), st.floats(0, 3))
@settings(max_examples=60, deadline=None)
def test_children_of_parents_in_bounds_are_in_bounds(seed: int, rate: float, sigma: float) -> None:
    parents = normal(5, 9, SPACE, EXCERPTS, rng(seed))
    child = mutate(parents, rate, sigma, SPACE, rng(seed + 1))
    assert child.dtype == np.float32 and (child >= SPACE.low).all() and (child <= SPACE.high).all()


def test_sigma_is_in_each_latents_own_deviation() -> None:
    parents = np.broadcast_to(SPACE.mean, (4000, 6, 3)).astype(np.float32)
    moved = (mutate(parents, 1.0, 0.1, SPACE, rng()) - parents) / SPACE.deviation
    assert np.allclose(moved.std(axis=(0, 1)), moved.std(), rtol=0.05)
    sharp = np.abs(np.diff(moved, axis=1)).max(axis=(1, 2)) > 0
    assert 0.05 < moved.std() < 0.1 and sharp.all()


def test_a_masked_latent_never_moves() -> None:
    parents = normal(30, 9, SPACE, EXCERPTS, rng())
    child = mutate(parents, 1.0, 1.0, SPACE, rng(), np.array([True, False, True]))
    assert np.array_equal(child[..., 1], parents[..., 1])
    assert (child[..., 0] != parents[..., 0]).mean() > 0.99


def test_bumps_are_smooth_positive_and_cover_what_was_asked() -> None:
    shapes = bumps(3000, 32, 0.25, rng())
    assert ((shapes > 0).sum(axis=1) == 8).all()
    assert np.allclose((shapes > 0).mean(axis=0), 0.25, atol=0.04)
    around = np.concatenate([shapes, shapes[:, :1]], axis=1)
    assert np.abs(np.diff(around, axis=1)).max() < 0.36 and np.allclose(shapes.max(axis=1), 0.97, atol=0.03)


def test_spans_shorter_than_a_step_happen_as_often_as_they_should() -> None:
    lengths = (bumps(20_000, 10, 0.03, rng()) > 0).sum(axis=1)
    assert set(lengths) == {0, 1} and abs(lengths.mean() - 0.3) < 0.02


@given(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3))
@settings(max_examples=100, deadline=None)
def test_reflect_is_a_ball_between_two_walls(values: list[float]) -> None:
    def bounced(value: float, low: float, high: float) -> float:
        while not low <= value <= high:
            value = 2 * low - value if value < low else 2 * high - value
        return value

    wide = Space(SPACE.mean, np.array([30.0, 10.0, 77.0], np.float32))
    got = reflect(np.array(values, np.float32), wide)
    expected = [
        bounced(float(np.float32(v)), float(a), float(b)) for v, a, b in zip(values, wide.low, wide.high, strict=True)
    ]
    assert np.allclose(got, expected, atol=0.02)


def test_reflect_leaves_what_is_within_and_survives_a_latent_that_never_moves() -> None:
    inside = normal(4, 5, SPACE, EXCERPTS, rng())
    assert np.allclose(reflect(inside, SPACE), inside, rtol=1e-5, atol=1e-6)
    still = Space(np.array([2.0], np.float32), np.array([0.0], np.float32))
    assert np.array_equal(
        reflect(np.array([[9.0], [2.0], [-4.0]], np.float32), still), np.full((3, 1), 2.0, np.float32)
    )
