"""The guard: nothing above the ceiling, no DC, no NaN, and the same at any block size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.sound.guard import CEILING_DB, Guard

RATE_HZ = 48_000
CEILING = 10.0 ** (CEILING_DB / 20.0)
Floats = npt.NDArray[np.float32]


def guarded(sound: Floats, blocks: list[int]) -> Floats:
    guard = Guard(sound.shape[1], RATE_HZ)
    state, out, begin = guard.start(), [], 0
    while begin < len(sound):
        size = 32 * blocks[len(out) % len(blocks)]
        block = sound[begin : begin + size]
        block = block[: len(block) // 32 * 32]
        if not len(block):
            break
        safe, state, _ = guard.process(block, state)
        out.append(safe)
        begin += len(block)
    return np.concatenate(out)


def true_peak(sound: Floats) -> float:
    """Oracle: the maximum after 16 times oversampling by zero-padding the whole spectrum."""
    spectrum = np.fft.rfft(sound.astype(np.float64), axis=0)
    return float(np.abs(np.fft.irfft(spectrum, len(sound) * 16, axis=0) * 16).max())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 20.0), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_nothing_is_above_the_ceiling_whatever_comes(seed: int, level: float, blocks: list[int]) -> None:
    rng = np.random.default_rng(seed)
    sound = (rng.standard_normal((8192, 2)) * level * rng.choice([0.01, 1.0], (8192, 1), p=[0.9, 0.1])).astype(
        np.float32
    )
    assert np.abs(guarded(sound, blocks)).max() <= CEILING + 1e-4


@pytest.mark.parametrize("frequency_hz", [997.0, 5_000.0, 11_999.0, 15_000.0])
def test_true_peaks_stay_under_the_ceiling(frequency_hz: float) -> None:
    time_s = np.arange(16_384) / RATE_HZ
    sound = (3.0 * np.sin(2.0 * np.pi * frequency_hz * time_s + 0.7))[:, None].astype(np.float32)
    out = guarded(sound, [16])[4096:12_288] * np.hanning(8192)[:, None]
    assert true_peak(out.astype(np.float32)) <= CEILING * 1.02


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_any_block_size_gives_the_same_sound(blocks: list[int]) -> None:
    sound = (np.random.default_rng(3).standard_normal((6400, 2)) * 1.5).astype(np.float32)
    whole, pieces = guarded(sound, [200]), guarded(sound, blocks)
    assert np.abs(whole[: len(pieces)] - pieces).max() < 1e-5


def test_quiet_sound_passes_untouched_but_for_its_delay() -> None:
    time_s = np.arange(48_000) / RATE_HZ
    sound = (0.3 * np.sin(2.0 * np.pi * 440.0 * time_s))[:, None].astype(np.float32)
    out = guarded(sound, [64])
    delay = Guard.latency
    # The DC block turns the phase of 440 Hz by about a degree; after it has settled that is all there is.
    assert np.abs(out[24_000:47_000] - sound[24_000 - delay : 47_000 - delay]).max() < 0.3 * 0.02


def test_dc_is_gone_within_a_second() -> None:
    out = guarded(np.full((96_000, 1), 0.5, np.float32), [64])
    assert np.abs(out[48_000:]).max() < 1e-3


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 3.0e38])
def test_a_broken_block_dies_away_without_a_click_and_the_next_is_whole(poison: float) -> None:
    time_s = np.arange(8192) / RATE_HZ
    sound = (0.5 * np.sin(2.0 * np.pi * 200.0 * time_s))[:, None].astype(np.float32)
    broken = sound.copy()
    broken[2048 + 100] = poison
    guard = Guard(1, RATE_HZ)
    state, out, wholes = guard.start(), [], []
    for begin in range(0, 8192, 2048):
        safe, state, whole = guard.process(broken[begin : begin + 2048], state)
        out.append(safe)
        wholes.append(whole)
    assert wholes == [True, False, True, True]
    line = np.concatenate(out)[:, 0]
    assert np.isfinite(line).all()
    assert np.abs(np.diff(line[: 4096 + Guard.latency - 1])).max() < 1.2 * np.abs(np.diff(sound[:, 0])).max()


def test_the_same_state_gives_the_same_sound_again() -> None:
    guard = Guard(1, RATE_HZ)
    rng = np.random.default_rng(1)
    _, state, _ = guard.process((rng.standard_normal((2048, 1)) * 3).astype(np.float32), guard.start())
    block = (rng.standard_normal((2048, 1)) * 3).astype(np.float32)
    first, _, _ = guard.process(block, state)
    guard.process(block * 5, state)
    again, _, _ = guard.process(block, state)
    assert np.array_equal(first, again)
