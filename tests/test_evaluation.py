"""The figures on a model's card, on sounds whose figures are known."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from installation.training import evaluation
from installation.training.evaluation import Figures

RATE_HZ = 48_000


def tone(pitch_hz: float, seconds: float = 0.5, level: float = 0.5) -> npt.NDArray[np.float32]:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (level * sum(np.sin(2 * math.pi * pitch_hz * k * time_s) / k for k in (1, 2, 3))).astype(np.float32)


def test_a_sound_is_like_itself() -> None:
    sound = tone(440.0)
    figures = evaluation.compare(sound, sound, RATE_HZ)
    assert figures.spectral_distance == 0.0
    assert figures.mel_correlation == pytest.approx(1.0)
    assert figures.pitch_agreement == 1.0
    assert figures.pitched > 20


def test_magnitudes_are_those_of_the_definition() -> None:
    """One frame by hand: the discrete Fourier transform written out."""
    sound = np.random.default_rng(1).normal(size=64).astype(np.float32)
    found = evaluation.magnitudes(sound, 16, 4)
    at = np.arange(16)
    padded = np.pad(sound.astype(float), 8, mode="reflect")
    frame = padded[12:28] * (0.5 - 0.5 * np.cos(2 * np.pi * at / 16))
    by_hand = [abs(np.sum(frame * np.exp(-2j * np.pi * k * at / 16))) for k in range(9)]
    np.testing.assert_allclose(found[3], by_hand, atol=1e-12)


def test_spectral_distance_of_half_the_level_is_known() -> None:
    """‖X - X/2‖² / ‖X‖² is 1/4 and every logarithm differs by ln 2, at each of the scales."""
    sound = np.random.default_rng(1).normal(size=8192).astype(np.float32)
    expected = len(evaluation.SCALES) * (0.25 + math.log(2.0))
    assert evaluation.spectral_distance(sound, sound / 2) == pytest.approx(expected, rel=1e-3)


def test_correlation_does_not_hear_level_but_hears_pitch() -> None:
    loud, soft, other = tone(440.0, level=0.5), tone(440.0, level=0.25), tone(620.0)
    alike = evaluation.mel_correlation(loud, soft, RATE_HZ)
    assert alike > 0.98
    assert evaluation.mel_correlation(loud, other, RATE_HZ) < alike - 0.2
    assert evaluation.mel_correlation(loud, np.zeros_like(loud), RATE_HZ) == 0.0


def test_a_full_scale_sine_is_at_nought_decibels() -> None:
    time_s = np.arange(RATE_HZ // 4) / RATE_HZ
    sine = np.sin(2 * math.pi * 1_500.0 * time_s).astype(np.float32)
    assert evaluation.log_mel(sine, RATE_HZ).max() == pytest.approx(0.0, abs=1.5)
    assert evaluation.log_mel(np.zeros(4096, np.float32), RATE_HZ).max() == evaluation.MEL_FLOOR_DB


@pytest.mark.parametrize("pitch_hz", [131.0, 262.0, 440.0, 987.0, 2093.0])
def test_pitch_is_found_to_a_few_cents(pitch_hz: float) -> None:
    found = evaluation.pitches_hz(tone(pitch_hz, 0.2), RATE_HZ)
    assert not np.isnan(found).any()
    assert np.abs(1200 * np.log2(found / pitch_hz)).max() < 8.0


def test_noise_and_silence_have_no_pitch() -> None:
    noise = 0.3 * np.random.default_rng(1).normal(size=RATE_HZ // 4).astype(np.float32)
    assert np.isnan(evaluation.pitches_hz(noise, RATE_HZ)).all()
    assert np.isnan(evaluation.pitches_hz(tone(440.0, 0.2, 1e-4), RATE_HZ)).all()
    assert evaluation.pitch_agreement(noise, noise, RATE_HZ) == (0.0, 0)


@pytest.mark.parametrize(("cents", "agrees"), [(0, 1.0), (40, 1.0), (-40, 1.0), (60, 0.0), (-60, 0.0), (1200, 0.0)])
def test_fifty_cents_is_the_line(cents: int, agrees: float) -> None:
    share, _ = evaluation.pitch_agreement(tone(440.0), tone(440.0 * 2 ** (cents / 1200)), RATE_HZ)
    assert share == agrees


def test_averages_weigh_pitch_by_the_frames_judged() -> None:
    mean = evaluation.average([Figures(1.0, 0.5, 1.0, 30), Figures(3.0, 0.7, 0.0, 10)])
    assert mean == Figures(2.0, pytest.approx(0.6), 0.75, 40)
