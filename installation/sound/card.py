"""What takes the ring's samples: a PortAudio device chosen by name, or a null clock where there is none.

The card's thread copies and counts and does nothing else. When the ring runs dry it lets the last sample die away and
plays silence for exactly what is missing; what follows fades in.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from installation.errors import CardError
from installation.parameters import nearest
from installation.ring import Ring

BLOCK = 512
"""Samples the null clock takes at once."""
PRIORITY = 20
"""Of the card's thread among those of SCHED_FIFO, 1 to 99: above the show, below the sound server's own."""
LATENCY_S = 0.04
"""What PortAudio is asked for: enough that a server under load is not late, too little to be heard as delay."""


@dataclass(frozen=True)
class Device:
    """An output device as PortAudio sees it."""

    name: str
    channels: int
    sample_rate_hz: int
    chosen: bool


class Card(Protocol):
    """Takes samples from the ring until closed."""

    name: str
    sample_rate_hz: int
    latency_s: float
    block: int
    """Samples it takes at once, as seen so far."""

    def open(self, ring: Ring) -> None:
        """Begin to take."""
        ...

    def close(self) -> None:
        """End; never waits for a dead server longer than it must."""
        ...


class Taker:
    """The body of every card's callback: ring to buffer, with the fades around a gap."""

    def __init__(self, ring: Ring) -> None:
        rate = ring.sample_rate_hz
        self._ring = ring
        self._fall = np.exp(-np.arange(1, rate + 1) / (0.003 * rate)).astype(np.float32)[:, None]
        self._rise = np.linspace(0.0, 1.0, int(0.02 * rate), dtype=np.float32)[:, None]
        self._last = np.zeros((1, ring.channels), np.float32)
        self._falls_from = self._last.copy()
        self._risen = 0
        self._fallen = len(self._fall)
        self._in_gap = True

    def take(self, out: Any) -> None:
        """Fill `out` (samples, channels)."""
        count = len(out)
        have = self._ring.take(out)
        if have and self._risen < len(self._rise):
            length = min(have, len(self._rise) - self._risen)
            out[:length] *= self._rise[self._risen : self._risen + length]
            self._risen += length
        if have and self._fallen < len(self._fall):
            self._die_away(out[:have])
        if have:
            self._last[0] = out[have - 1]
        if have < count:
            if have or not self._in_gap:
                self._falls_from[:] = self._last
                self._fallen = 0
            out[have:] = 0.0
            self._die_away(out[have:])
            self._risen = 0
        self._in_gap = have < count

    def _die_away(self, out: Any) -> None:
        """Add what remains of the last sample before the gap."""
        length = min(len(out), len(self._fall) - self._fallen)
        out[:length] += self._fall[self._fallen : self._fallen + length] * self._falls_from
        self._fallen += length


class NullCard:
    """No card: a thread that takes what a card would, on the monotonic clock, and lets it go unheard."""

    name = "null clock"
    latency_s = 0.0
    block = BLOCK

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self, ring: Ring) -> None:
        """Begin to take."""
        self._thread = threading.Thread(target=self._run, args=(ring,), name="null clock", daemon=True)
        self._thread.start()

    def _run(self, ring: Ring) -> None:
        taker = Taker(ring)
        buffer = np.zeros((BLOCK, ring.channels), np.float32)
        period_s = BLOCK / self.sample_rate_hz
        due_s = time.monotonic()
        while not self._ended.wait(max(0.0, due_s - time.monotonic())):
            position = ring.taken
            taker.take(buffer)
            ring.stamp(position, due_s)
            due_s += period_s
            if time.monotonic() - due_s > 1.0:
                due_s = time.monotonic()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread:
            self._thread.join(1.0)


class PortAudioCard:
    """An output device of PortAudio, by (part of its) name; the default one for None."""

    def __init__(self, wanted: str | None, sample_rate_hz: int, channels: int) -> None:
        import sounddevice

        self._library = sounddevice
        index, described = _choose(sounddevice, wanted)
        self.name = str(described["name"])
        self._index = index
        self._channels = max(1, min(channels, int(described["max_output_channels"])))
        self.sample_rate_hz = self._rate(sample_rate_hz, int(described["default_samplerate"]))
        self.latency_s = LATENCY_S
        self.block = BLOCK
        self._stream: Any = None

    def _rate(self, wanted_hz: int, default_hz: int) -> int:
        for rate_hz in (wanted_hz, default_hz):
            try:
                self._library.check_output_settings(
                    device=self._index, channels=self._channels, dtype="float32", samplerate=rate_hz
                )
            except (self._library.PortAudioError, ValueError) as error:
                refusal = error
            else:
                return rate_hz
        raise CardError(f"card {self.name!r}: neither {wanted_hz} nor {default_hz} Hz: {refusal}")

    def open(self, ring: Ring) -> None:
        """Begin to take; CardError when the device refuses."""
        taker = Taker(ring)
        mono = np.zeros((1 << 16, ring.channels), np.float32) if self._channels < ring.channels else None

        first = True

        def callback(out: Any, count: int, times: Any, status: Any) -> None:
            nonlocal first
            if first:
                first = False
                _come_first()
            position = ring.taken
            if mono is None:
                taker.take(out)
            else:
                taker.take(mono[:count])
                np.mean(mono[:count], axis=1, keepdims=True, out=out)
            ahead_s = times.outputBufferDacTime - times.currentTime
            ring.stamp(position, time.monotonic() + (ahead_s if 0.0 < ahead_s < 1.0 else self.latency_s), bool(status))
            self.block = count

        try:
            self._stream = self._library.OutputStream(
                samplerate=self.sample_rate_hz,
                device=self._index,
                channels=self._channels,
                dtype="float32",
                latency=LATENCY_S,
                callback=callback,
            )
            self._stream.start()
        except self._library.PortAudioError as error:
            raise CardError(f"card {self.name!r}: {error}") from error
        self.latency_s = float(self._stream.latency)

    def close(self) -> None:
        """End the stream. Blocks for ever when the sound server hangs: the voice closes in a thread it can leave."""
        if self._stream is not None:
            self._stream.close()


def _come_first() -> None:
    """Let the calling thread run before all others of the machine, where the system allows it; it sleeps mostly."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))


def _choose(library: Any, wanted: str | None) -> tuple[int, dict[str, Any]]:
    """Index and description of the output device whose name is, begins with or holds `wanted`, in that order."""
    try:
        described = [
            (index, each) for index, each in enumerate(library.query_devices()) if each["max_output_channels"] > 0
        ]
        default = int(library.default.device[1])
    except library.PortAudioError as error:
        raise CardError(f"PortAudio: {error}") from error
    if not described:
        raise CardError("no sound card: PortAudio lists no output device")
    if wanted is None:
        for index, each in described:
            if index == default:
                return index, each
        return described[0]
    low = wanted.casefold()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for index, each in described:
            if fits(str(each["name"]).casefold(), low):
                return index, each
    listed = tuple(str(each["name"]) for _, each in described)
    raise CardError(f"no card {wanted!r}{nearest(wanted, listed)}; there are: {', '.join(listed)}")


def devices() -> tuple[Device, ...]:
    """Every output device of this machine; CardError when PortAudio itself is missing."""
    library = _library()
    try:
        default = int(library.default.device[1])
        return tuple(
            Device(
                str(each["name"]), int(each["max_output_channels"]), int(each["default_samplerate"]), index == default
            )
            for index, each in enumerate(library.query_devices())
            if each["max_output_channels"] > 0
        )
    except library.PortAudioError as error:
        raise CardError(f"PortAudio: {error}") from error


def _library() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise CardError(f"PortAudio is not installed ({error}); on Debian: apt-get install libportaudio2") from error
    except Exception as error:  # PortAudio starts within the import, and the class of its error is in what failed
        raise CardError(f"PortAudio does not start: {error}") from error
    return sounddevice


def find(wanted: str | None, sample_rate_hz: int, channels: int) -> tuple[Card, str | None]:
    """The card to play on, and why it is the null clock if it is."""
    try:
        _library()
        return PortAudioCard(wanted, sample_rate_hz, channels), None
    except CardError as error:
        return NullCard(sample_rate_hz), str(error)


def plays(wanted: str | None) -> bool:
    """Whether a card can really be played on: a second of silence, taken steadily. May hang with a hung server."""
    card, why = find(wanted, 48_000, 2)
    if why:
        return False
    with Ring.create(1 << 17, 2, card.sample_rate_hz) as ring:
        ring.write(np.zeros((1 << 16, 2), np.float32))
        card.open(ring)
        until_s = time.monotonic() + 4.0
        while ring.taken < card.sample_rate_hz // 2 and time.monotonic() < until_s:
            time.sleep(0.02)
        steady = ring.taken >= card.sample_rate_hz // 2
        card.close()
    return steady
