"""From genotypes to what the search is told: decode, judge, embed, in batches of the same size wherever it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from installation.evolution.audition import Decode
from installation.evolution.embedding import Embedding
from installation.evolution.genotype import Space
from installation.evolution.quality import STRAYED, Judgement, judge, only_finite

Floats = npt.NDArray[np.float32]
GoOn = Callable[[], bool]

BATCH = 8
"""Clips evaluated at once, at most. RAVE decoders gain little beyond, and a heartbeat fits between two batches."""
SHARED_BY = 4
"""A brood of more than one batch is cut into a multiple of so many, all as large but for one clip, so that two threads
or four have the same to do. Every evaluator cuts it the same, on however many threads, so that all find the same to
the bit."""
HEARD_AT_ONCE = 32
"""Batches whose sound is held at once, at most: some 130 MB of clips of three seconds."""
PULSE_S = 0.1
"""How often, at least, an evaluator asks whether to go on."""


def always() -> bool:
    """Go on."""
    return True


@dataclass(frozen=True, eq=False)
class Evaluation:
    """For each genotype in order: its point `embeddings` (count, size), zeros for what was refused; `quality` (count,)
    0..1; and why it was refused, or None."""

    embeddings: Floats
    quality: Floats
    reasons: tuple[str | None, ...]

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        return np.array([reason is None for reason in self.reasons], bool)


@dataclass(frozen=True, eq=False)
class Heard:
    """A batch of `sounds` (count, samples), and what the gate says of them."""

    sounds: Floats
    judgement: Judgement


def joined(parts: list[Evaluation]) -> Evaluation:
    """Batches, in order, as one."""
    return Evaluation(
        np.concatenate([each.embeddings for each in parts]),
        np.concatenate([each.quality for each in parts]),
        tuple(reason for each in parts for reason in each.reasons),
    )


def batches(latents: Floats) -> list[Floats]:
    """`latents` (count, steps, latent_dim) in parts of at most BATCH, see SHARED_BY."""
    if len(latents) <= BATCH:
        return [latents] if len(latents) else []
    return np.array_split(latents, SHARED_BY * -(-len(latents) // (SHARED_BY * BATCH)))


class Evaluator(Protocol):
    """Evaluates broods. The same latents have the same evaluation, whoever makes it and whatever came before."""

    batches: int
    """Batches ever evaluated: grows while a brood is."""

    @property
    def size(self) -> int:
        """Numbers in one point."""
        ...

    def evaluate(self, latents: Floats, generation: int, go_on: GoOn = always) -> Evaluation | None:
        """`latents` (count, steps, latent_dim), one brood. `go_on` is called every now and then: when it says no, the
        brood is given up and there is None."""
        ...


class Local:
    """Evaluates here, on `threads` threads; `batches` counts those ever decoded. With `gate` off only what is no number
    is refused; `strayed_at_most` see `quality.limit`. More than one thread needs a `decode` that threads may share."""

    def __init__(
        self,
        decode: Decode,
        embedding: Embedding,
        space: Space,
        gate: bool = True,
        threads: int = 1,
        strayed_at_most: float = STRAYED,
    ) -> None:
        self.decode = decode
        self.embedding = embedding
        self.space = space
        self.gate = gate
        self.threads = threads
        self.strayed_at_most = strayed_at_most
        self.batches = 0
        self._pool: ThreadPoolExecutor | None = None

    @property
    def size(self) -> int:
        return self.embedding.size

    def evaluate(self, latents: Floats, generation: int = 0, go_on: GoOn = always) -> Evaluation | None:
        """See `Evaluator`."""
        parts = []
        for part in self._parts(batches(latents), go_on):
            if part is None:
                return None
            parts.append(part)
        return joined(parts)

    def hear(self, latents: Floats) -> Heard:
        """Decode and judge one batch of at most BATCH."""
        sounds = self.decode(latents)
        judged = judge(sounds, latents, self.space, self.strayed_at_most) if self.gate else only_finite(sounds)
        return Heard(sounds, judged)

    def place(self, heard: Heard) -> Evaluation:
        """Embed what passed."""
        sounds, judged = heard.sounds, heard.judgement
        accepted = judged.accepted
        embeddings = np.zeros((len(sounds), self.size), np.float32)
        if accepted.any():
            embeddings[accepted] = self.embedding.embed(sounds if accepted.all() else sounds[accepted])
        return Evaluation(embeddings, judged.quality.astype(np.float32), judged.reasons)

    def _parts(self, parts: list[Floats], go_on: GoOn) -> Iterator[Evaluation | None]:
        """Each batch's evaluation, in order; None, and an end, when `go_on` says no."""
        several = self.threads > 1 and len(parts) > 1
        for start in range(0, len(parts), HEARD_AT_ONCE):
            some = parts[start : start + HEARD_AT_ONCE]
            for found in self._together(some, go_on) if several else map(self._alone, some):
                self.batches += found is not None
                yield found
                if found is None or (not several and not go_on()):
                    yield None
                    return

    def _alone(self, part: Floats) -> Evaluation:
        return self.place(self.hear(part))

    def _together(self, parts: list[Floats], go_on: GoOn) -> Iterator[Evaluation | None]:
        """On all threads: first everything is decoded, then embedded, which leaves each its place in the caches."""
        pool = self._pool = self._pool or ThreadPoolExecutor(self.threads, "evaluation")
        heard = [pool.submit(self.hear, part) for part in parts]
        placed = [pool.submit(lambda each: self.place(each.result()), each) for each in heard]
        for future in placed:
            if not _done(future, go_on):
                everything: list[Future[Any]] = [*heard, *placed]
                for each in everything:
                    each.cancel()
                wait([each for each in placed if not each.cancelled()])
                yield None
                return
            yield future.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def __enter__(self) -> Local:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _done(future: Future[Evaluation], go_on: GoOn) -> bool:
    """Wait for it; whether to go on."""
    while not future.done():
        wait([future], PULSE_S)
        if not go_on():
            return False
    return go_on()
