"""MIDI in: a small process that reads the controllers a scene names and sends what they say upward.

It is a process of its own because rtmidi is native and can crash. A device that is lost says nothing about it, so a
scanner looks at the list of devices now and then, and opens what has come and closes what has gone: on a thread of its
own, because the list can take half a second, and a fader must not wait for it.
"""

from __future__ import annotations

import contextlib
import importlib
import queue
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from installation.control.controller import MidiMessage, MidiPort
from installation.controls import Midi
from installation.link import PULSE_S, Link, follow_parent

SCAN_S = 2.0
"""From one look at the list of devices to the next."""
QUEUED = 1024
"""Messages waiting to be sent upward; a controller that says more is not being played by hands."""
BACKEND = "mido.backends.rtmidi"
_SEQUENCER = Path("/dev/snd/seq")


class OpenPort(Protocol):
    """A device being read."""

    def close(self) -> None:
        """Read it no more."""
        ...


class Ports(Protocol):
    """The MIDI inputs of a machine."""

    def names(self) -> list[str]:
        """The devices there are now; OSError says why there can't be any."""
        ...

    def open(self, name: str, heard: Callable[[Any], None]) -> OpenPort:
        """Read the device `name`: each of its messages (mido's) goes to `heard`, on a thread of its own."""
        ...


class RtPorts:
    """The machine's MIDI inputs through mido and rtmidi. `backend` is a module of mido's, with /API after it or not."""

    def __init__(self, backend: str = BACKEND) -> None:
        import mido

        self._backend: Any = mido.Backend(backend, use_environ=False)
        self._backend_name = backend

    def names(self) -> list[str]:
        """The devices there are now; OSError says why there can't be any."""
        if self._backend_name == BACKEND and sys.platform == "linux" and not _SEQUENCER.exists():
            raise OSError(f"{_SEQUENCER} is missing: this machine has no MIDI sequencer")
        try:
            return sorted(set(self._backend.get_input_names()))
        except _native_errors() as error:
            raise OSError(str(error)) from error

    def open(self, name: str, heard: Callable[[Any], None]) -> OpenPort:
        """Read the device `name`; OSError if it is gone or another program keeps it."""
        try:
            port: OpenPort = self._backend.open_input(name, callback=heard)
            return port
        except _native_errors() as error:
            raise OSError(str(error)) from error


def _native_errors() -> tuple[type[Exception], ...]:
    """What rtmidi raises when the system refuses; its own errors are no OSError."""
    return (OSError, SystemError, ImportError, importlib.import_module("rtmidi").RtMidiError)


Heard = MidiMessage | MidiPort | str
"""What goes upward; a text is a sentence for the log."""


class Reader:
    """Keeps the devices that `wanted` names open, and queues what they say in `heard`. `ports` are the machine's.

    `scan` and `close` are one thread's; `heard` may be emptied by another.
    """

    def __init__(self, wanted: tuple[Midi, ...], ports: Ports) -> None:
        self.heard: queue.Queue[Heard] = queue.Queue(QUEUED)
        self.scans = self.dropped = 0
        self._wanted = wanted
        self._ports = ports
        self._open: dict[str, OpenPort] = {}
        self._said: set[str] = set()

    def scan(self) -> None:
        """Close what has gone, open what has come. A trouble is said once, until it is over."""
        try:
            names = self._ports.names()
        except OSError as error:
            self._trouble("", f"no MIDI: {error}")
            names = []
        else:
            self._said.discard("")
        for name in [name for name in self._open if name not in names]:
            self._leave(name)
        for name in names:
            if name not in self._open and any(midi.matches(name) for midi in self._wanted):
                self._take(name)
        self._said &= {"", *names}
        self.scans += 1

    def close(self) -> None:
        """Close every device."""
        for name in tuple(self._open):
            self._open.pop(name).close()

    def _take(self, name: str) -> None:
        try:
            self._open[name] = self._ports.open(name, lambda message: self._hear(name, message))
        except OSError as error:
            self._trouble(name, f"{name} can't be opened: {error}")
            return
        self._said.discard(name)
        self._queue(f"{name} is here")
        self._queue(MidiPort(name, here=True))

    def _leave(self, name: str) -> None:
        self._open.pop(name).close()
        self._queue(f"{name} is gone")
        self._queue(MidiPort(name, here=False))

    def _trouble(self, name: str, sentence: str) -> None:
        if name not in self._said:
            self._said.add(name)
            self._queue(sentence)

    def _hear(self, name: str, message: Any) -> None:
        understood = understand(name, message)
        if understood:
            self._queue(understood)

    def _queue(self, message: Heard) -> None:
        try:
            self.heard.put_nowait(message)
        except queue.Full:
            self.dropped += 1


def understand(device: str, message: Any) -> MidiMessage | None:
    """mido's message as ours: controllers and notes; None for all else. A note let go, by either of MIDI's two ways,
    is a note with velocity 0. Channels count from 1, as on the devices."""
    if message.type == "control_change":
        return MidiMessage(device, "cc", message.channel + 1, message.control, message.value)
    if message.type in ("note_on", "note_off"):
        velocity = message.velocity if message.type == "note_on" else 0
        return MidiMessage(device, "note", message.channel + 1, message.note, velocity)
    return None


def main(connection: Connection, wanted: tuple[Midi, ...]) -> None:
    """The process: reads the devices of `wanted` until it is told to stop."""
    follow_parent()
    link = Link(connection, "midi")
    try:
        run(link, wanted, RtPorts())
    except Exception as error:  # a process's main: the conductor logs it and starts the process again
        link.say(f"stopped by {error!r}")
        raise SystemExit(1) from error


def run(link: Link, wanted: tuple[Midi, ...], ports: Ports, scan_s: float = SCAN_S) -> None:
    """Scan, send upward what is heard, and pulse, until `link` is stopped. A scan that hangs shows as no progress."""
    reader = Reader(wanted, ports)
    over = threading.Event()
    scanner = threading.Thread(target=_scan, args=(reader, over, scan_s), name="midi scanner", daemon=True)
    scanner.start()
    sent = 0
    try:
        while not link.stopped:
            sent += _send(reader, link)
            link.pulse(time.monotonic(), sent + reader.scans, partial(_figures, sent, reader.dropped))
            link.drain()
    finally:
        over.set()
        scanner.join(scan_s)


def _scan(reader: Reader, over: threading.Event, scan_s: float) -> None:
    while not over.is_set():
        reader.scan()
        over.wait(scan_s)
    reader.close()


def _figures(sent: int, dropped: int) -> dict[str, int]:
    return {"messages": sent, "dropped": dropped}


def _send(reader: Reader, link: Link) -> int:
    """Wait a pulse for something to be heard; send all there is. How many messages of devices."""
    sent = 0
    with contextlib.suppress(queue.Empty):
        heard = reader.heard.get(timeout=PULSE_S)
        while True:
            if isinstance(heard, str):
                link.say(heard)
            else:
                link.send(heard)
                sent += isinstance(heard, MidiMessage)
            heard = reader.heard.get_nowait()
    return sent
