"""Curves whose ailment is known because they were drawn with it."""

from __future__ import annotations

import numpy as np
import pytest

from installation.evolution.diagnosis import CONVERGED, DECODER, POOR_START, YOUNG, diagnose, twins

AGE = np.arange(101)


def rising(start: float, end: float) -> np.ndarray:
    return start + (end - start) * AGE / AGE[-1]


def saturating(start: float, end: float, generations: float) -> np.ndarray:
    return end - (end - start) * np.exp(-AGE / generations)


PUBLISHED = rising(1.73, 3.15)
"""Like LVNS-RAVE's curve over 100 generations."""


def test_a_curve_like_the_published_ones_is_in_health() -> None:
    assert diagnose(PUBLISHED, 0.0, 1.0).name == ""
    assert diagnose(PUBLISHED, 0.1, 0.8, reference=2.0).name == ""


def test_a_curve_that_lies_flat_after_little_growth_has_converged_prematurely() -> None:
    assert diagnose(saturating(1.7, 2.2, 6), 0.0, 1.0).name == CONVERGED
    assert diagnose(rising(2.0, 1.5), 0.0, 1.0).name == CONVERGED


def test_a_curve_that_lies_flat_after_much_growth_has_not() -> None:
    found = diagnose(saturating(1.0, 3.0, 8), 0.0, 1.0)
    assert found.name == "" and "levelled off" in found.sentence


def test_a_show_that_has_forgotten_its_start_is_judged_by_the_reference() -> None:
    assert diagnose(np.full(1000, 3.0), 0.0, 1.0).name == CONVERGED
    assert diagnose(np.full(1000, 3.0), 0.0, 1.0, reference=1.5).name == ""


def test_a_low_start_with_little_growth_is_put_down_to_the_start_if_that_can_be_told() -> None:
    curve = saturating(0.5, 0.55, 10)
    assert diagnose(curve, 0.0, 1.0, reference=1.5).name == POOR_START
    assert diagnose(curve, 0.0, 1.0, reference=0.5).name == CONVERGED
    assert diagnose(saturating(0.5, 1.4, 10), 0.0, 1.0, reference=1.5).name == ""


@pytest.mark.parametrize(("rejected", "quality"), [(0.7, 0.9), (0.1, 0.05)])
def test_high_sparseness_with_poor_sound_is_the_decoder(rejected: float, quality: float) -> None:
    assert diagnose(rising(1.0, 4.0), rejected, quality).name == DECODER
    assert diagnose(rising(1.0, 1.4), rejected, quality).name != DECODER
    assert diagnose(rising(1.0, 1.4), rejected, quality, reference=0.8).name == DECODER


def test_where_nearly_nothing_passes_the_curve_does_not_matter() -> None:
    assert diagnose([], 0.97, 0.0).name == DECODER
    assert diagnose([1.0], 0.97, 1.0).name == DECODER


def test_a_young_search_is_not_judged() -> None:
    found = diagnose(np.ones(YOUNG - 1), 0.0, 1.0)
    assert found.name == "" and str(YOUNG) in found.sentence
    assert diagnose(np.ones(YOUNG), 0.0, 1.0).name == CONVERGED
    assert diagnose([], 0.0, 1.0).name == ""


@pytest.mark.parametrize("unit", [0.01, 1.0, 500.0])
def test_the_unit_of_the_embedding_does_not_matter(unit: float) -> None:
    for curve in (PUBLISHED, saturating(1.7, 2.2, 6), saturating(0.5, 0.55, 10)):
        here = diagnose(unit * curve, 0.6, 0.5, reference=unit * 1.5)
        assert here == diagnose(curve, 0.6, 0.5, reference=1.5)


def test_a_container_of_zeros_has_a_diagnosis() -> None:
    assert diagnose(np.zeros(50), 0.0, 1.0).name == CONVERGED


def test_twins_are_told_only_where_sparseness_hides_them() -> None:
    assert "24%" in twins([1.0, 4.0], [1.0, 0.5, 0.24])
    assert twins([1.0, 4.0], [1.0, 0.9]) == "" and twins([4.0, 1.0], [1.0, 0.1]) == "" and twins([1.0], [1.0]) == ""
