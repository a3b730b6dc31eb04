"""How alone each embedding is: the mean distance to its k nearest others. Exact, numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

_ROWS = 256
_WIDTH = 4


def sparseness(embeddings: Floats, neighbours: int, others: Floats | None = None) -> Doubles:
    """Mean Euclidean distance of each row of `embeddings` (count, size) to its `neighbours` nearest rows, itself left
    out, among `embeddings` and `others` (any, size). (count,); fewer rows than `neighbours`: all there are; none: 0.

    Lehman & Stanley 2011, eq. 1. Squared distances by matrix product lose near-duplicates to cancellation, so they only
    choose candidates (of centred data, in doubles, four times as many as needed), which are then measured directly.
    """
    if neighbours < 1:
        raise ValueError(f"sparseness: {neighbours} neighbours, allowed are 1 and more")
    rows = np.asarray(embeddings, np.float64)
    among = rows if others is None or not len(others) else np.vstack([rows, np.asarray(others, np.float64)])
    found = np.zeros(len(rows))
    if len(among) < 2:
        return found
    centre = among.mean(axis=0)
    rows, among = rows - centre, among - centre
    lengths = np.einsum("ij,ij->i", among, among)
    for start in range(0, len(rows), _ROWS):
        chosen = slice(start, start + _ROWS)
        found[chosen] = _nearest(rows[chosen], among, lengths, start, neighbours).mean(axis=1)
    return found


def _nearest(rows: Doubles, among: Doubles, lengths: Doubles, start: int, neighbours: int) -> Doubles:
    """Distances of `rows`, which lie in `among` from `start` on, to their nearest others, (rows, neighbours)."""
    squares = lengths - 2.0 * rows @ among.T
    squares[np.arange(len(rows)), start + np.arange(len(rows))] = np.inf
    others = len(among) - 1
    width = min(_WIDTH * neighbours, others)
    candidates = np.argpartition(squares, width - 1, axis=1)[:, :width]
    apart = among[candidates] - rows[:, None, :]
    distances = np.sqrt(np.einsum("ijk,ijk->ij", apart, apart))
    return np.sort(distances, axis=1)[:, : min(neighbours, others)]
