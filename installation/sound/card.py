"""What takes the ring's samples: a PortAudio device chosen by name, or a null clock where there is none.

The card's thread copies and counts and does nothing else. When the ring runs dry it lets the last sample die away and
plays silence for exactly what is missing; what follows fades in.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

import numpy as np

from installation.errors import CardError
from installation.ring import Ring
from installation.sound.devices import Device, channels_of, choose, listed, rate_of, started
from installation.urgency import come_first

BLOCK = 512
"""Samples the null clock takes at once."""
CLEAR_S = 0.0015
"""Rewriting what is held is over in less."""
MARGIN = 32
"""Samples just ahead of the card that are not rewritten."""
LATENCY_S = 0.04
"""What PortAudio is asked for: enough that a server under load is not late, too little to be heard as delay."""


class Card(Protocol):
    """Takes samples from the ring until closed."""

    @property
    def name(self) -> str: ...

    @property
    def sample_rate_hz(self) -> int: ...

    @property
    def latency_s(self) -> float: ...

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
            came_s = time.monotonic()
            taker.take(buffer)
            ring.stamp(position, due_s, False, BLOCK, came_s)
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
        index, described = choose(wanted, "output")
        self.name = str(described["name"])
        self._index = index
        self._channels = max(1, min(channels, channels_of(described, "output")))
        self.sample_rate_hz = rate_of(index, described, "output", self._channels, sample_rate_hz)
        self.latency_s = LATENCY_S
        self._stream: Any = None

    def open(self, ring: Ring) -> None:
        """Begin to take; CardError when the device refuses."""
        taker = Taker(ring)
        mono = np.zeros((1 << 16, ring.channels), np.float32) if self._channels < ring.channels else None

        first = True

        def callback(out: Any, count: int, times: Any, status: Any) -> None:
            nonlocal first
            if first:
                first = False
                come_first()
            position, came_s = ring.taken, time.monotonic()
            if mono is None:
                taker.take(out)
            else:
                taker.take(mono[:count])
                np.mean(mono[:count], axis=1, keepdims=True, out=out)
            ahead_s = times.outputBufferDacTime - times.currentTime
            dac_s = time.monotonic() + (ahead_s if 0.0 < ahead_s < 1.0 else self.latency_s)
            ring.stamp(position, dac_s, bool(status), count, came_s)

        self._stream = started(
            "output",
            self.name,
            samplerate=self.sample_rate_hz,
            device=self._index,
            channels=self._channels,
            latency=LATENCY_S,
            callback=callback,
        )
        self.latency_s = float(self._stream.latency)

    def close(self) -> None:
        """End the stream. Blocks for ever when the sound server hangs: the voice closes in a thread it can leave."""
        if self._stream is not None:
            self._stream.close()


def devices() -> tuple[Device, ...]:
    """Every output device of this machine; CardError when PortAudio itself is missing."""
    return listed("output")


def margin(ring: Ring, now_s: float) -> int:
    """How many samples beyond those taken the card of `ring` will not take in the next CLEAR_S: a few, or if it is
    about to come the block it will take and a few."""
    due_s = ring.came_s + ring.block / ring.sample_rate_hz
    return MARGIN if due_s - now_s > CLEAR_S else ring.block + MARGIN


def find(wanted: str | None, sample_rate_hz: int, channels: int) -> tuple[Card, str | None]:
    """The card to play on, and why it is the null clock if it is."""
    try:
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
