"""How far people agree with each other, beyond chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def alpha(table: Doubles, interval: bool = False) -> float | None:
    """Krippendorff's alpha of `table` (observers, units), NaN where an observer said nothing of a unit: 1 for full
    agreement, 0 for that of chance, below 0 for less. Values are names that are the same or not, or with `interval`
    numbers whose squared difference counts. None where no two observers meet, or all values are the same.

    Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), from counts of values in units.
    """
    values = np.unique(table[~np.isnan(table)])
    counts = np.stack([(table == value).sum(axis=0) for value in values], axis=1) if len(values) else np.zeros((0, 0))
    counts = counts[counts.sum(axis=1) > 1].astype(np.float64)
    whole = counts.sum()
    if not whole:
        return None
    apart = np.square(values[:, None] - values) if interval else (values[:, None] != values).astype(np.float64)
    observed = (np.einsum("uv,vw,uw->u", counts, apart, counts) / (counts.sum(axis=1) - 1)).sum() / whole
    total = counts.sum(axis=0)
    expected = total @ apart @ total / (whole * (whole - 1))
    return float(1 - observed / expected) if expected > 0 else None
