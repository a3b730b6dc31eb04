"""Walks: the law they state, at every step; the same path however it is asked for; excerpts that never break."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from installation.sound.walks import Given, Independent, Recalled, Smooth, Walk
from tests.parts import walk

STEP_S = 0.04
MANY = 4000
"""Latents, to be taken for as many trials of one."""
ZEROS, ONES = np.zeros(MANY, np.float32), np.ones(MANY, np.float32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


EXCERPTS = walk(400, 3)
WALKS: dict[str, Callable[[], Walk]] = {
    "independent": lambda: Independent(ZEROS[:3], ONES[:3], 1.0, rng()),
    "smooth": lambda: Smooth(ZEROS[:3], ONES[:3], 1.0, 0.5, STEP_S, rng()),
    "recalled": lambda: Recalled(EXCERPTS, EXCERPTS.std(axis=0), 1.0, STEP_S, rng()),
    "given": lambda: Given(EXCERPTS),
}


@pytest.mark.parametrize("name", WALKS)
def test_a_path_is_the_same_however_its_steps_are_asked_for(name: str) -> None:
    whole, by_and_by = WALKS[name]().go(300), WALKS[name]()
    parts = np.concatenate([by_and_by.go(steps) for steps in (1, 0, 7, 64, 128, 100)])
    assert whole.shape == (300, 3) and whole.dtype == np.float32
    assert np.array_equal(whole, parts)


@pytest.mark.parametrize("smooth_s", [0.0, 0.1, 2.0])
def test_a_smooth_walk_has_its_law_at_every_step(smooth_s: float) -> None:
    path = Smooth(ZEROS + 5.0, ONES * 2.0, 1.5, smooth_s, STEP_S, rng(1)).go(60)
    for step in (0, 1, 10, 59):
        assert path[step].mean() == pytest.approx(5.0, abs=0.2)
        assert path[step].std() == pytest.approx(3.0, rel=0.05)


def test_its_steps_are_as_alike_as_noise_through_two_low_passes() -> None:
    """Oracle: the autocorrelation of the filter's impulse response, written out."""
    path = Smooth(ZEROS, ONES, 1.0, 0.4, STEP_S, rng(2)).go(30)
    keep = np.exp(-STEP_S / 0.4)
    response = np.arange(1, 400) * keep ** np.arange(399)
    for lag in (1, 5, 15, 29):
        expected = float(response[lag:] @ response[:-lag]) / float(response @ response)
        assert float(np.mean(path[0] * path[lag])) == pytest.approx(expected, abs=0.06)


def test_a_longer_time_is_a_slower_walk() -> None:
    fast, slow = (np.abs(np.diff(Smooth(ZEROS, ONES, 1.0, s, STEP_S, rng()).go(40), axis=0)).mean() for s in (0.2, 2.0))
    assert slow < 0.2 * fast


def test_independent_steps_have_their_law_and_nothing_in_common() -> None:
    path = Independent(ZEROS - 1.0, ONES * 0.5, 2.0, rng(3)).go(20)
    assert path.mean() == pytest.approx(-1.0, abs=0.02) and path.std() == pytest.approx(1.0, rel=0.02)
    assert abs(float(np.mean((path[0] + 1.0) * (path[1] + 1.0)))) < 0.06


def test_between_leaps_a_recalled_path_is_an_excerpt() -> None:
    path = Recalled(EXCERPTS, EXCERPTS.std(axis=0), 1e-6, STEP_S, rng(4)).go(100)
    begins = int(np.argmin(np.abs(EXCERPTS - path[0]).sum(axis=1)))
    until = min(100, len(EXCERPTS) - begins)
    assert until > 20 and np.array_equal(path[:until], EXCERPTS[begins : begins + until])


def test_it_leaps_to_what_is_alike_and_never_breaks() -> None:
    """Excerpts that go round three times: at each leap there are the same latents elsewhere."""
    angle = np.linspace(0.0, 6.0 * np.pi, 300, endpoint=False)
    rounds = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    path = Recalled(rounds, np.ones(2, np.float32), 0.05, STEP_S, rng(5)).go(3000)
    assert np.abs(np.linalg.norm(path, axis=1) - 1.0).max() < 0.15
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 0.3


def test_it_does_leap_and_a_hot_one_more_often() -> None:
    def leaps(temperature: float) -> int:
        path = Recalled(EXCERPTS, EXCERPTS.std(axis=0), temperature, STEP_S, rng(6)).go(2000)
        nearest = [int(np.argmin(np.abs(EXCERPTS - each).sum(axis=1))) for each in path]
        return int((np.abs(np.diff(nearest)) > 5).sum())

    assert 10 < leaps(1.0) < leaps(4.0)


@pytest.mark.parametrize("length", [2, 3, 30])
def test_the_shortest_excerpts_are_enough(length: int) -> None:
    path = Recalled(EXCERPTS[:length], ONES[:3], 1.0, STEP_S, rng(7)).go(200)
    reach = 2.0 * np.abs(EXCERPTS[:length]).max() + 1.0
    assert np.isfinite(path).all() and np.abs(path).max() < reach


def test_a_given_path_ends() -> None:
    with pytest.raises(RuntimeError, match="400 steps was asked for 401"):
        Given(EXCERPTS).go(401)
