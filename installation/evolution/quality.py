"""The gate between decoder and embedding: what a public room should not hear, and why; and how good the rest is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.evolution.genotype import Space

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

SILENT_DB = -60.0
"""RMS of a whole clip, against full scale, below which it is silent."""
LOUD_DB = -30.0
"""RMS from which a clip's loudness is as good as any."""
FULL_SCALE = 0.999
CLIPPED_SHARE = 0.001
"""Share of samples at or beyond full scale above which a clip is clipped."""
OFFSET_SHARE = 0.5
"""Share of a clip's RMS its mean may be: above, it is an offset (DC) and not a sound."""
STRAYED = 2.5
"""How far a trajectory may stray from what the model was trained on, see `strays`: 1 is usual, 3 is noise from wall to
wall within the bounds, where a mutation that is never judged ends."""

REASONS = ("not_finite", "silent", "clipped", "offset", "out_of_distribution")


@dataclass(frozen=True, eq=False)
class Judgement:
    """For each clip: `quality` (count,) 0..1, 0 for what is refused; `reasons`, one of REASONS, or None if it may be
    played."""

    quality: Doubles
    reasons: tuple[str | None, ...]

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        return np.array([reason is None for reason in self.reasons], bool)


def strays(latents: Floats, space: Space) -> Doubles:
    """How far each of `latents` (count, steps, latent_dim) lies from the model's own distribution, (count,): the mean
    over steps and latents of the squared distance from the mean, in each latent's deviation. N(0, 1) has 1."""
    scale = np.where(space.deviation > 0, space.deviation, np.float32(1))
    return np.asarray(np.square((latents - space.mean) / scale, dtype=np.float64).mean(axis=(1, 2)))


def limit(excerpts: Floats, steps: int, space: Space) -> float:
    """How far trajectories may stray in a search whose founders are windows of `excerpts` (any, latent_dim): a tenth
    further than the furthest of those, if that is more than STRAYED, for somebody wants them."""
    if len(excerpts) < steps:
        return STRAYED
    bounded = np.clip(excerpts, space.low, space.high)
    each = np.concatenate([[0.0], np.cumsum(strays(bounded[:, None], space))])
    return max(STRAYED, 1.1 * float((each[steps:] - each[:-steps]).max()) / steps)


def judge(sounds: Floats, latents: Floats, space: Space, strayed_at_most: float = STRAYED) -> Judgement:
    """`sounds` (count, samples), full scale 1, and the `latents` (count, steps, latent_dim) they were decoded from.
    Quality is the product of how far each measure is from its limit."""
    finite = np.asarray(np.isfinite(sounds).all(axis=1))
    clean = sounds if finite.all() else np.where(finite[:, None], sounds, np.float32(0))
    rms = np.sqrt(np.einsum("ij,ij->i", clean, clean, dtype=np.float64) / max(1, clean.shape[1]))
    mean = np.abs(clean.mean(axis=1, dtype=np.float64))
    peaks = np.maximum(clean.max(axis=1, initial=0.0), -clean.min(axis=1, initial=0.0))
    clipped = np.zeros(len(clean))
    for row in np.flatnonzero(peaks >= FULL_SCALE):
        clipped[row] = (np.abs(clean[row]) >= FULL_SCALE).mean()
    level_db = 20.0 * np.log10(np.maximum(rms, 1e-12))
    strayed = strays(latents, space)
    measures = np.stack(
        [
            np.where(finite, 1.0, -1.0),
            (level_db - SILENT_DB) / (LOUD_DB - SILENT_DB),
            1.0 - clipped / CLIPPED_SHARE,
            1.0 - mean / np.maximum(OFFSET_SHARE * rms, 1e-12),
            (strayed_at_most - strayed) / (strayed_at_most - 1.0),
        ],
        axis=1,
    )
    wrong = measures < 0.0
    quality = np.where(wrong.any(axis=1), 0.0, np.clip(measures, 0.0, 1.0).prod(axis=1))
    return Judgement(quality, tuple(REASONS[int(np.argmax(row))] if row.any() else None for row in wrong))


def only_finite(sounds: Floats) -> Judgement:
    """With the gate off: everything passes and is as good as the rest, but for what is no number."""
    finite = np.asarray(np.isfinite(sounds).all(axis=1))
    return Judgement(finite.astype(np.float64), tuple(None if each else "not_finite" for each in finite))
