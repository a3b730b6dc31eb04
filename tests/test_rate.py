"""The rate changer against sines it should not change, at any block size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from installation.sound.rate import RateChanger


def changed(sound: npt.NDArray[np.float32], from_hz: int, to_hz: int, size: int) -> npt.NDArray[np.float32]:
    changer = RateChanger(from_hz, to_hz, sound.shape[1])
    state, out = changer.start(), []
    for begin in range(0, len(sound), size):
        block, state = changer.change(sound[begin : begin + size], state)
        out.append(block)
    return np.concatenate(out)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 48_000), (48_000, 44_100), (48_000, 96_000), (48_000, 24_000)])
@pytest.mark.parametrize("frequency_hz", [100.0, 3_000.0, 9_000.0])
def test_a_sine_stays_that_sine(from_hz: int, to_hz: int, frequency_hz: float) -> None:
    time_s = np.arange(20_000) / from_hz
    out = changed(np.sin(2.0 * np.pi * frequency_hz * time_s)[:, None].astype(np.float32), from_hz, to_hz, 2048)
    changer = RateChanger(from_hz, to_hz, 1)
    out_s = np.arange(len(out)) / to_hz - changer.latency / from_hz
    inside = slice(2000, 8000)
    # The filter's delay is known to within one sample in: fit the phase, then nothing may remain.
    basis = np.stack(
        [np.sin(2 * np.pi * frequency_hz * out_s[inside]), np.cos(2 * np.pi * frequency_hz * out_s[inside])], 1
    )
    weights, *_ = np.linalg.lstsq(basis, out[inside, 0].astype(np.float64), rcond=None)
    assert np.hypot(*weights) == pytest.approx(1.0, abs=0.012)
    assert np.abs(out[inside, 0] - basis @ weights).max() < 1e-3


def test_what_can_not_be_represented_is_gone() -> None:
    time_s = np.arange(40_000) / 48_000
    out = changed(np.sin(2.0 * np.pi * 15_000.0 * time_s)[:, None].astype(np.float32), 48_000, 24_000, 999)
    assert np.abs(out[2000:]).max() < 1e-3


@pytest.mark.parametrize("size", [1, 37, 441, 5000])
def test_any_block_size_gives_the_same_sound(size: int) -> None:
    sound = np.random.default_rng(0).standard_normal((3000, 2)).astype(np.float32)
    whole, pieces = changed(sound, 44_100, 48_000, 3000), changed(sound, 44_100, 48_000, size)
    assert whole.shape == pieces.shape
    assert np.abs(whole - pieces).max() < 1e-6


def test_as_many_samples_come_out_as_time_passes() -> None:
    sound = np.zeros((44_100 * 3, 1), np.float32)
    assert len(changed(sound, 44_100, 48_000, 2048)) == 48_000 * 3
