"""Controllers as a scene file names them: a device, and what its knobs, faders and keys turn."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from installation import parameters
from installation.actions import ACTIONS, RECALL, TOGGLE
from installation.field import Section, Text, nothing_is, wrong
from installation.parameters import nearest
from installation.surroundings import Surroundings
from installation.track import LATENTS_AT_MOST


@dataclass(frozen=True)
class MidiControl:
    """One control of a MIDI device: `kind` cc or note, `number` 0..127, `channel` 1..16 or None for any."""

    kind: str
    number: int
    channel: int | None

    def hears(self, kind: str, number: int, channel: int) -> bool:
        """Whether a message of this kind, number and channel is this control's."""
        return (kind, number) == (self.kind, self.number) and self.channel in (None, channel)


_CONTROL = re.compile(r"(cc|note) (0|[1-9]|[1-9]\d|1[01]\d|12[0-7])(?: channel ([1-9]|1[0-6]))?", re.ASCII)


def midi_control(text: str) -> MidiControl | None:
    """`cc 7`, `cc 7 channel 3`, `note 60` …; None for anything else."""
    found = _CONTROL.fullmatch(text)
    return MidiControl(found[1], int(found[2]), int(found[3]) if found[3] else None) if found else None


def _control(text: str) -> str:
    if midi_control(text) is None:
        raise wrong(f"{text!r} is no control; allowed are cc 0..127 or note 0..127, and after it channel 1..16")
    return text


def _target(written: str, info: ValidationInfo) -> str:
    """A declared parameter, a switch to toggle, an action, or a recall of a scene."""
    around: Surroundings | None = info.context
    declared = around.declared() if around else parameters.declared(LATENTS_AT_MOST, (LATENTS_AT_MOST,) * 3)
    address = written.removesuffix(TOGGLE)
    if written in declared or written in ACTIONS or re.fullmatch(re.escape(RECALL) + r" \S.*", written):
        return written
    if address not in declared:
        raise wrong(f"{address}: no such parameter or action{nearest(address, (*declared, *ACTIONS, RECALL))}")
    if declared[address].curve != "switch":
        raise wrong(f"{address} is not a switch and can't be toggled")
    return written


class Midi(Section):
    """A controller and what its knobs, faders and keys turn."""

    device: Text = Field(description="A part of the device's name in any case, or a pattern with * and ?.")
    controls: Annotated[
        dict[Annotated[str, AfterValidator(_control)], Annotated[str, AfterValidator(_target)]], nothing_is({})
    ] = Field(description="What each control turns: an address, a switch's with toggle after it, or an action.")

    def matches(self, name: str) -> bool:
        """Whether the device called `name` is meant."""
        return fnmatch.fnmatchcase(name.lower(), f"*{self.device.lower()}*")
