"""Pickup: a fader whose place is unknown must not make a parameter jump (the soft takeover of Mixxx, written anew)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from installation.commands import Control, Refused, Set
from installation.control.controller import MidiMessage, from_midi
from installation.controls import Midi
from installation.parameters import Parameter

NEAR = 3 / 128
"""How near, in travel 0..1, a fader must come to a parameter to take hold of it."""
SWEEP_S = 0.2
"""A fader that crosses the parameter's place within this time was swept across it."""


@dataclass
class Pickup:
    """One fader on one parameter. Positions are travel 0..1; `now_s` is any monotonic clock.

    Its first position is only noted. It takes hold when it comes near, or is swept quickly across the parameter's
    place; it lets go when something else has turned the parameter since.
    """

    _position: float | None = None
    _given: float | None = None
    _heard_s: float = 0.0

    def take(self, position: float, current: float, now_s: float) -> bool:
        """Whether the fader, now at `position`, may turn the parameter, whose place is `current`."""
        if self._given is not None and abs(current - self._given) > 1e-4:
            self._position = self._given = None
        taken = self._may(position, current, now_s)
        self._given = position if taken else None
        self._position, self._heard_s = position, now_s
        return taken

    def _may(self, position: float, current: float, now_s: float) -> bool:
        if self._given is not None:
            return True
        if self._position is None:
            return False
        if abs(position - current) <= NEAR:
            return True
        crossed = (position - current) * (self._position - current) <= 0.0
        return crossed and now_s - self._heard_s <= SWEEP_S


@dataclass
class Desk:
    """The MIDI devices of a scene with their faders' pickups: one for each device, controller and parameter."""

    devices: tuple[Midi, ...]
    parameters: Mapping[str, Parameter]
    _pickups: dict[tuple[str, int, int, str], Pickup] = field(default_factory=dict)

    def commands(
        self, message: MidiMessage, values: Mapping[str, float], now_s: float
    ) -> tuple[Control, ...] | Refused:
        """What `message` asks for, less what its fader has not picked up. `values` are the parameters' now."""
        asked = from_midi(message, self.devices, self.parameters, values)
        if isinstance(asked, Refused):
            return asked
        return tuple(command for command in asked if self._held(command, message, values, now_s))

    def _held(self, command: Control, message: MidiMessage, values: Mapping[str, float], now_s: float) -> bool:
        if message.kind != "cc" or not isinstance(command, Set):
            return True
        parameter = self.parameters[command.address]
        if parameter.curve == "switch":
            return True
        key = (message.device, message.channel, message.number, command.address)
        pickup = self._pickups.setdefault(key, Pickup())
        current = parameter.position(values[command.address])
        return pickup.take(parameter.position(command.value), current, now_s)

    def forget(self, device: str) -> None:
        """Where the faders of `device` stand is not known any more: it was away."""
        self._pickups = {key: pickup for key, pickup in self._pickups.items() if key[0] != device}
