"""How sure a share or a correlation found among a few listeners is: 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.evolution.measures import rank_correlation

Doubles = npt.NDArray[np.float64]

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
RESAMPLES = 2000
FEW = 8
"""Listeners below which resampling them understates what is not known: an interval is then at least Wilson's."""
FEWEST_CLIPS = 5


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval, and from how many `answers` (clips, for a correlation)."""

    value: float
    low: float
    high: float
    answers: int

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}..{self.high:.2f})"


def wilson(right: float, count: float) -> tuple[float, float]:
    """The score interval of a share of independent answers, `right` of `count`, at least 1.

    Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 22, 1927).
    """
    share = right / count
    middle = share + Z**2 / (2 * count)
    half = Z * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    low, high = (middle - half) / (1 + Z**2 / count), (middle + half) / (1 + Z**2 / count)
    return max(0.0, float(low)), min(1.0, float(high))


def share(right: Doubles, count: Doubles, rng: np.random.Generator) -> Estimate | None:
    """The share of answers that are right, from each listener's `right` and `count` (listeners,). One listener's
    answers differ less than two listeners', so whole listeners are resampled; a single one's interval is Wilson's, and
    where all answers are the same resampling can tell nothing. None where nobody answered."""
    asked = count > 0
    right, count = right[asked], count[asked]
    if not len(count):
        return None
    value, answers = float(right.sum() / count.sum()), int(count.sum())
    low, high = wilson(right.sum(), count.sum())
    if len(count) > 1:
        drawn = _percentiles(_resampled(right, count, rng))
        tells = len(count) >= FEW and 0 < value < 1
        low, high = drawn if tells else (min(low, drawn[0]), max(high, drawn[1]))
    return Estimate(value, low, high, answers)


def contrast(first: Doubles, second: Doubles, count: Doubles, rng: np.random.Generator) -> Estimate | None:
    """By how much the share of `first` is above that of `second`, both (listeners,) right answers of the same `count`,
    -1..1. Whole listeners are resampled; None for fewer than two."""
    asked = count > 0
    apart, count = (first - second)[asked], count[asked]
    if len(count) < 2:
        return None
    low, high = _percentiles(_resampled(apart, count, rng))
    return Estimate(float(apart.sum() / count.sum()), low, high, int(count.sum()))


def correlation(ratings: Doubles, values: Doubles, rng: np.random.Generator) -> Estimate | None:
    """Spearman's rho of the mean rating of clips with their `values` (clips,). `ratings` (listeners, clips), NaN where
    one did not rate a clip; each listener's are taken from their own mean, for few rate all and some are kinder.

    Listeners and clips are both resampled: another run has other sounds (Owen, "The pigeonhole bootstrap", Annals of
    Applied Statistics 1(2), 2007). None for fewer than FEWEST_CLIPS clips, or where values or ratings are all the same.
    """
    rated = ~np.isnan(ratings)
    heard = rated.any(axis=0)
    ratings, rated, values = ratings[:, heard], rated[:, heard], values[heard]
    if heard.sum() < FEWEST_CLIPS or np.ptp(values) == 0:
        return None
    means = np.where(rated, ratings, 0).sum(axis=1) / np.maximum(1, rated.sum(axis=1))
    centred = np.where(rated, ratings - means[:, None], 0.0)
    liked = centred.sum(axis=0) / rated.sum(axis=0)
    if np.ptp(liked) == 0:
        return None
    drawn = [_rho(centred, rated, values, rng) for _ in range(RESAMPLES // 2)]
    low, high = _percentiles(np.array([each for each in drawn if each is not None]))
    return Estimate(rank_correlation(liked, values), low, high, len(values))


def _rho(centred: Doubles, rated: npt.NDArray[np.bool_], values: Doubles, rng: np.random.Generator) -> float | None:
    """The correlation with listeners and clips drawn again; None where too few different clips were."""
    listeners = rng.multinomial(len(rated), np.full(len(rated), 1 / len(rated)))
    times = listeners @ rated
    clips = rng.integers(0, len(values), len(values))
    clips = clips[times[clips] > 0]
    if len(np.unique(clips)) < 3:
        return None
    return rank_correlation((listeners @ centred)[clips] / times[clips], values[clips])


def _resampled(sums: Doubles, counts: Doubles, rng: np.random.Generator) -> Doubles:
    """Ratios of sums over as many listeners drawn with replacement, (RESAMPLES,)."""
    times = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES)
    return np.asarray((times @ sums) / (times @ counts))


def _percentiles(drawn: Doubles) -> tuple[float, float]:
    if not len(drawn):
        return -1.0, 1.0
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
