"""Points novelty is measured against, by identity, and how far from given points the nearest of them are.

exact     in this process's memory, always the true distances; up to some hundred thousand points
large     in files, through an index that finds most of the nearest; up to some million points
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NOBODY: Integers = np.zeros(0, np.int64)
CELLS = 1 << 22
"""Distances in float32 taken at once: 16 MiB of them."""
PAIRS = 1 << 16
"""Distances in doubles taken at once."""
LEAST = 1024
"""Points that there is room for at first; the room doubles."""


class Memory(Protocol):
    """Holds each identity once. Points are (count, size) float32, finite, of one size until it is cleared."""

    def __len__(self) -> int: ...

    @property
    def identities(self) -> Integers:
        """Who is held, in the order they were added, (count,)."""
        ...

    @property
    def points(self) -> Floats:
        """Their points in that order, (count, size); not to be written to."""
        ...

    def add(self, identities: Integers, points: Floats) -> None:
        """Hold `points` (count, size) as `identities` (count,). ValueError if one is held, or of another size."""
        ...

    def remove(self, identities: Integers) -> None:
        """Let go of these; those that are not held are passed over."""
        ...

    def clear(self) -> None:
        """Let go of all; points added then may be of another size."""
        ...

    def nearest(self, points: Floats, neighbours: int, leave_out: Integers = NOBODY) -> Doubles:
        """Euclidean distances of each of `points` (count, size) to its `neighbours` nearest of those held and not in
        `leave_out`, ascending: (count, neighbours), or as many columns as there are others."""
        ...

    def close(self) -> None:
        """Let go of files, if it has any; nothing is forgotten."""
        ...


class Exact:
    """A `Memory` in this process. A removed point is one at an infinite distance, until half of them are removed."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """See `Memory`."""
        self._count = self._gone = 0
        self._identities = NOBODY
        self._points = np.zeros((0, 0), np.float32)
        self._lengths = np.zeros(0, np.float32)
        self._centre = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return self._count - self._gone

    @property
    def identities(self) -> Integers:
        held = self._identities[: self._count]
        return held[self._alive()] if self._gone else held

    @property
    def points(self) -> Floats:
        held = self._points[: self._count]
        return held[self._alive()] if self._gone else held

    def add(self, identities: Integers, points: Floats) -> None:
        """See `Memory`."""
        check_new(self.identities, identities, points, self._points.shape[1] if len(self) else None)
        if not len(points):
            return
        if not len(self):
            self.clear()
        if self._count + len(points) > len(self._points):
            self._move(max(LEAST, 2 * (len(self) + len(points))), points)
        new = slice(self._count, self._count + len(points))
        self._identities[new], self._points[new] = identities, points
        self._lengths[new] = squares_from(self._centre, self._points[new])
        self._count = new.stop

    def remove(self, identities: Integers) -> None:
        """See `Memory`."""
        held = self._alive() & np.isin(self._identities[: self._count], identities)
        self._lengths[: self._count][held] = np.inf
        self._gone += int(held.sum())
        if not len(self):
            self.clear()
        elif 2 * self._gone > self._count:
            self._move(max(LEAST, 2 * len(self)), self.points)

    def nearest(self, points: Floats, neighbours: int, leave_out: Integers = NOBODY) -> Doubles:
        """See `Memory`. True to the rounding of doubles, and the same to the bit in whatever company it is asked."""
        check_asked(points, neighbours, self._points.shape[1] if len(self) else None)
        lengths = without(self._lengths[: self._count], self._identities[: self._count], leave_out)
        few = min(neighbours, int(np.isfinite(lengths).sum()))
        return nearest_of(self._points[: self._count], lengths, self._centre, points, few)

    def close(self) -> None:
        """See `Memory`."""

    def _alive(self) -> npt.NDArray[np.bool_]:
        return np.isfinite(self._lengths[: self._count])

    def _move(self, room: int, like: Floats) -> None:
        """To arrays with `room` for so many, measured from a new centre: that of the points held, or else `like`."""
        identities, points = self.identities, self.points.reshape(-1, like.shape[1])
        self._centre = (points if len(points) else like).mean(axis=0, dtype=np.float64).astype(np.float32)
        self._count, self._gone = len(points), 0
        self._identities = np.zeros(room, np.int64)
        self._points = np.zeros((room, like.shape[1]), np.float32)
        self._lengths = np.zeros(room, np.float32)
        self._identities[: self._count], self._points[: self._count] = identities, points
        self._lengths[: self._count] = squares_from(self._centre, points)


def check_new(held: Integers, identities: Integers, points: Floats, size: int | None) -> None:
    """ValueError unless `points` (count, size) may be added as `identities` (count,) to those `held`."""
    if len(identities) != len(points) or (size is not None and points.shape[1] != size):
        raise ValueError(f"memory: {len(identities)} identities of points {points.shape}, allowed is size {size}")
    double = identities[np.isin(identities, held)]
    if len(double) or len(np.unique(identities)) < len(identities):
        raise ValueError(f"memory: added twice: {(double if len(double) else identities)[:5].tolist()}")


def check_asked(points: Floats, neighbours: int, size: int | None) -> None:
    """ValueError unless the nearest of `points` (count, size) may be asked for."""
    if neighbours < 1:
        raise ValueError(f"memory: {neighbours} neighbours, allowed are 1 and more")
    if size is not None and points.shape[1] != size:
        raise ValueError(f"memory: asked for points of size {points.shape[1]}, allowed is {size}")


def squares_from(centre: Floats, points: Floats) -> Floats:
    """Squared distance of each of `points` (count, size) to `centre` (size,), (count,)."""
    squares = np.zeros(len(points), np.float32)
    for start in range(0, len(points), PAIRS):
        apart = points[start : start + PAIRS] - centre
        squares[start : start + PAIRS] = np.einsum("ij,ij->i", apart, apart)
    return squares


def without(lengths: Floats, identities: Integers, leave_out: Integers) -> Floats:
    """`lengths` (count,), infinite where `identities` (count,) are left out; the same array if none is."""
    return np.where(np.isin(identities, leave_out), np.float32(np.inf), lengths) if len(leave_out) else lengths


def nearest_of(points: Floats, lengths: Floats, centre: Floats, asked: Floats, neighbours: int) -> Doubles:
    """Distances of each of `asked` (any, size) to the `neighbours` nearest of `points` (count, size), ascending,
    (any, neighbours), infinite where there are fewer. `lengths` (count,) are squared distances of `points` to `centre`,
    infinite for those that don't count.

    Matrix products in float32 lose what is near. So they only say, with their rounding taken off, which points can't be
    among the nearest; all others are measured directly, in doubles.
    """
    best = np.full((len(asked), neighbours), np.inf)
    rows = max(1, CELLS // LEAST)
    for start in range(0, len(asked) if neighbours else 0, rows):
        best[start : start + rows] = _nearest(points, lengths, centre, asked[start : start + rows], neighbours)
    return best


def _nearest(points: Floats, lengths: Floats, centre: Floats, asked: Floats, neighbours: int) -> Doubles:
    best = np.full((len(asked), neighbours), np.inf)
    bounds: Floats | None = None
    at_once = max(LEAST, CELLS // max(1, len(asked)))
    asked_from = asked - centre
    for start in range(0, len(points), at_once):
        some = slice(start, start + at_once)
        least = least_squares(points[some] - centre, lengths[some], asked_from)
        if bounds is None:
            bounds = _bounds(points[some], least, asked, neighbours)
        bounds = np.minimum(bounds, _rounded_up(np.square(best[:, -1])))
        rows, places = np.nonzero(least <= bounds[:, None])
        best = merged(best, rows, measured(points[some], places, asked, rows))
    return best


def least_squares(points: Floats, lengths: Floats, asked: Floats) -> Floats:
    """What the squared distances of `asked` (any, size) to `points` (count, size), both from one centre, are at least,
    (any, count): as a matrix product finds them in float32, less the error it may have made. `lengths` (count,) are
    those of `points`, squared.

    A sum of `size` products is off by `size` roundings of the sum of their magnitudes at most (Higham, "Accuracy and
    Stability of Numerical Algorithms", 2002, eq. 3.5), and those are less than half the two squared lengths; twice
    that is taken.
    """
    kept = np.float32(1 - (points.shape[1] + 16) * np.finfo(np.float32).eps)
    squares = asked @ (points.T * np.float32(-2))
    squares += kept * lengths
    squares += (kept * np.einsum("ij,ij->i", asked, asked))[:, None]
    return squares


def _bounds(points: Floats, least: Floats, asked: Floats, neighbours: int) -> Floats:
    """What the squared distance to the last of the `neighbours` nearest is at most, by some near points, (any,)."""
    if least.shape[1] < neighbours:
        return _rounded_up(np.full(len(asked), np.inf))
    places = np.argpartition(least, neighbours - 1, axis=1)[:, :neighbours]
    rows = np.repeat(np.arange(len(asked)), neighbours)
    apart = measured(points, places.ravel(), asked, rows).reshape(places.shape)
    apart[np.isinf(np.take_along_axis(least, places, axis=1))] = np.inf
    return _rounded_up(np.square(apart.max(axis=1)))


def _rounded_up(squares: Doubles) -> Floats:
    """In float32, not below, and finite: what is infinitely far is never near."""
    return np.minimum(squares * (1 + 1e-6), np.finfo(np.float32).max).astype(np.float32)


def measured(points: Floats, places: Integers, asked: Floats, rows: Integers) -> Doubles:
    """Distance of `points` at each of `places` (pairs,) to `asked` at each of `rows` (pairs,), in doubles, (pairs,)."""
    found = np.zeros(len(places))
    for start in range(0, len(places), PAIRS):
        some = slice(start, start + PAIRS)
        apart = points[places[some]].astype(np.float64) - asked[rows[some]]
        found[some] = np.sqrt(np.square(apart, out=apart).sum(axis=1))
    return found


def merged(best: Doubles, rows: Integers, found: Doubles) -> Doubles:
    """`best` (any, neighbours), ascending, with the distances `found` (pairs,) of its `rows` (pairs,) let in."""
    order = np.lexsort((found, rows))
    rows, found = rows[order], found[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    few = rank < best.shape[1]
    new = np.full(best.shape, np.inf)
    new[rows[few], rank[few]] = found[few]
    return np.sort(np.hstack([best, new]), axis=1)[:, : best.shape[1]]


def _large(folder: Path, threads: int) -> Memory:
    from installation.evolution.large import open_large

    return open_large(folder, threads)


LARGE = 100_000
"""Points above which a memory is large: an exact one takes longer to look at them than a brood to evaluate."""


def memory_for(capacity: int, folder: Path | None, threads: int) -> Memory:
    """A memory for up to `capacity` points: exact, or large if that is above LARGE and there is a `folder` for it."""
    name = "large" if capacity > LARGE and folder is not None else "exact"
    return MEMORIES[name](folder or Path(), threads)


MEMORIES: dict[str, Callable[[Path, int], Memory]] = {"exact": lambda folder, threads: Exact(), "large": _large}
"""By name: (folder for its files, threads) → Memory. InstallationError where its library or folder can't be used."""
