"""Breeding, offline or live: ask, evaluate, tell, store. No process, no clock: `evolve`, `render`, tests and the
breeder process run this same class."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.commands import Atlas, Trajectory
from installation.errors import StoreError
from installation.evolution.archive import Archive
from installation.evolution.atlas import ON_THE_MAP, Survey
from installation.evolution.audition import Decode
from installation.evolution.container import trajectory
from installation.evolution.diagnosis import Diagnosis, diagnose
from installation.evolution.embedding import Embedding
from installation.evolution.evaluation import Evaluator, GoOn, always, batches
from installation.evolution.genotype import INITS, Space
from installation.evolution.individual import Individual
from installation.evolution.kept import Change
from installation.evolution.lens import Lens
from installation.evolution.memory import Memory
from installation.evolution.quality import REASONS, judge
from installation.evolution.search import FOUNDERS_AT_ONCE, Search
from installation.evolution.settings import Settings
from installation.evolution.steering import Steering
from installation.evolution.store import Store

Floats = npt.NDArray[np.float32]

CALIBRATION_SOUNDS = 32
"""Sounds a new embedding is calibrated on: half drawn from N(0, 1), half from the model's excerpts."""
WAITING = 20_000
"""Newcomers that wait for a store that can't be written, at most: those that live no more are given up first."""
STEADY = 10
"""Generations a diagnosis must hold before it takes the place of the one before."""
BANISHED = "banished"
"""Why a child was refused that is too like one a person never wants again."""


class Breeder:
    """One search with the ears it needs. `rejected` counts clips by reason; `store_fault` says why the last generation
    isn't in the store, if it isn't; `embedded` is the number the store has for the embedding points are of."""

    def __init__(self, search: Search, evaluator: Evaluator, store: Store | None = None, embedded: int = 1) -> None:
        self.search = search
        self.evaluator = evaluator
        self.store = store
        self.embedded = embedded
        self.rejected: Counter[str] = Counter(dict.fromkeys((*REASONS, BANISHED), 0))
        self.store_fault: str | None = None
        self._rejected_now: Counter[str] = Counter()
        self.survey = Survey()
        self._found = Diagnosis("", "")
        self._suspected = 0
        self._to_name: tuple[str, dict[str, Any]] | None = None
        """The embedding points are of, as long as the store has no number for it."""
        held = store.state() if store else None
        if store is not None and held is not None:
            self._go_on(held)
            self.survey.meet(store.remembered(ON_THE_MAP))

    def steer(self, steering: Steering) -> None:
        """Heard from the next brood on."""
        self.search.steering = steering

    def generation(self, go_on: GoOn = always) -> tuple[Trajectory, ...]:
        """Evaluate one brood and keep it; those that came into the container. `go_on` is called now and then: when it
        says no, the brood is given up and nothing changes but the generator."""
        return self._bred(self.search.ask(), go_on)

    def receive(self, phrases: Floats, go_on: GoOn = always) -> tuple[Trajectory, ...]:
        """What was heard from outside, (count, steps, latent_dim), told to the search as if it were a brood of its own;
        those that came into the container."""
        return self._bred(self.search.receive(phrases), go_on)

    def _bred(self, latents: Floats, go_on: GoOn) -> tuple[Trajectory, ...]:
        evaluated = self.evaluator.evaluate(latents, self.search.generation + 1, go_on)
        if evaluated is None:
            return ()
        founding = self.search.founding
        survivors = self.search.tell(evaluated.embeddings, evaluated.accepted, evaluated.quality)
        refused = Counter(reason for reason in evaluated.reasons if reason)
        refused[BANISHED] += self.search.banished
        self.rejected.update(refused)
        self._rejected_now = self._rejected_now + refused if founding else +refused
        if not self.search.founding:
            self._examine()
        self.keep()
        if founding and not self.search.founding:
            self._rejected_now = Counter()
        return survivors

    def keep(self) -> None:
        """Write the search as it is now to the store, if there is one. A full disk doesn't end the show: the search
        goes on, and the next generation that can be written brings what this one lacked."""
        self.survey.meet(self.search.newcomers.values())
        if self.store is None:
            self.search.settled()
            return
        search, archive = self.search, self.search.archive
        change = Change(
            state=search.state() | self._state(),
            container=[each.identity for each in search.container],
            came=archive.came,
            went=archive.went,
            newcomers=search.newcomers,
            generation=search.record(),
            rejected=self._rejected_now,
            embedded=self.embedded,
        )
        try:
            if self._to_name is not None:
                self.embedded = self.store.embed_anew(*self._to_name)
                self._to_name = None
            self.store.save(replace(change, embedded=self.embedded))
            search.settled()
            self.store_fault = None
        except StoreError as error:
            self.store_fault = str(error)
            search.let_wait(WAITING)

    def _state(self) -> dict[str, Any]:
        """What a breeder adds to the search's state."""
        return {
            "rejected": dict(self._rejected_now),
            "rejected_in_all": dict(self.rejected),
            "diagnosis": [self._found.name, self._found.sentence, self._suspected],
        }

    def _go_on(self, state: dict[str, Any]) -> None:
        """From what was added to the state."""
        if self.search.founding:
            self._rejected_now.update(state["rejected"])
        self.rejected.update(state["rejected_in_all"])
        name, sentence, self._suspected = state["diagnosis"]
        self._found = Diagnosis(name, sentence)

    # People -------------------------------------------------------------------------------------------------------

    def favour(self, identity: int) -> tuple[Trajectory, ...]:
        """More like this, for some generations; itself to be played. KeyError if it never lived."""
        found = self._lived(identity)
        self.search.wishes.favour(found)
        self.keep()
        return (trajectory(found, found.sparseness),)

    def banish(self, identity: int) -> tuple[Trajectory, ...]:
        """Never again: it leaves the container, and children too like it are refused. KeyError if it never lived."""
        self.search.banish(self._lived(identity))
        self.keep()
        return ()

    def pin(self, identity: int) -> tuple[Trajectory, ...]:
        """Selection and reset may not drop it; one that lives no more lives again. KeyError if it never lived,
        ValueError if too many are pinned."""
        found = self._lived(identity)
        self.search.wishes.pin(identity, self.search.container_size)
        return self._live(found)

    def unpin(self, identity: int) -> tuple[Trajectory, ...]:
        """Selection may drop it again. KeyError if it is not pinned."""
        self.search.wishes.pinned.remove(identity)
        self.keep()
        return ()

    def recall(self, identity: int) -> tuple[Trajectory, ...]:
        """From the store into the container; itself to be played. KeyError if it never lived, ValueError if there is no
        place for it."""
        return self._live(self._lived(identity))

    def _live(self, individual: Individual) -> tuple[Trajectory, ...]:
        self.search.recall(individual)
        self.keep()
        return (trajectory(individual, individual.sparseness),)

    def _lived(self, identity: int) -> Individual:
        try:
            return self.search.living(identity)
        except KeyError:
            found = self.store.individual(identity) if self.store else None
            if found is None:
                raise
            heard = self._heard([found])
            if not heard:
                raise ValueError(f"{identity} is refused by the gate now") from None
            return heard[0]

    def _heard(self, individuals: list[Individual]) -> list[Individual]:
        """`individuals` with their points as the evaluator finds them now, for they may be of another embedding; those
        it refuses are left out."""
        if not individuals:
            return []
        latents = np.stack([each.latents for each in individuals])
        found = self.evaluator.evaluate(latents, self.search.generation, always)
        if found is None:
            return []
        return [replace(individuals[row], embedding=found.embeddings[row]) for row in np.flatnonzero(found.accepted)]

    def forget(self) -> tuple[Trajectory, ...]:
        """Empty the archive: what was left may be found again. The store keeps what was."""
        self.search.archive.clear()
        self.keep()
        return ()

    def reset(self) -> None:
        """Forget the container and breed anew; the archive and the store keep what was."""
        self.search.reset()
        self.keep()

    def switch(self, evaluator: Evaluator, name: str, calibration: dict[str, Any]) -> None:
        """Measure novelty on another embedding from now on: the container is heard again, the archive forgotten, for
        its points are of the one before, and what is refused now leaves."""
        self.evaluator = evaluator
        banished = self._heard(self.search.wishes.banished)
        self.search.hear_again(
            self._heard(self.search.container),
            self._heard(self.search.wishes.favoured),
            {each.identity: each.embedding for each in banished},
        )
        self._to_name = (name, calibration)
        self.keep()

    def atlas(self) -> Atlas:
        """The map of what the search knows now; no chance of the search's goes into it."""
        return self.survey.atlas(self.search)

    def figures(self) -> dict[str, Any]:
        """The search's part of the run's report."""
        return {
            "generations": self.search.generation,
            "evaluations": self.search.evaluations,
            "mean_sparseness": self.search.mean_sparseness,
            "container": len(self.search.container),
            "archive": len(self.search.archive),
            "rejected": dict(self.rejected),
            "diagnosis": self._found.name,
            "diagnosis_sentence": self._found.sentence,
            "operators": {name: round(share, 3) for name, share in self.search.credit.shares().items()},
            "pinned": sorted(self.search.wishes.pinned),
        }

    def _examine(self) -> None:
        """What is the matter with the search, by the paper's names (see `diagnosis`). Another name must hold for
        STEADY generations before it is said: near a threshold names come and go."""
        rejected = sum(self._rejected_now.values()) / max(1, self.search.brood_size)
        held = self.search.container
        quality = float(np.mean([each.quality for each in held])) if held else 1.0
        found = diagnose(self.search.history, min(1.0, rejected), quality)
        self._suspected = 0 if found.name == self._found.name else self._suspected + 1
        if self._suspected == 0 or self._suspected >= STEADY:
            self._found, self._suspected = found, 0


def resume(search: Search, store: Store) -> bool:
    """Let `search` go on where `store` stopped; False if that holds nothing yet."""
    state = store.state()
    if state is None:
        return False
    wishes = state["wishes"]
    wanted = {identity: store.individual(identity) for identity, *_ in (*wishes["favoured"], *wishes["banished"])}
    past = [each.generation for each in store.generations()]
    history = [each.mean for each in past if state["founded"] or each.number < state["generation"]]
    found = [each for each in wanted.values() if each is not None]
    search.restore(state, store.container(), store.archive(), found, history)
    return True


def calibrate(
    embedding: Embedding, decode: Decode, space: Space, steps: int, excerpts: Floats, seed: int, go_on: GoOn = always
) -> None:
    """Fit `embedding` to what this model sounds like, the same for the same seed. Sounds the gate refuses are left out;
    if all are, the embedding stays as it was."""
    sounds = []
    for clips in batches(prior(CALIBRATION_SOUNDS, space, steps, excerpts, seed)):
        heard = decode(clips)
        sounds.append(heard[judge(heard, clips, space).accepted])
        if not go_on():
            return
    if sum(map(len, sounds)):
        embedding.calibrate(np.concatenate(sounds))


def prior(count: int, space: Space, steps: int, excerpts: Floats, seed: int) -> Floats:
    """Genotypes as the model itself is: half drawn from N(0, 1), half from its `excerpts`. (count, steps, latent_dim),
    the same for the same seed."""
    rng = np.random.default_rng([seed, 1])
    shares = {"normal": count // 2, "dataset": count - count // 2}
    return np.concatenate([INITS[name](share, steps, space, excerpts, rng) for name, share in shares.items()])


def new_search(
    space: Space,
    settings: Settings,
    *,
    excerpts: Floats | None = None,
    steering: Steering | None = None,
    founders_at_once: int = FOUNDERS_AT_ONCE,
    memory: Memory | None = None,
) -> Search:
    """A search at its beginning, its chance from the settings' seed alone; the archive in `memory`, or in this
    process's."""
    return Search(
        settings.container,
        settings.brood,
        np.random.Generator(np.random.PCG64(settings.seed)),
        space,
        settings.steps,
        steering=steering or steering_of(settings),
        archive=Archive(settings.archive, memory),
        init=settings.init,
        excerpts=excerpts,
        founders_at_once=founders_at_once,
        adapt=settings.adapt,
        lens=Lens(settings.components, settings.refit),
    )


def steering_of(settings: Settings) -> Steering:
    """What nobody turns: a run as its settings say, with two parents a child unless there is no crossover."""
    return Steering(
        mutation_rate=settings.rate,
        sigma=settings.sigma,
        crossover=0.0 if settings.crossover == "none" else 1.0,
        neighbours=settings.neighbours,
        operator=settings.mutation,
        recombination=settings.crossover,
        selection=settings.selection,
    )
