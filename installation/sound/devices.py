"""PortAudio's devices: the library itself, which devices there are, which one a name means, at which rate it opens.

The only home of sounddevice; `card` plays on what is found here, `line` records from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from installation.errors import CardError
from installation.parameters import nearest

Side = Literal["output", "input"]

NAMES: dict[Side, str] = {"output": "card", "input": "input"}
"""What an error calls a device of that side."""


@dataclass(frozen=True)
class Device:
    """A device as PortAudio sees it, from one side; `chosen` is the one that is meant where none is named."""

    name: str
    channels: int
    sample_rate_hz: int
    chosen: bool


def library() -> Any:
    """sounddevice; CardError when PortAudio is not installed or does not start."""
    try:
        import sounddevice
    except OSError as error:
        raise CardError(f"PortAudio is not installed ({error}); on Debian: apt-get install libportaudio2") from error
    except Exception as error:  # PortAudio starts within the import, and the class of its error is in what failed
        raise CardError(f"PortAudio does not start: {error}") from error
    return sounddevice


def listed(side: Side) -> tuple[Device, ...]:
    """Every device of this machine with such a side; CardError when PortAudio itself is missing."""
    described, default = _described(library(), side)
    return tuple(
        Device(str(each["name"]), channels_of(each, side), int(each["default_samplerate"]), index == default)
        for index, each in described
    )


def channels_of(described: dict[str, Any], side: Side) -> int:
    """How many channels a device has on that side."""
    return int(described[f"max_{side}_channels"])


def choose(wanted: str | None, side: Side) -> tuple[int, dict[str, Any]]:
    """Index and description of the device whose name is, begins with or holds `wanted`, in that order; the default one
    for None. CardError names those that are there."""
    described, default = _described(library(), side)
    if not described:
        raise CardError(f"no {'sound card' if side == 'output' else side}: PortAudio lists no {side} device")
    if wanted is None:
        return next((pair for pair in described if pair[0] == default), described[0])
    low = wanted.casefold()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for index, each in described:
            if fits(str(each["name"]).casefold(), low):
                return index, each
    names = tuple(str(each["name"]) for _, each in described)
    raise CardError(f"no {NAMES[side]} {wanted!r}{nearest(wanted, names)}; there are: {', '.join(names)}")


def rate_of(index: int, described: dict[str, Any], side: Side, channels: int, wanted_hz: int) -> int:
    """The rate the device opens at: the one wanted, or else its own; CardError when it takes neither."""
    portaudio, default_hz = library(), int(described["default_samplerate"])
    check = portaudio.check_output_settings if side == "output" else portaudio.check_input_settings
    for rate_hz in (wanted_hz, default_hz):
        try:
            check(device=index, channels=channels, dtype="float32", samplerate=rate_hz)
        except (portaudio.PortAudioError, ValueError) as error:
            refusal = error
        else:
            return rate_hz
    raise CardError(f"{NAMES[side]} {described['name']!r}: neither {wanted_hz} nor {default_hz} Hz: {refusal}")


def started(side: Side, name: str, **stream: Any) -> Any:
    """A stream of PortAudio that is running, `stream` being its settings; CardError when the device `name` refuses."""
    portaudio = library()
    kind = portaudio.OutputStream if side == "output" else portaudio.InputStream
    try:
        made = kind(dtype="float32", **stream)
        made.start()
    except portaudio.PortAudioError as error:
        raise CardError(f"{NAMES[side]} {name!r}: {error}") from error
    return made


def _described(portaudio: Any, side: Side) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """The devices with such a side, by index, and the index of the default one (-1 for none)."""
    try:
        found = [(index, each) for index, each in enumerate(portaudio.query_devices()) if channels_of(each, side) > 0]
        return found, int(portaudio.default.device[1 if side == "output" else 0])
    except portaudio.PortAudioError as error:
        raise CardError(f"PortAudio: {error}") from error
