"""The analyser against direct formulas, and the law that blocks don't matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.analysis import bands, spectrum
from installation.analysis.envelope import Envelope, Follower
from installation.analysis.features import Analyser, Hearing
from installation.analysis.spectrum import FFT, HOP
from installation.features import FEATURES as CATALOGUE
from installation.track import BANDS, FEATURES, MEL_BINS, SPECTRUM_BINS
from tests.sounds import RATE_HZ, noise, silence, sine, strikes

SILENT = np.array([each.silent for each in CATALOGUE])


def values(heard: Hearing) -> dict[str, float]:
    return dict(zip(FEATURES, heard.features.tolist(), strict=True))


def last(samples: np.ndarray, rate_hz: int = RATE_HZ) -> dict[str, float]:
    return values(Analyser(rate_hz, samples.shape[1]).push(samples)[-1])


def matrix(heard: list[Hearing]) -> np.ndarray:
    return np.array([[each.end, each.beats, *each.features, *each.spectrum, *each.mel] for each in heard])


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=30), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_any_blocks_give_the_same_bit_for_bit(cuts: list[int], channels: int) -> None:
    sound = noise(0.2, channels=channels) + sine(333, 0.2)
    whole = Analyser(RATE_HZ, channels).push(sound)
    analyser, parts, start = Analyser(RATE_HZ, channels), [], 0
    for cut in [*cuts, len(sound)]:
        parts += analyser.push(sound[start : start + cut])
        start += cut
    assert len(whole) == len(sound) // HOP
    assert np.array_equal(matrix(whole), matrix(parts))


def test_each_hearing_is_the_formula_over_the_window_before_its_end() -> None:
    sound = noise(0.2, seed=1)
    heard = Analyser(RATE_HZ, 1, start=1000).push(sound)
    padded = np.concatenate([np.zeros(FFT), sound[:, 0].astype(np.float64)])
    window = np.hanning(FFT + 1)[:-1]
    frequency_hz = np.arange(FFT // 2 + 1) * RATE_HZ / FFT
    before = np.zeros(FFT // 2 + 1)
    for number, each in enumerate(heard):
        end = (number + 1) * HOP
        assert each.end == 1000 + end
        past = padded[end : end + FFT]
        now = np.abs(np.fft.rfft(past * window)) * 2 / window.sum()
        centre_hz = (now * frequency_hz).sum() / now.sum()
        assert each.features[0] == pytest.approx(np.sqrt((past**2).mean()), rel=1e-5)
        assert each.features[1] == pytest.approx(np.log(centre_hz / 40) / np.log(400), rel=1e-4)
        assert each.features[2] == pytest.approx(np.maximum(0, now - before).sum() / now.sum(), rel=1e-4)
        expected = np.clip((20 * np.log10(now[:SPECTRUM_BINS]) + 90) / 90, 0, 1)
        assert np.allclose(each.spectrum, expected, atol=1e-5)
        before = now


def test_a_full_scale_sine_is_one_in_the_spectrum_at_its_bin_and_its_rms_is_its_own() -> None:
    for place in (10, 100, 500):
        hearing = Analyser(RATE_HZ, 1).push(sine(place * RATE_HZ / FFT, amplitude=1.0))[-1]
        assert hearing.spectrum.argmax() == place and hearing.spectrum.max() == pytest.approx(1.0, abs=1e-3)
        assert hearing.features[0] == pytest.approx(np.sqrt(0.5), rel=1e-3)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000, 192_000])
def test_a_sine_sounds_in_its_own_band_at_any_rate(rate_hz: int) -> None:
    """At 192 kHz the lowest bands are narrower than the window's own line is broad, and blur."""
    edges = bands.edges_hz()
    for band in range(2 if rate_hz > 96_000 else 0, BANDS):
        frequency_hz = float(np.sqrt(edges[band] * edges[band + 1]))
        features = last(sine(frequency_hz, 1.0, 1.0, rate_hz), rate_hz)
        levels = [features[f"band{n}"] for n in range(BANDS)]
        assert int(np.argmax(levels)) == band
        if rate_hz <= 48_000:
            assert levels[band] == pytest.approx(1.0, abs=0.03)


def test_the_bands_share_all_power_between_their_ends() -> None:
    for rate_hz in (44_100, 48_000, 192_000):
        weights = bands.weights(rate_hz)
        assert weights.sum() * rate_hz / FFT == pytest.approx(16_000 - 40, rel=1e-6)
        assert weights.sum(axis=0).max() <= 1 + 1e-9


def test_ten_decibels_less_are_ten_decibels_less() -> None:
    loud, soft = last(sine(1000, 1.0, 0.5)), last(sine(1000, 1.0, 0.5 / 10**0.5))
    band = max(range(BANDS), key=lambda n: loud[f"band{n}"])
    assert loud[f"band{band}"] - soft[f"band{band}"] == pytest.approx(10 / 70, abs=0.005)


def test_the_centroid_of_a_sine_is_its_octave() -> None:
    low, high = last(sine(500)), last(sine(2000))
    assert high["centroid"] - low["centroid"] == pytest.approx(2 / np.log2(400), abs=0.02)
    assert low["centroid"] == pytest.approx(np.log2(500 / 40) / np.log2(400), abs=0.02)


def test_flux_is_one_out_of_silence_and_nothing_where_nothing_changes() -> None:
    sound = np.concatenate([np.zeros((4 * HOP, 1), np.float32), sine(10 * RATE_HZ / HOP)])
    flux = [each.features[2] for each in Analyser(RATE_HZ, 1).push(sound)]
    assert flux[:4] == [0, 0, 0, 0] and flux[4] == 1 and max(flux[10:]) < 1e-3


def nothing(heard: Hearing) -> bool:
    """Whether every feature is what it is in silence, and a clock anything."""
    clocks = np.array([name.startswith("time") for name in FEATURES])
    same = np.isclose(heard.features, SILENT, atol=1e-6) | clocks
    return bool(same.all()) and not heard.spectrum.any() and not heard.mel.any()


def test_silence_is_what_the_catalogue_says_and_so_is_what_follows_a_sound_after_a_while() -> None:
    analyser = Analyser(8_000, 2)
    assert all(nothing(each) for each in analyser.push(silence(1.0, 2)))
    analyser.push(noise(0.5, channels=2))
    after = analyser.push(silence(12.0, 2))
    assert nothing(after[-1])
    clocks = [[values(each)[f"time{n}"] for n in range(BANDS)] for each in (after[9], after[-1])]
    assert clocks[0] == clocks[1] and max(clocks[0]) > 0.3
    numbers = matrix(after)
    assert not ((numbers != 0) & (np.abs(numbers) < 1e-30)).any()


HOSTILE = {
    "nan": np.full((9 * HOP, 1), np.nan, np.float32),
    "infinity": np.full((9 * HOP, 1), np.inf, np.float32),
    "constant": np.ones((9 * HOP, 1), np.float32),
    "square": np.sign(sine(997.0)),
    "huge": 1e30 * noise(0.1),
    "tiny": 1e-30 * noise(0.1),
    "click": np.eye(9 * HOP, 1, -700, dtype=np.float32),
    "nyquist": np.resize(np.array([[1.0], [-1.0]], np.float32), (9 * HOP, 1)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_whatever_is_pushed_every_feature_is_in_its_range(name: str, rate_hz: int) -> None:
    analyser = Analyser(rate_hz, 1)
    for sound in (HOSTILE[name], silence(0.1), HOSTILE[name]):
        for each in analyser.push(sound):
            for feature, value in zip(CATALOGUE, each.features.tolist(), strict=True):
                assert feature.minimum <= value <= feature.maximum, feature.name
            assert each.spectrum.min() >= 0 and each.spectrum.max() <= 1 and len(each.spectrum) == SPECTRUM_BINS
            assert each.mel.min() >= 0 and each.mel.max() <= 1 and len(each.mel) == MEL_BINS


def test_what_is_not_a_number_or_far_too_loud_does_no_lasting_harm() -> None:
    sound = noise(1.0)
    sound[1000:1010], sound[2000], sound[3000] = np.nan, np.inf, 1e30
    dirty, clean = Analyser(RATE_HZ, 1), Analyser(RATE_HZ, 1)
    dirty.push(sound)
    clean.push(noise(1.0))
    tail = noise(3.0, seed=5)
    after, expected = values(dirty.push(tail)[-1]), values(clean.push(tail)[-1])
    lasting = ("beat", "tempo", "time", "loudness")
    for name in FEATURES:
        if not name.startswith(lasting):
            assert after[name] == pytest.approx(expected[name], rel=1e-3, abs=2e-3), name


def test_every_strike_is_one_onset_within_two_hops() -> None:
    times_s = [0.25 + 0.37 * n for n in range(20)]
    analyser, found_s, level = Analyser(RATE_HZ, 1), [], 0.0
    for each in analyser.push(strikes(times_s, 8.0)):
        if each.features[3] > level:
            found_s.append(each.end / RATE_HZ)
        level = each.features[3]
    assert analyser.onsets == len(found_s) == 20
    late_s = np.array(found_s) - times_s
    assert late_s.min() >= 0 and late_s.max() < 2.1 * HOP / RATE_HZ


def test_the_onset_envelope_only_falls_between_onsets_and_ends_at_zero() -> None:
    level = np.array([each.features[3] for each in Analyser(RATE_HZ, 1).push(strikes([0.2], 4.0))])
    peak = int(level.argmax())
    assert 0.3 <= level[peak] <= 1 and (np.diff(level[peak:]) <= 0).all() and level[-1] == 0


def test_steady_sounds_have_hardly_an_onset() -> None:
    for steady in (noise(20.0), sine(440, 20.0), noise(20.0, 0.0)):
        analyser = Analyser(RATE_HZ, 1)
        analyser.push(steady)
        assert analyser.onsets <= 2


def test_onsets_closer_than_the_refractory_time_are_one() -> None:
    analyser = Analyser(RATE_HZ, 1)
    analyser.push(strikes([0.5, 0.53], 1.5))
    assert analyser.onsets == 1


@given(st.floats(0.0005, 0.2), st.floats(0, 1), st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_an_envelope_is_the_same_in_any_pieces(dt_s: float, target: float, pieces: int) -> None:
    whole, parts = Envelope(20, 300, 2), Envelope(20, 300, 2)
    for envelope in (whole, parts):
        envelope.push([0.3, 0.9], 0.05)
    whole.push([target, 1 - target], dt_s)
    for _ in range(pieces):
        parts.push([target, 1 - target], dt_s / pieces)
    assert np.allclose(whole.values, parts.values, atol=1e-9)


def test_an_envelope_goes_the_known_share_of_the_way() -> None:
    envelope = Envelope(10, 100)
    assert envelope.push([1.0], 0.010)[0] == pytest.approx(1 - np.exp(-1))
    envelope.push([1.0], 10.0)
    assert envelope.push([0.0], 0.100)[0] == pytest.approx(np.exp(-1))
    assert envelope.push([np.nan], 1e3)[0] == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(max_examples=20, deadline=None)
def test_a_follower_is_an_envelope_of_one(targets: list[float]) -> None:
    follower, envelope = Follower(20, 300, 0.01), Envelope(20, 300)
    assert [follower.push(each) for each in targets] == pytest.approx(
        [float(envelope.push([each], 0.01)[0]) for each in targets]
    )


def test_after_a_restart_it_hears_as_if_new_but_clocks_and_what_is_usual_go_on() -> None:
    analyser = Analyser(RATE_HZ, 1)
    before = values(analyser.push(noise(0.333))[-1])
    analyser.restart(77)
    again, new = analyser.push(noise(0.2, seed=3)), Analyser(RATE_HZ, 1, 77).push(noise(0.2, seed=3))
    own = [index for index, name in enumerate(FEATURES) if not name.startswith(("time", "loudness"))]
    assert [each.end for each in again] == [each.end for each in new]
    for one, other in zip(again, new, strict=True):
        assert np.array_equal(one.features[own], other.features[own])
        assert np.array_equal(one.spectrum, other.spectrum) and np.array_equal(one.mel, other.mel)
    after, fresh = values(again[-1]), values(new[-1])
    for name in (f"time{n}" for n in range(BANDS)):
        assert after[name] == pytest.approx(before[name] + fresh[name], abs=1e-5) and before[name] > 0
    assert after["loudness"] == pytest.approx(0.5, abs=0.03)


def test_a_block_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match=r"allowed is \(samples, 2\)"):
        Analyser(RATE_HZ, 2).push(np.zeros((4, 1), np.float32))


def test_display_is_straight_in_decibels() -> None:
    levels_db = np.array([0.0, -45.0, -90.0, -200.0, 6.0])
    assert np.allclose(spectrum.shown(levels_db), [1, 0.5, 0, 0, 1], atol=1e-6)
