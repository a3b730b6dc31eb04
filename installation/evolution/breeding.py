"""Breeding, offline or live: ask, decode, gate, embed, tell, store. No process, no clock: `render`, tests and the
breeder process run this same class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.commands import Trajectory
from installation.errors import StoreError
from installation.evolution.archive import Archive
from installation.evolution.audition import Decode
from installation.evolution.embedding import Embedding
from installation.evolution.genotype import INITS, Space
from installation.evolution.quality import REASONS, faults
from installation.evolution.search import Search, Steering
from installation.evolution.store import Store

Floats = npt.NDArray[np.float32]
GoOn = Callable[[], bool]

BATCH = 8
"""Clips decoded at once. RAVE decoders gain little beyond, and a heartbeat fits between two batches."""
CALIBRATION_SOUNDS = 32
"""Sounds a new embedding is calibrated on: half drawn from N(0, 1), half from the model's excerpts."""


def always() -> bool:
    """Go on."""
    return True


class Breeder:
    """One search with the ears it needs. `batches` counts batches of clips ever decoded, `rejected` clips by reason;
    `store_fault` says why the last generation isn't in the store, if it isn't."""

    def __init__(self, search: Search, decode: Decode, embedding: Embedding, store: Store | None = None) -> None:
        self.search = search
        self.decode = decode
        self.embedding = embedding
        self.store = store
        self.batches = 0
        self.rejected: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self.store_fault: str | None = None

    def steer(self, steering: Steering) -> None:
        """Heard from the next brood on."""
        self.search.steering = steering

    def generation(self, go_on: GoOn = always) -> tuple[Trajectory, ...]:
        """Evaluate one brood and keep it; those that came into the container. `go_on` is called after each batch: when
        it says no, the brood is given up and nothing changes but the generator."""
        latents = self.search.ask()
        embeddings = np.zeros((len(latents), self.embedding.size), np.float32)
        accepted = np.zeros(len(latents), bool)
        for start in range(0, len(latents), BATCH):
            rows = slice(start, start + BATCH)
            embeddings[rows], accepted[rows] = self.evaluate(latents[rows])
            if not go_on():
                return ()
        survivors = self.search.tell(embeddings, accepted)
        self.keep()
        return survivors

    def evaluate(self, latents: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Embeddings (batch, size) of `latents` (batch, steps, latent_dim), zeros for what the gate refused, and which
        passed (batch,)."""
        sounds = self.decode(latents)
        reasons = faults(sounds)
        self.batches += 1
        self.rejected.update(reason for reason in reasons if reason)
        accepted = np.array([reason is None for reason in reasons])
        embeddings = np.zeros((len(latents), self.embedding.size), np.float32)
        if accepted.any():
            embeddings[accepted] = self.embedding.embed(sounds[accepted])
        return embeddings, accepted

    def keep(self) -> None:
        """Write the search as it is now to the store, if there is one. A full disk doesn't end the show: the search
        goes on, and the next generation that can be written brings what this one lacked."""
        if self.store is None:
            return
        try:
            self.store.save(self.search.state(), self.search.container, self.search.archive.members)
            self.store_fault = None
        except StoreError as error:
            self.store_fault = str(error)

    def reset(self) -> None:
        """Forget the container and breed anew; the archive and the store keep what was."""
        self.search.reset()
        self.keep()

    def figures(self) -> dict[str, Any]:
        """The search's part of the run's report."""
        return {
            "generations": self.search.generation,
            "evaluations": self.search.evaluations,
            "mean_sparseness": self.search.mean_sparseness,
            "container": len(self.search.container),
            "archive": len(self.search.archive.members),
            "rejected": dict(self.rejected),
        }


def resume(search: Search, store: Store) -> bool:
    """Let `search` go on where `store` stopped; False if that holds nothing yet."""
    state = store.state()
    if state is not None:
        search.restore(state, store.container(), store.archive())
    return state is not None


def calibrate(
    embedding: Embedding, decode: Decode, space: Space, steps: int, excerpts: Floats, seed: int, go_on: GoOn = always
) -> None:
    """Fit `embedding` to what this model sounds like, the same for the same seed. Sounds the gate refuses are left out;
    if all are, the embedding stays as it was."""
    rng = np.random.default_rng([seed, 1])
    half = CALIBRATION_SOUNDS // 2
    drawn = [INITS[name](half, steps, space, excerpts, rng) for name in ("normal", "dataset")]
    sounds = []
    clips = np.concatenate(drawn)
    for start in range(0, len(clips), BATCH):
        heard = decode(clips[start : start + BATCH])
        sounds.append(heard[[reason is None for reason in faults(heard)]])
        if not go_on():
            return
    if sum(map(len, sounds)):
        embedding.calibrate(np.concatenate(sounds))


def new_search(
    space: Space,
    steps: int,
    container: int,
    brood: int,
    seed: int,
    *,
    init: str = "normal",
    archive: int = 1000,
    excerpts: Floats | None = None,
    steering: Steering | None = None,
) -> Search:
    """A search at its beginning, its chance from `seed` alone."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return Search(
        container, brood, rng, space, steps, steering=steering, archive=Archive(archive), init=init, excerpts=excerpts
    )
