"""Everything a report says of one run, found out: figures, curves, diagnosis. No file is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.evolution.audience import Audience, Spread, Yardstick, latents_of, open_held_out, points_of, spreads
from installation.evolution.chronicle import Chronicle
from installation.evolution.diagnosis import Diagnosis, diagnose, twins
from installation.evolution.embedding import EMBEDDINGS, Embedding
from installation.evolution.evaluation import batches
from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.measures import concordance
from installation.evolution.quality import judge
from installation.evolution.sparseness import farthest, sparseness

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

MOMENTS = 11
"""Generations at which containers are heard again."""
NOVEL = 10
COMPARED_AT_MOST = 120
"""Sounds whose distances embeddings are compared by: some 7,000 pairs."""


@dataclass(frozen=True, eq=False)
class Concordance:
    """Rank correlations (names, names) of all pairwise distances of `sounds` sounds; why others of the embeddings
    could not be opened, by name."""

    names: tuple[str, ...]
    correlations: Doubles
    missing: dict[str, str]
    sounds: int


@dataclass(frozen=True, eq=False)
class Examination:
    """One run as it was found. `spread` holds one entry for each of `numbers`, under the embedding `held_out`;
    `reference` is the sparseness of the model's own sounds in the search's embedding, None where that can't be
    measured; `faults` counts those of the last container the gate would refuse, by reason."""

    chronicle: Chronicle
    held_out: str
    scale: float
    numbers: tuple[int, ...]
    spread: tuple[Spread, ...]
    novel: tuple[tuple[Individual, float], ...]
    agreement: Concordance
    reference: float | None
    quality: float
    faults: dict[str, int]
    diagnosis: Diagnosis

    @property
    def twins(self) -> str:
        """Whether sparseness has misled the search, as `diagnosis.twins` says it; empty if not."""
        return twins(self.chronicle.means, [each.nearest_neighbour for each in self.spread])

    def figures(self) -> dict[str, Any]:
        """All of it as numbers and words, fit for JSON."""
        told = self.chronicle
        return {
            "run": told.name,
            "settings": told.stated,
            "embedding": told.embedded.name,
            "heldout_embedding": self.held_out,
            "scale": self.scale,
            "diagnosis": asdict(self.diagnosis),
            "twins": self.twins,
            "rejected_share": told.rejected_share(),
            "quality": self.quality,
            "faults": self.faults,
            "reference_sparseness": self.reference,
            "generations": [asdict(past.generation) | {"rejected": past.rejected} for past in told.generations],
            "spread": [{"generation": at, **asdict(each)} for at, each in zip(self.numbers, self.spread, strict=True)],
            "most_novel": [_named(each, now) for each, now in self.novel],
            "agreement": {
                "embeddings": list(self.agreement.names),
                "rank_correlation": self.agreement.correlations.tolist(),
                "missing": self.agreement.missing,
                "sounds": self.agreement.sounds,
            },
        }


def _named(each: Individual, now: float) -> dict[str, Any]:
    return {
        "identity": each.identity,
        "sparseness": now,
        "sparseness_when_born": each.sparseness,
        "generation": each.generation,
        "parents": list(each.parents),
        "operator": each.operator,
    }


def examine(
    chronicle: Chronicle,
    audience: Audience,
    heldout: str | None = None,
    moments: int = MOMENTS,
    names: Sequence[str] = tuple(EMBEDDINGS),
) -> Examination:
    """Hear the run's containers again at `moments` generations and judge them under `heldout`, or the first embedding
    the search did not use; compare the embeddings `names`. ModelError where nothing is left to judge by."""
    yardstick = Yardstick.of(audience, open_held_out(audience, chronicle.used, heldout))
    numbers = chronicle.evenly(moments)
    containers = [chronicle.container(number) for number in numbers]
    spread = spreads(audience, yardstick, containers, "containers")
    living = chronicle.container(chronicle.last)
    quality, faults = _judged(audience, living)
    reference = reference_sparseness(chronicle, audience)
    return Examination(
        chronicle=chronicle,
        held_out=yardstick.embedding.name,
        scale=yardstick.scale,
        numbers=tuple(numbers),
        spread=tuple(spread),
        novel=tuple(chronicle.most_novel(NOVEL)),
        agreement=agree(audience, living, names),
        reference=reference,
        quality=quality,
        faults=faults,
        diagnosis=diagnose(chronicle.means, chronicle.rejected_share(), quality, reference),
    )


def _judged(audience: Audience, living: list[Individual]) -> tuple[float, dict[str, int]]:
    """Mean quality of those who live, and the reasons the gate has against them, also if the run had it off."""
    reasons: Counter[str] = Counter()
    quality = []
    for latents in batches(latents_of(living)):
        judged = judge(audience.decode(latents), latents, audience.space)
        quality += judged.quality.tolist()
        reasons.update(reason for reason in judged.reasons if reason)
    return float(np.mean(quality)) if quality else 0.0, dict(reasons)


def agree(audience: Audience, living: list[Individual], names: Sequence[str]) -> Concordance:
    """Whether the embeddings `names` find the same of `living` alike; those that can't be opened are left out."""
    opened: list[Embedding] = []
    missing = {}
    for name in names:
        try:
            opened.append(audience.embed(name))
        except ModelError as error:
            missing[name] = str(error)
    some = [living[place] for place in np.unique(np.linspace(0, len(living) - 1, COMPARED_AT_MOST).round().astype(int))]
    points = points_of(audience, latents_of(some), opened, "embeddings")
    return Concordance(tuple(each.name for each in opened), concordance(points), missing, len(some))


def reference_sparseness(chronicle: Chronicle, audience: Audience) -> float | None:
    """Mean sparseness a container of the run's size would have that was drawn from the reference, by the run's own
    measure and embedding; None where that can't be opened any more, or novelty was seen through components of it."""
    settings, size = chronicle.settings, len(chronicle.container(chronicle.last))
    if settings.components:
        return None
    try:
        embedding = audience.reopen(chronicle.embedded.name, chronicle.embedded.calibration)
    except ModelError:
        return None
    (points,) = points_of(audience, audience.reference[:size], [embedding], "reference")
    measure = farthest if settings.selection == "farthest" else sparseness
    return float(measure(points, settings.neighbours).mean())


def plan(chronicle: Chronicle) -> tuple[Floats, list[int], npt.NDArray[np.bool_]]:
    """Everyone kept who has a point of the search's present embedding: points (count, size), generation born, and
    whether it lives (count,)."""
    living = {each.identity for each in chronicle.container(chronicle.last)}
    size = len(next(iter(chronicle.container(chronicle.last))).embedding)
    kept = [
        each
        for each in chronicle.known.values()
        if each.identity in living or (chronicle.embedded.number == 1 and len(each.embedding) == size)
    ]
    alive = np.array([each.identity in living for each in kept], bool)
    return embeddings_of(kept, size), [each.generation for each in kept], alive
