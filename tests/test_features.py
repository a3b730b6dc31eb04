"""The catalogue of features, and the features that have librosa's definitions against librosa itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.analysis import chroma, mel
from installation.analysis.features import Analyser
from installation.analysis.spectrum import FFT, HOP
from installation.features import CHROMA, FEATURES, MFCC, Feature, listed, reference
from installation.track import FEATURES as NAMES
from installation.track import MEL_BINS, MOMENT
from tests.sounds import noise, sine

librosa = pytest.importorskip("librosa")

RATES_HZ = (22_050, 44_100, 48_000)


def test_names_are_unique_and_a_moment_holds_them_all() -> None:
    assert len(set(NAMES)) == len(NAMES) == MOMENT["features"].shape[0]
    assert NAMES[:12] == ("rms", "centroid", "flux", "onset", *(f"band{n}" for n in range(8)))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: str(each.name))
def test_each_is_said_with_a_range_that_holds_its_silence(feature: Feature) -> None:
    assert feature.minimum < feature.maximum and feature.minimum <= feature.silent <= feature.maximum
    assert feature.sentence.endswith(".") and feature.name == feature.name.lower()
    assert feature.position(feature.minimum) == 0 and feature.position(feature.maximum) == 1


@given(st.sampled_from(FEATURES), st.floats(-1e6, 1e6))
def test_a_position_lies_in_its_range_and_leads_back(feature: Feature, value: float) -> None:
    position = feature.position(value)
    back = feature.minimum + position * (feature.maximum - feature.minimum)
    assert 0 <= position <= 1
    assert back == pytest.approx(min(feature.maximum, max(feature.minimum, value)), abs=1e-6 * feature.maximum + 1e-9)


def test_a_list_says_a_row_of_names_once() -> None:
    assert listed(["rms", "band0", "band1", "band2", "age"]) == "rms, band0..2, age"
    assert listed(["mfcc0"]) == "mfcc0" and listed(["mfcc1", "mfcc2"]) == "mfcc1..2"


def test_the_reference_says_each_and_rows_of_them_once() -> None:
    lines = reference().splitlines()
    assert len(lines) == 2 + 24
    for said in (
        "| `rms` | 0..1 |  | Root mean square",
        "| `band0..7` | 0..1 |  | Level of band n of 8 (40 Hz",
        "| `loudness_lufs` | -70..0 | LUFS |",
        "| `chroma0..11` | 0..1 |  | How much of note n there is;",
        "| `mfcc0` | -1000..500 |",
        "| `mfcc1..12` | -400..400 |",
    ):
        assert sum(line.startswith(said) for line in lines) == 1, said


def music(rate_hz: int) -> np.ndarray:
    """A rising tone, notes that come and go, and a little noise; the last fifth is silence, (samples,)."""
    time_s = np.arange(rate_hz) / rate_hz
    sound = 0.3 * np.sin(2 * np.pi * (150 * time_s + 2000 * time_s**2))
    sound += 0.2 * np.sin(2 * np.pi * 440 * time_s) * (np.sin(2 * np.pi * 4 * time_s) > 0)
    sound += 0.01 * np.random.default_rng(0).standard_normal(len(sound))
    return np.asarray(np.where(time_s < 0.8, sound, 0.0), np.float32)


class Both:
    """The same sound heard by the analyser and as librosa sees it: a window that ends where ours does."""

    def __init__(self, rate_hz: int) -> None:
        sound = music(rate_hz)
        heard = Analyser(rate_hz, 1).push(sound[:, None])
        self.ours = np.array([each.features for each in heard])
        self.mel = np.array([each.mel for each in heard])
        padded = np.concatenate([np.zeros(FFT - HOP), sound.astype(np.float64)])
        stft = librosa.stft(padded, n_fft=FFT, hop_length=HOP, center=False)
        self.magnitudes = np.abs(stft)[:, : len(heard)]
        self.sounds = np.array([each.features[0] > 1e-4 for each in heard])
        power = librosa.feature.melspectrogram(S=self.magnitudes**2, sr=rate_hz, n_mels=MEL_BINS, fmax=rate_hz / 2)
        self.levels_db = librosa.power_to_db(power, top_db=None)

    def of(self, name: str) -> np.ndarray:
        return self.ours[:, NAMES.index(name)]


@pytest.fixture(scope="module", params=RATES_HZ)
def both(request: pytest.FixtureRequest) -> tuple[int, Both]:
    return request.param, Both(request.param)


def test_the_shape_of_the_spectrum_is_librosas(both: tuple[int, Both]) -> None:
    rate_hz, heard = both
    oracles = {
        "centroid_hz": librosa.feature.spectral_centroid(S=heard.magnitudes, sr=rate_hz),
        "spread_hz": librosa.feature.spectral_bandwidth(S=heard.magnitudes, sr=rate_hz),
        "rolloff_hz": librosa.feature.spectral_rolloff(S=heard.magnitudes, sr=rate_hz, roll_percent=0.85),
        "flatness": librosa.feature.spectral_flatness(S=heard.magnitudes),
    }
    for name, expected in oracles.items():
        np.testing.assert_allclose(heard.of(name)[heard.sounds], expected[0][heard.sounds], rtol=1e-5, err_msg=name)
        assert not heard.of(name)[~heard.sounds].any(), name


def test_chroma_is_librosas(both: tuple[int, Both]) -> None:
    rate_hz, heard = both
    expected = librosa.feature.chroma_stft(S=heard.magnitudes**2, sr=rate_hz, n_fft=FFT, tuning=0.0)
    ours = np.array([heard.of(f"chroma{n}") for n in range(CHROMA)])
    np.testing.assert_allclose(ours[:, heard.sounds], expected[:, heard.sounds], atol=1e-5)
    np.testing.assert_allclose(
        chroma.weights(rate_hz), librosa.filters.chroma(sr=rate_hz, n_fft=FFT, tuning=0.0), atol=1e-7
    )


def test_mel_levels_and_coefficients_are_librosas(both: tuple[int, Both]) -> None:
    rate_hz, heard = both
    levels_db = heard.levels_db - mel.librosa_db(rate_hz)
    np.testing.assert_allclose(heard.mel.T, np.clip(1 + levels_db / 80, 0, 1), atol=1e-5)
    expected = librosa.feature.mfcc(S=heard.levels_db, n_mfcc=MFCC)
    ours = np.array([heard.of(f"mfcc{n}") for n in range(MFCC)])
    np.testing.assert_allclose(ours, expected, atol=2e-3)


def test_onset_strength_is_librosas(both: tuple[int, Both]) -> None:
    rate_hz, heard = both
    levels_db = np.maximum(heard.levels_db - mel.librosa_db(rate_hz), mel.FLOOR_DB)
    expected = librosa.onset.onset_strength(S=levels_db, sr=rate_hz, center=False)
    np.testing.assert_allclose(heard.of("onset_db")[1:], expected[1:], atol=1e-4)
    assert expected.max() > 5


@pytest.mark.parametrize(("note", "pitch_hz"), [(0, 523.25), (9, 440.0), (4, 1318.51), (10, 233.08)])
def test_a_note_is_the_strongest_of_the_twelve(note: int, pitch_hz: float) -> None:
    features = Analyser(48_000, 1).push(sine(pitch_hz) + noise(0.5, 1e-4))[-1].features
    notes = [features[NAMES.index(f"chroma{n}")] for n in range(CHROMA)]
    assert int(np.argmax(notes)) == note and max(notes) == 1


def test_tones_are_not_flat_and_noise_is() -> None:
    flatness = NAMES.index("flatness")
    assert Analyser(48_000, 1).push(sine(440.0))[-1].features[flatness] < 1e-3
    assert Analyser(48_000, 1).push(noise(0.5))[-1].features[flatness] == pytest.approx(0.56, abs=0.05)
