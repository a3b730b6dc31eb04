"""The voice: the process that owns the ring, the decoder and the card. Composition only.

Dies of a dead sound server on purpose: PortAudio's own close hangs then, and nothing in-process heals it. The conductor
starts another, which opens the card by name, or a null clock until the card is back.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from installation import commands
from installation.analysis.features import Analyser, Hearing
from installation.errors import CardError, InstallationError
from installation.evolution.genotype import INITS, Space
from installation.link import Link, follow_parent
from installation.model import Model, load
from installation.parameters import Values, declared
from installation.probe import Probe
from installation.ring import Ring
from installation.sound import card as cards
from installation.sound.decoder import Decoder, open_decoder
from installation.sound.mixer import decibels, pan_gains
from installation.sound.player import Player, Turn
from installation.sound.stream import Knobs, Stream
from installation.track import LATENTS_AT_MOST, MOMENT, Track

Floats = npt.NDArray[np.floating[Any]]

RECENT_S = 5.0
"""Of the decodes of so long the breeder is told, which gives way to them."""
DEAD_CARD_S = 1.0
"""A card that did not come for so long is dead."""
NICE = -10
"""How far the voice stands before the others, where the system allows it."""
FIRST = 8
"""Trajectories drawn to play until the breeder's come; their identities are negative, the breeder's are not."""
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
    model: str
    seed: int
    steps: int
    init: str
    ahead_ms: float
    backend: str
    device: str | None
    values: dict[str, float]
    started_s: float
    suspect: bool = False
    """Whether the card made trouble: then the null clock first, and the card when a probe has played on it."""


@dataclass(frozen=True)
class Ahead:
    """Hold so much sound ready for the card from now on."""

    ms: float


class Performance:
    """Player, decoder and ring as one instrument, and the ear on what the card took; no process, no card, no clock."""

    def __init__(self, setup: VoiceSetup, model: Model, decoder: Decoder, ring: Ring, track: Track) -> None:
        self._model, self._ring, self._track = model, ring, track
        rng = np.random.default_rng((setup.seed, 1))
        space = Space(model.mean, model.deviation)
        drawn = INITS[setup.init](FIRST, setup.steps, space, model.excerpts(), rng)
        first = tuple(commands.Trajectory(-1 - number, latents) for number, latents in enumerate(drawn))
        self.values = Values(declared(model.latent_dim), setup.values)
        self.player = Player(first[0], rng)
        self.player.offer(first, replace=True)
        self.stream = Stream(
            ring,
            decoder,
            self.player,
            Knobs(Turn.none(model.latent_dim), pan_gains(0.0, decoder.channels, ring.channels)),
            model.mean,
            model.deviation,
            self._ahead(setup.ahead_ms),
        )
        self._channels = decoder.channels
        self._muted = False
        self.stream.knobs = self._knobs()
        self._analyser = Analyser(ring.sample_rate_hz, ring.channels, ring.taken)
        self._heard = self._begun = ring.taken
        self._square_sum, self._peak = 0.0, 0.0

    def obey(self, command: Any) -> None:
        """Take a command; what it changes is made heard by the stream's next `respond`."""
        match command:
            case commands.Set(address, value):
                self.values.set(address, value)
                self.stream.turn(self._knobs())
            case commands.Play(trajectories, replaces, first):
                self.player.offer(trajectories, replaces, first)
            case commands.Drop(identities):
                self.player.drop(identities)
            case Ahead(ms):
                self.stream.ahead = self._ahead(ms)
            case commands.Panic():
                self.stream.restart()
            case commands.Stop():
                self._muted = True
                self.stream.turn(self._knobs())

    def _ahead(self, ms: float) -> int:
        return min(int(ms / 1000.0 * self._ring.sample_rate_hz), self._ring.capacity // 2)

    def _knobs(self) -> Knobs:
        values, numbers = self.values, range(self._model.latent_dim)
        before = self.stream.knobs.turn
        frozen = np.array([values[f"/latent/{n}/freeze"] > 0.5 for n in numbers])
        bias = np.array([values[f"/latent/{n}/bias"] for n in numbers], np.float32)
        scale = np.array([values[f"/latent/{n}/scale"] for n in numbers], np.float32)
        sounding = self.stream.sounding(self._ring.taken)
        if sounding is not None:
            here = sounding[0]
        else:  # nothing has sounded yet: a latent the scene freezes stays where the first trajectory begins
            moving = Turn(bias, scale, np.zeros_like(frozen), before.kept)
            here = moving.apply(self.player.here, self._model.mean, self._model.deviation)
        turn = Turn(bias, scale, frozen, np.where(frozen & ~before.frozen, here, before.kept))
        silent = self._muted or values["/master/mute"] > 0.5
        gain = 0.0 if silent else decibels(values["/voice/gain"])
        return Knobs(
            turn=turn,
            gains=pan_gains(values["/voice/pan"], self._channels, self._ring.channels) * np.float32(gain),
            rate=values["/voice/rate"],
            glide_s=values["/voice/glide"],
            hold=values["/voice/hold"] > 0.5,
        )

    def listen(self) -> int:
        """Analyse what the card took since the last call and push its moments; how many samples that were."""
        taken = self._ring.taken
        count = min(taken - self._heard, self._ring.capacity // 4)
        if count <= 0:
            return 0
        if taken - count != self._heard:
            self._analyser.restart(taken - count)
        block = self._ring.tap(taken, count)
        self._square_sum += float(np.sum(np.square(block, dtype=np.float64)))
        self._peak = max(self._peak, float(np.abs(block).max()))
        for heard in self._analyser.push(block):
            self._track.push(self._moment(heard))
        self._heard = taken
        return count

    def _moment(self, heard: Hearing) -> Any:
        moment = np.zeros((), MOMENT)
        moment["time_s"], moment["sample"] = self._ring.dac_time_s(heard.end), heard.end
        moment["features"], moment["spectrum"] = heard.features, heard.spectrum
        sounding = self.stream.sounding(heard.end - 1)
        if sounding is not None:
            latent, of = sounding
            dim = min(len(latent), LATENTS_AT_MOST)
            moment["latent"][:dim] = ((latent - self._model.mean) / self._model.deviation)[:dim]
            moment["latent_dim"], moment["step"], moment["steps"] = dim, of.step, of.steps
            moment["trajectory"], moment["sparseness"], moment["generation"] = (
                of.trajectory,
                of.sparseness,
                of.generation,
            )
        return moment

    def figures(self) -> dict[str, Any]:
        """The voice's part of the run's report."""
        ring, decode_ms = self._ring, np.array(self.stream.decode_ms or [0.0])
        samples = ring.taken - self._begun
        mean_square = self._square_sum / max(1, samples * ring.channels)
        return {
            "sample_rate_hz": ring.sample_rate_hz,
            "samples": samples,
            "missed_samples": ring.missed,
            "card_underflows": ring.underflows,
            "decode_ms": {
                "p50": round(float(np.percentile(decode_ms, 50)), 3),
                "p99": round(float(np.percentile(decode_ms, 99)), 3),
                "max": round(float(decode_ms.max()), 3),
                "recent_p99": round(recent_p99(decode_ms, self.stream.budget_ms), 3),
            },
            "decode_budget_ms": round(self.stream.budget_ms, 3),
            "ahead_ms": round(1000.0 * ring.ahead / ring.sample_rate_hz, 1),
            "rms_db": round(10.0 * float(np.log10(max(mean_square, 1e-12))), 1),
            "peak_db": round(20.0 * float(np.log10(max(self._peak, 1e-6))), 1),
            "broken_steps": self.stream.broken_steps,
            "knob_rewrites": self.stream.rewrites,
            "trajectories_played": self.player.played,
        }


def recent_p99(decode_ms: Floats, step_ms: float) -> float:
    """99th percentile of the decodes of the last RECENT_S, one a step; of few the slowest is left out, so that one that
    was slow for reasons of its own, as the first is, says nothing."""
    recent = decode_ms[-max(1, round(RECENT_S * 1000.0 / step_ms)) :]
    return float(np.percentile(recent, 99, method="lower"))


def main(connection: Connection, setup: VoiceSetup) -> None:
    """The voice's process; a fault of the model is said, and raised for the exit status."""
    follow_parent()
    sys.setswitchinterval(0.0005)
    with contextlib.suppress(PermissionError):
        os.nice(NICE)
    link = Link(connection, "voice")
    try:
        _open(link, setup)
    except InstallationError as error:
        link.say(str(error))
        raise SystemExit(1) from error


def _open(link: Link, setup: VoiceSetup) -> None:
    """Model, ring and card; perform; close in reverse. A card that is suspect is not touched before a probe played."""
    model = load(setup.model)
    decoder = open_decoder(model.decoder, setup.backend)
    with Ring.attach(setup.ring) as ring, Track.attach(setup.track) as track:
        link.pulse(time.monotonic(), 0, dict, at_once=True)
        card: cards.Card = cards.NullCard(model.sample_rate_hz)
        why: str | None = f"the card {setup.device or ''} did not come".replace("  ", " ")
        if not setup.suspect:
            card, why = cards.find(setup.device, model.sample_rate_hz, ring.channels)
        ring.sample_rate_hz = card.sample_rate_hz
        ring.forget_ahead()
        performance = Performance(setup, model, decoder, ring, track)
        performance.stream.fill(64)
        try:
            card.open(ring)
        except CardError as error:
            card, why = cards.NullCard(ring.sample_rate_hz), str(error)
            card.open(ring)
        if why:
            link.say(f"no card, so a null clock keeps time: {why}")
        _perform(link, setup, performance, ring, card)
        _close(card)


def _perform(link: Link, setup: VoiceSetup, performance: Performance, ring: Ring, card: cards.Card) -> None:
    """Command, respond, fill, listen, until stopped."""
    probe = None
    if isinstance(card, cards.NullCard):
        probe = Probe(("devices", "--probe", setup.device or ""), time.monotonic())
    opened_s = came_s = time.monotonic()
    came, began, turns = ring.callbacks, ring.taken, 0
    first_sound_s: float | None = None

    def figures() -> dict[str, Any]:
        return performance.figures() | {
            "first_sound_s": first_sound_s,
            "card": card.name,
            "card_latency_ms": round(1000.0 * card.latency_s, 1),
        }

    while not link.stopped:
        for command in link.drain():
            performance.obey(command)
        performance.stream.respond(2 * card.block)
        performance.stream.fill()
        performance.listen()
        now_s = time.monotonic()
        if first_sound_s is None and ring.taken > began:
            first_sound_s = round(now_s - setup.started_s, 3)
            link.say(f"first sound after {first_sound_s:.2f} s, on {card.name} at {ring.sample_rate_hz} Hz")
        if ring.callbacks != came:
            came, came_s = ring.callbacks, now_s
        elif now_s - max(came_s, opened_s + SETTLE_S) > DEAD_CARD_S:
            link.say(f"card {card.name!r} did not come for {DEAD_CARD_S:g} s: starting the voice again")
            os._exit(CARD_DIED)
        if probe and probe.found(now_s):
            link.say("a card is there: starting the voice again to open it")
            os._exit(CARD_FOUND)
        turns += 1
        link.pulse(now_s, turns, figures)
        link.wait(TURN_S)
    _fade_out(performance, ring, card)
    if probe:
        probe.close()
    link.pulse(time.monotonic(), turns + 1, figures, at_once=True)


def _fade_out(performance: Performance, ring: Ring, card: cards.Card) -> None:
    """The last FADE_S of sound, then wait until the card has taken it, or half a second."""
    performance.obey(commands.Stop())
    performance.stream.respond(2 * card.block)
    silent = ring.taken + 3 * card.block + ring.sample_rate_hz // 40
    until_s = time.monotonic() + 0.5
    while ring.taken < min(silent, ring.written) and time.monotonic() < until_s:
        performance.listen()
        time.sleep(0.002)
    time.sleep(min(0.2, card.latency_s))


def _close(card: cards.Card) -> None:
    """Close the card, or leave it when it hangs."""
    closing = threading.Thread(target=card.close, daemon=True)
    closing.start()
    closing.join(1.0)
    if closing.is_alive():
        os._exit(0)
