"""Triplets worth asking people about: is the second or the third sound more like the first?

A triplet is a row of three places in a list of clips: the anchor and the two compared with it.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BANDS = ("easy", "middle", "hard")
TELLING = 0.5
"""Of the triplets two embeddings answer differently, the share that is left out because one of them is hardly sure."""


def margins(apart: Doubles, triplets: Integers) -> Doubles:
    """How much nearer the anchor its second is than its third, (count,): the difference of the two distances as a share
    of their sum, -1..1; above 0 the second is the nearer, 0 where both are as far. `apart` (clips, clips) are the
    distances, `triplets` (count, 3)."""
    second, third = (apart[triplets[:, 0], triplets[:, column]] for column in (1, 2))
    whole = second + third
    return np.asarray((third - second) / np.where(whole > 0, whole, 1.0))


def bands(signed: Doubles) -> Integers:
    """For each of the `margins` (count,) the place of its third in BANDS: the largest are easy."""
    return np.minimum(2, np.floor(3 * (1 - _shares(np.abs(signed))))).astype(np.int64)


def choose(apart: Doubles, count: int, rng: np.random.Generator) -> Integers:
    """At most `count` different triplets (count, 3), from the distances of all clips under each embedding, `apart`
    (embeddings, clips, clips).

    With two embeddings or more every other one is a triplet that two of them answer differently and surely: only these
    tell which is closer to people. The rest goes from easy to hard under each embedding in turn. Clips are used as
    evenly as that allows; order and sides are drawn.
    """
    every = _all(apart.shape[1])
    wanted = _wanted(np.stack([margins(each, every) for each in apart]))
    used, free, chosen = np.zeros(apart.shape[1]), np.ones(len(every), bool), list[int]()
    for turn in range(min(count, len(every))):
        fitting = wanted[turn % len(wanted)] & free
        cost = used[every].sum(axis=1) + rng.random(len(every))
        place = int(np.argmin(np.where(fitting if fitting.any() else free, cost, np.inf)))
        chosen.append(place)
        free[place] = False
        used[every[place]] += 1
    return _mixed(every[chosen], rng)


def catches(apart: Doubles, count: int, rng: np.random.Generator) -> Integers:
    """`count` triplets (count, 3) whose answer is beyond doubt: one of the two compared is the anchor itself, the other
    the clip that is farthest from it by its mean rank under all embeddings. Other anchors as long as there are any."""
    ranks = np.argsort(np.argsort(apart, axis=2), axis=2).mean(axis=0)
    anchors = np.resize(rng.permutation(apart.shape[1]), count)
    return _mixed(np.stack([anchors, anchors, ranks[anchors].argmax(axis=1)], axis=1).astype(np.int64), rng)


def _all(clips: int) -> Integers:
    """Every triplet of different clips once, the two compared in ascending order."""
    pairs = np.array(list(combinations(range(clips), 2)), np.int64).reshape(-1, 2)
    every = np.hstack([np.repeat(np.arange(clips), len(pairs))[:, None], np.tile(pairs, (clips, 1))])
    return np.asarray(every[(every[:, :1] != every[:, 1:]).all(axis=1)])


def _wanted(signed: Doubles) -> list[Bools]:
    """Which triplets may be taken, turn by turn, from all their margins under each embedding (embeddings, count)."""
    sure = np.stack([_shares(np.abs(each)) for each in signed])
    alike = (np.sign(signed) == np.sign(signed[0])).all(axis=0)
    graded = [(bands(each) == band) & alike for band in range(len(BANDS)) for each in signed]
    split = [_split(signed[[a, b]], sure[[a, b]]) for a, b in combinations(range(len(signed)), 2)]
    kinds = [[each for each in kind if each.any()] for kind in (graded, split)]
    held = [kind for kind in kinds if kind] or [[np.ones(signed.shape[1], bool)]]
    turns = range(math.lcm(*map(len, held)))
    return [kind[turn % len(kind)] for turn in turns for kind in held]


def _split(signed: Doubles, sure: Doubles) -> Bools:
    """The triplets two embeddings (2, count) answer differently, and each of them surely."""
    differ = signed[0] * signed[1] < 0
    least = sure.min(axis=0)
    return np.asarray(differ & (least >= np.quantile(least[differ], TELLING))) if differ.any() else differ


def _shares(values: Doubles) -> Doubles:
    """The share of all values each is above, 0..1."""
    return np.asarray((np.argsort(np.argsort(values, kind="stable"), kind="stable") + 0.5) / max(1, len(values)))


def _mixed(triplets: Integers, rng: np.random.Generator) -> Integers:
    """Rows in another order, sides drawn."""
    mixed = triplets[rng.permutation(len(triplets))]
    swapped = rng.random(len(mixed)) < 0.5
    mixed[swapped] = mixed[swapped][:, [0, 2, 1]]
    return mixed
