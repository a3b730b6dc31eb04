"""What is done to a recording before a model learns it, against something simpler."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.training import bandwidth, conditioning, variation
from installation.training.variation import Variation

RATE_HZ = 16_000


def tone(seconds: float, hz: float = 440.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2.0 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def strongest_hz(sound: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * RATE_HZ / len(sound))


def test_levels_and_loudness_are_those_of_a_sine() -> None:
    np.testing.assert_allclose(conditioning.levels_db(tone(1.0, 400.0), RATE_HZ), -9.03, atol=0.01)
    sparse = np.concatenate([tone(0.5), silence(3.0)])
    assert conditioning.loudness_db(sparse, RATE_HZ) == pytest.approx(-9.03, abs=0.05)
    assert conditioning.loudness_db(
        conditioning.to_loudness(np.float32(0.1) * sparse, RATE_HZ, -20.0), RATE_HZ
    ) == pytest.approx(-20)


@given(st.floats(0.001, 0.9), st.floats(-0.05, 0.05))
def test_peak_and_offset(level: float, offset: float) -> None:
    made = conditioning.to_peak(conditioning.without_offset(tone(0.1, 400.0, level) + np.float32(offset)))
    assert np.abs(made).max() == pytest.approx(10.0 ** (-1.0 / 20.0), rel=1e-4)
    assert abs(float(made.mean())) < 1e-4


def test_a_loud_peak_limits_the_loudness() -> None:
    click = np.concatenate([tone(1.0, level=0.001), np.ones(1, np.float32)])
    assert np.abs(conditioning.to_loudness(click, RATE_HZ, 0.0)).max() <= 10.0 ** (-1.0 / 20.0) + 1e-6


def test_silence_is_cut_out_and_its_neighbours_stay() -> None:
    """3 s of silence between two tones leave their pads, less the crossfade; 0.3 s is a rest, and stays."""
    sound = np.concatenate([tone(1.0), silence(3.0), tone(1.0, 880.0), silence(0.3), tone(0.5)])
    made = conditioning.without_silence(sound, RATE_HZ, -60.0, 0.5)
    expected_s = 1.0 + 0.2 - conditioning.FADE_S + 1.0 + 0.3 + 0.5
    assert len(made) / RATE_HZ == pytest.approx(expected_s, abs=0.021)
    np.testing.assert_allclose(made[:RATE_HZ], sound[:RATE_HZ], atol=1e-6)
    assert len(conditioning.without_silence(silence(2.0), RATE_HZ, -60.0, 0.5)) == 0
    np.testing.assert_array_equal(conditioning.without_silence(tone(1.0), RATE_HZ, -60.0, 0.5), tone(1.0))


@given(st.lists(st.integers(0, 400), max_size=6), st.integers(0, 100))
def test_joined_parts_are_as_long_as_they_are_less_the_overlaps(lengths: list[int], fade: int) -> None:
    parts = [np.full(length, 0.5, np.float32) for length in lengths]
    made = conditioning.join(parts, fade)
    overlaps = sum(min(fade, one // 2, two // 2) for one, two in pairwise(lengths))
    assert len(made) == sum(lengths) - overlaps
    assert np.abs(made).max(initial=0.0) <= 0.5 * np.sqrt(2.0) + 1e-6


def test_a_crossfade_keeps_the_power_of_what_is_not_alike() -> None:
    rng = np.random.default_rng(1)
    made = conditioning.join([rng.standard_normal(60_000).astype(np.float32) for _ in range(2)], 20_000)
    assert np.std(made[40_000:60_000]) == pytest.approx(1.0, abs=0.02)


def test_clipped_samples_are_counted_and_pure_tones_are_not() -> None:
    assert conditioning.clipped(tone(1.0, 100.0, 1.0)) == 0.0
    assert conditioning.clipped(np.random.default_rng(1).uniform(-1, 1, 9_000).astype(np.float32)) == 0.0
    over = np.clip(tone(1.0, 100.0, 1.0), -0.5, 0.5)
    assert conditioning.clipped(over) == pytest.approx(np.mean(np.abs(over) >= 0.5), abs=0.001)


@pytest.mark.parametrize("highest", [1_000.0, 3_000.0, 6_000.0])
def test_the_highest_frequency_is_where_noise_was_cut(highest: float) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(4 * RATE_HZ))
    spectrum[int(highest * 4) :] = 0.0
    sound = np.fft.irfft(spectrum).astype(np.float32)
    assert bandwidth.highest_hz(sound, RATE_HZ) == pytest.approx(highest, abs=60.0)
    assert bandwidth.highest_hz(silence(1.0), RATE_HZ) == 0.0


@pytest.mark.parametrize("ratio", [0.5, 0.84, 1.0, 1.31])
def test_resampling_is_a_tape_run_at_another_speed(ratio: float) -> None:
    made = variation.resample(tone(2.0), ratio)
    assert len(made) == round(2 * RATE_HZ * ratio)
    assert strongest_hz(made) == pytest.approx(440.0 / ratio, abs=1.0)
    assert np.abs(made[2_000:-2_000]).max() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_stretching_keeps_pitch_and_level(factor: float) -> None:
    made = variation.stretch(tone(2.0), factor, RATE_HZ)
    assert len(made) / RATE_HZ == pytest.approx(2.0 * factor, abs=0.12)
    middle = made[RATE_HZ // 2 : RATE_HZ]
    assert strongest_hz(middle) == pytest.approx(440.0, abs=2.5)
    assert np.std(middle) == pytest.approx(0.5 / np.sqrt(2.0), rel=0.02)


def test_turned_phases_keep_every_magnitude() -> None:
    sound = np.zeros(RATE_HZ, np.float32)
    sound[100] = 1.0
    made = variation.turn_phases(sound, RATE_HZ, np.array([0.1, 0.5, 0.9]))
    np.testing.assert_allclose(np.abs(np.fft.rfft(made)), 1.0, atol=0.01)
    assert np.abs(made).max() < 0.9


def test_a_seed_names_a_copy_and_no_more_than_asked_changes() -> None:
    sound = tone(2.0)
    wide = Variation(6.0, 2.0, 1.0, 0.1, True, True)
    one, again, other = (variation.vary(sound, RATE_HZ, wide, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert len(one) != len(other) or not np.allclose(one, other)
    still = variation.vary(sound, RATE_HZ, Variation(0.0, mirror=False), np.random.default_rng(1))
    np.testing.assert_array_equal(still, sound)
    for seed in range(8):
        made = variation.vary(sound, RATE_HZ, Variation(mirror=True), np.random.default_rng(seed))
        gain = float(made[5_000] / sound[5_000])
        assert 10 ** (-6 / 20) <= abs(gain) <= 2.0
        np.testing.assert_allclose(made, gain * sound, atol=1e-5)


def test_pitch_alone_keeps_the_time() -> None:
    for seed in range(3):
        made = variation.vary(tone(2.0), RATE_HZ, Variation(0.0, pitch_semitones=3.0), np.random.default_rng(seed))
        assert len(made) / RATE_HZ == pytest.approx(2.0, abs=0.12)
