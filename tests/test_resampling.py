"""The resampler against its formula, one output at a time, and laws of time."""

from __future__ import annotations

import numpy as np
import pytest

from installation.evolution.embedding.resampling import BETA, CROSSINGS, resample

RATES = [(48_000, 16_000), (44_100, 16_000), (22_050, 16_000), (8_000, 16_000), (16_000, 48_000), (44_100, 32_000)]


def by_formula(sound: np.ndarray, sample_rate_hz: int, target_hz: int) -> np.ndarray:
    """Every output as a sum over all inputs of a windowed sinc, whose weights make 1 were there no ends."""
    slow, reach = min(1.0, target_hz / sample_rate_hz), CROSSINGS * max(1.0, sample_rate_hz / target_hz)
    made = []
    for number in range(-(-len(sound) * target_hz // sample_rate_hz)):
        place = number * sample_rate_hz / target_hz
        around = np.arange(int(place - reach) - 3, int(place + reach) + 4)
        away = place - around
        window = np.i0(BETA * np.sqrt(np.maximum(0, 1 - (away / reach) ** 2))) * (np.abs(away) <= reach)
        kernel = np.sinc(slow * away) * window
        inside = (around >= 0) & (around < len(sound))
        made.append((kernel[inside] * sound[around[inside]]).sum() / kernel.sum())
    return np.array(made)


@pytest.mark.parametrize(("sample_rate_hz", "target_hz"), RATES)
@pytest.mark.parametrize("samples", [1, 37, 2000])
def test_it_is_its_formula(sample_rate_hz: int, target_hz: int, samples: int) -> None:
    sounds = np.random.default_rng(0).standard_normal((2, samples)).astype(np.float32)
    got = resample(sounds, sample_rate_hz, target_hz)
    assert got.dtype == np.float32
    assert np.allclose(got, [by_formula(each, sample_rate_hz, target_hz) for each in sounds], atol=2e-5)


@pytest.mark.parametrize(("sample_rate_hz", "target_hz"), RATES)
def test_a_later_sound_comes_as_much_later(sample_rate_hz: int, target_hz: int) -> None:
    common = int(np.gcd(sample_rate_hz, target_hz))
    sound = np.random.default_rng(1).standard_normal((1, 3000)).astype(np.float32)
    later = resample(np.pad(sound, ((0, 0), (3 * sample_rate_hz // common, 0))), sample_rate_hz, target_hz)
    here = resample(sound, sample_rate_hz, target_hz)
    assert np.allclose(later[:, 3 * target_hz // common :], here, atol=1e-6)


@pytest.mark.parametrize(("sample_rate_hz", "target_hz"), RATES)
def test_flat_to_15_sixteenths_and_gone_from_17(sample_rate_hz: int, target_hz: int) -> None:
    """Of the lower Nyquist frequency; what is above is images when the rate rises, aliases when it falls."""
    nyquist_hz = min(sample_rate_hz, target_hz) / 2
    time_s, target_s = np.arange(sample_rate_hz) / sample_rate_hz, np.arange(target_hz) / target_hz
    middle = slice(target_hz // 4, -target_hz // 4)
    low_hz = nyquist_hz * 15 / 16
    got = resample(np.sin(2 * np.pi * low_hz * time_s)[None].astype(np.float32), sample_rate_hz, target_hz)[0]
    assert np.abs(got - np.sin(2 * np.pi * low_hz * target_s))[middle].max() < 1e-3
    if sample_rate_hz > target_hz:
        high = np.sin(2 * np.pi * nyquist_hz * 17 / 16 * time_s)[None].astype(np.float32)
        assert np.abs(resample(high, sample_rate_hz, target_hz)[0, middle]).max() < 1e-3


def test_the_same_rate_is_the_same_sound() -> None:
    sounds = np.random.default_rng(2).standard_normal((3, 50)).astype(np.float32)
    assert np.array_equal(resample(sounds, 44_100, 44_100), sounds)
