"""Laying points out in a circle: near stays near, the known stay about where they were, nobody's column is taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.evolution.layout import (
    DISC,
    NEIGHBOURS,
    STEP,
    Floats,
    Integers,
    Layout,
    aligned,
    arranged,
    main_axes,
    nearest,
    relaxed,
)

SIZE = 24


def families(count: int, seed: int = 0) -> tuple[Integers, Floats]:
    """Points as a search finds them: children near one of those before. Identities from 1."""
    rng = np.random.default_rng(seed)
    points = [rng.normal(size=SIZE) for _ in range(8)]
    while len(points) < count:
        points.append(points[int(rng.integers(max(0, len(points) - 100), len(points)))] + 0.35 * rng.normal(size=SIZE))
    return np.arange(1, count + 1), np.array(points[:count], np.float32)


def by_name(layout: Layout) -> dict[int, Floats]:
    return dict(zip(layout.identities.tolist(), layout.places, strict=True))


def kept(points: Floats, places: Floats) -> float:
    """What share of each point's nearest are among the nearest of its place."""
    rows = np.arange(len(points))
    pairs = zip(nearest(points, rows, NEIGHBOURS), nearest(places, rows, NEIGHBOURS), strict=True)
    return float(np.mean([len(set(there) & set(here)) / NEIGHBOURS for there, here in pairs]))


def lived(generations: int = 40, brood: int = 6, held: int = 150) -> tuple[Layout, list[dict[int, Floats]], Floats]:
    """A layout through generations in which the oldest leave; its places after each; all points, identity 1 first."""
    identities, points = families(60 + generations * brood)
    layout, places = Layout(), []
    for upto in range(60, len(points), brood):
        layout.renew(identities[max(0, upto - held) : upto], points[max(0, upto - held) : upto])
        places.append(by_name(layout))
    return layout, places, points


def test_nobody_known_moves_farther_than_a_step_and_they_glide_rather_than_tremble() -> None:
    _, places, _ = lived()
    moves, turns = [], []
    for first, second, third in zip(places[:-2], places[1:-1], places[2:], strict=True):
        known = first.keys() & second.keys() & third.keys()
        before = np.array([second[each] - first[each] for each in known])
        after = np.array([third[each] - second[each] for each in known])
        moves.append(np.linalg.norm(after, axis=1))
        turns.append(np.sum(before * after) / np.sqrt(np.sum(before**2) * np.sum(after**2)))
    assert np.concatenate(moves).max() <= STEP + 1e-6
    assert np.concatenate(moves).mean() < 0.9 * STEP
    assert np.mean(turns) > 0.4


def test_a_brood_that_comes_to_a_map_at_rest_moves_it_by_less_than_a_hundredth_of_its_width() -> None:
    identities, points = families(200)
    layout = Layout()
    for _ in range(100):
        layout.renew(identities[:190], points[:190])
    before = by_name(layout)
    layout.renew(identities, points)
    after = by_name(layout)
    assert np.mean([float(np.linalg.norm(after[each] - before[each])) for each in before]) < 0.01


def test_with_nothing_new_all_come_to_rest() -> None:
    layout, _, points = lived()
    identities = np.sort(layout.identities)
    for _ in range(200):
        layout.renew(identities, points[identities - 1])
    before = by_name(layout)
    layout.renew(identities, points[identities - 1])
    assert max(float(np.linalg.norm(place - before[each])) for each, place in by_name(layout).items()) < 2e-3


def test_who_is_near_is_laid_near_better_than_on_two_main_axes() -> None:
    layout, _, points = lived()
    known = points[layout.identities - 1]
    assert kept(known, layout.places) > 0.5
    assert kept(known, layout.places) > 1.5 * kept(known, main_axes(known))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40, 400])
def test_all_lie_in_the_circle_apart_and_the_same_each_time(count: int) -> None:
    identities, points = families(count)
    made = []
    for _ in range(2):
        layout = Layout()
        layout.renew(identities, points)
        made.append(layout.places)
    np.testing.assert_array_equal(*made)
    assert made[0].shape == (count, 2)
    assert np.isfinite(made[0]).all()
    assert np.linalg.norm(made[0], axis=1).max() <= 1.0
    assert len(np.unique(made[0], axis=0)) == count


def test_points_that_are_all_alike_are_laid_apart() -> None:
    layout = Layout()
    layout.renew(np.arange(1, 31), np.ones((30, SIZE), np.float32))
    apart = np.linalg.norm(layout.places[:, None] - layout.places, axis=2) + np.eye(30)
    assert apart.min() > 0.01


def test_without_springs_the_disc_is_evenly_full_and_as_wide_at_any_count() -> None:
    for count in (60, 300):
        places = np.random.default_rng(1).normal(0.0, 0.2, (count, 2)).astype(np.float32)
        radii = np.linalg.norm(relaxed(places, np.full((count, 1), -1), 300), axis=1)
        assert radii.max() == pytest.approx(DISC, rel=0.1)
        assert np.mean(radii < DISC / np.sqrt(2)) == pytest.approx(0.5, abs=0.1)


def test_a_layout_held_before_goes_on_without_a_jump_whatever_order_it_is_told_in() -> None:
    layout, _, points = lived()
    again = Layout()
    again.hold(layout.identities, layout.places)
    identities = layout.identities[::-1].copy()
    again.renew(identities, points[identities - 1])
    np.testing.assert_array_equal(again.identities, layout.identities)
    assert np.linalg.norm(again.places - layout.places, axis=1).max() <= STEP + 1e-6


def test_points_of_another_embedding_move_nobody_farther_than_a_step_and_are_near_in_time() -> None:
    layout, _, points = lived()
    known = layout.identities.copy()
    before = by_name(layout)
    other = points[known - 1] @ np.random.default_rng(5).normal(size=(SIZE, 7)).astype(np.float32)
    other[:40] += 9.0
    layout.renew(known, other)
    assert max(float(np.linalg.norm(place - before[each])) for each, place in by_name(layout).items()) <= STEP + 1e-6
    for _ in range(150):
        layout.renew(known, other)
    assert kept(other, layout.places) > 0.5


def test_nobody_at_all_is_an_empty_map_and_it_begins_again() -> None:
    layout, _, points = lived(3)
    layout.renew(np.zeros(0, np.int64), np.zeros((0, SIZE), np.float32))
    assert layout.places.shape == (0, 2)
    layout.renew(np.array([900, 901]), points[:2])
    assert layout.identities.tolist() == [900, 901]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 30), unique=True), st.lists(st.integers(1, 30), unique=True))
def test_columns_hold_each_once_and_who_need_not_move_does_not(before: list[int], now: list[int]) -> None:
    columns = arranged(np.array(before, np.int64), np.array(now, np.int64)).tolist()
    assert sorted(columns) == sorted(now)
    moved = [each for place, each in enumerate(before) if each in now and columns.index(each) != place]
    left = len(set(before) - set(now))
    assert len(moved) <= max(0, left - len(set(now) - set(before)))


def test_the_nearest_are_the_nearest() -> None:
    points = np.random.default_rng(2).normal(size=(70, 9)).astype(np.float32)
    rows = np.array([3, 50, 69])
    apart = np.linalg.norm(points[rows][:, None] - points, axis=2)
    for row, found in zip(apart, nearest(points, rows, 5), strict=True):
        assert set(found) == set(np.argsort(row)[1:6])


def test_what_is_turned_and_mirrored_is_laid_back_where_it_was() -> None:
    rng = np.random.default_rng(3)
    places = rng.normal(size=(30, 2)).astype(np.float32)
    for mirror in (1.0, -1.0):
        turned = (places * (1.0, mirror)) @ np.array([[0.6, 0.8], [-0.8, 0.6]]) + 0.3
        known = np.arange(30) < 12
        np.testing.assert_allclose(aligned(turned.astype(np.float32), places, known), places, atol=1e-5)
