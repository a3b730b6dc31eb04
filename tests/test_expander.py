"""The expander: off is nothing at all, any blocks are the same, and steady levels follow the curve it states."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.sound.expander import OFF_DB, RANGE_DB, Expander

RATE_HZ = 48_000
Floats = npt.NDArray[np.float32]


def expanded(sound: Floats, threshold_db: float, ratio: float = 2.0, blocks: tuple[int, ...] = (100_000,)) -> Floats:
    expander = Expander(sound.shape[1], RATE_HZ)
    state, out, begin = expander.start(), [], 0
    while begin < len(sound):
        block = sound[begin : begin + blocks[len(out) % len(blocks)]]
        made, state = expander.process(block, state, threshold_db, ratio)
        out.append(made)
        begin += len(block)
    return np.concatenate(out)


def tone(level_db: float, seconds: float = 1.0, hz: float = 440.0) -> Floats:
    phase = 2.0 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (10.0 ** (level_db / 20.0) * np.sin(phase)).astype(np.float32)[:, None]


def peak_db(sound: Floats) -> float:
    return float(20.0 * np.log10(np.abs(sound).max()))


def bursts(seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    levels = 10.0 ** rng.uniform(-5.0, 0.0, 40)
    return (rng.uniform(-1.0, 1.0, (40 * 211, 2)) * np.repeat(levels, 211)[:, None]).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, 400), min_size=1, max_size=6), st.floats(-80.0, -5.0))
def test_any_blocks_are_the_same_as_the_whole(seed: int, blocks: list[int], threshold_db: float) -> None:
    sound = bursts(seed)
    assert np.array_equal(expanded(sound, threshold_db, 3.0, tuple(blocks)), expanded(sound, threshold_db, 3.0))


def test_off_is_the_same_sound_to_the_bit() -> None:
    sound = bursts(3)
    assert np.array_equal(expanded(sound, OFF_DB, 8.0, (96,)), sound)
    assert np.array_equal(expanded(sound, -30.0, 1.0, (96,)), sound)


def test_what_is_above_the_threshold_is_not_touched() -> None:
    assert np.array_equal(expanded(tone(-20.0), -30.0, 4.0), tone(-20.0))


@pytest.mark.parametrize("ratio", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("under_db", [6.0, 12.0, 18.0])
@pytest.mark.parametrize("hz", [55.0, 997.0])
def test_each_db_below_the_threshold_becomes_ratio_db(ratio: float, under_db: float, hz: float) -> None:
    made = expanded(tone(-30.0 - under_db, 2.0, hz), -30.0, ratio)
    assert peak_db(made[-RATE_HZ // 2 :]) == pytest.approx(-30.0 - ratio * under_db, abs=0.5 * ratio)


def test_no_more_is_taken_than_its_range() -> None:
    made = expanded(tone(-80.0, 3.0), -20.0, 100.0)
    assert peak_db(made[-RATE_HZ // 4 :]) == pytest.approx(-80.0 - RANGE_DB, abs=0.2)


def test_a_louder_sound_is_never_made_quieter_than_a_softer_one() -> None:
    levels = np.arange(-70.0, -10.0, 1.0)
    made = [peak_db(expanded(tone(level, 1.5), -35.0, 3.0)[-RATE_HZ // 4 :]) for level in levels]
    assert (np.diff(made) > 0.9).all()


def test_it_opens_within_milliseconds_and_closes_slowly_and_never_jumps() -> None:
    quiet, loud = tone(-60.0, 1.0), tone(-10.0, 0.5)
    sound = np.concatenate([quiet, loud, quiet])
    gains = expanded(sound, -30.0, 3.0)[:, 0] / np.where(sound[:, 0] == 0.0, 1.0, sound[:, 0])
    heard = np.abs(sound[:, 0]) > 1e-5
    onset, end = len(quiet), len(quiet) + len(loud)
    assert gains[onset - 10] < 0.02
    assert gains[onset + int(0.008 * RATE_HZ)] > 0.9
    assert gains[end + int(0.02 * RATE_HZ)] > 0.9 and gains[end + int(0.9 * RATE_HZ)] < 0.05
    places = np.flatnonzero(heard)
    assert np.abs(np.diff(gains[places]) / np.diff(places)).max() < 1.0 / 32


def test_both_channels_have_the_same_gain() -> None:
    sound = np.concatenate([tone(-20.0), tone(-60.0)], axis=1)
    assert np.array_equal(expanded(sound, -30.0, 4.0), sound)


def test_turned_off_it_opens_without_a_jump_and_is_then_nothing_at_all() -> None:
    expander, sound = Expander(1, RATE_HZ), tone(-50.0, 0.5)
    shut, state = expander.process(sound, expander.start(), -20.0, 2.0)
    opening, state = expander.process(sound, state, OFF_DB, 2.0)
    opened, _ = expander.process(sound, state, OFF_DB, 2.0)
    line = np.concatenate([shut, opening])[:, 0]
    assert np.abs(np.diff(line)).max() < np.abs(np.diff(sound[:, 0])).max() * 1.1
    assert opened is sound


def test_what_is_not_a_number_does_not_stay() -> None:
    expander, broken = Expander(1, RATE_HZ), np.full((64, 1), np.nan, np.float32)
    _, state = expander.process(broken, expander.start(), -30.0, 2.0)
    assert np.isfinite(expander.process(tone(-10.0), state, -30.0, 2.0)[0]).all()


def test_silence_stays_silence() -> None:
    assert not expanded(np.zeros((5000, 2), np.float32), -30.0).any()
