"""The map as shaders see it: who lies where, who is heard, and how what moves gets there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from installation.commands import Atlas
from installation.picture.chart import COLUMNS, GLIDE_S, HEAT_HALF_S, Chart
from installation.picture.heard import STALE_S


def atlas(identities: list[int], seed: int = 0) -> Atlas:
    rng, count = np.random.default_rng(seed), len(identities)
    places, origins = (rng.uniform(-0.7, 0.7, (count, 2)).astype(np.float32) for _ in range(2))
    sparseness, age = (rng.random(count).astype(np.float32) for _ in range(2))
    return Atlas(np.array(identities), places, origins, sparseness, age, np.arange(count) % 2 == 0)


def test_the_first_atlas_is_shown_as_it_is_in_its_columns() -> None:
    chart, taken = Chart(), atlas([7, 3, 9])
    chart.take(taken)
    texels = chart.texture(1.0)
    assert texels.shape == (2, COLUMNS, 4)
    assert texels.dtype == np.float32
    np.testing.assert_array_equal(texels[0, :3, :2], taken.places)
    np.testing.assert_array_equal(texels[0, :3, 2], taken.sparseness)
    np.testing.assert_array_equal(texels[0, :3, 3], taken.age)
    np.testing.assert_array_equal(texels[1, :3, :2], taken.origins)
    np.testing.assert_array_equal(texels[1, :3, 2], taken.alive)
    assert not texels[:, 3:].any()
    assert chart.numbers(1.0) == {"archiveCount": 3.0, "playing": (0.0, 0.0), "playingIndex": -1.0}


def test_more_than_there_is_room_for_is_cut_and_none_is_none() -> None:
    chart = Chart()
    assert not chart.texture(0.0).any()
    chart.take(atlas(list(range(1, COLUMNS + 50))))
    assert chart.numbers(0.0)["archiveCount"] == COLUMNS
    chart.take(atlas([]))
    assert not chart.texture(0.1).any()
    assert chart.numbers(0.1)["archiveCount"] == 0


def test_the_known_glide_to_new_places_and_newcomers_come_from_their_parents() -> None:
    chart, first, second = Chart(), atlas([1, 2]), atlas([2, 3], seed=1)
    chart.take(first)
    chart.texture(0.0)
    chart.take(second)
    begun, later, arrived = (chart.texture(now_s)[0, :2, :2] for now_s in (0.0, GLIDE_S, 60.0))
    np.testing.assert_array_equal(begun, [first.places[1], second.origins[1]])
    np.testing.assert_allclose(later, begun + (second.places - begun) * (1 - np.exp(-1)), atol=1e-6)
    np.testing.assert_allclose(arrived, second.places, atol=1e-6)


@pytest.mark.parametrize("fps", [7.0, 24.0, 60.0, 144.0])
def test_at_any_frame_rate_everything_is_in_the_same_place(fps: float) -> None:
    def seen(times_s: list[float]) -> tuple[np.ndarray, object]:
        chart = Chart()
        chart.take(atlas([1, 2, 3]))
        chart.hear(0.0, 1)
        chart.texture(0.0)
        chart.take(atlas([3, 1, 5], seed=2))
        chart.hear(0.1, 3)
        for time_s in times_s:
            chart.numbers(time_s)
        return chart.texture(1.0), chart.numbers(1.0)["playing"]

    texels, playing = seen([frame / fps for frame in range(int(fps))])
    at_once, playing_at_once = seen([])
    np.testing.assert_allclose(texels, at_once, atol=1e-5)
    assert playing == pytest.approx(playing_at_once)


def test_playing_is_where_the_one_that_is_heard_lies_and_glides_from_one_to_the_next() -> None:
    chart, taken = Chart(), atlas([4, 5, 6])
    chart.take(taken)
    chart.hear(0.0, 5)
    assert chart.numbers(0.0) == {"archiveCount": 3, "playing": tuple(taken.places[1].tolist()), "playingIndex": 1}
    path = [taken.places[1]]
    for frame in range(1, 300):
        chart.hear(frame / 60, 6)
        path.append(np.array(chart.numbers(frame / 60)["playing"]))
    apart = float(np.linalg.norm(taken.places[2] - taken.places[1]))
    assert max(float(np.linalg.norm(after - before)) for before, after in pairwise(path)) < 0.05 * apart
    np.testing.assert_allclose(path[-1], taken.places[2], atol=1e-4)
    assert chart.numbers(5.0)["playingIndex"] == 2


def test_who_is_not_on_the_map_has_no_column_and_playing_stays_until_it_comes() -> None:
    chart, taken = Chart(), atlas([4, 5])
    chart.take(taken)
    chart.hear(0.0, 4)
    chart.hear(1.0, 9)
    assert chart.numbers(1.0)["playingIndex"] == -1
    assert chart.numbers(3.0)["playing"] == tuple(taken.places[0].tolist())
    chart.take(atlas([4, 9], seed=1))
    chart.hear(3.0, 9)
    assert chart.numbers(3.0)["playingIndex"] == 1
    assert chart.numbers(3.0 + STALE_S + 0.01)["playingIndex"] == -1


def test_heat_is_one_while_heard_and_half_after_its_half_life() -> None:
    chart = Chart()
    chart.take(atlas([4, 5]))
    for hop in range(100):
        chart.hear(hop * 0.01, 4)
        assert chart.texture(hop * 0.01 + 0.005)[1, 0, 3] == 1.0
    chart.hear(1.0, 5)
    heat = [float(chart.texture(0.99 + since_s)[1, 0, 3]) for since_s in (0.1, HEAT_HALF_S, 2 * HEAT_HALF_S, 1e4)]
    np.testing.assert_allclose(heat, [2 ** (-0.1 / HEAT_HALF_S), 0.5, 0.25, 0.0], rtol=1e-5)


def test_heat_stays_with_the_individual_when_its_column_changes() -> None:
    chart = Chart()
    chart.take(atlas([4, 5]))
    chart.hear(0.0, 5)
    chart.take(atlas([5, 4], seed=1))
    texels = chart.texture(0.1)
    assert texels[1, 0, 3] == 1.0
    assert texels[1, 1, 3] == 0.0


def test_months_of_individuals_leave_nothing_behind() -> None:
    chart = Chart()
    for number in range(1, 5000):
        chart.hear(0.5 * number, number)
    assert len(chart._played) <= COLUMNS
    chart.take(atlas([4999, 4998]))
    assert chart.texture(2499.5)[1, 0, 3] == 1.0
    assert chart.texture(2499.5)[1, 1, 3] > 0.9
