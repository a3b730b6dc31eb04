"""What a message of a MIDI controller asks for: message and what the scene maps it to → commands, or why not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from installation.actions import ACTIONS, RECALL, TOGGLE
from installation.commands import Control, Recall, Refused, Set
from installation.control.router import snapped
from installation.controls import Midi, midi_control
from installation.parameters import Parameter


@dataclass(frozen=True)
class MidiPort:
    """A device came (`here`) or went; where its faders stand is not known."""

    device: str
    here: bool


@dataclass(frozen=True)
class MidiMessage:
    """What a controller sent: `kind` is cc or note, `channel` 1..16, `value` 0..127 (a note's velocity, 0 let go)."""

    device: str
    kind: str
    channel: int
    number: int
    value: int


def from_midi(
    message: MidiMessage, devices: tuple[Midi, ...], parameters: Mapping[str, Parameter], values: Mapping[str, float]
) -> tuple[Control, ...] | Refused:
    """The commands `devices` map `message` to; none for what they don't mention. `values` are the parameters' now.

    A continuous controller gives a parameter's travel, 0..127 for 0..1, or from 64 up a switch or action. A note holds
    a switch while it is down, or sets other parameters to its velocity. With ` toggle` after the address each press of
    either turns a switch over.
    """
    commands: list[Control] = []
    for target in _targets(message, devices):
        address = target.removesuffix(TOGGLE)
        if address in parameters:
            commands.extend(_midi_turn(parameters[address], message, values, toggle=target.endswith(TOGGLE)))
            continue
        asked = _midi_action(target, message)
        if isinstance(asked, Refused):
            return asked
        commands.extend(asked)
    return tuple(commands)


def _targets(message: MidiMessage, devices: tuple[Midi, ...]) -> list[str]:
    found = []
    for device in devices:
        if not device.matches(message.device):
            continue
        for text, target in device.controls.items():
            control = midi_control(text)
            if control and control.hears(message.kind, message.number, message.channel):
                found.append(target)
    return found


def _pressed(message: MidiMessage) -> bool:
    return message.value > 0 if message.kind == "note" else message.value >= 64


def _midi_turn(
    parameter: Parameter, message: MidiMessage, values: Mapping[str, float], *, toggle: bool
) -> tuple[Set, ...]:
    if toggle:
        on = values[parameter.address] > parameter.minimum
        value = parameter.minimum if on else parameter.maximum
        return (Set(parameter.address, float(value)),) if _pressed(message) else ()
    if parameter.curve == "switch":
        return (Set(parameter.address, float(_pressed(message))),)
    if message.kind == "note" and not message.value:
        return ()
    return (Set(parameter.address, snapped(parameter, parameter.at(message.value / 127.0))),)


def _midi_action(target: str, message: MidiMessage) -> tuple[Control, ...] | Refused:
    if not _pressed(message):
        return ()
    if target in ACTIONS:
        return (ACTIONS[target],)
    if target.startswith(RECALL + " "):
        return (Recall(target.removeprefix(RECALL + " ")),)
    return Refused(f"midi: {target}: no such parameter or action")
