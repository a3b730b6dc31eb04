"""Tamed latents: within the range, as they were well inside it, and without a corner or a turn back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.sound.ranges import FREE, tamed

LOW = np.array([-10.7, -0.8, 0.2], np.float32)
HIGH = np.array([11.0, 0.8, 0.5], np.float32)
SWEEP = np.linspace(-3.0, 3.0, 6001, dtype=np.float32)[:, None] * (HIGH - LOW) + 0.5 * (LOW + HIGH)


@given(st.floats(-1e6, 1e6, width=32), st.floats(0.0, 1.0))
def test_a_firm_range_is_never_left_and_a_soft_one_lies_between(value: float, firmness: float) -> None:
    latents = np.full((2, 1, 3), value, np.float32)
    firm, soft = tamed(latents, LOW, HIGH), tamed(latents, LOW, HIGH, firmness)
    assert (firm >= LOW).all() and (firm <= HIGH).all() and firm.shape == latents.shape
    slack = 1e-6 * (1.0 + abs(value))
    assert (np.minimum(firm, latents) - slack <= soft).all() and (soft <= np.maximum(firm, latents) + slack).all()


@pytest.mark.parametrize("firmness", [0.0, 0.3, 1.0])
def test_well_inside_nothing_is_changed_by_a_bit(firmness: float) -> None:
    middle, half = 0.5 * (LOW + HIGH), 0.5 * (HIGH - LOW)
    inside = np.random.default_rng(0).uniform(-0.999 * FREE, 0.999 * FREE, (500, 3)).astype(np.float32) * half + middle
    assert np.array_equal(tamed(inside, LOW, HIGH, firmness), inside)


def test_at_no_firmness_nothing_is_changed_anywhere() -> None:
    assert np.array_equal(tamed(SWEEP, LOW, HIGH, 0.0), SWEEP)


@pytest.mark.parametrize("firmness", [0.3, 1.0])
def test_more_in_is_never_less_out_and_the_slope_has_no_step(firmness: float) -> None:
    slopes = np.diff(tamed(SWEEP, LOW, HIGH, firmness).astype(np.float64), axis=0) / np.diff(SWEEP, axis=0)
    assert (slopes > -1e-3).all() and (slopes < 1.0 + 1e-2).all()
    assert np.abs(np.diff(slopes, axis=0)).max() < 0.05
    assert np.allclose(slopes[0], 1.0 - firmness, atol=1e-2)


def test_a_range_of_one_point_is_that_point() -> None:
    point = np.array([0.5], np.float32)
    assert np.array_equal(tamed(np.array([[-9.0], [0.5], [3.0]], np.float32), point, point), np.full((3, 1), 0.5))
