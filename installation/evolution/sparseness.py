"""How alone each embedding is: the mean distance to its k nearest others, or k farthest. Exact, numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

NEAR = 1e-6
"""Squared distance, as a share of the points' own squared lengths, below which a pair is measured directly."""


def distances(rows: Floats, others: Floats) -> Doubles:
    """Euclidean distance of each of `rows` (count, size) to each of `others` (any, size), (count, any).

    By matrix product of centred data in doubles; that form loses near-duplicates to cancellation, so pairs nearer than
    a thousandth of their lengths are measured directly. Relative error below 1e-9.
    """
    others, rows = np.asarray(others, np.float64), np.asarray(rows, np.float64)
    centre = others.mean(axis=0) if len(others) else 0.0
    held, asked = others - centre, rows - centre
    lengths = np.einsum("ij,ij->i", asked, asked)[:, None] + np.einsum("ij,ij->i", held, held)
    squares = lengths - 2.0 * (asked @ held.T)
    close = np.nonzero(squares < NEAR * lengths)
    apart = rows[close[0]] - others[close[1]]
    squares[close] = np.einsum("ij,ij->i", apart, apart)
    return np.asarray(np.sqrt(squares))


def smallest(values: Doubles, count: int) -> Doubles:
    """The `count` smallest of each row, in any order; all of them if there are no more."""
    if count >= values.shape[1]:
        return values
    return np.asarray(np.partition(values, count - 1, axis=1)[:, :count])


def sparseness(
    embeddings: Floats, neighbours: int, others: Floats | None = None, remembered: Doubles | None = None
) -> Doubles:
    """Mean Euclidean distance of each row of `embeddings` (count, size) to its `neighbours` nearest rows, itself left
    out, among `embeddings` and `others` (any, size). (count,); fewer rows than `neighbours`: all there are; none: 0.

    `remembered` (count, any) are distances to further points that are known already: each row's `neighbours` nearest of
    them are enough. Lehman & Stanley, "Abandoning Objectives" (Evolutionary Computation 19(2), 2011), eq. 1.
    """
    _check(neighbours)
    apart = _apart(embeddings)
    for more in (None if others is None or not len(others) else distances(embeddings, others), remembered):
        if more is not None and more.shape[1]:
            apart = np.hstack([apart, more])
    available = apart.shape[1] - 1
    if available < 1:
        return np.zeros(len(embeddings))
    return np.asarray(smallest(apart, min(neighbours, available)).mean(axis=1))


def farthest(embeddings: Floats, neighbours: int) -> Doubles:
    """Mean Euclidean distance of each row of `embeddings` (count, size) to its `neighbours` *farthest* rows, (count,):
    what the published code of LVNS-RAVE measures. Kept to reproduce its curves; it rewards standing opposite the crowd,
    alone or not."""
    _check(neighbours)
    apart = _apart(embeddings)
    np.fill_diagonal(apart, 0.0)
    available = len(apart) - 1
    if available < 1:
        return np.zeros(len(embeddings))
    return np.asarray(-smallest(-apart, min(neighbours, available)).mean(axis=1))


def _apart(embeddings: Floats) -> Doubles:
    """Each row to each other, infinitely far from itself."""
    apart = distances(embeddings, embeddings)
    np.fill_diagonal(apart, np.inf)
    return apart


def _check(neighbours: int) -> None:
    if neighbours < 1:
        raise ValueError(f"sparseness: {neighbours} neighbours, allowed are 1 and more")
