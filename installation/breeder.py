"""The breeder's process: composition only. It opens model, decoder and store, breeds when it may, obeys commands within
one brood, and sends survivors to whoever started it."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from installation.commands import Play, Reset, Set, Trajectory
from installation.errors import InstallationError, StoreError
from installation.evolution.audition import Decode, audition
from installation.evolution.breeding import Breeder, always, calibrate, new_search, resume
from installation.evolution.embedding import EMBEDDINGS
from installation.evolution.genotype import Space
from installation.evolution.search import Search, Steering
from installation.evolution.store import Header, Store, UnfitStoreError, move_aside, open_store, read_header
from installation.link import PULSE_S, Link, follow_parent
from installation.model import MODELS, Model, digest, load
from installation.parameters import Values, declared
from installation.sound.decoder import Decoder, open_decoder

NICE = 10
"""How far the breeder stands back from voice and stage."""

GoOn = Callable[[], bool]


@dataclass(frozen=True)
class BreederSetup:
    """All a breeder needs to start; picklable. `model` is a name in the folder `models` or a path; without `store`
    nothing is kept; `values` are parameters by address, in their natural units."""

    model: str
    models: Path = MODELS
    device: str = "cpu"
    store: Path | None = None
    seed: int = 0
    container: int = 50
    brood: int = 30
    steps: int = 64
    init: str = "normal"
    archive: int = 1000
    embedding: str = "texture"
    values: dict[str, float] = field(default_factory=dict)


def steering(values: Values) -> Steering:
    """What the parameters say to the search."""
    return Steering(
        mutation_rate=values["/evolution/mutation_rate"],
        sigma=values["/evolution/sigma"],
        crossover=values["/evolution/crossover"],
        neighbours=int(values["/evolution/neighbours"]),
    )


def search_for(setup: BreederSetup, model: Model) -> Search:
    """The search `setup` describes, at its beginning."""
    return new_search(
        Space(model.mean, model.deviation),
        setup.steps,
        setup.container,
        setup.brood,
        setup.seed,
        init=setup.init,
        archive=setup.archive,
        excerpts=model.excerpts(),
        steering=steering(Values(declared(model.latent_dim), setup.values)),
    )


def offline(setup: BreederSetup, model: Model, decoder: Decoder) -> Breeder:
    """A breeder with no process, clock or store, its embedding calibrated: the same for the same seed."""
    return _fresh(setup, model, search_for(setup, model), audition(decoder), always)


def header_for(setup: BreederSetup, model: Model) -> Header:
    """What a store for `setup` must be made for; not calibrated."""
    return Header(model.name, digest(model.decoder), model.latent_dim, setup.steps, setup.embedding, setup.seed)


def _fresh(setup: BreederSetup, model: Model, search: Search, decode: Decode, go_on: GoOn) -> Breeder:
    """A breeder at its beginning, calibrated on its own model."""
    embedding = EMBEDDINGS[setup.embedding](model.sample_rate_hz, None)
    calibrate(embedding, decode, search.space, setup.steps, search.excerpts, setup.seed, go_on)
    return Breeder(search, decode, embedding)


class Shell:
    """The loop around a Breeder: commands in, heartbeats and survivors out."""

    def __init__(self, link: Link, setup: BreederSetup, now_s: Callable[[], float] = time.monotonic) -> None:
        self.link = link
        self.setup = setup
        self.now_s = now_s
        self.breeder: Breeder | None = None
        self.values = Values(declared(0), setup.values)
        self.turns = 0
        self._reset = False
        self._keeps = True
        self._replace = True
        self._next_s = 0.0
        self._said: str | None = None

    def run(self) -> None:
        """Open everything, breed until told to stop, close everything."""
        with ExitStack() as opened:
            self.breeder = self.open(opened)
            while not self.link.stopped:
                self.turn(self.breeder)

    def beat(self) -> bool:
        """Drain commands and pulse; whether to go on with what is being done."""
        for command in self.link.drain():
            self._obey(command)
        self.turns += 1
        progress = self.turns + (self.breeder.batches if self.breeder else 0)
        self.link.pulse(self.now_s(), progress, self._figures)
        return not (self.link.stopped or self._reset)

    def _obey(self, command: Any) -> None:
        if isinstance(command, Set) and command.address.startswith("/evolution/"):
            refusal = self.values.set(command.address, command.value)
            if refusal:
                self.link.say(refusal)
        elif isinstance(command, Reset):
            self._reset = True

    def _figures(self) -> dict[str, Any]:
        return self.breeder.figures() if self.breeder else {}

    def turn(self, breeder: Breeder) -> None:
        """One generation if it is time, or a rest of at most one heartbeat."""
        self.beat()
        if self._reset and not self.link.stopped:
            self._reset, self._replace, self._next_s = False, True, 0.0
            breeder.reset()
        now_s = self.now_s()
        founding = breeder.search.founding
        if not self.values["/evolution/running"] or (not founding and now_s < self._next_s):
            self.link.wait(PULSE_S if now_s >= self._next_s else min(PULSE_S, self._next_s - now_s))
        elif not self.link.stopped:
            breeder.steer(steering(self.values))
            self._send(breeder.generation(self.beat))
            self._next_s = now_s + self.values["/evolution/interval"]
            self._mention(breeder.store_fault)

    def _send(self, trajectories: tuple[Trajectory, ...]) -> None:
        """Give survivors to the player; the first since a start or reset replace what it knew."""
        if trajectories:
            self.link.send(Play(trajectories, self._replace))
            self._replace = False

    def _mention(self, fault: str | None) -> None:
        """Say a fault of the store when it begins, and when it is over."""
        if fault != self._said:
            self.link.say(fault or "the store is written again")
            self._said = fault

    def open(self, opened: ExitStack) -> Breeder:
        """Resume what the store holds, sending it before the decoder is even loaded; or begin anew."""
        model = load(self.setup.model, self.setup.models)
        self.values = Values(declared(model.latent_dim), self.setup.values)
        search = search_for(self.setup, model)
        store = self._resumed(model, search)
        self._send(search.trajectories())
        self.beat()
        decode = audition(open_decoder(model.decoder, self.setup.device))
        if store is not None:
            embedding = EMBEDDINGS[self.setup.embedding](model.sample_rate_hz, store.header.calibration)
            return Breeder(search, decode, embedding, opened.enter_context(store))
        breeder = _fresh(self.setup, model, search, decode, self.beat)
        breeder.store = self._founded(model, breeder, opened)
        return breeder

    def _resumed(self, model: Model, search: Search) -> Store | None:
        """The store, if there is one for this model, and `search` gone on from it. An unfit one is moved aside."""
        path = self.setup.store
        if path is None:
            return None
        try:
            if read_header(path) is None:
                return None
            store = open_store(path, header_for(self.setup, model))
            resume(search, store)
            return store
        except UnfitStoreError as error:
            self.link.say(f"{error}. Moved to {move_aside(path)}, beginning anew")
        except StoreError as error:
            self._unkept(error)
        return None

    def _founded(self, model: Model, breeder: Breeder, opened: ExitStack) -> Store | None:
        """A new store with the embedding's calibration, or none if the disk says no: the show goes on unkept."""
        if self.setup.store is None or not self._keeps or self.link.stopped:
            return None
        header = replace(header_for(self.setup, model), calibration=breeder.embedding.calibration)
        try:
            return opened.enter_context(open_store(self.setup.store, header))
        except StoreError as error:
            self._unkept(error)
            return None

    def _unkept(self, error: StoreError) -> None:
        """The disk says no: the show goes on, and says so."""
        self._keeps = False
        self.link.say(f"{error}. Nothing is kept of this run")


def main(connection: Connection, setup: BreederSetup) -> None:
    """The process. Ends when told to, or when its parent ends; a fault is said, and raised for the exit status."""
    follow_parent()
    os.nice(NICE)
    link = Link(connection, "breeder")
    try:
        Shell(link, setup).run()
    except InstallationError as error:
        link.say(str(error))
        raise SystemExit(1) from error
    except Exception:
        link.say(traceback.format_exc())
        raise
