"""The gate between decoder and embedding: what a public room should not be played, and why."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SILENT_DB = -60.0
"""RMS of a whole clip, against full scale, below which it is silent."""
FULL_SCALE = 0.999
CLIPPED_SHARE = 0.001
"""Share of samples at or beyond full scale above which a clip is clipped."""
OFFSET_SHARE = 0.5
"""Share of a clip's RMS its mean may be: above, it is an offset (DC) and not a sound."""

REASONS = ("not_finite", "silent", "clipped", "offset")


def faults(sounds: Floats) -> list[str | None]:
    """For each of `sounds` (count, samples), full scale 1: one of REASONS, or None if it may be played."""
    finite = np.asarray(np.isfinite(sounds).all(axis=1))
    clean = np.where(finite[:, None], sounds, np.float32(0))
    rms = np.sqrt(np.einsum("ij,ij->i", clean, clean, dtype=np.float64) / max(1, clean.shape[1]))
    mean = np.abs(clean.mean(axis=1, dtype=np.float64))
    clipped = (np.abs(clean) >= FULL_SCALE).mean(axis=1)
    wrong = np.stack(
        [~finite, rms < 10 ** (SILENT_DB / 20), clipped > CLIPPED_SHARE, mean > OFFSET_SHARE * rms], axis=1
    )
    return [REASONS[int(np.argmax(row))] if row.any() else None for row in wrong]
