"""MIDI in: devices come and go, what they say is understood; and once with real ports, on a private JACK server."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import mido
import pytest

from installation.commands import Pulse, Said, Stop
from installation.control import midi
from installation.control.controller import MidiMessage, MidiPort
from installation.control.midi import Heard, Reader, understand
from installation.controls import Midi
from installation.link import Link

pytestmark = pytest.mark.alone

NANO = "nanoKONTROL2:nanoKONTROL2 _ CTRL 20:0"
WANTED = (Midi(device="nanoKONTROL2", controls={"cc 1": "/voice/gain"}),)


class Wire:
    """An open port of `Cables`."""

    def __init__(self, cables: Cables, name: str) -> None:
        self.cables, self.name = cables, name

    def close(self) -> None:
        del self.cables.open_ports[self.name]


class Cables:
    """A machine's MIDI inputs, plugged and unplugged by hand."""

    def __init__(self, *names: str) -> None:
        self.plugged = list(names)
        self.kept: set[str] = set()
        self.broken: str | None = None
        self.open_ports: dict[str, Callable[[Any], None]] = {}

    def names(self) -> list[str]:
        if self.broken:
            raise OSError(self.broken)
        return self.plugged

    def open(self, name: str, heard: Callable[[Any], None]) -> Wire:
        if name in self.kept:
            raise OSError("another program keeps it")
        assert name not in self.open_ports
        self.open_ports[name] = heard
        return Wire(self, name)

    def play(self, name: str, *messages: mido.Message) -> None:
        for message in messages:
            self.open_ports[name](message)


def drained(reading: Reader) -> list[Heard]:
    return [reading.heard.get_nowait() for _ in range(reading.heard.qsize())]


HERE, GONE = [f"{NANO} is here", MidiPort(NANO, True)], [f"{NANO} is gone", MidiPort(NANO, False)]


def test_controllers_and_notes_are_understood_and_channels_count_from_one() -> None:
    for message, wanted in (
        (mido.Message("control_change", channel=0, control=7, value=100), ("cc", 1, 7, 100)),
        (mido.Message("note_on", channel=15, note=60, velocity=90), ("note", 16, 60, 90)),
        (mido.Message("note_on", channel=9, note=60, velocity=0), ("note", 10, 60, 0)),
        (mido.Message("note_off", channel=9, note=60, velocity=64), ("note", 10, 60, 0)),
    ):
        assert understand(NANO, message) == MidiMessage(NANO, *wanted)
    for other in ("clock", "active_sensing", "pitchwheel", "aftertouch", "sysex", "program_change"):
        assert understand(NANO, mido.Message(other)) is None


def test_only_devices_that_a_scene_names_are_opened() -> None:
    cables = Cables("Midi Through 14:0", NANO)
    reading = Reader(WANTED, cables)
    reading.scan()
    reading.scan()
    assert list(cables.open_ports) == [NANO]
    cables.play(NANO, mido.Message("control_change", control=1, value=5), mido.Message("clock"))
    assert drained(reading) == [*HERE, MidiMessage(NANO, "cc", 1, 1, 5)]
    reading.close()
    assert not cables.open_ports


def test_a_device_that_goes_is_closed_and_opened_when_it_comes_back() -> None:
    cables = Cables(NANO)
    reading = Reader(WANTED, cables)
    reading.scan()
    cables.plugged.clear()
    reading.scan()
    assert not cables.open_ports
    cables.plugged.append(NANO)
    reading.scan()
    assert list(cables.open_ports) == [NANO]
    assert drained(reading) == [*HERE, *GONE, *HERE]


def test_a_machine_without_midi_says_so_once_each_time_it_is_lost() -> None:
    cables = Cables(NANO)
    reading = Reader(WANTED, cables)
    cables.broken = "no sequencer"
    for _ in range(5):
        reading.scan()
    assert drained(reading) == ["no MIDI: no sequencer"]
    cables.broken = None
    reading.scan()
    cables.broken = "no sequencer"
    reading.scan()
    reading.scan()
    assert drained(reading) == [*HERE, "no MIDI: no sequencer", *GONE]


def test_a_device_kept_by_another_program_is_told_once_and_tried_again() -> None:
    cables = Cables(NANO)
    cables.kept.add(NANO)
    reading = Reader(WANTED, cables)
    for _ in range(3):
        reading.scan()
    cables.kept.clear()
    reading.scan()
    assert drained(reading) == [f"{NANO} can't be opened: another program keeps it", *HERE]


def test_more_than_hands_can_play_is_dropped_and_counted() -> None:
    cables = Cables(NANO)
    reading = Reader(WANTED, cables)
    reading.scan()
    drained(reading)
    cables.play(NANO, *[mido.Message("control_change", control=1, value=1)] * (midi.QUEUED + 9))
    assert (reading.heard.qsize(), reading.dropped) == (midi.QUEUED, 9)


def heard(connection: Connection, wanted: Callable[[Any], bool]) -> list[Any]:
    """What comes up the pipe until one is `wanted`."""
    found: list[Any] = []
    while not (found and wanted(found[-1])):
        assert connection.poll(10.0), found
        found.append(connection.recv())
    return found


def test_the_reader_pulses_sends_and_ends_when_told() -> None:
    ours, theirs = multiprocessing.Pipe()
    cables = Cables(NANO)
    work = (Link(theirs, "midi"), WANTED, cables, 0.05)
    running = threading.Thread(target=midi.run, args=work, daemon=True)
    running.start()
    assert Said("midi", f"{NANO} is here") in heard(ours, lambda message: message == MidiPort(NANO, True))
    cables.play(NANO, mido.Message("note_on", note=3, velocity=4))
    assert heard(ours, lambda message: isinstance(message, MidiMessage))[-1] == MidiMessage(NANO, "note", 1, 3, 4)
    pulses = [heard(ours, lambda message: isinstance(message, Pulse))[-1] for _ in range(2)]
    assert pulses[1].progress > pulses[0].progress
    assert pulses[1].figures == {"messages": 1, "dropped": 0}
    ours.send(Stop())
    running.join(10.0)
    assert not running.is_alive() and not cables.open_ports


def test_a_scan_that_hangs_shows_as_no_progress() -> None:
    ours, theirs = multiprocessing.Pipe()
    let_go = threading.Event()

    class Hanging(Cables):
        def names(self) -> list[str]:
            let_go.wait(20.0)
            return self.plugged

    cables = Hanging()
    running = threading.Thread(target=midi.run, args=(Link(theirs, "midi"), WANTED, cables, 0.05), daemon=True)
    running.start()
    pulses = [heard(ours, lambda message: isinstance(message, Pulse))[-1] for _ in range(2)]
    assert pulses[0].progress == pulses[1].progress == 0
    let_go.set()
    assert heard(ours, lambda message: isinstance(message, Pulse) and message.progress > 0)
    ours.send(Stop())
    running.join(10.0)
    assert not running.is_alive()


def test_the_process_says_what_this_machine_lacks_and_ends_with_its_pipe() -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=midi.main, args=(theirs, WANTED), daemon=True)
    process.start()
    theirs.close()
    heard(ours, lambda message: isinstance(message, Pulse))
    ours.close()
    process.join(10.0)
    assert process.exitcode == 0


JACK_PROGRAM = """if True:
    import multiprocessing, sys, threading, time
    import mido
    from installation.commands import Stop
    from installation.control import midi
    from installation.control.controller import MidiMessage, MidiPort
    from installation.link import Link
    from installation.controls import Midi

    API = "mido.backends.rtmidi/UNIX_JACK"
    backend = mido.Backend(API, use_environ=False)

    def until(connection, wanted, seconds=15.0):
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            if connection.poll(0.05) and isinstance(message := connection.recv(), wanted):
                return message

    def send(device, value):
        device.send(mido.Message("control_change", channel=2, control=16, value=value))

    ours, theirs = multiprocessing.Pipe()
    wanted = (Midi(device="nano*test", controls={}),)
    work = (Link(theirs, "midi"), wanted, midi.RtPorts(API), 0.3)
    running = threading.Thread(target=midi.run, args=work, daemon=True)
    running.start()
    for _ in range(2):
        device = backend.open_output("nanoKONTROL2 test", virtual=True)
        assert until(ours, MidiPort).here
        send(device, 127)  # JACK may still be connecting: until one is heard none is counted on
        while not until(ours, MidiMessage, 0.5):
            send(device, 127)
        for value in range(20):
            send(device, value)
            while (found := until(ours, MidiMessage)).value == 127:
                pass
            assert (found.kind, found.channel, found.number, found.value) == ("cc", 3, 16, value), found
        device.close()
        assert not until(ours, MidiPort).here
    ours.send(Stop())
    running.join(5.0)
    print("played")
"""


@pytest.fixture
def jack(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A private JACK server without a card; the environment in which programs find it."""
    if not (shutil.which("jackd") and shutil.which("jack_wait")):
        pytest.skip("jackd is not installed")
    name = f"test{os.getpid()}"
    environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    command = ["jackd", "-n", name, "-r", "-d", "dummy", "-r", "48000", "-p", "256"]
    with (tmp_path / "jackd.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            waited = subprocess.run(["jack_wait", "-s", name, "-w", "-t", "10"], env=environment, capture_output=True)
            if waited.returncode:
                pytest.skip(f"jackd does not start here: {(tmp_path / 'jackd.log').read_text('utf-8', 'replace')}")
            yield environment
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(5.0)
            if server.poll() is None:
                server.kill()
                server.wait()


def test_real_ports_are_found_heard_lost_and_found_again(jack: dict[str, str]) -> None:
    played = subprocess.run([sys.executable, "-c", JACK_PROGRAM], env=jack, capture_output=True, text=True, timeout=60)
    assert played.stdout.strip().endswith("played"), played.stderr
    assert played.returncode == 0
