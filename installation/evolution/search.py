"""Novelty search by ask and tell: a container of fixed size keeps the sparsest of itself and each brood.

After LVNS-RAVE (arXiv 2404.14063), but with the k *nearest* neighbours its text names, measured against container,
brood and archive; only children are evaluated, and embeddings are kept. No clock, no global chance, no sound: whoever
asks decodes and embeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.commands import Trajectory
from installation.evolution.archive import Archive
from installation.evolution.container import Container
from installation.evolution.credit import Credit
from installation.evolution.generation import Generation
from installation.evolution.genotype import INITS, Space, reflect
from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.lens import Lens
from installation.evolution.mating import Mating
from installation.evolution.operators import MUTATIONS
from installation.evolution.reach import reached
from installation.evolution.selection import SELECTIONS, Field
from installation.evolution.sparseness import sparseness
from installation.evolution.steering import Steering
from installation.evolution.wishes import Wishes

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

OUTSIDE = "input"
"""The operator of those that were not bred but heard."""
FOUNDING_TRIES = 4
"""Founders evaluated for each place in the container before the search breeds with those that were accepted."""
FOUNDERS_AT_ONCE = 8
"""Founders in one brood, at most: the first of them can be played while the others are evaluated."""
FEWEST = 2
"""Individuals a container must hold before it can breed."""
HISTORY = 1000
"""Generations whose mean sparseness is remembered for a diagnosis."""


@dataclass(frozen=True, eq=False)
class Brood:
    """What was asked and not yet told: `latents` (count, steps, latent_dim), and of each its identity, its parents'
    and the operator that made it."""

    latents: Floats
    identities: range
    parents: list[tuple[int, ...]]
    operators: list[str]


class Search:
    """The container and everything needed to go on. `generation` counts broods of children told; founders are of the
    generation that was current when they came, the first of 0."""

    def __init__(
        self,
        container_size: int,
        brood_size: int,
        rng: np.random.Generator,
        space: Space,
        steps: int,
        *,
        steering: Steering | None = None,
        archive: Archive | None = None,
        init: str = "normal",
        excerpts: Floats | None = None,
        founders_at_once: int = FOUNDERS_AT_ONCE,
        adapt: bool = False,
        lens: Lens | None = None,
    ) -> None:
        if container_size < FEWEST or brood_size < 1 or steps < 1:
            raise ValueError(
                f"search: container {container_size}, brood {brood_size}, steps {steps}: "
                f"allowed are {FEWEST}, 1 and 1 or more"
            )
        if init not in INITS:
            raise ValueError(f"search: init {init!r}: allowed are {', '.join(INITS)}")
        self.held = Container(container_size)
        self.brood_size = brood_size
        self.rng = rng
        self.space = space
        self.steps = steps
        self.steering = steering or Steering()
        self.archive = Archive(0) if archive is None else archive
        self.init = init
        self.excerpts = np.zeros((0, space.latent_dim), np.float32) if excerpts is None else excerpts
        self.founders_at_once = founders_at_once
        self.adapt = adapt
        self.lens = lens or Lens(0)
        self.generation = 0
        self.evaluations = 0
        self.newcomers: dict[int, Individual] = {}
        """Those that came into container or archive since whoever keeps the store last took them."""
        self.history: list[float] = []
        """Mean sparseness after each generation from the first container on, the last HISTORY of them."""
        self.wishes = Wishes()
        self.banished = 0
        """Children of the last brood that were too like one that must not come again."""
        self.credit = Credit(MUTATIONS)
        self.reach = 1.0
        self.asked: Brood | None = None
        self._born = 0
        self._next_identity = 1
        self._founded = False
        self._founders_left = FOUNDING_TRIES * container_size

    @property
    def founding(self) -> bool:
        """Whether the first container is still being filled."""
        return not self._founded or len(self.container) < FEWEST

    @property
    def container(self) -> list[Individual]:
        """Who lives, oldest first."""
        return self.held.individuals

    @property
    def container_size(self) -> int:
        return self.held.size

    @property
    def sparseness(self) -> list[float]:
        """Of each in the container, as of the last `tell`."""
        return self.held.sparseness

    @property
    def mean_sparseness(self) -> float:
        """Mean over the container; 0 while it is empty."""
        return self.held.mean_sparseness

    def trajectories(self) -> tuple[Trajectory, ...]:
        """The container as what a player plays, oldest first."""
        return self.held.trajectories()

    # Asking -----------------------------------------------------------------------------------------------------

    def ask(self) -> Floats:
        """The next brood to evaluate, (count, steps, latent_dim): founders until the container is full, then children.
        Asking again before telling gives another brood; the one before is forgotten."""
        self.asked = self._founders() if self.founding else self._children()
        self._next_identity += len(self.asked.latents)
        return self.asked.latents

    def receive(self, latents: Floats) -> Floats:
        """Genotypes from outside, (count, steps, latent_dim), as the next brood to evaluate, in the space's bounds."""
        count = len(latents)
        self.asked = self._brood(reflect(latents, self.space), [()] * count, [OUTSIDE] * count)
        self._next_identity += count
        return self.asked.latents

    def _founders(self) -> Brood:
        missing = max(1, self.container_size - len(self.container))
        count = min(self.founders_at_once, missing)
        latents = INITS[self.init](count, self.steps, self.space, self.excerpts, self.rng)
        return self._brood(latents, [()] * count, [""] * count)

    def _children(self) -> Brood:
        wishes, pool = self.wishes, [*self.container, *self.wishes.besides(self.container)]
        mating = Mating(pool, len(self.container), wishes.places(pool), wishes.share)
        bred = mating.breed(self.brood_size, self.steering, self.reach, self.credit, self.space, self.rng)
        return self._brood(bred.latents, bred.parents, bred.operators)

    def _brood(self, latents: Floats, parents: list[tuple[int, ...]], operators: list[str]) -> Brood:
        identities = range(self._next_identity, self._next_identity + len(latents))
        return Brood(latents, identities, parents, operators)

    # Telling ----------------------------------------------------------------------------------------------------

    def tell(
        self, embeddings: Floats, accepted: Bools, quality: npt.NDArray[np.floating] | None = None
    ) -> tuple[Trajectory, ...]:
        """Give the embeddings (count, size) of what was asked, in its order, which of them passed the quality gate
        (count,), and how good they are (count,), 1 without. Keeps the best by the steering's selection; returns those
        of the brood that came into the container."""
        if self.asked is None or len(embeddings) != len(self.asked.latents) or len(accepted) != len(embeddings):
            count = 0 if self.asked is None else len(self.asked.latents)
            raise ValueError(f"search: told {len(embeddings)} embeddings, {len(accepted)} accepted, asked for {count}")
        asked, founders = self.asked, self.founding
        self.asked = None
        self.evaluations += len(embeddings)
        self.generation += not founders
        self._founders_left -= len(embeddings) if founders else 0
        points = np.asarray(embeddings, np.float32)
        banned = self.wishes.refuse(points)
        self.banished = int((accepted & banned).sum())
        brood = self._individuals(asked, points, accepted & ~banned, quality)
        brood = self._select(brood)
        full = len(self.container) >= self.container_size
        self._founded = self._founded or full or (self._founders_left <= 0 and len(self.container) >= FEWEST)
        born = {each.identity for each in self.container}
        children = {each.identity for each in brood}
        self._born = len(children & born)
        if not founders:
            self._learn(asked, born)
        self._remember(brood, born)
        return tuple(each for each in self.trajectories() if each.identity in children)

    def _individuals(
        self, asked: Brood, points: Floats, accepted: Bools, quality: npt.NDArray[np.floating] | None
    ) -> list[Individual]:
        """The accepted of `asked`, their sparseness not known yet."""
        return [
            Individual(
                identity=asked.identities[row],
                generation=self.generation,
                parents=asked.parents[row],
                latents=asked.latents[row].copy(),
                embedding=points[row].copy(),
                sparseness=0.0,
                operator=asked.operators[row],
                quality=1.0 if quality is None else float(quality[row]),
            )
            for row in np.flatnonzero(accepted)
        ]

    def _select(self, brood: list[Individual]) -> list[Individual]:
        """Make the best of container and `brood` the container; the brood with its sparseness."""
        candidates = self.container + brood
        if not candidates:
            return brood
        field = self._field(candidates)
        ranking = SELECTIONS[self.steering.selection](field)
        held = len(self.container)
        brood = [
            replace(each, sparseness=float(found)) for each, found in zip(brood, ranking.novelty[held:], strict=True)
        ]
        candidates[held:] = brood
        pinned = np.array([each.identity in self.wishes.pinned for each in candidates])
        order = np.lexsort((-ranking.score, ~pinned))
        kept = np.sort(order[: self.container_size])
        self.held.hold([candidates[place] for place in kept], ranking.novelty[kept])
        return brood

    def _field(self, candidates: list[Individual]) -> Field:
        """Everyone who is to be ranked, seen through the lens."""
        turn = self.steering
        points = embeddings_of(candidates, len(candidates[0].embedding))
        known = [each.identity for each in candidates]
        neighbours = max(1, turn.neighbours)
        quality = np.array([each.quality for each in candidates])
        seen = self.lens.see(points)
        remembered = self.lens.remembered(self.archive, seen, neighbours, known)
        return Field(seen, quality, remembered, neighbours, turn.quality)

    def _learn(self, asked: Brood, born: set[int]) -> None:
        """Settle the operators' account, and let sigma follow the children's success."""
        came = [identity in born for identity in asked.identities]
        self.credit.settle(asked.operators, came)
        if self.adapt:
            self.reach = reached(self.reach, came)

    def _remember(self, brood: list[Individual], born: set[int]) -> None:
        """Archive, wishes, newcomers, history: what follows a generation."""
        archived = {each.identity for each in self.archive.consider(brood)}
        self.newcomers |= {each.identity: each for each in brood if each.identity in born | archived}
        if self.founding:
            return
        if self.lens.refit(self.generation, self.container, self.archive):
            ranking = SELECTIONS[self.steering.selection](self._field(self.container))
            self.held.hold(self.container, ranking.novelty)
        self.archive.start(self.mean_sparseness)
        self.wishes.pass_on()
        self.history = [*self.history, self.mean_sparseness][-HISTORY:]

    def record(self) -> Generation:
        """How the last generation ended."""
        held = np.array(self.sparseness or [0.0])
        return Generation(
            number=self.generation,
            evaluations=self.evaluations,
            mean=self.mean_sparseness,
            deviation=float(held.std()),
            lowest=float(held.min()),
            highest=float(held.max()),
            born=self._born,
            archived=len(self.archive),
            threshold=self.archive.threshold,
            reach=self.reach,
            credit=self.credit.shares(),
        )

    # People ------------------------------------------------------------------------------------------------------

    def living(self, identity: int) -> Individual:
        """Who lives in the container under `identity`, or is wanted more of; KeyError for anyone else."""
        for each in (*self.container, *self.wishes.favoured):
            if each.identity == identity:
                return each
        raise KeyError(identity)

    def banish(self, individual: Individual) -> None:
        """Never again: out of the container, and nothing as near to it as half the usual distance may come."""
        self.wishes.banish(individual, 0.5 * self.mean_sparseness)
        self.held.drop(lambda each: each.identity == individual.identity)

    def recall(self, individual: Individual) -> None:
        """Let one that lived live again; the least sparse that isn't pinned makes room for it."""
        if any(each.identity == individual.identity for each in self.container):
            return
        self.held.insert(individual, self.wishes.pinned)
        self.newcomers.setdefault(individual.identity, individual)

    def hear_again(self, container: list[Individual], favoured: list[Individual], banished: dict[int, Floats]) -> None:
        """Points are of another embedding from now on: those of the `container`, who may be fewer than before, of the
        `favoured`, and of the `banished` by identity. The archive is emptied, its threshold found anew."""
        self.archive.clear()
        self.archive.threshold = None
        self.lens.restore(None)
        points = embeddings_of(container, len(container[0].embedding)) if container else np.zeros((0, 1), np.float32)
        self.held.hold(container, sparseness(points, max(1, self.steering.neighbours)))
        self.newcomers |= {each.identity: each for each in (*favoured, *container)}
        self.wishes.hear_again(favoured, banished, 0.5 * self.mean_sparseness)

    def reset(self) -> None:
        """Forget the container, but for those that are pinned, and found anew; the archive, the counts and the
        generator go on, so that what comes is not what was."""
        self.held.drop(lambda each: each.identity not in self.wishes.pinned)
        self.asked = None
        self._founded = False
        self._founders_left = FOUNDING_TRIES * self.container_size

    # Going on ----------------------------------------------------------------------------------------------------

    def let_wait(self, most: int) -> None:
        """The newcomers could not be written: beyond `most` of them, give up the oldest that live and are remembered no
        more."""
        if len(self.newcomers) > most:
            needed = {each.identity for each in self.container} | set(self.archive.identities)
            extra = [each for each in self.newcomers if each not in needed][: len(self.newcomers) - most]
            for identity in extra:
                del self.newcomers[identity]

    def settled(self) -> None:
        """Whoever keeps the store has written the newcomers and the archive's changes."""
        self.newcomers.clear()
        self.archive.came.clear()
        self.archive.went.clear()

    def state(self) -> dict[str, Any]:
        """All that isn't in the individuals, fit for JSON; taken between `tell` and `ask`, it continues bit for bit."""
        return {
            "generator": self.rng.bit_generator.state,
            "generation": self.generation,
            "evaluations": self.evaluations,
            "next_identity": self._next_identity,
            "founded": self._founded,
            "founders_left": self._founders_left,
            "sparseness": list(self.sparseness),
            "threshold": self.archive.threshold,
            "quiet": self.archive.quiet,
            "credit": self.credit.state(),
            "reach": self.reach,
            "lens": self.lens.state(),
            "wishes": self.wishes.state(),
        }

    def restore(
        self,
        state: dict[str, Any],
        container: Iterable[Individual],
        archive: dict[int, Floats],
        wished: Iterable[Individual] = (),
        history: Iterable[float] = (),
    ) -> None:
        """Go on from a `state` and those that lived with it, in any order: the `archive` as points by identity, and as
        many as can be found of those that wishes speak of."""
        self.rng.bit_generator.state = state["generator"]
        self.generation, self.evaluations = state["generation"], state["evaluations"]
        self._next_identity = state["next_identity"]
        self._founded, self._founders_left = state["founded"], state["founders_left"]
        self.held.hold(sorted(container, key=_identity), state["sparseness"])
        held = sorted(archive)
        self.archive.restore(np.array(held, np.int64), np.array([archive[each] for each in held], np.float32))
        self.archive.threshold, self.archive.quiet = state["threshold"], state["quiet"]
        self.credit.restore(state["credit"])
        self.reach = state["reach"]
        self.lens.restore(state["lens"])
        self.wishes = Wishes.of(state["wishes"], wished)
        self.history = list(history)[-HISTORY:]
        self.settled()
        self.asked = None


def _identity(individual: Individual) -> int:
    return individual.identity
