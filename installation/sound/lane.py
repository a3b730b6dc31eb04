"""One part's line of sound: path → latents → decoder → expander → mixer → the card's rate, a step at a time.

Every part's memory is a value held outside it, so each step still to be heard is kept with the state it began from and
can be made again with the knobs, or the input's latents, as they are now. Positions are the ring's: samples at the
card's rate. Several lanes are added up by the `stream`.
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

from installation.errors import ModelError
from installation.sound.decoder import Decoder
from installation.sound.expander import Expander
from installation.sound.fade import Fade
from installation.sound.knobs import Knobs, Spread
from installation.sound.mixer import Mixer
from installation.sound.player import Player, Sounding
from installation.sound.ranges import tamed
from installation.sound.rate import RateChanger

Floats = npt.NDArray[np.float32]

SHORTEST_STEP = 1024
"""A step of a lane has at least this many samples: models of a small ratio decode several latents at once."""
LOUDEST = 1e4
"""What is beyond, infinite or not a number is no sound."""
DYING_S = 0.004
"""A sound that breaks off falls by 1/e in so long."""
RATE_GRID_HZ = 25
"""A detuned model's rate is rounded to a multiple of this: a cent or less at 44.1 kHz."""


@dataclass(frozen=True, eq=False)
class Chain:
    """What every part of the chain remembers between two steps; `decoder` holds one state, or two of a wide lane."""

    decoder: tuple[Any, ...]
    mixer: Floats
    expander: Any
    rate: Any
    changer: RateChanger
    cents: float
    last: Floats


@dataclass(frozen=True, eq=False)
class Step:
    """A step: where it begins and ends, the path it is of, what sounded in the input meanwhile (latent_dim,) if
    anything did, how far its sides wander, the memory it began with, and its sound (samples, card channels)."""

    begin: int
    end: int
    path: Floats
    soundings: tuple[Sounding, ...]
    heard: Floats | None
    wander: Floats
    before: Chain
    latents: Floats
    sound: Floats


class Lane:
    """One part's sound from position `begin` on. `heard` is the input's newest latent (latent_dim,), or None; `latency`
    is by how many samples, at the model's rate, the decoder's sound comes after its latents."""

    def __init__(
        self,
        decoder: Decoder,
        player: Player,
        knobs: Knobs,
        spread: Spread,
        sample_rate_hz: int,
        channels: int,
        begin: int = 0,
        rng: np.random.Generator | None = None,
        latency: int = 0,
        clock_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.decoder, self.player, self.knobs, self.spread = decoder, player, knobs, spread
        self.channels_in = 2 if decoder.channels == 1 and channels > 1 else decoder.channels
        self.channels = channels
        self._card = sample_rate_hz, channels
        self._mixer = Mixer(self.channels_in, channels, decoder.sample_rate_hz)
        self._expander = Expander(self.channels_in, decoder.sample_rate_hz)
        self.lookback = ceil(latency * sample_rate_hz / decoder.sample_rate_hz)
        self._latents_a_step = ceil(SHORTEST_STEP / decoder.ratio)
        self.step_s = self._latents_a_step * decoder.ratio / decoder.sample_rate_hz
        self._dying = np.exp(-np.arange(1, 1 << 16) / (DYING_S * decoder.sample_rate_hz)).astype(np.float32)[:, None]
        self._rng = rng or np.random.default_rng(0)
        self._wander = np.zeros(decoder.latent_dim, np.float32)
        self._clock_s = clock_s
        self.begin = self.end = begin
        self.chain = self._fresh(None)
        self.steps: deque[Step] = deque()
        self._taken_back: deque[tuple[Floats, tuple[Sounding, ...], Floats]] = deque()
        """Path, soundings and wander of steps that are to be made again when their turn comes."""
        self.rise: Fade | None = None
        self.fall: Fade | None = None
        self.heard: Floats | None = None
        self._turned = self._heard_anew = False
        self.decode_ms: deque[float] = deque(maxlen=8192)
        self.broken_steps = 0
        self.fault: str | None = None
        """What the model said when it last refused to decode."""

    def turn(self, knobs: Knobs) -> None:
        """Take new knobs, heard from the next `remake` on."""
        self.knobs = knobs
        self._turned = True

    def hear(self, latent: Floats | None) -> None:
        """The input's newest latent (latent_dim,), or None when there is none any more: it sounds on until the next."""
        self.heard = latent
        self._heard_anew = self.knobs.mix > 0.0

    @property
    def turned(self) -> bool:
        """Whether anything was turned, or heard, that is not yet in what is made."""
        return self._turned or self._heard_anew

    def reach(self, position: int) -> None:
        """Make steps until the sound goes on to `position`, or to the end of its fall: those taken back, then new."""
        goal = position if self.fall is None else min(position, self.fall.end)
        while self.end < goal:
            if self._taken_back:
                path, soundings, wander = self._taken_back.popleft()
            else:
                (path, soundings), wander = self._path(), self._wandered()
            self._append(path, soundings, wander, self.heard)

    def remake(self, splice: int, until: int) -> int:
        """Make again every step that is heard between `splice` and `until`; where the first of them begins. Turned
        knobs are also in those before whose sound the decoder holds back; what the input plays now is in those that
        begin beyond, so that each step decodes one latent of it. What lay beyond `until` is taken back, for `reach`."""
        again = [step for step in self.steps if step.end > splice - (self.lookback if self._turned else 0)]
        self.settle()
        if not again:
            return splice
        held = next((step.path[:1] for step in again if step.end > splice), again[-1].path[:1])
        for _ in again:
            self.steps.pop()
        self.end, self.chain = again[0].begin, again[0].before
        late = []
        for step in again:
            stays = self.knobs.hold and step.end > splice
            path = np.repeat(held, self._latents_a_step, axis=0) if stays else step.path
            if self.end < until:
                self._append(path, step.soundings, step.wander, self.heard if step.begin >= splice else step.heard)
            else:
                late.append((path, step.soundings, step.wander))
        self._taken_back.extendleft(reversed(late))
        if self.knobs.hold:
            self._taken_back.clear()
            self.player.stay(held[0])
        return again[0].begin

    def restart(self) -> None:
        """A clean decoder and silence, fading in again, in all that is not yet heard."""
        clean = self._fresh(self.chain)
        self.chain = clean
        self.steps = deque(replace(step, before=self._fresh(step.before)) for step in self.steps)
        self._turned = True

    def settle(self) -> None:
        """What was turned is in what is made from now on, and is not waited for any more."""
        self._turned = self._heard_anew = False

    def span(self, begin: int, count: int) -> Floats:
        """Its sound from `begin` on, faded, (count, card channels): silence where there is none."""
        out = np.zeros((count, self.channels), np.float32)
        for step in self.steps:
            first, last = max(step.begin, begin), min(step.end, begin + count)
            if first < last:
                out[first - begin : last - begin] = step.sound[first - step.begin : last - step.begin]
        for fade in (self.rise, self.fall):
            if fade is not None:
                out *= fade.gains(begin, count)
        return out

    def forget(self, before: int) -> None:
        """Let go of steps that ended before a position: each holds a decoder's whole memory."""
        while self.steps and self.steps[0].end < before:
            self.steps.popleft()

    def sounding(self, position: int) -> tuple[Floats, Sounding] | None:
        """The latent (latent_dim,) decoded for the sample at `position`, and what it is of; None when not held."""
        for step in reversed(self.steps):
            if step.begin <= position < step.end:
                index = (position - step.begin) * len(step.path) // (step.end - step.begin)
                return step.latents[index], step.soundings[index]
        return None

    def saved(self) -> tuple[Any, ...]:
        """All that `remake` and `reach` change, for `restore`."""
        return self.end, self.chain, self.steps.copy(), self._taken_back.copy()

    def restore(self, saved: tuple[Any, ...]) -> None:
        self.end, self.chain, self.steps, self._taken_back = saved

    # Making -----------------------------------------------------------------------------------------------------

    def _fresh(self, before: Chain | None) -> Chain:
        """A chain that has heard nothing, but keeps the phase of the rate's change, so that positions stay."""
        cents = self.knobs.detune_cents if before is None else before.cents
        changer = self._changer(cents) if before is None else before.changer
        rate = changer.start() if before is None else before.rate
        silence = np.zeros(self.channels_in, np.float32)
        return Chain(
            (self.decoder.start(),), self._mixer.start(), self._expander.start(), rate, changer, cents, silence
        )

    def _changer(self, cents: float) -> RateChanger:
        detuned_hz = self.decoder.sample_rate_hz * 2.0 ** (cents / 1200.0)
        if cents:
            detuned_hz = max(1, round(detuned_hz / RATE_GRID_HZ)) * RATE_GRID_HZ
        return RateChanger(round(detuned_hz), *self._card, steady=True)

    def _path(self) -> tuple[Floats, tuple[Sounding, ...]]:
        knobs = self.knobs
        glide_steps = knobs.glide_s / self.step_s * self._latents_a_step
        points = [self.player.latent(knobs.rate, glide_steps, knobs.hold) for _ in range(self._latents_a_step)]
        return np.stack([path for path, _ in points]), tuple(sounding for _, sounding in points)

    def _wandered(self) -> Floats:
        """How far the two sides part in each latent, in deviations: a slow walk around 0 (Ornstein and Uhlenbeck) of
        deviation 1 and 2 s of memory, (latent_dim,)."""
        keep = np.float32(np.exp(-self.step_s / 2.0))
        noise = self._rng.standard_normal(len(self._wander), dtype=np.float32)
        self._wander = keep * self._wander + np.sqrt(1.0 - keep * keep) * noise
        return self._wander

    def _append(self, path: Floats, soundings: tuple[Sounding, ...], wander: Floats, heard: Floats | None) -> None:
        before = self.chain
        latents, sound, self.chain = self._make(path, wander, heard, before)
        begin, self.end = self.end, self.end + len(sound)
        self.steps.append(Step(begin, self.end, path, soundings, heard, wander, before, latents, sound))

    def _latents(self, path: Floats, heard: Floats | None) -> Floats:
        """`path` as it is to be decoded: mixed with what was `heard`, turned, tamed."""
        spread, knobs = self.spread, self.knobs
        if knobs.mix > 0.0 and heard is not None:
            path = ((1.0 - knobs.mix) * path + knobs.mix * heard).astype(np.float32)
        turned = knobs.turn.apply(path, spread.mean, spread.deviation)
        return tamed(turned, spread.low, spread.high, knobs.tame) if knobs.tame > 0.0 else turned

    def _make(self, path: Floats, wander: Floats, heard: Floats | None, before: Chain) -> tuple[Floats, Floats, Chain]:
        """One step's latents, its sound at the card's rate, and the memory after it, from the memory `before`."""
        latents = self._latents(path, heard)
        decoded, decoder = self._decoded(latents, wander, before)
        gated, expander = self._expander.process(decoded, before.expander, self.knobs.gate_db, self.knobs.gate_ratio)
        if decoder:
            sound, mixer = self._mixer.mix(gated, self.knobs.gains, before.mixer)
        else:
            sound, mixer, decoder = gated @ before.mixer, self._mixer.start(), (self.decoder.start(),)
        changer, rate = self._changed(before)
        out, rate = changer.change(sound, rate)
        return latents, out, Chain(decoder, mixer, expander, rate, changer, self.knobs.detune_cents, decoded[-1].copy())

    def _changed(self, before: Chain) -> tuple[RateChanger, Any]:
        """The changer of rates for this step, and its memory: another one after a turn of the detuning."""
        if self.knobs.detune_cents == before.cents:
            return before.changer, before.rate
        wanted = self._changer(self.knobs.detune_cents)
        return wanted, before.changer.carried(before.rate, wanted)

    def _decoded(self, latents: Floats, wander: Floats, before: Chain) -> tuple[Floats, tuple[Any, ...]]:
        """(samples, channels_in) and the decoder's next states; none if what it made is no sound: then the last sample
        dies away."""
        started_s = self._clock_s()
        try:
            sound, states = self._sides(latents, wander, before.decoder)
            whole = bool((np.abs(sound) < LOUDEST).all())
        except ModelError as error:
            self.fault, whole = str(error), False
        self.decode_ms.append((self._clock_s() - started_s) * 1000.0)
        if whole:
            return sound, states
        self.broken_steps += 1
        count = self._latents_a_step * self.decoder.ratio
        return (before.last * self._dying[:count]).astype(np.float32), ()

    def _sides(self, latents: Floats, wander: Floats, states: tuple[Any, ...]) -> tuple[Floats, tuple[Any, ...]]:
        """Both sides of a mono model, alike, or each decoded for itself; or the channels the model has."""
        if self.channels_in == self.decoder.channels:
            sound, state = self.decoder.decode(latents[None], states[0])
            return sound[0], (state,)
        if self.knobs.width <= 0.0:
            sound, state = self.decoder.decode(latents[None], states[0])
            return np.repeat(sound[0], 2, axis=1), (state,)
        apart = np.float32(self.knobs.width) * wander * self.spread.deviation
        sides = [
            self.decoder.decode((latents + sign * apart)[None], states[place % len(states)])
            for place, sign in enumerate((1.0, -1.0))
        ]
        return np.concatenate([sound[0] for sound, _ in sides], axis=1), tuple(state for _, state in sides)
