"""Pixels are given up while frames take too long, and given back when they don't."""

from __future__ import annotations

import numpy as np
import pytest

from installation.picture.wall.resolution import UP_S, Resolution

PERIOD_S = 1 / 60


def run(
    resolution: Resolution, whole_cost_s: float, seconds: float, start_s: float = 0.0, jitter: float = 0.0
) -> float:
    """Draw for so long a picture whose cost goes with its pixels; the share of frames that were too slow at the end."""
    rng, now_s, slow = np.random.default_rng(1), start_s, []
    while now_s < start_s + seconds:
        width, height = resolution.size
        cost_s = whole_cost_s * width * height / (1280 * 720) * (1.0 + jitter * rng.random())
        resolution.push(cost_s, now_s)
        now_s += max(PERIOD_S, cost_s)
        slow.append(cost_s > PERIOD_S)
    return float(np.mean(slow[len(slow) // 2 :]))


@pytest.mark.parametrize("cost", [1.05, 1.3, 2.0, 3.5])
def test_the_frame_rate_is_held_with_as_many_pixels_as_that_allows(cost: float) -> None:
    resolution = Resolution((1280, 720), 0.5, PERIOD_S)
    assert run(resolution, cost * PERIOD_S, 3.0, jitter=0.05) == 0.0
    assert 0.5 <= resolution.scale < 1.0
    assert cost * resolution.scale**2 > 0.45  # no more was given up than a step too much


def test_what_can_be_drawn_whole_is_left_whole() -> None:
    resolution = Resolution((1280, 720), 0.5, PERIOD_S)
    run(resolution, 0.8 * PERIOD_S, 10.0, jitter=0.1)
    assert (resolution.size, resolution.changes) == ((1280, 720), 0)


def test_one_slow_frame_in_ten_changes_nothing() -> None:
    resolution = Resolution((1280, 720), 0.5, PERIOD_S)
    for frame in range(600):
        assert resolution.push(5 * PERIOD_S if frame % 10 == 0 else 0.5 * PERIOD_S, frame * PERIOD_S) is None


def test_pixels_come_back_when_the_load_is_gone() -> None:
    resolution = Resolution((1280, 720), 0.5, PERIOD_S)
    run(resolution, 3.0 * PERIOD_S, 3.0)
    lowest = resolution.scale
    run(resolution, 0.3 * PERIOD_S, 8 * UP_S, start_s=3.0)
    assert lowest < 0.7
    assert resolution.size == (1280, 720)


def test_it_does_not_swing_for_ever_between_two_sizes() -> None:
    """A cost that is too much whole and little reduced: attempts to go back get rarer."""
    resolution = Resolution((1280, 720), 0.84, PERIOD_S)
    now_s, raised = 0.0, []
    for _ in range(60 * 600):
        before = resolution.scale
        cost_s = PERIOD_S * (1.2 if resolution.scale == 1.0 else 0.2)
        resolution.push(cost_s, now_s)
        now_s += max(PERIOD_S, cost_s)
        if resolution.scale > before:
            raised.append(now_s)
    assert len(raised) < 10
    assert raised[-1] - raised[-2] > 100.0


def test_least_is_least_and_one_means_never() -> None:
    resolution = Resolution((1280, 720), 0.5, PERIOD_S)
    run(resolution, 50 * PERIOD_S, 60.0)
    assert resolution.size == (640, 360)
    still = Resolution((1280, 720), 1.0, PERIOD_S)
    run(still, 50 * PERIOD_S, 60.0)
    assert still.size == (1280, 720)


@pytest.mark.parametrize("size", [(641, 359), (17, 17), (1920, 1080), (1080, 1920)])
def test_sizes_are_even_and_keep_their_proportions(size: tuple[int, int]) -> None:
    resolution = Resolution(size, 0.25, PERIOD_S)
    run(resolution, 3.0 * PERIOD_S * 1280 * 720 / (size[0] * size[1]), 3.0)
    width, height = resolution.size
    assert width % 2 == height % 2 == 0
    assert width / height == pytest.approx(size[0] / size[1], rel=0.15)
