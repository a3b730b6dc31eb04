"""The cepstral judge against its formulas and librosa's published figures; what it doesn't hear."""

from __future__ import annotations

import numpy as np
import pytest

from installation.evolution.embedding.mfcc import (
    BANDS,
    HOP,
    RATE_HZ,
    WINDOW,
    Mfcc,
    cepstra,
    deltas,
    mel_weights,
    slaney_hz,
    statistics,
)
from tests.synthesis import RATE_HZ as SOUND_HZ
from tests.synthesis import various


def test_cepstra_are_their_formula() -> None:
    clip = np.random.default_rng(0).standard_normal(WINDOW + 3 * HOP + 100).astype(np.float32)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    power = [
        np.abs(np.fft.rfft(clip[start : start + WINDOW] * window)) ** 2 @ mel_weights().astype(float)
        for start in range(0, 4 * HOP, HOP)
    ]
    decibels = 10 * np.log10(np.maximum(power, np.max(power) * 1e-8))
    expected = np.zeros((4, 20))
    for order in range(20):
        cosine = np.cos(np.pi * order * (2 * np.arange(BANDS) + 1) / (2 * BANDS))
        expected[:, order] = decibels @ cosine * np.sqrt((1 if order == 0 else 2) / BANDS)
    got = cepstra(clip[None])
    assert got.shape == (1, 4, 20) and got.dtype == np.float32
    assert np.abs(got[0] - expected).max() < 1e-2


def test_bands_are_where_librosa_says_slaney_put_them() -> None:
    """`librosa.mel_frequencies(n_mels=40)`, as its documentation prints it."""
    said = [0.0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855, 853.173, 938.49]
    got = slaney_hz(40, 11_025.0)
    assert np.abs(got[:12] - said).max() < 1e-3
    assert np.abs(got[12:15] - [1024.856, 1119.114, 1222.042]).max() < 1e-3 and got[-1] == pytest.approx(11_025.0)


def test_bands_have_equal_area() -> None:
    area = mel_weights().sum(axis=0) * RATE_HZ / WINDOW
    assert np.abs(area[10:] - 1).max() < 0.03 and mel_weights().shape == (WINDOW // 2 + 1, BANDS)


def test_deltas_are_slopes() -> None:
    ramp = np.arange(30, dtype=np.float32)[None, :, None] * np.array([2.0, -0.5], np.float32)
    assert np.allclose(deltas(ramp)[0, 4:-4], [2.0, -0.5], atol=1e-6)
    noise = np.random.default_rng(1).standard_normal((1, 9, 1)).astype(np.float32)
    assert deltas(noise)[0, 4, 0] == pytest.approx(np.polyfit(np.arange(9), noise[0, :, 0], 1)[0], abs=1e-6)


def test_gain_is_not_heard() -> None:
    sounds = various(6, np.random.default_rng(2))
    here = statistics(sounds, SOUND_HZ)
    for gain in (0.01, 0.3, 4.0):
        assert np.allclose(statistics(sounds * np.float32(gain), SOUND_HZ), here, atol=0.02)


def test_what_is_more_than_80_db_down_is_not_heard() -> None:
    sounds = various(4, np.random.default_rng(3))
    hiss = np.random.default_rng(4).standard_normal(sounds.shape).astype(np.float32)
    judge = Mfcc(SOUND_HZ)
    judge.calibrate(various(30, np.random.default_rng(0)))
    apart = np.linalg.norm(judge.embed(sounds[:1]) - judge.embed(sounds[1:]), axis=1).min()
    assert np.linalg.norm(judge.embed(sounds + hiss * 1e-7) - judge.embed(sounds), axis=1).max() < 0.02 * apart


def test_silence_has_a_point() -> None:
    assert np.isfinite(statistics(np.zeros((1, 5000), np.float32), SOUND_HZ)).all()
