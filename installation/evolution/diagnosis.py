"""What ails a search, by the names LVNS-RAVE gives it (arXiv 2404.14063): from its curve of mean sparseness and from
how poor its sound is. Pure, and cheap enough for every generation of a show.

All thresholds are ratios, so that they mean the same under every embedding; they are ours, for the paper names the
signs in words only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONVERGED = "premature convergence"
POOR_START = "poor initial container"
DECODER = "decoder trouble"

YOUNG = 10
"""Generations below which a curve says nothing yet."""
WINDOW = 20
"""Generations over which a curve must still grow; of a long run its last quarter."""
STAGNANT = 0.02
"""Growth over that window, as a share of its mean, below which a curve is stagnant."""
GREW = 1.5
"""Growth from start to end, as a factor, from which a curve that lies flat now has not converged prematurely."""
LOW = 0.6
"""Share of the reference's sparseness below which a start is low."""
LITTLE = 1.25
"""Growth from start to end, as a factor, that is little."""
HIGH = 1.5
"""Sparseness, against the reference's or else the start's, that is very high."""
MANY_REJECTED = 0.5
"""Share of children refused by the gate from which the sound is poor."""
NEARLY_ALL = 0.9
"""Share refused at which the curve no longer matters: next to nothing passes."""
LOW_QUALITY = 0.2
"""Mean quality of what lives below which the sound is poor."""
TWINS = 0.5
"""Share of its start to which the distance to the nearest, under an embedding the search did not use, may fall."""


@dataclass(frozen=True)
class Diagnosis:
    """`name` is CONVERGED, POOR_START, DECODER, or empty for a search in health; `sentence` says why, with figures."""

    name: str
    sentence: str


def diagnose(
    sparseness: Sequence[float], rejected_share: float, quality: float, reference: float | None = None
) -> Diagnosis:
    """`sparseness` is the container's mean after each generation, oldest first; `rejected_share` 0..1 of late children
    were refused by the gate; `quality` 0..1 is the container's mean. `reference` is the sparseness a container drawn
    from the model's own sounds would have, by the same measure; without it the curve is compared with its own start.

    A convergence with a low start is put down to the start: what the first container lacks, a search seldom finds.
    """
    curve = np.asarray(sparseness, np.float64)
    poor = rejected_share > MANY_REJECTED or quality < LOW_QUALITY
    if rejected_share > NEARLY_ALL or (poor and len(curve) > 0 and _high(curve, reference)):
        return Diagnosis(DECODER, _troubled(rejected_share, quality))
    if len(curve) < YOUNG:
        return Diagnosis("", f"Too young to judge: {len(curve)} of {YOUNG} generations.")
    growth = _growth(curve)
    if reference is not None and curve[0] < LOW * reference and growth < LITTLE:
        return Diagnosis(POOR_START, _poor(float(curve[0]), reference, growth))
    recent, window = _recent(curve)
    if recent >= STAGNANT:
        return Diagnosis("", f"Sparseness has grown ×{growth:.2f}, by {recent:.1%} over the last {window} generations.")
    if growth >= GREW or (reference is not None and curve[-1] >= HIGH * reference):
        return Diagnosis("", f"Sparseness has grown ×{growth:.2f} and has levelled off; more generations bring little.")
    return Diagnosis(CONVERGED, _converged(growth, recent, window))


def twins(sparseness: Sequence[float], nearest: Sequence[float]) -> str:
    """What there is to say where sparseness has not fallen and yet sounds have come closer, empty if there is nothing:
    `nearest` is the container's mean distance to the nearest, under an embedding the search did not use, oldest first.
    Not among the paper's signs; it is how selection by the farthest shows, which its public code does."""
    if len(nearest) < 2 or sparseness[-1] < sparseness[0] or nearest[-1] >= TWINS * nearest[0]:
        return ""
    growth, left = sparseness[-1] / max(sparseness[0], 1e-12), nearest[-1] / nearest[0]
    return (
        f"Sparseness has grown ×{growth:.2f}, yet to other ears the distance to the nearest has fallen to {left:.0%} "
        "of what it was: the container fills with near-twins, and the curve of sparseness doesn't show it."
    )


def _growth(curve: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Where the curve ends, against where it starts; each a mean of three generations. A curve of zeros has 1."""
    start, end = float(curve[:3].mean()), float(curve[-3:].mean())
    return end / start if start > 0.0 else 1.0


def _recent(curve: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, int]:
    """How much a straight line through the last window rises, as a share of its mean; and the window's length."""
    window = min(len(curve), max(WINDOW, len(curve) // 4))
    last = curve[-window:]
    slope = float(np.polyfit(np.arange(window), last, 1)[0])
    level = float(last.mean())
    return (slope * (window - 1) / level if level > 0.0 else 0.0), window


def _high(curve: np.ndarray[tuple[int], np.dtype[np.float64]], reference: float | None) -> bool:
    return float(curve[-1]) > HIGH * (float(curve[0]) if reference is None else reference)


def _troubled(rejected_share: float, quality: float) -> str:
    return (
        f"The gate refuses {rejected_share:.0%} of the children and quality is {quality:.2f}: where novelty is high "
        "the decoder gives poor sound, so it is asked for latents it was not trained on. Lower sigma or rate, or turn "
        "the gate on."
    )


def _poor(start: float, reference: float, growth: float) -> str:
    return (
        f"The first container was {start / reference:.0%} as sparse as the model's own sounds and has grown "
        f"×{growth:.2f} only: start from the data set or from N(0, 1), or with a larger container."
    )


def _converged(growth: float, recent: float, window: int) -> str:
    return (
        f"Sparseness moved by {recent:+.1%} over the last {window} generations and has grown ×{growth:.2f} in all: "
        "mutate more, measure against a larger archive, or take a larger container."
    )
