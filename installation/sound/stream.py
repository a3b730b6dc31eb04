"""The ring's writer: path → latents → decoder → mixer → guard → card's rate → ring, a step at a time.

Every part's memory is a value held outside it, so each step still in the ring is kept with the state it began from.
When a knob is turned, the step now sounding is decoded again from there with the latents as they are now, and what
follows it; the result replaces what the ring holds from just ahead of the card on, across a short crossfade. So the
ring can hold enough to survive a busy machine, and a knob is heard within the card's own latency.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.ring import Ring
from installation.sound.decoder import Decoder
from installation.sound.guard import Guard
from installation.sound.mixer import FADE_S, Mixer
from installation.sound.player import Player, Sounding, Turn
from installation.sound.rate import RateChanger

Floats = npt.NDArray[np.float32]

HEARD_S = 0.5
"""Steps are remembered for so long after they were taken, for the ear to ask what it heard."""
SHORTEST_STEP = 1024
"""A step of the stream has at least this many samples: models of a small ratio decode several latents at once."""


@dataclass(frozen=True, eq=False)
class Chain:
    """What every part of the chain remembers between two steps."""

    decoder: Any
    mixer: Floats
    guard: Any
    rate: Any


@dataclass(frozen=True, eq=False)
class Step:
    """A step in the ring: where it begins and ends, the path it is of, and the memory it began with."""

    begin: int
    end: int
    path: Floats
    soundings: tuple[Sounding, ...]
    latents: Floats
    before: Chain


@dataclass(frozen=True)
class Knobs:
    """How the path is read and mixed: `gains` (model channels, card channels), the rest as in `parameters`."""

    turn: Turn
    gains: Floats
    rate: float = 1.0
    glide_s: float = 0.35
    hold: bool = False


class Stream:
    """Keeps `ahead` samples in the ring. One process, one thread; the clock is only used to time the decoder."""

    def __init__(
        self,
        ring: Ring,
        decoder: Decoder,
        player: Player,
        knobs: Knobs,
        mean: Floats,
        deviation: Floats,
        ahead: int,
        clock_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ring, self._decoder, self._player = ring, decoder, player
        self._mean, self._deviation = mean, deviation
        self._mixer = Mixer(decoder.channels, ring.channels, decoder.sample_rate_hz)
        self._guard = Guard(ring.channels, decoder.sample_rate_hz)
        self._rate = RateChanger(decoder.sample_rate_hz, ring.sample_rate_hz, ring.channels)
        self._latents_a_step = ceil(SHORTEST_STEP / decoder.ratio)
        self._step_s = self._latents_a_step * decoder.ratio / decoder.sample_rate_hz
        self._crossfade = np.linspace(0.0, 1.0, int(FADE_S * ring.sample_rate_hz), dtype=np.float32)[:, None]
        self._chain = self._begin()
        self._clock_s = clock_s
        self.knobs = knobs
        self.ahead = ahead
        self.steps: deque[Step] = deque()
        self.decode_ms: deque[float] = deque(maxlen=8192)
        self.broken_steps = 0
        self.rewrites = 0
        self._turned = False

    @property
    def budget_ms(self) -> float:
        """How long the sound of one step lasts: what decoding it must stay well under."""
        return self._step_s * 1000.0

    def fill(self, most: int = 4) -> int:
        """Write steps until `ahead` samples are held, `most` of them a call; how many were written."""
        self._forget()
        written = 0
        while written < most and self._ring.ahead < self.ahead:
            path, soundings = self._path()
            self._write(path, soundings)
            written += 1
        return written

    def turn(self, knobs: Knobs) -> None:
        """Take new knobs; `respond` makes them heard."""
        self.knobs = knobs
        self._turned = True

    def respond(self, margin: int) -> bool:
        """After `turn`: make again what the ring holds from `margin` samples ahead of the card on. Whether it did."""
        if not self._turned:
            return False
        self._turned = False
        splice = self._ring.taken + margin
        again = [step for step in self.steps if step.end > splice]
        if not again or again[0].begin > splice or not self._splice(again, margin):
            return False
        self.rewrites += 1
        return True

    def restart(self) -> None:
        """Panic: a clean decoder and silence, fading in again; what the ring holds is made again from just ahead."""
        clean = self._begin()
        self._chain = replace(clean, rate=self._chain.rate)
        self.steps = deque(replace(step, before=replace(clean, rate=step.before.rate)) for step in self.steps)
        self._turned = True

    def sounding(self, position: int) -> tuple[Floats, Sounding] | None:
        """The latent (latent_dim,) decoded for the sample at `position`, and what it is of; None when not held."""
        for step in reversed(self.steps):
            if step.begin <= position < step.end:
                index = (position - step.begin) * len(step.path) // (step.end - step.begin)
                return step.latents[index], step.soundings[index]
        return None

    def _forget(self) -> None:
        """Let go of steps that were heard: each holds a decoder's whole memory."""
        heard = self._ring.taken - int(HEARD_S * self._ring.sample_rate_hz)
        while self.steps and self.steps[0].end < heard:
            self.steps.popleft()

    def _begin(self) -> Chain:
        return Chain(self._decoder.start(), self._mixer.start(), self._guard.start(), self._rate.start())

    def _path(self) -> tuple[Floats, tuple[Sounding, ...]]:
        knobs = self.knobs
        glide_steps = knobs.glide_s / self._step_s * self._latents_a_step
        points = [self._player.latent(knobs.rate, glide_steps, knobs.hold) for _ in range(self._latents_a_step)]
        return np.stack([path for path, _ in points]), tuple(sounding for _, sounding in points)

    def _write(self, path: Floats, soundings: tuple[Sounding, ...]) -> None:
        before, begin = self._chain, self._ring.written
        latents, block, self._chain = self._make(path, before)
        end = self._ring.write(block)
        self.steps.append(Step(begin, end, path, soundings, latents, before))

    def _make(self, path: Floats, before: Chain) -> tuple[Floats, Floats, Chain]:
        """One step's sound at the card's rate, from the memory `before`."""
        latents = self.knobs.turn.apply(path, self._mean, self._deviation)
        started_s = self._clock_s()
        decoded, decoder = self._decoder.decode(latents[None], before.decoder)
        self.decode_ms.append((self._clock_s() - started_s) * 1000.0)
        mixed, mixer = self._mixer.mix(decoded[0], self.knobs.gains, before.mixer)
        safe, guard, whole = self._guard.process(mixed, before.guard)
        if not whole:
            self.broken_steps += 1
            decoder, mixer = self._decoder.start(), self._mixer.start()
        out, rate = self._rate.change(safe, before.rate)
        return latents, out, Chain(decoder, mixer, guard, rate)

    def _splice(self, again: list[Step], margin: int) -> bool:
        """Decode the steps `again` from their own start and replace the ring from just ahead of where the card has come
        to meanwhile. Whether there was still room to: if not, all is left as it was and the next step has the knobs."""
        made, chain = [], again[0].before
        held = np.repeat(again[0].path[:1], self._latents_a_step, axis=0)
        for step in again:
            before, path = chain, held if self.knobs.hold else step.path
            latents, block, chain = self._make(path, before)
            made.append((replace(step, path=path, latents=latents, before=before), block))
        line = np.concatenate([block for _, block in made])
        splice = self._ring.taken + margin
        length = len(self._crossfade)
        if splice + length > self._ring.written:
            return False
        old = self._ring.tap(splice + length, length)
        new = line[splice - again[0].begin :].copy()
        new[:length] = old + (new[:length] - old) * self._crossfade
        self._ring.rewrite(splice, new)
        self._chain = chain
        if self.knobs.hold:
            self._player.stay(held[0])
        first = len(self.steps) - len(again)
        for index, (step, _) in enumerate(made):
            self.steps[first + index] = step
        return True
