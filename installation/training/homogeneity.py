"""How much alike the parts of a data set are: one number, from what varies within them and between them.

Of the log-mel spectra of all frames, the variance within segments is compared with the whole: Fisher's correlation
ratio η² = between / whole, and homogeneity = 1 - η². Segments of one and the same kind of sound differ little in their
means, however lively each is: near 1. A data set of things that have nothing in common: near 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.training.evaluation import log_mel

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

SEGMENT_S = 15.0
EACH = 5
REPEATED_DB = 1.0
"""Two segments are the same if their spectra differ by less, as RMS over all frames and bands."""


@dataclass(frozen=True)
class Segment:
    """Means and mean squares of a segment's log-mel frames, (MELS,), and their course in every EACHth band,
    (frames, MELS / EACH)."""

    mean: Floats
    square: Floats
    course: npt.NDArray[np.float32]


def segments(sound: Samples, sample_rate_hz: int) -> list[Segment]:
    """The segments of a sound, SEGMENT_S each; what is left over is left out, unless it is all there is."""
    size = int(SEGMENT_S * sample_rate_hz)
    count = max(1, len(sound) // size)
    return [_segment(sound[number * size : (number + 1) * size], sample_rate_hz) for number in range(count)]


def _segment(sound: Samples, sample_rate_hz: int) -> Segment:
    levels = log_mel(np.pad(sound, (0, max(0, 4096 - len(sound)))), sample_rate_hz)
    course = levels[:, ::EACH].astype(np.float32)
    return Segment(levels.mean(0), np.square(levels).mean(0), course)


def homogeneity(found: Iterable[Segment]) -> float:
    """1 - η² over all bands, 0..1; 1 for fewer than two segments."""
    all_of_them = list(found)
    if len(all_of_them) < 2:
        return 1.0
    means = np.stack([each.mean for each in all_of_them])
    between = float(means.var(0).sum())
    whole = float((np.stack([each.square for each in all_of_them]).mean(0) - means.mean(0) ** 2).sum())
    return 1.0 - between / whole if whole > 1e-9 else 1.0


def strangest(found: list[Segment]) -> int:
    """The number of the segment that is least like the others."""
    means = np.stack([each.mean for each in found])
    return int(np.argmax(np.abs(means - np.median(means, 0)).mean(1)))


def repeats(found: list[Segment]) -> list[tuple[int, int]]:
    """Pairs (earlier, later) of segments that are the same sound at the same time: each later one with the earlier one
    that is nearest to it."""
    pairs = []
    for later, each in enumerate(found):
        apart = [_apart_db(other, each) for other in found[:later]]
        if apart and min(apart) < REPEATED_DB:
            pairs.append((int(np.argmin(apart)), later))
    return pairs


def _apart_db(one: Segment, other: Segment) -> float:
    """RMS between two courses; their means are compared first, which tells most segments apart at once."""
    if one.course.shape != other.course.shape or np.abs(one.mean - other.mean).mean() > REPEATED_DB:
        return float("inf")
    return float(np.sqrt(np.square(one.course - other.course).mean()))
