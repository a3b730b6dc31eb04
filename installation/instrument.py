"""A model as a search hears it: its decoder for many clips, its encoder if it has one, and the embeddings between."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.evolution.audition import Decode, audition
from installation.evolution.breeding import calibrate, prior
from installation.evolution.embedding import EMBEDDINGS, Calibration, Embedding, Encode, Hearing
from installation.evolution.evaluation import GoOn, Local, always
from installation.evolution.genotype import Space
from installation.evolution.quality import STRAYED
from installation.model import MODELS, Model, digest, load
from installation.sound.decoder import file_for, open_quickest
from installation.sound.encoder import open_encoder

Floats = npt.NDArray[np.float32]

REFERENCE_SEED = 404_063
REFERENCE_SOUNDS = 200
"""What measures are taken against: so many genotypes of the model's own distribution, the same for all runs."""


@dataclass(frozen=True)
class Instrument:
    """See the module. `threads` may decode at once."""

    model: Model
    device: str
    threads: int
    decode: Decode

    @property
    def space(self) -> Space:
        return Space(self.model.mean, self.model.deviation)

    @cached_property
    def encode(self) -> Encode | None:
        """The model's own encoder, None where it has none."""
        path = self.model.encoder
        return None if path is None else open_encoder(path, self.device)

    @cached_property
    def excerpts(self) -> Floats:
        """Encoded excerpts of what the model was trained on, (steps, latent_dim)."""
        return self.model.excerpts()

    def embedding(self, name: str, calibration: Calibration | None = None) -> Embedding:
        """The embedding `name` for this model's sounds. ModelError where what it needs is not there."""
        encoder = self.model.encoder if name == "rave" else None
        hearing = Hearing(
            self.model.sample_rate_hz,
            self.device,
            self.encode if encoder else None,
            MODELS,
            digest(encoder) if encoder else "",
        )
        try:
            return EMBEDDINGS[name](hearing, calibration)
        except ValueError as error:
            raise ModelError(f"embedding {name}: its calibration is not one for what is here: {error}") from error

    def calibrated(self, name: str, steps: int, seed: int, go_on: GoOn = always) -> Embedding:
        """The embedding `name`, fitted to what this model sounds like."""
        embedding = self.embedding(name)
        calibrate(embedding, self.decode, self.space, steps, self.excerpts, seed, go_on)
        return embedding

    def reference(self, steps: int) -> Floats:
        """Genotypes of the model's own distribution, (REFERENCE_SOUNDS, steps, latent_dim)."""
        return prior(REFERENCE_SOUNDS, self.space, steps, self.excerpts, REFERENCE_SEED)

    def evaluator(self, embedding: Embedding, gate: bool = True, strayed_at_most: float = STRAYED) -> Local:
        """Evaluates here, on all the threads there are."""
        return Local(self.decode, embedding, self.space, gate, self.threads, strayed_at_most)


def open_instrument(name: str, device: str = "auto", threads: int | None = None, models: Path = MODELS) -> Instrument:
    """The model `name` of the folder `models`, or in one of its own; `threads` None: as many as there are cores."""
    model = load(name, models)
    decoder, several = open_quickest(file_for(model, device), device, threads or cores())
    return Instrument(model, device, several, audition(decoder))


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
