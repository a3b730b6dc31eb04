"""How varied a set of sounds is, in points of an embedding; and whether two embeddings agree. Pure, numpy only.

A search is best judged under an embedding it did not use: what selection presses on rises by itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.evolution.sparseness import distances

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

NEIGHBOURS = 5
"""Neighbours whose farthest makes the ball around a reference sound (Naeem et al. use 5)."""


def pairwise(points: Floats) -> Doubles:
    """Distances of all pairs of `points` (count, size), each pair once, (count * (count - 1) / 2,)."""
    return np.asarray(distances(points, points)[np.triu_indices(len(points), 1)])


def radii(points: Floats, neighbours: int = NEIGHBOURS) -> Doubles:
    """The distance of each of `points` (count, size) to its k-th nearest other, (count,). ValueError where there aren't
    more than `neighbours`."""
    if len(points) <= neighbours:
        raise ValueError(f"measures: {len(points)} points, allowed are more than {neighbours}")
    apart = distances(points, points)
    np.fill_diagonal(apart, np.inf)
    return np.asarray(np.partition(apart, neighbours - 1, axis=1)[:, neighbours - 1])


def neighbourhood(reference: Floats) -> float:
    """The fixed scale of `vendi`: the median of the `radii` of the model's own sounds (count, size), so that both
    measures have one notion of what is near. (The median of all pairs, a common choice, is no scale of nearness where
    the reference falls into several kinds of sound: it is the distance of those.) ValueError where it is 0."""
    scale = float(np.median(radii(reference)))
    if scale <= 0.0:
        raise ValueError(f"measures: the reference's neighbours are at distance {scale:g}, allowed is above 0")
    return scale


def vendi(points: Floats, scale: float) -> float:
    """How many different sounds `points` (count, size) are worth, 1..count: e to the von Neumann entropy of K / count
    with the kernel exp(-d² / (2 scale²)). 0 for no points.

    Friedman & Dieng, "The Vendi Score" (arXiv 2210.02410), eq. 3.
    """
    if not len(points):
        return 0.0
    kernel = np.exp(-np.square(distances(points, points)) / (2.0 * scale**2))
    spectrum = np.linalg.eigvalsh(0.5 * (kernel + kernel.T) / len(points))
    shares = spectrum[spectrum > 0.0]
    return float(np.exp(-np.sum(shares * np.log(shares))))


def nearest_neighbour(points: Floats) -> float:
    """Mean distance of `points` (count, size) to their nearest others; 0 for fewer than two. A set of pairs of twins
    has 0, however far apart the pairs."""
    if len(points) < 2:
        return 0.0
    apart = distances(points, points)
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(axis=1).mean())


def coverage(points: Floats, reference: Floats, neighbours: int = NEIGHBOURS) -> float:
    """Share 0..1 of `reference` (count, size) whose ball, as wide as the distance to its k-th nearest other, holds at
    least one of `points` (any, size). ValueError where the reference isn't more than `neighbours`.

    Naeem et al., "Reliable fidelity and diversity metrics for generative models" (ICML 2020), eq. 9.
    """
    reach = radii(reference, neighbours)
    if not len(points):
        return 0.0
    return float((distances(reference, points).min(axis=1) <= reach).mean())


def ranks(values: Floats) -> Doubles:
    """The rank of each of `values` (count,) from 1; equals share the mean of their ranks."""
    _, place, held = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(held)
    return np.asarray((last - (held - 1) / 2.0)[place], np.float64)


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's rho of two series (count,), ties by mean rank: -1..1, and 0 where either is constant."""
    one, other = ranks(first) - (len(first) + 1) / 2.0, ranks(second) - (len(second) + 1) / 2.0
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length > 0.0 else 0.0


def concordance(points: list[Floats]) -> Doubles:
    """How alike embeddings hear the same sounds: rank correlation of all pairwise distances, (embeddings, embeddings).
    `points` holds (count, size) for each embedding, row by row the same sounds."""
    apart = [pairwise(each) for each in points]
    return np.array([[rank_correlation(one, other) for other in apart] for one in apart])
