"""What a decoder is like, found by playing it: how late it is, whether blocks join, how loud, how fast.

Nothing here knows what kind of file it is: a decoder maps latents (batch, steps, latent_dim) and a state to sound
(batch, samples, channels) and the next state.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Opener = Callable[[Path, str], Any]
"""Opens a decoder file for a device: `installation.sound.decoder.open_decoder`."""

AHEAD = (1, 4, 16)
"""Latents decoded at once when speed is measured."""
MEASURE_S = 0.4
SETTLE_STEPS = 12
AFTER_S = 1.0
"""A step in the latents is followed so long: the slowest known model takes a third of it."""
AUDIBLE = 1e-3
"""Of the largest difference: where a change begins."""
WINDOW_S = 0.002
HEARD_STEPS = 24
CODES = 8.0
"""Codes of discrete models are tried up to a few times so many."""


@dataclass(frozen=True)
class Speed:
    """How long decoding so many `latents` at once takes, and how often faster than they sound that is."""

    latents: int
    median_ms: float
    worst_ms: float
    """99th percentile."""
    factor: float


@dataclass(frozen=True)
class Examination:
    """What was found. `traits` is what the file itself shows, by name; empty for a kind that has no such secrets."""

    sample_rate_hz: int
    ratio: int
    latent_dim: int
    channels: int
    traits: dict[str, Any]
    first_change: int | None
    """Samples from a change of the latents to the first change of the sound; None: nothing changes."""
    half_level: int | None
    """Samples from a change of the latents to half of the change of the sound."""
    level: float
    """Root mean square of its sound, full scale 1."""
    peak: float
    offset: float
    """Its mean."""
    whole: bool
    """Whether every sample is a finite number."""
    seam: float
    """Largest difference between decoding in blocks of one and all at once, of the peak."""
    unlike: float
    """Largest difference between decoding twice from one state, of the peak."""
    codes: bool
    """Whether only whole numbers count, as with discrete models."""
    overlap: tuple[int, int]
    """Latents decoded again before and after each block, because it keeps nothing between calls."""
    speeds: tuple[Speed, ...]

    def milliseconds(self, samples: int) -> float:
        return 1000.0 * samples / self.sample_rate_hz


def examine(
    opener: Opener,
    file: Path,
    device: str,
    mean: Floats | None = None,
    deviation: Floats | None = None,
    measure_s: float = MEASURE_S,
) -> Examination:
    """Open `file` and play it: with latents of that `mean` and `deviation` (latent_dim,), or of 0 and 1, or codes."""
    decoder = opener(file, device)
    noise = np.random.default_rng(1).standard_normal((HEARD_STEPS, decoder.latent_dim)).astype(np.float32)
    codes = only_codes(decoder, noise)
    spread = np.full(decoder.latent_dim, CODES if codes else 1.0, np.float32) if deviation is None else deviation
    centre = np.full(decoder.latent_dim, CODES if codes else 0.0, np.float32) if mean is None else mean
    latents = centre + spread * noise
    once, again, joined = (
        play(decoder, latents, HEARD_STEPS),
        play(decoder, latents, HEARD_STEPS),
        play(decoder, latents),
    )
    peak = float(np.abs(once).max())
    first, half = lag(decoder, centre, spread)
    traits = getattr(decoder, "traits", None)
    return Examination(
        sample_rate_hz=decoder.sample_rate_hz,
        ratio=decoder.ratio,
        latent_dim=decoder.latent_dim,
        channels=decoder.channels,
        traits=asdict(traits) if is_dataclass(traits) and not isinstance(traits, type) else {},
        first_change=first,
        half_level=half,
        level=float(np.sqrt(np.mean(np.square(once, dtype=np.float64)))),
        peak=peak,
        offset=float(once.mean(dtype=np.float64)),
        whole=bool(np.isfinite(once).all() and np.isfinite(joined).all()),
        seam=_difference(once, joined, peak),
        unlike=_difference(once, again, peak),
        codes=codes,
        overlap=(getattr(decoder, "before", 0), getattr(decoder, "after", 0)),
        speeds=tuple(speed(decoder, centre, count, measure_s) for count in AHEAD),
    )


def play(decoder: Any, latents: Floats, block: int = 1) -> Floats:
    """The sound (samples, channels) of `latents` (steps, latent_dim), decoded `block` at a time from the beginning."""
    state, made = decoder.start(), []
    for first in range(0, len(latents), block):
        sound, state = decoder.decode(latents[None, first : first + block], state)
        made.append(sound[0])
    return np.concatenate(made)


def lag(decoder: Any, centre: Floats, spread: Floats) -> tuple[int | None, int | None]:
    """Samples from a step in all latents, from `centre` to a deviation above it, to where the sound begins to be
    another than without, and to where it is so by half of what it comes to; None and None if it never is."""
    after = max(16, round(AFTER_S * decoder.sample_rate_hz / decoder.ratio))
    still = np.tile(centre, (SETTLE_STEPS + after, 1)).astype(np.float32)
    stepped = still.copy()
    stepped[SETTLE_STEPS:] += spread
    change = np.abs(play(decoder, stepped) - play(decoder, still)).max(1).astype(np.float64)
    if not np.isfinite(change).all() or change.max() <= 0.0:
        return None, None
    begin = SETTLE_STEPS * decoder.ratio
    width = max(1, round(WINDOW_S * decoder.sample_rate_hz))
    power = np.convolve(np.square(change), np.full(width, 1.0 / width))[: len(change)]
    settled = float(np.median(power[begin + (len(change) - begin) // 2 :]))
    first = int(np.argmax(change > AUDIBLE * change.max()))
    half = int(np.argmax(power >= settled / 4.0))
    return first - begin, half - begin


def only_codes(decoder: Any, noise: Floats) -> bool:
    """Whether latents sound the same when what is after the point is taken away, and are heard at all."""
    numbers = np.abs(CODES * noise)
    one, other = play(decoder, np.floor(numbers), len(noise)), play(decoder, np.floor(numbers) + 0.4, len(noise))
    return bool(np.array_equal(one, other) and not np.array_equal(one, play(decoder, 0.0 * numbers, len(noise))))


def speed(decoder: Any, centre: Floats, count: int, seconds: float) -> Speed:
    """How fast `count` latents of one row are decoded at once, here and now."""
    latents = np.tile(centre, (1, count, 1)).astype(np.float32)
    _, state = decoder.decode(latents, decoder.start())
    spent: list[float] = []
    while sum(spent) < seconds or len(spent) < 5:
        begun_s = time.perf_counter()
        _, state = decoder.decode(latents, state)
        spent.append(time.perf_counter() - begun_s)
    median_s, worst_s = np.percentile(spent, (50, 99))
    sounding_s = count * decoder.ratio / decoder.sample_rate_hz
    return Speed(count, 1e3 * float(median_s), 1e3 * float(worst_s), float(sounding_s / median_s))


def _difference(one: Floats, other: Floats, peak: float) -> float:
    return float(np.abs(one - other).max()) / max(peak, 1e-9)
