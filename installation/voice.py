"""The voice: the process that owns the ring, the decoders and the card. Composition only.

Dies of a dead sound server on purpose: PortAudio's own close hangs then, and nothing in-process heals it. The conductor
starts another, which opens the card by name, or a null clock until the card is back. Models come and go while it plays:
each is loaded beside the sound, and changes places with the one before across a fade.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from installation.commands import Listened, Stop
from installation.errors import CardError, InstallationError
from installation.incoming import Incoming, InputSetup
from installation.link import Link, follow_parent
from installation.loading import Loading, bring_encoder
from installation.model import load
from installation.part import PartSetup
from installation.performance import Arrange, Performance
from installation.probe import Probe
from installation.ring import Ring
from installation.sound import card as cards
from installation.sound.decoder import file_for, open_decoder
from installation.sound.line import find_line
from installation.sound.taker import RemoteCard, find_remote
from installation.track import Track
from installation.urgency import come_before

DEAD_CARD_S = 1.0
"""A card that did not come for so long is dead."""
NICE = -10
"""How far the voice stands before the others, where the system allows it."""
TURN_S = 0.004
"""How long the voice sleeps between two looks at the ring, unless a command comes."""
SETTLE_S = 4.0
"""A card just opened may take so long to come regularly: a sleeping PulseAudio sink wakes in 1 to 2 s."""
CARD_DIED = 75
"""Exit code of a voice whose card no longer comes (EX_TEMPFAIL)."""
CARD_FOUND = 76
"""Exit code of a voice on the null clock whose card is back."""


@dataclass(frozen=True)
class VoiceSetup:
    """What a voice is started with."""

    ring: str
    track: str
    parts: tuple[PartSetup, ...]
    ahead_ms: float
    device: str | None
    input: InputSetup | None
    values: dict[str, float]
    started_s: float
    suspect: bool = False
    """Whether the card made trouble: then the null clock first, and the card when a probe has played on it."""


def main(connection: Connection, setup: VoiceSetup) -> None:
    """The voice's process; a fault of the model is said, and raised for the exit status."""
    follow_parent()
    sys.setswitchinterval(0.0005)
    come_before(NICE)
    link = Link(connection, "voice")
    try:
        _open(link, setup)
    except InstallationError as error:
        link.say(str(error))
        raise SystemExit(1) from error


def _open(link: Link, setup: VoiceSetup) -> None:
    """Model, ring and card; perform; close in reverse. A card that is suspect is not touched before a probe played."""
    first, *others = setup.parts
    model = load(first.model)
    with Ring.attach(setup.ring) as ring, Track.attach(setup.track) as track:
        remote = None if setup.suspect else RemoteCard(setup.device, model.sample_rate_hz, ring.channels)
        decoder = open_decoder(file_for(model, first.backend), first.backend)
        link.pulse(time.monotonic(), 0, dict, at_once=True)
        card: cards.Card = cards.NullCard(model.sample_rate_hz)
        why: str | None = f"the card {setup.device or ''} did not come".replace("  ", " ")
        if remote is not None:
            card, why = find_remote(remote, model.sample_rate_hz)
        ring.sample_rate_hz = card.sample_rate_hz
        ring.forget_ahead()
        performance = Performance(ring, track, setup.values, setup.ahead_ms)
        part = performance.await_part(first, model)
        bring_encoder(part, link.say)
        performance.enter(part, decoder)
        performance.stream.fill(64)
        try:
            card.open(ring)
        except CardError as error:
            card, why = cards.NullCard(ring.sample_rate_hz), str(error)
            card.open(ring)
        if why:
            link.say(f"no card, so a null clock keeps time: {why}")
        shell = Shell(link, setup, performance, ring, card)
        shell.perform(others)
        _close(card)


class Shell:
    """The loop: command, load, respond, fill, listen, until stopped."""

    def __init__(self, link: Link, setup: VoiceSetup, performance: Performance, ring: Ring, card: cards.Card) -> None:
        self._link, self._setup, self._performance, self._ring, self._card = link, setup, performance, ring, card
        self._loading = Loading(performance, link.say)
        self._first_sound_s: float | None = None
        self._probe: Probe | None = None
        if isinstance(card, cards.NullCard):
            self._probe = Probe(("devices", "--probe", setup.device or ""), time.monotonic())
        self._opened_s = self._came_s = time.monotonic()
        self._came, self._began = ring.callbacks, ring.taken
        self._incoming = self._open_input()

    def perform(self, others: list[PartSetup]) -> None:
        """Play the first part, and the `others` as soon as they are loaded."""
        self._loading.want(others)
        link, stream, turns = self._link, self._performance.stream, 0
        while not link.stopped:
            for command in link.drain():
                self._obey(command)
            self._loading.go_on(time.monotonic())
            self._hear(time.monotonic())
            stream.respond(self._margin)
            stream.fill()
            self._performance.listen()
            for fault in self._performance.faults():
                link.say(fault)
            self._watch(time.monotonic())
            turns += 1
            link.pulse(time.monotonic(), turns, self._figures)
            link.wait(TURN_S)
        _fade_out(self._performance, self._ring, self._card)
        if self._probe:
            self._probe.close()
        link.pulse(time.monotonic(), turns + 1, self._figures, at_once=True)

    def _open_input(self) -> Incoming | None:
        """The input, if the scene wants one and there is one."""
        wanted = self._setup.input
        if wanted is None:
            return None
        line, why = find_line(wanted.device, self._ring.sample_rate_hz, wanted.channel)
        if why is None:
            try:
                line.open()
            except CardError as error:
                why = str(error)
        if why is not None:
            self._link.say(f"no input: {why}")
            return None
        self._link.say(f"hears {line.name} at {line.sample_rate_hz} Hz")
        return Incoming(line, self._ring, time.monotonic())

    def _hear(self, now_s: float) -> None:
        """Take what the input brought; say when it is lost, and when it is back."""
        if self._incoming is None:
            return
        was_lost = self._incoming.lost
        self._incoming.hear(self._performance.parts.get(1), now_s)
        if self._incoming.lost != was_lost:
            self._link.say("the input brings nothing any more" if self._incoming.lost else "the input is back")
        phrases = self._incoming.take_phrases()
        if phrases is not None:
            self._link.send(Listened(phrases))

    def _margin(self) -> int:
        return cards.margin(self._ring, time.monotonic())

    def _obey(self, command: Any) -> None:
        if isinstance(command, Arrange):
            self._loading.want(self._performance.arrange(command))
        else:
            self._performance.obey(command)

    def _watch(self, now_s: float) -> None:
        """Say the first sound; end the process when its card died, or when one is back."""
        ring, link, card = self._ring, self._link, self._card
        if self._first_sound_s is None and ring.taken > self._began:
            self._first_sound_s = round(now_s - self._setup.started_s, 3)
            link.say(f"first sound after {self._first_sound_s:.2f} s, on {card.name} at {ring.sample_rate_hz} Hz")
        if ring.callbacks != self._came:
            self._came, self._came_s = ring.callbacks, now_s
        elif now_s - max(self._came_s, self._opened_s + SETTLE_S) > DEAD_CARD_S:
            link.say(f"card {card.name!r} did not come for {DEAD_CARD_S:g} s: starting the voice again")
            os._exit(CARD_DIED)
        if self._probe and self._probe.found(now_s):
            link.say("a card is there: starting the voice again to open it")
            os._exit(CARD_FOUND)

    def _figures(self) -> dict[str, Any]:
        return self._performance.figures() | {
            "first_sound_s": self._first_sound_s,
            "card": self._card.name,
            "card_latency_ms": round(1000.0 * self._card.latency_s, 1),
            "input": self._incoming.figures() if self._incoming else None,
        }


def _fade_out(performance: Performance, ring: Ring, card: cards.Card) -> None:
    """The last FADE_S of sound, then wait until the card has taken it, or half a second."""
    performance.obey(Stop())
    performance.stream.respond(lambda: cards.margin(ring, time.monotonic()))
    silent = ring.taken + 3 * ring.block + ring.sample_rate_hz // 40
    until_s = time.monotonic() + 0.5
    while time.monotonic() < until_s:
        performance.stream.fill()
        performance.listen()
        if ring.taken >= silent:  # taken, and on its way to the air for as long as the card is late
            until_s, silent = min(until_s, time.monotonic() + card.latency_s), 1 << 62
        time.sleep(0.002)


def _close(card: cards.Card) -> None:
    """Close the card, or leave it when it hangs."""
    closing = threading.Thread(target=card.close, daemon=True)
    closing.start()
    closing.join(1.0)
    if closing.is_alive():
        os._exit(0)
