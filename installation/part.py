"""One part of the orchestra: a model, the path it plays, and its knobs. The voice is part 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from installation import commands
from installation.evolution import genotype
from installation.evolution.genotype import INITS
from installation.model import Model
from installation.parameters import Values, as_first, declared
from installation.sound.decoder import Decoder
from installation.sound.encoder import EncoderStream
from installation.sound.knobs import Knobs, Spread
from installation.sound.lane import Lane
from installation.sound.mixer import decibels, pan_gains, wide_gains
from installation.sound.player import Player, Turn

Floats = npt.NDArray[np.float32]

FIRST = 8
"""Trajectories drawn to play until the breeder's come; their identities are negative, the breeder's are not."""


@dataclass(frozen=True)
class PartSetup:
    """What a part is started with. `model` is a name in models/ or a folder; `backend` auto, cpu or cuda."""

    number: int
    model: str
    backend: str
    seed: int
    steps: int
    init: str
    hears: bool = False
    """Whether its encoder is wanted, for an input to be played."""

    @property
    def instrument(self) -> tuple[str, str, bool]:
        """What can't be changed while it plays: another one must be loaded."""
        return self.model, self.backend, self.hears


class Part:
    """A part without sound until it is given a `lane`; `values` are parameters by address, those of all parts."""

    def __init__(self, setup: PartSetup, model: Model, values: dict[str, float]) -> None:
        self.setup, self.model = setup, model
        self.number = setup.number
        self._rng = np.random.default_rng((setup.seed, setup.number))
        space = genotype.Space(model.mean, model.deviation)
        drawn = INITS[setup.init](FIRST, setup.steps, space, model.excerpts(), self._rng)
        first = tuple(commands.Trajectory(-1 - number, latents) for number, latents in enumerate(drawn))
        self.player = Player(first[0], self._rng)
        self.player.offer(first, replace=True)
        self.lane: Lane | None = None
        self.encoder: EncoderStream | None = None
        self.fault: str | None = None
        """What its model was last heard to say when it refused to decode."""
        self.muted = False
        self.heard_at = 0
        """The position that is heard now: a frozen latent stays as it is there."""
        self.input_share = 1.0
        """How much of the input may be heard, 0..1: less while it hears the show itself."""
        self.take_values(values)

    def take_values(self, values: dict[str, float]) -> None:
        """All values anew, by the addresses of the whole show."""
        self.values = Values(declared(self.model.latent_dim), as_first(values, self.number))
        self.turn()

    def set(self, address: str, value: float) -> None:
        """Turn one, by the address it would have were this the first part."""
        self.values.set(address, value)
        self.turn()

    def hear(self, latent: Floats | None, share: float) -> None:
        """The input's newest `latent` (latent_dim,), if one came, and how much of the input may be heard, 0..1."""
        if self.lane is None:
            return
        if share != self.input_share:
            self.input_share = share
            self.turn()
        if latent is not None:
            self.lane.hear(latent)

    def hear_nothing(self) -> None:
        """The input is gone: what evolution plays is heard alone again."""
        if self.lane is not None and self.lane.heard is not None:
            self.lane.hear(None)

    def enter(self, decoder: Decoder, sample_rate_hz: int, channels: int, begin: int) -> Lane:
        """The lane it is heard in from position `begin` on."""
        model = self.model
        spread = Spread(model.mean, model.deviation, model.low, model.high)
        silence = Knobs(Turn.none(model.latent_dim), np.zeros((2, channels), np.float32))
        rng = np.random.default_rng((self.setup.seed, self.number, 1))
        self.lane = Lane(decoder, self.player, silence, spread, sample_rate_hz, channels, begin, rng, model.latency)
        self.lane.knobs = self.knobs(begin)
        return self.lane

    def turn(self) -> None:
        """Let the lane have the knobs as they are now."""
        if self.lane is not None:
            self.lane.turn(self.knobs(self.heard_at))

    def knobs(self, position: int) -> Knobs:
        """The knobs as they are now, at a `position` of the ring."""
        values, lane = self.values, self.lane
        assert lane is not None
        silent = self.muted or values["/master/mute"] > 0.5
        gain = 0.0 if silent else decibels(values["/voice/gain"] + values["/master/gain"])
        return Knobs(
            turn=self._turn(lane, position),
            gains=self._pan(lane) * np.float32(gain),
            rate=values["/voice/rate"],
            glide_s=values["/voice/glide"],
            hold=values["/voice/hold"] > 0.5,
            detune_cents=values["/voice/detune"],
            width=values["/voice/width"],
            tame=values["/voice/tame"],
            gate_db=values["/voice/gate"],
            gate_ratio=values["/voice/gate_ratio"],
            mix=values["/input/mix"] * self.input_share if self.number == 1 else 0.0,
        )

    def _pan(self, lane: Lane) -> Floats:
        pan, sides = self.values["/voice/pan"], lane.channels_in
        return wide_gains(pan, lane.channels) if sides > lane.decoder.channels else pan_gains(pan, sides, lane.channels)

    def _turn(self, lane: Lane, position: int) -> Turn:
        values, model, numbers = self.values, self.model, range(self.model.latent_dim)
        before = lane.knobs.turn
        frozen = np.array([values[f"/latent/{n}/freeze"] > 0.5 for n in numbers])
        bias = np.array([values[f"/latent/{n}/bias"] for n in numbers], np.float32)
        scale = np.array([values[f"/latent/{n}/scale"] for n in numbers], np.float32)
        sounding = lane.sounding(position)
        if sounding is not None:
            here = sounding[0]
        else:  # nothing has sounded yet: a latent the scene freezes stays where the first trajectory begins
            moving = Turn(bias, scale, np.zeros_like(frozen), before.kept)
            here = moving.apply(self.player.here, model.mean, model.deviation)
        return Turn(bias, scale, frozen, np.where(frozen & ~before.frozen, here, before.kept))

    def obey(self, command: Any) -> None:
        """What the search sends this part."""
        match command:
            case commands.Play():
                fit = tuple(each for each in command.trajectories if each.latents.shape[1:] == (self.model.latent_dim,))
                self.player.offer(fit, command.replace, command.first)
            case commands.Drop():
                self.player.drop(command.identities)
