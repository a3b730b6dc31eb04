"""Laws of the first trajectories and of the bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.evolution.genotype import INITS, Space, normal, reflect

SPACE = Space(np.array([0.0, 5.0, -1.0], np.float32), np.array([1.0, 10.0, 0.01], np.float32))
EXCERPTS = np.asarray(SPACE.mean + SPACE.deviation * np.random.default_rng(5).standard_normal((300, 3)), np.float32)


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
