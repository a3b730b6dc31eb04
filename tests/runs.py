"""Small runs on a decoder made of sines, and the audience to judge them with. For tests only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from installation.errors import ModelError
from installation.evolution.audience import Audience
from installation.evolution.audition import audition
from installation.evolution.breeding import Breeder, new_search, prior
from installation.evolution.embedding import EMBEDDINGS, Embedding, Hearing
from installation.evolution.evaluation import Local
from installation.evolution.genotype import Space
from installation.evolution.kept import Header
from installation.evolution.settings import Settings
from installation.evolution.store import open_store
from tests.synthesis import RATE_HZ, SineDecoder

STEPS = 12
SPACE = Space(np.zeros(4, np.float32), np.ones(4, np.float32))
DECODE = audition(SineDecoder(512))
REFERENCE = prior(40, SPACE, STEPS, np.zeros((0, 4), np.float32), 5)


def opened(name: str) -> Embedding:
    """The embedding `name`, calibrated on the reference; only those that need nothing."""
    if name not in ("texture", "mfcc"):
        raise ModelError(f"embedding: {name} has no weights here")
    embedding = EMBEDDINGS[name](Hearing(RATE_HZ), None)
    embedding.calibrate(DECODE(REFERENCE[:16]))
    return embedding


def audience() -> Audience:
    """What the small runs are judged with."""
    return Audience(
        decode=DECODE,
        sample_rate_hz=RATE_HZ,
        space=SPACE,
        embed=opened,
        reopen=lambda name, calibration: EMBEDDINGS[name](Hearing(RATE_HZ), calibration),
        reference=REFERENCE,
    )


def run(
    path: Path, generations: int = 6, model: str = "sines", keep: int | None = None, **named: object
) -> list[list[int]]:
    """Write a run to `path`; who lived in the container after each generation, from the founders on."""
    settings = Settings(**{"container": 12, "brood": 8, "neighbours": 4, "steps": STEPS, "archive": 20} | named)  # type: ignore[arg-type]
    embedding = opened(settings.embedding)
    header = Header(
        model, "ab" * 32, 4, STEPS, settings.embedding, settings.seed, embedding.calibration, settings.as_dict()
    )
    search = new_search(SPACE, settings, founders_at_once=settings.container)
    lived = []
    with open_store(path, header, keep) as store:
        breeder = Breeder(search, Local(DECODE, embedding, SPACE, settings.quality), store)
        while search.founding or search.generation < generations:
            breeder.generation()
            if not search.founding:
                lived.append([each.identity for each in search.container])
    return lived
