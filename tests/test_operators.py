"""Laws of the operators: who gives what to a child, and that nothing is favoured or lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.evolution.genotype import Space, normal
from installation.evolution.operators import CROSSOVERS, MUTATIONS, Birth, bumps, mutate

SPACE = Space(np.array([0.0, 5.0, -1.0], np.float32), np.array([1.0, 10.0, 0.01], np.float32))
NONE = np.zeros((0, 3), np.float32)
seeds = st.integers(0, 2**32 - 1)
names = st.sampled_from(list(MUTATIONS))
every_operator = pytest.mark.parametrize("name", MUTATIONS)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def parents(count: int, steps: int, seed: int = 3) -> np.ndarray:
    return normal(count, steps, SPACE, NONE, rng(seed))


def mutated(
    name: str, children: np.ndarray, rate: float, sigma: float, seed: int = 0, mask: np.ndarray | None = None
) -> np.ndarray:
    birth = Birth(children, children[::-1], rate, sigma, SPACE)
    return mutate(birth, [name] * len(children), rng(seed), mask)


# ---- crossover


@given(seeds, st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_one_point_is_the_first_up_to_a_cut_and_the_second_from_it(seed: int, steps: int) -> None:
    first, second = np.zeros((20, steps, 2), np.float32), np.ones((20, steps, 2), np.float32)
    child = CROSSOVERS["one-point"](first, second, rng(seed))
    assert (np.diff(child, axis=1) >= 0).all()
    assert (child[:, 0] == 0).all() and (child[:, -1] == 1).all()


def test_every_cut_is_equally_likely_and_drawn_for_each_child() -> None:
    first, second = np.zeros((14_000, 8, 1), np.float32), np.ones((14_000, 8, 1), np.float32)
    cuts = np.bincount((CROSSOVERS["one-point"](first, second, rng()) == 0).sum(axis=1)[:, 0], minlength=9)
    assert cuts[0] == cuts[8] == 0
    assert np.allclose(cuts[1:8], 2000, rtol=0.1)


def test_a_trajectory_of_one_step_is_not_cut() -> None:
    first, second = np.zeros((3, 1, 2), np.float32), np.ones((3, 1, 2), np.float32)
    assert np.array_equal(CROSSOVERS["one-point"](first, second, rng()), first)


def test_uniform_takes_each_whole_step_from_either_parent_with_equal_chance() -> None:
    first, second = np.zeros((4000, 8, 2), np.float32), np.ones((4000, 8, 2), np.float32)
    child = CROSSOVERS["uniform"](first, second, rng())
    assert np.array_equal(child[..., 0], child[..., 1])
    assert np.allclose(child[..., 0].mean(axis=0), 0.5, atol=0.04)
    assert abs(np.corrcoef(child[:, 3, 0], child[:, 4, 0])[0, 1]) < 0.06


def test_none_is_the_first_in_memory_of_its_own() -> None:
    first = parents(3, 4)
    child = CROSSOVERS["none"](first, parents(3, 4, 5), rng())
    assert np.array_equal(child, first) and not np.shares_memory(child, first)


# ---- what holds for every mutation


@given(seeds, names, st.floats(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_rate_of_0_is_the_identity_bit_for_bit_also_outside_the_bounds(seed: int, name: str, sigma: float) -> None:
    children = parents(9, 16, seed) * np.float32(1.7)
    assert np.array_equal(mutated(name, children, 0.0, sigma, seed), children)


@pytest.mark.parametrize("name", ["step", "span", "drift", "stretch"])
def test_a_sigma_of_0_is_the_identity_bit_for_bit_where_sigma_is_all_there_is(name: str) -> None:
    children = parents(9, 16) * np.float32(1.7)
    assert np.array_equal(mutated(name, children, 0.7, 0.0), children)


@given(seeds, names, st.floats(0, 1), st.floats(0, 3))
@settings(max_examples=100, deadline=None)
def test_children_of_parents_in_bounds_are_in_bounds(seed: int, name: str, rate: float, sigma: float) -> None:
    child = mutated(name, parents(6, 9, seed), rate, sigma, seed + 1)
    assert child.dtype == np.float32 and (child >= SPACE.low).all() and (child <= SPACE.high).all()


@given(seeds, names)
@settings(max_examples=40, deadline=None)
def test_the_same_chance_makes_the_same_children(seed: int, name: str) -> None:
    children = parents(5, 9)
    assert np.array_equal(mutated(name, children, 0.4, 0.7, seed), mutated(name, children, 0.4, 0.7, seed))


@every_operator
def test_a_masked_latent_never_moves_and_the_others_do(name: str) -> None:
    children = parents(60, 9)
    child = mutated(name, children, 1.0, 1.0, mask=np.array([True, False, True]))
    assert np.array_equal(child[..., 1], children[..., 1])
    assert (child[..., 0] != children[..., 0]).any(axis=1).mean() > 0.95


@every_operator
@pytest.mark.parametrize("rate", [0.05, 0.2, 0.6])
def test_every_step_can_mutate_and_none_is_favoured(name: str, rate: float) -> None:
    """Each step's share of children in which it moved is the same, but for chance (4 deviations), ends included."""
    children = parents(6000, 8)
    moved = (mutated(name, children, rate, 0.8) != children).any(axis=2)
    share = moved.mean(axis=0)
    if name == "stretch":  # at an end time has nothing to come from on one side, so half of the bends leave it
        share = share[1:-1]
    spread = 4 * np.sqrt(share.mean() * (1 - share.mean()) / len(children)) + 0.02
    assert share.min() > 0 and np.ptp(share) < 2 * spread


@pytest.mark.parametrize("name", ["step", "replace", "span", "iso-line"])
@pytest.mark.parametrize("rate", [0.01, 0.3, 1.0])
def test_the_rate_is_the_chance_of_each_step(name: str, rate: float) -> None:
    children = parents(20_000, 7)
    share = (mutated(name, children, rate, 0.5) != children).any(axis=2).mean(axis=0)
    assert np.allclose(share, rate, atol=4 * np.sqrt(rate * (1 - rate) / 20_000) + 1e-3)


@pytest.mark.parametrize("name", ["step", "span", "drift"])
def test_sigma_is_in_each_latents_own_deviation(name: str) -> None:
    """From the mean, far from the bounds: every latent moves as far in its own deviation, twice as far for twice."""
    still = np.broadcast_to(SPACE.mean, (4000, 6, 3)).astype(np.float32)
    near, far = (
        ((mutated(name, still, 1.0, sigma) - still) / SPACE.deviation).std(axis=(0, 1)) for sigma in (0.1, 0.2)
    )
    assert np.allclose(near, near.mean(), rtol=0.06) and np.allclose(far, 2 * near, rtol=0.02)


def test_each_child_has_the_operator_it_is_named_for() -> None:
    children = parents(40, 16)
    asked = ["step", "drift"] * 20
    child = mutate(Birth(children, children, 0.1, 0.5, SPACE), asked, rng())
    moved = (child != children).any(axis=2).sum(axis=1)
    assert moved[0::2].max() < 10 and set(moved[1::2]) <= {0, 16}


# ---- what each is


def test_a_step_alone_moves_by_a_normal_deviate() -> None:
    still = np.broadcast_to(SPACE.mean, (5000, 6, 3)).astype(np.float32)
    moved = ((mutated("step", still, 1.0, 0.1) - still) / SPACE.deviation / 0.1).ravel()
    assert abs(moved.mean()) < 0.02 and abs(moved.std() - 1) < 0.02 and abs((moved**4).mean() - 3) < 0.2


def test_replaced_steps_are_as_fresh_ones_whatever_they_were() -> None:
    edge = np.broadcast_to(SPACE.high, (5000, 6, 3)).astype(np.float32)
    moved = (mutated("replace", edge, 1.0, 0.0) - SPACE.mean) / SPACE.deviation
    assert np.allclose(moved.mean(axis=(0, 1)), 0, atol=0.03) and np.allclose(moved.std(axis=(0, 1)), 1, rtol=0.03)


def test_iso_line_without_sigma_lies_on_the_line_to_the_partner() -> None:
    children = np.zeros((500, 4, 3), np.float32) + SPACE.mean
    partners = children + np.float32([1.0, 10.0, 0.01])
    child = mutate(Birth(children, partners, 1.0, 0.0, SPACE), ["iso-line"] * 500, rng())
    along = (child - SPACE.mean) / SPACE.deviation
    assert np.allclose(along, along[:, :1, :1], atol=1e-4)
    assert 0.4 < along[:, 0, 0].std() < 0.6


def test_a_drift_is_slow_and_takes_a_share_of_the_latents() -> None:
    still = np.broadcast_to(SPACE.mean, (3000, 64, 3)).astype(np.float32)
    moved = (mutated("drift", still, 0.3, 0.2) - still) / SPACE.deviation
    assert abs((moved != 0).any(axis=1).mean() - 0.3) < 0.03
    gone = moved[(moved != 0).any(axis=(1, 2))]
    assert np.abs(np.diff(gone, axis=1)).mean() < 0.15 * np.abs(gone).mean()


def test_a_stretch_takes_its_latents_from_times_near_by_and_keeps_a_straight_line_on_itself() -> None:
    line = np.linspace(-1, 1, 32)[:, None] * SPACE.deviation + SPACE.mean
    children = np.broadcast_to(line, (400, 32, 3)).astype(np.float32)
    child = mutated("stretch", children, 0.5, 1.0)
    place = (child - SPACE.mean) / SPACE.deviation
    assert np.allclose(place, place[..., :1], atol=1e-2)
    changed = (child != children).any(axis=(1, 2))
    assert changed.mean() > 0.9 and np.abs(place - np.linspace(-1, 1, 32)[:, None]).max() <= 2.0
    constant = np.broadcast_to(SPACE.mean, (10, 32, 3)).astype(np.float32)
    assert np.allclose(mutated("stretch", constant, 0.5, 1.0), constant, rtol=1e-6)


def test_bumps_are_smooth_positive_and_cover_what_was_asked() -> None:
    shapes = bumps(3000, 32, 0.25, rng())
    assert ((shapes > 0).sum(axis=1) == 8).all()
    assert np.allclose((shapes > 0).mean(axis=0), 0.25, atol=0.04)
    around = np.concatenate([shapes, shapes[:, :1]], axis=1)
    assert np.abs(np.diff(around, axis=1)).max() < 0.36 and np.allclose(shapes.max(axis=1), 0.97, atol=0.03)


def test_spans_shorter_than_a_step_happen_as_often_as_they_should() -> None:
    lengths = (bumps(20_000, 10, 0.03, rng()) > 0).sum(axis=1)
    assert set(lengths) == {0, 1} and abs(lengths.mean() - 0.3) < 0.02
