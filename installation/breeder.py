"""The breeder's process: composition only. It opens model, decoder and store, breeds when it may, obeys commands within
one brood, and sends survivors to whoever started it."""

from __future__ import annotations

import math
import os
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.breeder_setup import EMBEDDING, BreederSetup, search_for, steering
from installation.commands import (
    Atlas,
    Forget,
    Listened,
    More,
    Never,
    Pin,
    Play,
    Reset,
    Revive,
    Set,
    Strain,
    Trajectory,
    Unpin,
    Wish,
)
from installation.errors import InstallationError, ModelError, StoreError
from installation.evolution.audition import Decode
from installation.evolution.breeding import Breeder
from installation.evolution.budget import Budget
from installation.evolution.embedding import Embedding
from installation.evolution.granting import grant, named
from installation.evolution.search import Search
from installation.evolution.store import Store
from installation.instrument import Instrument, open_instrument
from installation.keeping import Keeping
from installation.link import PULSE_S, Link, follow_parent
from installation.model import load
from installation.parameters import EMBEDDINGS, Values, declared
from installation.urgency import take_slice

Floats = npt.NDArray[np.float32]

PHRASES = 8
"""Phrases of the input that wait for the search, at the most: the newest."""
NICE = 10
"""How far the breeder stands back from voice and stage."""
SLICE_S = 0.02
"""It computes for long and hurries nobody."""


class Shell:
    """The loop around a Breeder: commands in, heartbeats and survivors out."""

    def __init__(self, link: Link, setup: BreederSetup, now_s: Callable[[], float] = time.monotonic) -> None:
        self.link = link
        self.setup = setup
        self.now_s = now_s
        self.breeder: Breeder | None = None
        self.instrument: Instrument | None = None
        self.values = Values(declared(0), setup.values)
        self.turns = 0
        self.budget = Budget(math.inf, now_s())
        self._evaluated = 0
        self._wishes: list[Wish | Forget] = []
        self._phrases: list[Floats] = []
        self._hears = ""
        self._reset = False
        self._map_before: Atlas | None = None
        self._mapped: tuple[int, ...] = ()
        self._keeping = Keeping(setup, link.say)
        self._replace = True
        self._next_s = 0.0

    def run(self) -> None:
        """Open everything, breed until told to stop, close everything."""
        with ExitStack() as opened:
            self.breeder = self.open(opened)
            while not self.link.stopped:
                self.turn(self.breeder)
            self._pulse(at_once=True)

    def beat(self) -> bool:
        """Drain commands and pulse; whether to go on with what is being done."""
        for command in self.link.drain():
            self._obey(command)
        self._pulse()
        return not (self.link.stopped or self._reset)

    def _pulse(self, at_once: bool = False) -> None:
        """A sign of life; at once when it is the last, for the report."""
        self.turns += 1
        progress = self.turns + (self.breeder.evaluator.batches if self.breeder else 0)
        self.link.pulse(self.now_s(), progress, self._figures, at_once)

    def _obey(self, command: Any) -> None:
        match command:
            case Set(address, value) if address in self.values.parameters:
                refusal = self.values.set(address, value)
                if refusal:
                    self.link.say(refusal)
                self._allow()
            case Reset():
                self._reset = True
            case Listened(phrases):
                self._phrases = [*self._phrases, *phrases][-PHRASES:]
            case Strain(decode_ms, step_ms):
                self.budget.hear(decode_ms, step_ms, self.now_s())
            case Atlas():
                self._map_before = command
            case More() | Never() | Pin() | Unpin() | Revive() | Forget():
                self._wishes.append(command)

    def _figures(self) -> dict[str, Any]:
        return self.breeder.figures() | self.budget.figures(self.now_s()) if self.breeder else {}

    def _allow(self) -> None:
        """The budget is what its parameter says; all the way up it is no limit."""
        address = "/evolution/budget"
        limit = self.values[address]
        unlimited = limit >= self.values.parameters[address].maximum
        self.budget.allow(math.inf if unlimited else limit, self.now_s())

    def _alive(self) -> bool:
        """Beat; whether to go on with what a reset does not concern."""
        self.beat()
        return not self.link.stopped

    def _counted(self, decode: Decode) -> Decode:
        """`decode`, with a heartbeat before each batch, and what it decodes counted against the budget."""

        def counted(latents: Floats) -> Floats:
            self.beat()
            self._evaluated += len(latents)
            return decode(latents)

        return counted

    def _owed_s(self) -> float:
        """How long the next batch must wait."""
        now_s = self.now_s()
        self.budget.spend(self._evaluated, now_s)
        self._evaluated = 0
        return self.budget.wait_s(now_s)

    def _go_on(self) -> bool:
        """Between two batches: wait as long as the budget says, hearing commands; whether to go on with the brood."""
        while self.beat():
            self._grant()
            wait_s = self._owed_s()
            if wait_s <= 0.0:
                return True
            self.link.wait(min(PULSE_S, wait_s))
        return False

    def turn(self, breeder: Breeder) -> None:
        """One generation if it is time, or a rest of at most one heartbeat."""
        self.beat()
        if self._reset and not self.link.stopped:
            self._reset, self._replace, self._next_s = False, True, 0.0
            breeder.reset()
        self._grant()
        self._rehear(breeder)
        self._receive(breeder)
        self._map(breeder)
        now_s = self.now_s()
        rest_s = self._rest_s(breeder, now_s)
        if rest_s > 0.0:
            self.link.wait(min(PULSE_S, rest_s))
        elif not self.link.stopped:
            breeder.steer(steering(self.values))
            self._send(breeder.generation(self._go_on))
            self._next_s = now_s + self.values["/evolution/interval"]
            self._keeping.mention(breeder.store_fault)

    def _map(self, breeder: Breeder) -> None:
        """Between two broods: send the map, if it may have changed. It goes on from the one a breeder before this one
        sent."""
        search = breeder.search
        now = (search.evaluations, len(search.archive), *(each.identity for each in search.container))
        if self.setup.part != 1 or self.link.stopped or now == self._mapped:
            return
        if self._map_before is not None:
            breeder.survey.hold(self._map_before)
            self._map_before = None
        self.link.send(breeder.atlas())
        self._mapped = now

    def _rest_s(self, breeder: Breeder, now_s: float) -> float:
        """How long until the next brood, as it looks now: founders come at once, if the budget allows."""
        if not self.values["/evolution/running"]:
            return PULSE_S
        interval_s = 0.0 if breeder.search.founding else self._next_s - now_s
        return max(interval_s, self._owed_s())

    def _grant(self) -> None:
        """Carry out what people wanted since, and play what comes of it."""
        while self.breeder and self._wishes:
            wish = self._wishes.pop(0)
            try:
                played = grant(self.breeder, wish)
            except KeyError:
                self.link.say(f"{named(wish)}: the search knows none such")
            except (ValueError, StoreError) as error:
                self.link.say(f"{named(wish)}: {error}")
            else:
                if played:
                    if self._replace:
                        self._send(self.breeder.search.trajectories())
                    self.link.send(Play(played, first=True, part=self.setup.part))
                self._keeping.mention(self.breeder.store_fault)

    def _receive(self, breeder: Breeder) -> None:
        """Let what the input played live, if it is novel enough, and play what came of it."""
        fit = [each for each in self._phrases if each.shape == (self.setup.steps, breeder.search.space.latent_dim)]
        self._phrases.clear()
        if fit and not breeder.search.founding and not self.link.stopped:
            born = breeder.receive(np.stack(fit), self._go_on)
            self._send(born)
            self.link.say(f"{len(fit)} phrases of the input were heard, {len(born)} of them live")

    def _rehear(self, breeder: Breeder) -> None:
        """Measure novelty on another embedding, if one is wanted; if it can't be had, turn its parameter back."""
        name = self.values.name(EMBEDDING)
        if self.instrument is None or name == self._hears or self.link.stopped:
            return
        try:
            embedding = self.instrument.calibrated(name, self.setup.steps, self.setup.seed, self._alive)
        except InstallationError as error:
            self._unheard(name, error)
            return
        if not self.link.stopped:
            breeder.switch(self.instrument.evaluator(embedding), name, embedding.calibration)
            self._hears = name
            self.link.say(f"novelty is measured on {name} now")

    def _unheard(self, name: str, error: InstallationError) -> None:
        """The embedding `name` can't be had: say so, and turn the parameter back, here and for everyone, unless
        another is wanted meanwhile."""
        self.link.say(f"{error}. Novelty is measured on {self._hears}, not on {name}")
        self.beat()
        if self.values.name(EMBEDDING) != name:
            return
        held = self.values.parameters[EMBEDDING].named(self._hears) or 0.0
        self.values.set(EMBEDDING, held)
        self.link.send(Set(EMBEDDING, held))

    def _send(self, trajectories: tuple[Trajectory, ...]) -> None:
        """Give survivors to the player; the first since a start or reset replace what it knew, with all that live, so
        that those are among them that were pinned."""
        if trajectories and self._replace and self.breeder is not None:
            trajectories = self.breeder.search.trajectories()
        if trajectories:
            self.link.send(Play(trajectories, self._replace, part=self.setup.part))
            self._replace = False

    def open(self, opened: ExitStack) -> Breeder:
        """Resume what the store holds, sending it before the decoder is even loaded; or begin anew."""
        model = load(self.setup.model, self.setup.models)
        self.values = Values(declared(model.latent_dim), self.setup.values)
        self._allow()
        search = search_for(self.setup, model)
        store = self._keeping.resumed(model, search)
        self._send(search.trajectories())
        self.beat()
        instrument = open_instrument(self.setup.model, self.setup.device, 1, self.setup.models)
        self.instrument = instrument = replace(instrument, decode=self._counted(instrument.decode))
        if store is not None:
            opened.enter_context(store)
            return self._gone_on(search, instrument, store)
        embedding = self._first_embedding(instrument)
        founded = None if self.link.stopped else self._keeping.founded(model, embedding)
        if founded is not None:
            opened.enter_context(founded)
        return Breeder(search, instrument.evaluator(embedding), founded)

    def _gone_on(self, search: Search, instrument: Instrument, store: Store) -> Breeder:
        """The breeder of a store, by the embedding its points are of; if that can't be had any more, by another."""
        held = store.embedded()
        self._hears = held.name
        try:
            embedding = instrument.embedding(held.name, held.calibration)
            return Breeder(search, instrument.evaluator(embedding), store, held.number)
        except ModelError as error:
            self.link.say(str(error))
        embedding = self._first_embedding(instrument)
        evaluator = instrument.evaluator(embedding)
        breeder = Breeder(search, evaluator, store, held.number)
        breeder.switch(evaluator, embedding.name, embedding.calibration)
        return breeder

    def _first_embedding(self, instrument: Instrument) -> Embedding:
        """The embedding that is wanted, or if it can't be had the one that needs nothing."""
        steps, seed, self._hears = self.setup.steps, self.setup.seed, self.setup.embedding
        try:
            return instrument.calibrated(self._hears, steps, seed, self._alive)
        except ModelError as error:
            wanted, self._hears = self._hears, EMBEDDINGS[0]
            self._unheard(wanted, error)
            return instrument.calibrated(self._hears, steps, seed, self._alive)


def main(connection: Connection, setup: BreederSetup) -> None:
    """The process. Ends when told to, or when its parent ends; a fault is said, and raised for the exit status."""
    follow_parent()
    os.nice(NICE)
    take_slice(SLICE_S)
    link = Link(connection, "breeder" if setup.part == 1 else f"breeder {setup.part}")
    try:
        Shell(link, setup).run()
    except InstallationError as error:
        link.say(str(error))
        raise SystemExit(1) from error
    except Exception:
        link.say(traceback.format_exc())
        raise
