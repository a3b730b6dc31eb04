"""Whether people hear alike what an embedding puts near, and like what a search looks for: the study's results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.evolution.answers import Answers, Reading
from installation.evolution.audition import Decode
from installation.evolution.clips import BATCH, Clip
from installation.evolution.embedding import Embedding
from installation.evolution.intervals import Estimate, contrast, correlation, share
from installation.evolution.reliability import alpha
from installation.evolution.sparseness import distances
from installation.evolution.triplets import BANDS, bands, margins

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SCALES = ("interest", "room")
PROPERTIES = ("sparseness", "quality")


@dataclass(frozen=True)
class Fit:
    """How often people chose what lies nearer under `embedding`: of all answers, by how easy the question is to it, and
    of the questions which not all embeddings answer alike. `lead` is how far the best of all is before it on the same
    answers, None for the best itself. None too where nobody was asked."""

    embedding: str
    overall: Estimate | None
    bands: dict[str, Estimate | None]
    disputed: Estimate | None
    lead: Estimate | None = None


@dataclass(frozen=True)
class Liking:
    """How the mean of `rated`, one of SCALES or fault, goes with what the search knew of a clip, one of PROPERTIES."""

    rated: str
    known: str
    rho: Estimate | None


@dataclass(frozen=True)
class Agreement:
    """The results. `listeners` that count, of them `complete`; `inattentive` those left out, with what they answered
    of the catch trials; `refused` files. `alpha` is Krippendorff's, of choices (nominal) and of each of SCALES
    (interval); `consistency` the share of repeated questions answered as before; `left` the share of answers for the
    left side, .5 where side plays no part; `faulty` the share of ratings with a fault."""

    run: str
    listeners: int
    complete: int
    questions: int
    answers: int
    inattentive: list[dict[str, Any]]
    refused: list[str]
    fits: list[Fit]
    alpha: dict[str, float | None]
    consistency: Estimate | None
    left: Estimate | None
    likings: list[Liking]
    faulty: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Choices:
    """First answers, row by row: who, which of `questions` (clip places, (any, 3)), and whether the second of its clips
    was taken. `again` are second answers: who, and whether it was the first again."""

    listener: Integers
    question: Integers
    second: Bools
    left: Bools
    questions: Integers
    again: tuple[Integers, Bools]


def agreement(
    reading: Reading, decode: Decode, embeddings: Mapping[str, Embedding], run: str, seed: int = 0
) -> Agreement:
    """What the listeners of `reading` say of `embeddings`, calibrated; chance, of the intervals only, from `seed`."""
    rng = np.random.default_rng([seed, 3])
    clips, listeners = list(reading.clips.values()), len(reading.counted)
    choices = _choices(reading.counted, {each.name: place for place, each in enumerate(clips)})
    signed = {name: _margins(each, choices.questions, clips, decode) for name, each in embeddings.items()}
    tables = {name: _ratings(reading, clips, name) for name in (*SCALES, "fault")}
    return Agreement(
        run=run,
        listeners=listeners,
        complete=sum(each.complete for each in reading.counted),
        questions=len(choices.questions),
        answers=len(choices.question),
        inattentive=[_left_out(each) for each in reading.inattentive],
        refused=list(reading.refused),
        fits=_fits(signed, choices, listeners, rng),
        alpha={"choices": alpha(_table(choices, listeners))} | {name: alpha(tables[name], True) for name in SCALES},
        consistency=_by_listener(*choices.again, listeners, rng),
        left=_by_listener(choices.listener, choices.left, listeners, rng),
        likings=[
            Liking(rated, known, correlation(table, _known(clips, known), rng))
            for rated, table in tables.items()
            for known in PROPERTIES
        ],
        faulty=share(np.nansum(tables["fault"], axis=1), (~np.isnan(tables["fault"])).sum(axis=1) * 1.0, rng),
    )


def _choices(counted: tuple[Answers, ...], places: dict[str, int]) -> _Choices:
    rows, again = list[tuple[int, int, bool, bool]](), list[tuple[int, bool]]()
    questions = dict[tuple[str, str, str], int]()
    for listener, answers in enumerate(counted):
        before = dict[tuple[str, str, str], str]()
        for each in answers.triplets:
            if each.is_catch:
                continue
            if each.question in before:
                again.append((listener, each.taken == before[each.question]))
                continue
            before[each.question] = each.taken
            question = questions.setdefault(each.question, len(questions))
            rows.append((listener, question, each.taken == each.question[2], each.chosen == "left"))
    table = np.array(rows, np.int64).reshape(-1, 4)
    twice = np.array(again, np.int64).reshape(-1, 2)
    asked = np.array([[places[name] for name in question] for question in questions], np.int64).reshape(-1, 3)
    return _Choices(table[:, 0], table[:, 1], table[:, 2] > 0, table[:, 3] > 0, asked, (twice[:, 0], twice[:, 1] > 0))


def _margins(embedding: Embedding, questions: Integers, clips: list[Clip], decode: Decode) -> Doubles:
    """Of each question, from the sounds as the search heard them; see `triplets.margins`."""
    if not len(questions):
        return np.zeros(0)
    points = np.concatenate(
        [
            embedding.embed(decode(np.stack([each.individual.latents for each in clips[start : start + BATCH]])))
            for start in range(0, len(clips), BATCH)
        ]
    )
    return margins(distances(points, points), questions)


def _fits(signed: dict[str, Doubles], choices: _Choices, listeners: int, rng: np.random.Generator) -> list[Fit]:
    """One an embedding, the best first."""
    if not signed:
        return []
    signs = np.sign(np.stack(list(signed.values())))
    disputed = (signs != signs[0]).any(axis=0)
    fits = [_fit(name, each, disputed, choices, listeners, rng) for name, each in signed.items()]
    fits.sort(key=lambda fit: -fit.overall.value if fit.overall else 0.0)
    best = signed[fits[0].embedding]
    return [
        fits[0],
        *(replace(fit, lead=_lead(best, signed[fit.embedding], choices, listeners, rng)) for fit in fits[1:]),
    ]


def _fit(
    name: str, signed: Doubles, disputed: Bools, choices: _Choices, listeners: int, rng: np.random.Generator
) -> Fit:
    band = bands(signed)

    def among(asked: Bools) -> Estimate | None:
        kept = (asked & (signed != 0))[choices.question]
        right = choices.second == (signed < 0)[choices.question]
        return _by_listener(choices.listener[kept], right[kept], listeners, rng)

    everything = np.ones(len(signed), bool)
    by_band = {label: among(band == place) for place, label in enumerate(BANDS)}
    return Fit(name, among(everything), by_band, among(disputed) if disputed.any() else None)


def _lead(
    best: Doubles, other: Doubles, choices: _Choices, listeners: int, rng: np.random.Generator
) -> Estimate | None:
    """How far the best is before another, on questions both answer."""
    kept = ((best != 0) & (other != 0))[choices.question]
    right = [(choices.second == (each < 0)[choices.question])[kept] for each in (best, other)]
    first, second = (_counts(choices.listener[kept], each, listeners)[0] for each in right)
    return contrast(first, second, _counts(choices.listener[kept], right[0], listeners)[1], rng)


def _counts(listener: Integers, right: Bools, listeners: int) -> tuple[Doubles, Doubles]:
    """Right answers and all, of each listener, (listeners,) both."""
    sums = [np.bincount(listener, each, listeners) for each in (right.astype(np.float64), np.ones(len(listener)))]
    return np.asarray(sums[0], np.float64), np.asarray(sums[1], np.float64)


def _by_listener(listener: Integers, right: Bools, listeners: int, rng: np.random.Generator) -> Estimate | None:
    return share(*_counts(listener, right, listeners), rng)


def _table(choices: _Choices, listeners: int) -> Doubles:
    """Whether each listener took the second clip, (listeners, questions), NaN where not asked. Names of clips are
    hashes, so second means nothing and chance is one half."""
    table = np.full((listeners, len(choices.questions)), np.nan)
    table[choices.listener, choices.question] = choices.second
    return table


def _ratings(reading: Reading, clips: list[Clip], name: str) -> Doubles:
    """What each listener gave each clip, (listeners, clips), NaN where not asked."""
    places = {each.name: place for place, each in enumerate(clips)}
    table = np.full((len(reading.counted), len(clips)), np.nan)
    for listener, answers in enumerate(reading.counted):
        for each in answers.ratings:
            table[listener, places[each.clip]] = getattr(each, name)
    return table


def _known(clips: list[Clip], name: str) -> Doubles:
    return np.array([getattr(each.individual, name) for each in clips], np.float64)


def _left_out(answers: Answers) -> dict[str, Any]:
    right, asked = answers.catches
    return {"participant": answers.participant, "right": right, "catches": asked}
