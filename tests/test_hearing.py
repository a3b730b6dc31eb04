"""Loudness, silence and the eight bands: laws of what has no oracle, and BS.1770 against its own text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.analysis import bands, kweighting
from installation.analysis.features import Analyser
from installation.analysis.kweighting import BLOCK, KWeighting
from installation.analysis.silence import Silence
from installation.analysis.spectrum import HOP
from installation.features import BANDS, TURN_S
from installation.track import FEATURES
from tests.sounds import RATE_HZ, noise, silence, sine, strikes

HOP_S = HOP / RATE_HZ


def heard(sound: np.ndarray, rate_hz: int = RATE_HZ, analyser: Analyser | None = None) -> dict[str, np.ndarray]:
    """Each feature over the hops of `sound`."""
    ear = analyser or Analyser(rate_hz, sound.shape[1])
    rows = np.array([each.features for each in ear.push(sound)])
    return {name: rows[:, index] for index, name in enumerate(FEATURES)}


# Loudness


def test_the_filters_are_those_of_the_recommendation_at_48_khz() -> None:
    above, below = kweighting.shelf(48_000)
    assert above == pytest.approx([1.53512485958697, -2.69169618940638, 1.19839281085285], abs=1e-11)
    assert below == pytest.approx([1.0, -1.69065929318241, 0.73248077421585], abs=1e-11)
    above, below = kweighting.high_pass(48_000)
    assert above.tolist() == [1, -2, 1]
    assert below == pytest.approx([1.0, -1.99004745483398, 0.99007225036621], abs=1e-11)


def filtered(sound: np.ndarray, stages: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """`sound` (samples,) through biquads, sample by sample."""
    for above, below in stages:
        out = np.zeros(len(sound) + 2)
        given = np.concatenate([[0.0, 0.0], sound])
        for n in range(2, len(out)):
            out[n] = above @ given[n : n - 3 if n > 2 else None : -1] - below[1] * out[n - 1] - below[2] * out[n - 2]
        sound = out[2:]
    return sound


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_hop_filtered_at_once_is_filtered_sample_by_sample(rate_hz: int) -> None:
    sound = noise(6 * HOP / RATE_HZ, channels=2).astype(np.float64)
    weighting = KWeighting(rate_hz, 2)
    found = np.concatenate([weighting.push(sound[at : at + HOP]) for at in range(0, len(sound), HOP)])
    stages = [kweighting.shelf(rate_hz), kweighting.high_pass(rate_hz)]
    squares = sum(filtered(sound[:, channel], stages) ** 2 for channel in range(2))
    np.testing.assert_allclose(found, np.reshape(squares, (-1, BLOCK)).mean(axis=1), rtol=1e-9)


def test_sines_are_as_loud_as_the_recommendation_says() -> None:
    """997 Hz at 0 dBFS in one channel is -3.01 LUFS; EBU Tech 3341, case 1: 1 kHz, -23 dBFS in both, is -23 LUFS."""
    one = sine(997.0, 1.0, 1.0)
    assert heard(one)["loudness_lufs"][-1] == pytest.approx(-3.01, abs=0.05)
    assert heard(np.hstack([one, 0 * one]))["loudness_lufs"][-1] == pytest.approx(-3.01, abs=0.05)
    both = np.repeat(sine(1000.0, 1.0, 10 ** (-23 / 20)), 2, axis=1)
    assert heard(both)["loudness_lufs"][-1] == pytest.approx(-23.0, abs=0.1)


def test_loudness_is_that_of_the_last_400_ms() -> None:
    lufs = heard(np.concatenate([sine(1000.0, 1.0), silence(1.0)]))["loudness_lufs"]
    ends_s = (1 + np.arange(len(lufs))) * HOP_S
    at = {after_s: lufs[int(np.searchsorted(ends_s, 1.0 + after_s))] for after_s in (0.0, 0.2, 0.41)}
    assert at[0.2] == pytest.approx(at[0.0] - 3.0, abs=0.3)
    assert at[0.41] == -70


def melody(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    """A note every half second, (samples, 1)."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    pitch_hz = 220.0 * 2 ** (np.floor(time_s * 2) % 5 / 5)
    sound = 0.3 * np.exp(-4 * (time_s % 0.5)) * np.sin(2 * np.pi * pitch_hz * time_s)
    return sound.astype(np.float32)[:, None]


@pytest.mark.parametrize("gain", [0.03, 0.3, 3.0])
def test_loudness_against_the_usual_does_not_know_the_gain(gain: float) -> None:
    plain, other = (heard(each)["loudness"] for each in (melody(3.0), np.float32(gain) * melody(3.0)))
    np.testing.assert_allclose(other[20:], plain[20:], atol=0.02)
    assert 0.3 < plain[20:].max() < 0.9


def test_twice_as_loud_as_usual_is_two_thirds() -> None:
    levels = heard(np.concatenate([noise(5.0, 0.1), noise(0.3, 0.2)]))["loudness"]
    assert levels[400] == pytest.approx(0.5, abs=0.02)
    assert levels[-1] == pytest.approx(2 / 3, abs=0.02)


@pytest.mark.parametrize("floor", [0.0, 10 ** (-70 / 20)])
def test_after_ten_minutes_of_silence_a_note_is_as_loud_as_before(floor: float) -> None:
    """The gain is held while nothing sounds, or the first note of the morning would be deafening."""
    rate_hz = 8_000
    before, note = melody(20.0, rate_hz), melody(0.5, rate_hz)
    found = []
    for pause_s in (2.048, 600.064):
        ear = Analyser(rate_hz, 1)
        heard(before, rate_hz, ear)
        pause = heard(noise(pause_s, floor, rate_hz=rate_hz), rate_hz, ear)
        assert pause["silence"][-1] == 1 and pause["loudness"][-1] < 0.02
        found.append(heard(note, rate_hz, ear)["loudness"])
    np.testing.assert_allclose(found[1], found[0], atol=2e-3)
    assert found[0].max() > 0.5


# Silence


@pytest.mark.parametrize("channels", [1, 2])
def test_nothing_and_a_floor_of_noise_are_silence_and_a_soft_note_is_not(channels: int) -> None:
    for nothing in (silence(2.0, channels), noise(2.0, 10 ** (-70 / 20), channels=channels), 0 * noise(2.0) + 0.5):
        assert heard(nothing)["silence"][50:].all()
    soft = np.repeat(sine(440.0, 1.0, 0.005), channels, axis=1) + noise(1.0, 10 ** (-70 / 20), channels=channels)
    found = heard(np.concatenate([noise(1.0, 10 ** (-70 / 20), channels=channels), soft]))
    begin = int(1.0 / HOP_S) + 2
    assert found["silence"][:begin].any() and not found["silence"][begin:].any()
    assert (np.diff(found["presence"][begin:]) > 0).all() and found["presence"][-1] > 0.95


def test_a_louder_floor_of_noise_is_learned_and_music_never_is() -> None:
    silent = heard(noise(30.0, 10 ** (-57 / 20)))["silence"]
    assert not silent[:200].any() and silent[-200:].all()
    assert not heard(noise(30.0, 10 ** (-35 / 20)))["silence"].any()
    assert not heard(melody(10.0))["silence"][1:].any()


@given(st.floats(-120, 0), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_silence_does_not_flicker(level_db: float, seed: int) -> None:
    """A level that wavers by 2 dB begins once, and ends once at the most, while the floor comes to it."""
    ear, rng = Silence(HOP_S), np.random.default_rng(seed)
    silent = [ear.push(level_db + rng.uniform(-1, 1)) for _ in range(3000)]
    assert np.count_nonzero(np.diff(np.array(silent, np.int8))) <= 2


def test_a_short_pause_is_no_silence() -> None:
    found = heard(np.concatenate([sine(440.0), silence(0.2), sine(440.0), silence(1.0)]))["silence"]
    assert not found[1 : int(1.2 / HOP_S)].any() and found[-1]


# Bands


@pytest.mark.parametrize(("band", "pitch_hz"), [(1, 120.0), (3, 550.0), (4, 1200.0), (6, 5200.0)])
def test_a_band_is_hit_by_every_strike_in_it_within_two_hops(band: int, pitch_hz: float) -> None:
    times_s = [0.25 + 0.37 * n for n in range(12)]
    found = heard(strikes(times_s, 5.0, pitch_hz, spread=1.0, ring_s=0.15))
    jumps = np.flatnonzero(np.diff(found[f"hits{band}"], prepend=0.0) > 0)
    late_s = (jumps + 1) * HOP_S - times_s
    assert len(jumps) == 12 and late_s.min() >= 0 and late_s.max() < 3.1 * HOP_S
    assert found[f"hits{band}"][jumps].min() >= 0.3
    for other in range(BANDS):
        if abs(other - band) > 1:
            assert np.count_nonzero(np.diff(found[f"hits{other}"]) > 0) <= 12
            assert found[f"hits{other}"].mean() < 0.6 * found[f"hits{band}"].mean()


def test_noise_and_tones_hit_hardly_ever() -> None:
    for steady in (noise(20.0), sine(440.0, 20.0)):
        found = heard(steady)
        for band in range(BANDS):
            assert np.count_nonzero(np.diff(found[f"hits{band}"][60:]) > 0) <= 4, band


def test_hits_do_not_know_the_gain() -> None:
    loud = strikes([0.25 + 0.37 * n for n in range(5)], 2.5)
    plain, soft = heard(loud), heard(np.float32(0.3) * loud)
    for band in range(BANDS):
        np.testing.assert_allclose(plain[f"hits{band}"][60:], soft[f"hits{band}"][60:], atol=0.05)


def test_a_clock_goes_as_fast_as_its_band_is_loud_and_stands_in_silence() -> None:
    edges = bands.edges_hz()
    pitch_hz = float(np.sqrt(edges[4] * edges[5]))
    found = heard(np.concatenate([sine(pitch_hz, 3.0, 1.0), silence(3.0)]))
    second = int(1.0 / HOP_S)
    speed = (found["time4"][2 * second] - found["time4"][second]) / (second * HOP_S)
    assert speed == pytest.approx(found["band4"][second : 2 * second].mean(), abs=1e-3) and speed > 0.95
    assert (np.diff(found["time4"]) >= 0).all()
    assert found["time4"][-1] == found["time4"][-int(2.0 / HOP_S)] > 2.9
    assert found["time0"][-1] < 0.5 * found["time4"][-1]


def test_clocks_begin_again_after_a_turn_for_ever() -> None:
    clocks = bands.Clocks()
    clocks.times_s[:] = TURN_S - 0.005
    after = clocks.push(np.ones(BANDS), 0.010)
    assert after == pytest.approx(np.full(BANDS, 0.005), abs=1e-9)


def test_presence_comes_in_a_second_and_goes_in_three() -> None:
    edges = bands.edges_hz()
    found = heard(np.concatenate([sine(float(np.sqrt(edges[4] * edges[5])), 4.0, 1.0), silence(4.0)]))["presence4"]
    after = {at_s: found[int(at_s / HOP_S)] for at_s in (1.0, 3.9, 7.3)}
    assert after[1.0] == pytest.approx(1 - np.exp(-1), abs=0.04)
    assert after[3.9] > 0.95
    assert after[7.3] == pytest.approx(np.exp(-1), abs=0.06)


# Beat


def test_a_beat_has_a_tempo_and_a_phase_and_silence_has_neither() -> None:
    """What the beat is worth is `test_beat`'s; here it is that it arrives."""
    time_s = np.arange(int(9.25 * RATE_HZ)) / RATE_HZ
    since_s = time_s % 0.5
    kick = 0.6 * np.sin(2 * np.pi * (55 * since_s - 3 * np.exp(-40 * since_s))) * np.exp(-9 * since_s)
    hat = 0.1 * np.random.default_rng(0).standard_normal(len(time_s)) * np.exp(-70 * (time_s % 0.25))
    ear = Analyser(RATE_HZ, 1)
    found = heard((kick + hat).astype(np.float32)[:, None], analyser=ear)
    last = slice(-int(2.0 / HOP_S), None)
    np.testing.assert_allclose(found["tempo_bpm"][last], 120.0, rtol=0.02)
    steps = np.diff(found["beat_phase"][last])
    assert (steps[steps > -0.5] >= -0.1).all() and np.count_nonzero(steps < -0.5) == 4
    assert found["beat"][last].max() > 0.5
    after = heard(silence(4.0), analyser=ear)
    assert not after["tempo_bpm"][-1] and not after["beat_phase"][-1] and after["tempo_confidence"][-1] < 0.3
