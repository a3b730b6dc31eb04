"""Noise reduction: what is noise goes, what sounds stays, and what has no noise alone in it is left."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from installation.errors import InstallationError
from installation.sound.denoising import denoised, need_denoising, noise_in
from tests.parts import Floats

RATE_HZ = 48_000
PAUSE = slice(int(0.1 * RATE_HZ), int(0.9 * RATE_HZ))
TONE = slice(int(1.2 * RATE_HZ), int(1.8 * RATE_HZ))


def noisy(channels: int = 2, rate_hz: int = RATE_HZ, noise_db: float = -50.0) -> Floats:
    """A second of noise, a second of a tone in it, twice."""
    time_s = np.arange(4 * rate_hz) / rate_hz
    tone = 0.3 * np.sin(2 * np.pi * 880.0 * time_s) * (time_s % 2.0 > 1.0)
    noise = 10.0 ** (noise_db / 20.0) * np.random.default_rng(0).standard_normal((len(time_s), channels))
    return (tone[:, None] + noise).astype(np.float32)


def level_db(sound: Floats) -> float:
    return float(10.0 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


@pytest.mark.parametrize("channels", [1, 2])
def test_noise_goes_and_the_tone_stays(channels: int) -> None:
    sound = noisy(channels)
    made = denoised(sound, RATE_HZ)
    assert made is not None and made.shape == sound.shape and made.dtype == np.float32
    assert level_db(made[PAUSE]) < level_db(sound[PAUSE]) - 15.0
    assert level_db(made[TONE]) == pytest.approx(level_db(sound[TONE]), abs=0.5)
    clean = noisy(channels, noise_db=-200.0)
    assert level_db(made[TONE] - clean[TONE]) < level_db(sound[TONE] - clean[TONE]) - 6.0


def test_so_much_strength_takes_so_much() -> None:
    sound = noisy()
    levels = [level_db(made[PAUSE]) for s in (0.0, 0.5, 1.0) if (made := denoised(sound, RATE_HZ, s)) is not None]
    assert levels[0] == pytest.approx(level_db(sound[PAUSE]), abs=0.01)
    assert levels[1] == pytest.approx(levels[0] - 6.0, abs=1.0) and levels[2] < levels[1] - 8.0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_any_rate_will_do(rate_hz: int) -> None:
    sound = noisy(1, rate_hz)
    made, pause = denoised(sound, rate_hz), slice(rate_hz // 5, rate_hz * 4 // 5)
    assert made is not None and level_db(made[pause]) < level_db(sound[pause]) - 10.0


def test_the_noise_is_the_quietest_half_second_that_is_not_silence() -> None:
    sound = np.concatenate([np.zeros((RATE_HZ, 1), np.float32), noisy(1)])
    found = noise_in(sound, RATE_HZ)
    assert found is not None and len(found) == RATE_HZ // 2
    assert level_db(found) == pytest.approx(-50.0, abs=0.5)


def test_a_sound_that_never_pauses_is_left_alone() -> None:
    tone = noisy(1)[TONE]
    assert denoised(np.concatenate([tone, tone]), RATE_HZ) is None
    assert denoised(np.zeros((2 * RATE_HZ, 1), np.float32), RATE_HZ) is None
    assert denoised(noisy(1)[:1000], RATE_HZ) is None


def test_where_it_is_missing_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "noisereduce", None)
    with pytest.raises(InstallationError, match=r"noise reduction: .*pip install .*denoise"):
        need_denoising()
