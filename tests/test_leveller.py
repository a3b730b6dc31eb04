"""The leveller against sounds whose level is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.sound.leveller import (
    DOWN_DB_S,
    HOP_S,
    LEAST_DB,
    MOST_DB,
    UP_DB_S,
    Leveller,
    LevelState,
    bent,
    gated_db,
    level_db,
)

Floats = npt.NDArray[np.float32]

RATE_HZ, TARGET_DB = 8_000, -20.0


def noise(seconds: float, rms_db: float, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return (10.0 ** (rms_db / 20.0) * rng.standard_normal(int(seconds * RATE_HZ))).astype(np.float32)


def levelled(*parts: Floats, state: LevelState | None = None) -> tuple[list[Floats], LevelState]:
    """Each of `parts` after what came before it, and the state at the end."""
    leveller, made = Leveller(RATE_HZ, TARGET_DB), []
    state = state or leveller.start()
    for part in parts:
        sound, state = leveller.process(part, state)
        made.append(sound)
    return made, state


def rms_db(sound: Floats) -> float:
    return float(10.0 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


@pytest.mark.parametrize("given_db", [-39.0, -33.0, -20.0, -14.0])
def test_sound_of_any_level_comes_to_the_target(given_db: float) -> None:
    (_, later), _ = levelled(noise(10.0, given_db), noise(2.0, given_db, 2))
    assert rms_db(later) == pytest.approx(TARGET_DB, abs=0.5)


def test_the_gain_has_limits() -> None:
    """Struck sounds, each dying away into silence, at -59 and +10 dBFS."""
    envelope = np.exp(-np.arange(RATE_HZ) / (0.5 * RATE_HZ)).astype(np.float32)
    for peak, limit_db in ((2.0 * 10.0 ** (-55.0 / 20.0), MOST_DB), (10.0, LEAST_DB)):
        strokes = np.tile(envelope, 30) * noise(30.0, 0.0) * np.float32(peak)
        _, state = levelled(strokes)
        assert state.to_db == pytest.approx(limit_db)


def test_silence_stays_silence_and_the_gain_stays_in_it() -> None:
    _, before = levelled(noise(10.0, -35.0))
    (silent, again), after = levelled(np.zeros(60 * RATE_HZ, np.float32), noise(1.0, -35.0), state=before)
    assert not silent.any()
    assert after.to_db == pytest.approx(before.to_db, abs=0.5)
    assert rms_db(again) == pytest.approx(TARGET_DB, abs=0.5)


@pytest.mark.parametrize("floor_db", [-70.0, -55.0, -42.0])
def test_the_noise_of_a_room_is_never_lifted(floor_db: float) -> None:
    """Alone, for a minute; and for a minute after a sound, for which it is kept as it was."""
    (alone,), state = levelled(noise(60.0, floor_db))
    assert rms_db(alone) == pytest.approx(floor_db, abs=0.2)
    assert not state.sounding
    (_, after), state = levelled(noise(5.0, -20.0), noise(60.0, floor_db))
    assert rms_db(after) < floor_db + 0.5
    assert not state.sounding


def test_a_quiet_performance_after_a_loud_one_is_followed() -> None:
    """Someone turns the instrument down by 30 dB, over a floor of -75 dBFS."""
    strokes = np.tile(np.exp(-np.arange(RATE_HZ) / (0.15 * RATE_HZ)), 30).astype(np.float32) * noise(30.0, 0.0)
    quiet = strokes * np.float32(0.01) + noise(30.0, -75.0, 3)
    _, state = levelled(strokes * np.float32(0.3), quiet)
    assert state.to_db == pytest.approx(TARGET_DB - level_db(quiet, RATE_HZ), abs=3.0)
    assert state.to_db > 15.0


def test_pauses_do_not_count() -> None:
    """The same sound with and without a second of silence between its seconds has the same gain."""
    sound = noise(20.0, -30.0)
    seconds = sound.reshape(20, RATE_HZ)
    paused = np.concatenate([seconds, np.zeros_like(seconds)], axis=1).reshape(-1)
    assert levelled(sound)[1].to_db == pytest.approx(levelled(paused)[1].to_db, abs=0.3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=12))
def test_blocks_of_any_size_give_the_same(sizes: list[int]) -> None:
    sound = np.concatenate([noise(1.0, -40.0), noise(0.5, -6.0), np.zeros(4000, np.float32), noise(1.0, -30.0)])
    (whole,), expected = levelled(sound)
    pieces, state = levelled(*np.split(sound, np.minimum(np.cumsum(sizes), len(sound))))
    assert np.array_equal(np.concatenate(pieces), whole)
    assert (state.from_db, state.to_db, state.input_db) == (expected.from_db, expected.to_db, expected.input_db)


def test_the_gain_changes_smoothly() -> None:
    """Of a constant, from soft to loud to soft: no step above that of the fastest change."""
    line = np.concatenate([np.full(5 * RATE_HZ, level, np.float32) for level in (0.02, 0.3, 0.02)])
    (out,), _ = levelled(line)
    gains_db = 20.0 * np.log10(out / line)
    for before, after in ((0, 5), (5, 10), (10, 15)):
        part = gains_db[before * RATE_HZ + 1 : after * RATE_HZ]
        part = part[bent_is_idle(out[before * RATE_HZ + 1 : after * RATE_HZ])]
        steps = np.diff(part) * RATE_HZ
        assert steps.max(initial=0.0) < 1.3 * UP_DB_S
        assert steps.min(initial=0.0) > -1.3 * DOWN_DB_S


def bent_is_idle(out: Floats) -> npt.NDArray[np.bool_]:
    return np.abs(out) < 0.69


def test_nothing_is_above_full_scale_and_what_is_not_a_number_is_silence() -> None:
    loud = noise(3.0, 20.0)
    loud[100], loud[200], loud[300] = np.nan, np.inf, -np.inf
    (out,), state = levelled(loud)
    assert np.isfinite(out).all() and np.abs(out).max() <= 1.0
    assert (out[[100, 200, 300]] == 0.0).all()
    assert np.isfinite(state.to_db)


def test_the_bend_is_a_smooth_rise() -> None:
    line = np.linspace(-4.0, 4.0, 100_001, dtype=np.float32)
    out = bent(line)
    assert (np.diff(out) >= 0.0).all()
    assert (out[np.abs(line) <= 0.7] == line[np.abs(line) <= 0.7]).all()
    assert np.abs(np.diff(out, 2)).max() < 1e-5


def test_the_level_of_a_whole_sound_is_that_of_its_loud_parts() -> None:
    sound = np.concatenate([noise(4.0, -26.0), noise(8.0, -58.0), np.zeros(80_000, np.float32)])
    assert level_db(sound, RATE_HZ) == pytest.approx(-26.0, abs=0.1)
    assert level_db(np.zeros(9_000, np.float32), RATE_HZ) == -120.0
    assert level_db(sound[:100], RATE_HZ) == pytest.approx(rms_db(sound[:100]))
    assert gated_db(np.array([1.0, 1.0, 0.001])) == pytest.approx(0.0)


def test_what_is_said_of_the_input_is_of_its_last_block() -> None:
    leveller = Leveller(RATE_HZ, TARGET_DB)
    _, state = leveller.process(noise(HOP_S, -30.0), leveller.start())
    assert state.sounding and state.input_db == pytest.approx(-30.0, abs=0.7)
    _, state = leveller.process(np.zeros(round(HOP_S * RATE_HZ), np.float32), state)
    assert not state.sounding and state.input_db == -120.0
