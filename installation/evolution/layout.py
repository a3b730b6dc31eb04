"""Points of many dimensions laid out in a circle of two, so that what is near there is near here, and so that from one
time to the next what is known stays about where it was.

Three forces: springs between each point and its nearest in the embedding; between all a repulsion that falls with the
distance; and a pull to the middle, as strong as the distance from it. The last two alone make a disc of even density,
for in the plane such a repulsion is a charge's: at radius r it is that of the charges within, strength * count *
(r / DISC)^2 / r, and must be r. So strength is DISC^2 / count, and the disc is as large for ten points as for a
thousand. The springs gather families in it. They also draw all of it together, the more the fewer there are; so the
whole grows, slowly, to the size of that disc again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

NEIGHBOURS = 6
"""Nearest others each point is tied to."""
DISC = 0.8
TIE = 6.0
"""How stiff all the springs of one point are together, at the most, against the pull to the middle."""
PACE = 0.1
"""How far along the forces a round goes. Two points pull at each other: at 1 / TIE they would swing for ever."""
SOFT = 0.02
"""Nearer to each other than this share of the squared distance where repulsion is as strong as the pull to the middle,
points do not feel it any more; without, two in one place would fly apart."""
ROUNDS, SETTLING = (2, 4), (50, 200)
"""Rounds each time points come, and where nothing was known before: no fewer and no more than these."""
PAIRS = 2 << 20
"""Pairs of points up to which there are more rounds than the fewest."""
STEP = 0.02
"""How far what is known moves at once, at the most."""
LOOKED_AT = 48
"""Points whose neighbours are looked for anew each time although none of them left, in turn."""
GOLDEN = 2.399963
"""The golden angle: points that would begin in one place begin around it."""


class Layout:
    """Each of `identities` (count,) has a column, the same as long as it is known, and a place in `places` (count, 2),
    inside the unit circle. No chance in it: the same points in the same order give the same places."""

    def __init__(self) -> None:
        self.hold(np.zeros(0, np.int64), np.zeros((0, 2), np.float32))

    def hold(self, identities: Integers, places: Floats) -> None:
        """Go on from these places of these."""
        self.identities, self.places = identities.astype(np.int64), places.astype(np.float32)
        self._points: Floats = np.zeros((len(identities), 0), np.float32)
        self._near: Integers = np.full((len(identities), NEIGHBOURS), -1)
        self._turn = 0

    def renew(self, identities: Integers, points: Floats) -> None:
        """From now on these are known, each once, with these points (count, size), in any order."""
        if not len(identities):
            self.hold(identities, np.zeros((0, 2), np.float32))
            return
        before, first = self.identities, not len(self.identities)
        columns = arranged(before, identities)
        points = points[_columns(identities, columns)]
        was = _columns(before, columns)
        self._tie(columns, points, was)
        begun = self._begin(points, was)
        known = was >= 0
        fewest, most = SETTLING if first else ROUNDS
        settled = relaxed(begun, self._near, min(most, max(fewest, fewest * PAIRS // (2 * len(columns) ** 2))))
        settled[known] = within(settled[known], begun[known], STEP)
        self.identities, self.places, self._points = columns, settled, points

    def _tie(self, columns: Integers, points: Floats, was: Integers) -> None:
        """Find the neighbours of those that are new or have moved or lost one, and of a few of the others."""
        near = np.full((len(columns), NEIGHBOURS), -1)
        stays = np.asarray(was >= 0)
        if self._points.shape[1] == points.shape[1]:
            stays[stays] = (self._points[was[stays]] == points[stays]).all(axis=1)
            held = self._near[was[stays]]
            near[stays] = np.where(held >= 0, _columns(columns, self.identities)[held], -1)
        wanted = min(NEIGHBOURS, len(columns) - 1)
        look = np.asarray((near[:, :wanted] < 0).any(axis=1))
        look[(self._turn + np.arange(min(LOOKED_AT, len(columns)))) % len(columns)] = True
        self._turn = (self._turn + LOOKED_AT) % len(columns)
        rows = np.flatnonzero(look)
        near[rows] = -1
        near[rows, :wanted] = nearest(points, rows, wanted)
        self._near = near

    def _begin(self, points: Floats, was: Integers) -> Floats:
        """Where each begins: the known where they are, the new amid the known among their neighbours; who has none
        begins where the main axes put it."""
        known = was >= 0
        places = np.zeros((len(points), 2), np.float32)
        places[known] = self.places[was[known]]
        tied = known[self._near] & (self._near >= 0)
        amid = (places[self._near] * tied[..., None]).sum(axis=1) / np.maximum(1, tied.sum(axis=1))[:, None]
        angle = GOLDEN * np.arange(len(points))
        around = 0.01 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        new = ~known & tied.any(axis=1)
        places[new] = (amid + around)[new]
        lost = ~known & ~new
        if lost.any():
            places[lost] = (aligned(main_axes(points), places, known) + around)[lost]
        return places


def arranged(before: Integers, now: Integers) -> Integers:
    """`now` in columns: each where it was `before`, newcomers where others left, what is left over moved up."""
    stay, known = set(now.tolist()), set(before.tolist())
    coming = iter([each for each in now.tolist() if each not in known])
    columns = [each if each in stay else next(coming, None) for each in before.tolist()]
    columns += list(coming)
    for hole in [place for place, each in enumerate(columns) if each is None]:
        while columns and columns[-1] is None:
            columns.pop()
        if hole < len(columns):
            columns[hole] = columns.pop()
    return np.array(columns, np.int64)


def nearest(points: Floats, rows: Integers, count: int) -> Integers:
    """The `count` nearest others of the points at `rows`, (rows, count), in no order; near enough for a picture."""
    centred = points - points.mean(axis=0)
    squares = np.einsum("ij,ij->i", centred, centred)
    apart = centred[rows] @ (np.float32(-2.0) * centred.T)
    apart += squares
    apart[np.arange(len(rows)), rows] = np.inf
    if count >= len(points) - 1:
        return np.argsort(apart, axis=1, kind="stable")[:, :count]
    return np.argpartition(apart, count, axis=1)[:, :count]


def relaxed(places: Floats, near: Integers, rounds: int) -> Floats:
    """`places` (count, 2) after some `rounds` of the forces; `near` (count, any) are columns, -1 for none."""
    places, count = places.copy(), len(places)
    ends, starts = near.ravel(), np.repeat(np.arange(count), near.shape[1])
    starts, ends = starts[ends >= 0], ends[ends >= 0]
    strength = DISC**2 / count
    softening = np.float32(SOFT * strength)
    degrees = np.bincount(starts, minlength=count) + np.bincount(ends, minlength=count)
    stiffness = (TIE / np.maximum(degrees[starts], degrees[ends]))[:, None]
    for _ in range(rounds):
        weights = _gram(places)
        weights += softening
        np.reciprocal(weights, out=weights)
        pushes = weights @ np.hstack([places, np.ones((count, 1), np.float32)])
        force = np.float32(strength) * (places * pushes[:, 2:] - pushes[:, :2]) - places
        pulls = stiffness * (places[ends] - places[starts])
        for axis in range(2):
            force[:, axis] += np.bincount(starts, pulls[:, axis], count)
            force[:, axis] -= np.bincount(ends, pulls[:, axis], count)
        places += np.float32(PACE) * force
        if count > 2:
            radius = np.sqrt(np.square(places).sum(axis=1).mean())
            places *= 1 + np.float32(PACE) * (DISC / np.sqrt(2.0) / np.maximum(radius, 0.1) - 1)
        places /= np.maximum(1.0, np.linalg.norm(places, axis=1, keepdims=True))
    return places


def main_axes(points: Floats) -> Floats:
    """`points` on the first two axes of a principal component analysis, (count, 2), as wide as DISC; on each axis the
    farthest lies on the positive side."""
    centred = (points - points.mean(axis=0)).astype(np.float64)
    axes = np.linalg.eigh(centred.T @ centred).eigenvectors
    flat = centred @ axes[:, ::-1][:, :2]
    flat = np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))
    flat *= np.where(flat[np.abs(flat).argmax(axis=0), (0, 1)] < 0.0, -1.0, 1.0)
    return np.asarray(DISC * flat / max(float(np.linalg.norm(flat, axis=1).max()), 1e-9), np.float32)


def aligned(places: Floats, onto: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """`places` turned, or mirrored, so that those `known` (at least two) lie as near as may be to where they are in
    `onto` (Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31, 1966)."""
    if known.sum() < 2:
        return places
    here, there = places[known].mean(axis=0), onto[known].mean(axis=0)
    left, _, right = np.linalg.svd((places[known] - here).T @ (onto[known] - there))
    return np.asarray((places - here) @ (left @ right) + there, np.float32)


def within(places: Floats, centres: Floats, radius: float) -> Floats:
    """`places` no farther than `radius` from `centres`."""
    away = places - centres
    length = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(centres + away * np.minimum(1.0, radius / np.maximum(length, 1e-9)), np.float32)


def _gram(places: Floats) -> Floats:
    """Squared distances of all to all, (count, count), by one product."""
    squares = np.einsum("ij,ij->i", places, places)
    apart = places @ (np.float32(-2.0) * places.T)
    apart += squares
    apart += squares[:, None]
    return np.maximum(apart, np.float32(0.0), out=apart)


def _columns(held: Integers, wanted: Integers) -> Integers:
    """Where each of `wanted` is among `held`, -1 where it is not."""
    if not len(held):
        return np.full(len(wanted), -1)
    order = np.argsort(held)
    places = order[np.minimum(np.searchsorted(held, wanted, sorter=order), len(held) - 1)]
    return np.where(held[places] == wanted, places, -1)
