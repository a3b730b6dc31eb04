"""Loudness of a whole sound, likeness of two, how late one is, and the way out to a file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import RenderError
from installation.sound.guard import CEILING_DB
from installation.sound.latency import HOP_S, measured
from installation.sound.loudness import SILENT_DB, gated_level_db, loudness_correlation
from installation.sound.outlet import Outlet, let_out
from tests.parts import Floats

RATE_HZ = 48_000


def noise(seconds: float, level_db: float, channels: int = 1, seed: int = 0) -> Floats:
    made = np.random.default_rng(seed).standard_normal((int(seconds * RATE_HZ), channels))
    return (10.0 ** (level_db / 20.0) * made).astype(np.float32)


def strokes(seed: int = 0, seconds: float = 6.0) -> Floats:
    """Noises that die away, at uneven times."""
    rng = np.random.default_rng(seed)
    line = noise(seconds, -60.0, seed=seed)[:, 0]
    for begin in np.cumsum(rng.integers(6_000, 30_000, 100)):
        if begin < len(line):
            left = np.arange(len(line) - begin) / RATE_HZ
            line[begin:] += (rng.uniform(0.1, 0.5) * np.exp(-left / 0.15) * rng.standard_normal(len(left))).astype("f4")
    return line


@pytest.mark.parametrize("level_db", [-85.0, -50.0, -20.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_level_is_that_of_what_sounds(level_db: float, channels: int) -> None:
    sound = noise(2.0, level_db, channels)
    assert gated_level_db(sound, RATE_HZ) == pytest.approx(level_db, abs=0.1)
    paused = np.concatenate([sound, np.zeros_like(sound), 1e-4 * sound, sound])
    assert gated_level_db(paused, RATE_HZ) == pytest.approx(level_db, abs=0.1)


def test_silence_has_no_level() -> None:
    assert gated_level_db(np.zeros((1000, 2), np.float32), RATE_HZ) == SILENT_DB
    assert gated_level_db(np.zeros((0, 1), np.float32), RATE_HZ) == SILENT_DB


def test_loudness_correlates_with_itself_at_any_level_and_not_with_other_sound() -> None:
    sound, other = strokes(1), strokes(2)
    assert loudness_correlation(sound, 0.1 * sound, RATE_HZ) == pytest.approx(1.0, abs=1e-6)
    assert abs(loudness_correlation(sound, other, RATE_HZ)) < 0.5
    assert loudness_correlation(sound, np.zeros_like(sound), RATE_HZ) == 0.0
    assert loudness_correlation(sound[:10], other[:10], RATE_HZ) == 0.0


def test_loudness_correlation_is_pearsons() -> None:
    """Oracle: levels of tones that are known, window by window."""
    steps_db, others_db = np.array([-10.0, -20.0, -15.0, -30.0]), np.array([-12.0, -18.0, -30.0, -25.0])
    one, other = (np.repeat(10.0 ** (levels / 20.0), 200 * 1200).astype(np.float32) for levels in (steps_db, others_db))
    expected = float(np.corrcoef(steps_db, others_db)[0, 1])
    assert loudness_correlation(one, other, RATE_HZ) == pytest.approx(expected, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 47_000), st.integers(0, 20))
def test_a_delay_is_found(late: int, seed: int) -> None:
    sound = strokes(seed)
    delayed = np.concatenate([np.zeros(late, np.float32), -0.3 * sound])[: len(sound)]
    assert measured(sound, delayed, RATE_HZ) == pytest.approx(late, abs=HOP_S * RATE_HZ)


def test_what_is_not_alike_is_on_time() -> None:
    sound = strokes(1)
    assert measured(sound, np.zeros_like(sound), RATE_HZ) == 0
    assert measured(sound, np.full_like(sound, 0.5), RATE_HZ) == 0
    assert measured(sound[:0], sound[:0], RATE_HZ) == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3000), st.lists(st.integers(1, 700), min_size=1, max_size=4))
def test_the_way_out_is_on_time_and_as_long_in_any_blocks(length: int, blocks: list[int]) -> None:
    sound = np.random.default_rng(length).uniform(-0.5, 0.5, (length, 2)).astype(np.float32)
    outlet, parts, begin = Outlet(2, RATE_HZ), [], 0
    while begin < length:
        parts.append(outlet.push(sound[begin : begin + blocks[len(parts) % len(blocks)]]))
        begin += blocks[(len(parts) - 1) % len(blocks)]
    out = np.concatenate([*parts, outlet.end()])
    assert np.array_equal(out, let_out(sound, RATE_HZ))
    assert out.shape == sound.shape and np.abs(out - sound).max() < 0.06


def test_the_way_out_is_guarded() -> None:
    sound = noise(0.5, 6.0, 2)
    out = let_out(sound, RATE_HZ)
    assert out.shape == sound.shape and np.abs(out).max() <= 10.0 ** (CEILING_DB / 20.0) + 1e-4
    for broken in (np.nan, np.inf, 1e9):
        sound[9_000] = broken
        with pytest.raises(RenderError, match="no sound"):
            let_out(sound, RATE_HZ)
