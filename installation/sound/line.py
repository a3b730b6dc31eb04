"""What the installation hears: an input of PortAudio chosen by name, a file's sound, or nothing where there is none.

The input's thread copies and counts and does nothing else: mono samples go to a tape whose positions are absolute
sample counts that only grow, and whoever reads says from where. Positions have a time on the monotonic clock, so that
what was heard can be laid beside what the card played.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from installation.errors import CardError
from installation.sound.devices import Device, channels_of, choose, listed, rate_of, started
from installation.urgency import come_first

Floats = npt.NDArray[np.float32]

LATENCY_S = 0.02
"""What PortAudio is asked for: an input that comes late is only heard late, so it may be less than a card's."""
TAPE_S = 4.0
"""How much of the past is held."""
LARGEST_BLOCK = 1 << 14
"""Samples an input's thread brings at once, at the most; what is more goes on the tape in pieces."""
MIXED_CHANNELS = 2
"""Without a chosen channel the mean of so many first ones is heard: more are seldom of one sound."""


class Tape:
    """The last `capacity` samples of a mono sound. One writer, any number of readers, no lock: each counter has one
    writer, and what the writer may be about to write over is never given out."""

    def __init__(self, capacity: int) -> None:
        self._slots = np.zeros(capacity + LARGEST_BLOCK, np.float32)
        self._capacity = capacity
        self.written = 0
        """Samples ever written: the position of the next."""

    def append(self, block: Floats) -> None:
        """Write mono samples (samples,), at most LARGEST_BLOCK: the input's thread only."""
        slot, count = self.written % len(self._slots), len(block)
        first = min(count, len(self._slots) - slot)
        self._slots[slot : slot + first] = block[:first]
        if count > first:
            self._slots[: count - first] = block[first:]
        self.written += count

    def read_since(self, position: int, most: int) -> tuple[Floats, int]:
        """At most `most` samples from `position` on, (samples,), and the position after them. If they are not held any
        more, the oldest that are: next position - position - samples were lost."""
        start = max(position, self.written - self._capacity)
        count = max(0, min(most, self.written - start))
        index = np.arange(start, start + count) % len(self._slots)
        samples = self._slots[index]
        gone = max(0, min(count, self.written - self._capacity - start))
        return samples[gone:], start + count


class Line(Protocol):
    """Mono sound that comes by itself, from `open` to `close`."""

    name: str
    sample_rate_hz: int
    latency_s: float
    """From the air, or the socket, to the tape."""
    overflows: int
    """How often the device itself said that samples were lost."""
    callbacks: int
    """How often it came; stands still when it died."""

    @property
    def written(self) -> int:
        """Samples that ever came: the position of the next."""
        ...

    def open(self) -> None:
        """Begin to hear."""
        ...

    def read_since(self, position: int, most: int) -> tuple[Floats, int]:
        """As `Tape.read_since`."""
        ...

    def adc_time_s(self, position: int) -> float:
        """When sample `position` was (or will be) at the converter, on the monotonic clock; 0 before the first came."""
        ...

    def close(self) -> None:
        """End."""
        ...


class NullLine:
    """No input: nothing ever comes."""

    name = "no input"
    latency_s = 0.0
    overflows = callbacks = written = 0

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz

    def open(self) -> None:
        """There is nothing to open."""

    def read_since(self, position: int, most: int) -> tuple[Floats, int]:
        return np.zeros(0, np.float32), position

    def adc_time_s(self, position: int) -> float:
        return 0.0

    def close(self) -> None:
        """There is nothing to close."""


class FileLine:
    """A sound (samples,) as an input, for rendering and tests: it comes as far as the clock is advanced, from time 0 on
    that clock, and is silence after its end."""

    latency_s = 0.0
    overflows = 0

    def __init__(self, sound: Floats, sample_rate_hz: int, name: str = "file") -> None:
        self._sound = np.asarray(sound, np.float32)
        self.name, self.sample_rate_hz = name, sample_rate_hz
        self.written = self.callbacks = 0

    def open(self) -> None:
        """Nothing comes before `advance`."""

    def advance(self, samples: int) -> None:
        """Let so many more samples have come."""
        self.written += samples
        self.callbacks += 1

    def read_since(self, position: int, most: int) -> tuple[Floats, int]:
        end = max(position, min(self.written, position + most))
        out = np.zeros(end - position, np.float32)
        held = self._sound[position:end]
        out[: len(held)] = held
        return out, end

    def adc_time_s(self, position: int) -> float:
        return position / self.sample_rate_hz

    def close(self) -> None:
        """There is nothing to close."""


class PortAudioLine:
    """An input device of PortAudio, by (part of its) name; the default one for None. `channel`, from 1, is the one that
    is heard; None hears the mean of the first two."""

    def __init__(self, wanted: str | None, sample_rate_hz: int, channel: int | None = None) -> None:
        self._index, described = choose(wanted, "input")
        self.name = str(described["name"])
        there = channels_of(described, "input")
        if channel is not None and not 1 <= channel <= there:
            raise CardError(f"input {self.name!r}: channel {channel} of {there}: allowed is 1..{there}")
        self._channel = channel
        self._channels = min(MIXED_CHANNELS, there) if channel is None else channel
        self.sample_rate_hz = rate_of(self._index, described, "input", self._channels, sample_rate_hz)
        self.latency_s = LATENCY_S
        self.overflows = self.callbacks = 0
        self._tape = Tape(int(TAPE_S * self.sample_rate_hz))
        self._stamp = (0, 0.0)
        self._stream: Any = None

    @property
    def written(self) -> int:
        return self._tape.written

    def open(self) -> None:
        """Begin to hear; CardError when the device refuses."""
        mono = np.zeros(LARGEST_BLOCK, np.float32)

        def callback(block: Any, count: int, times: Any, status: Any) -> None:
            if not self.callbacks:
                come_first()
            ago_s = times.currentTime - times.inputBufferAdcTime
            heard_s = time.monotonic() - (ago_s if 0.0 < ago_s < 1.0 else self.latency_s)
            self._stamp = (self._tape.written, heard_s)
            for begin in range(0, count, LARGEST_BLOCK):
                self._append(block[begin : begin + LARGEST_BLOCK], mono)
            self.overflows += bool(status.input_overflow)
            self.callbacks += 1

        self._stream = started(
            "input",
            self.name,
            samplerate=self.sample_rate_hz,
            device=self._index,
            channels=self._channels,
            latency=LATENCY_S,
            callback=callback,
        )
        self.latency_s = float(self._stream.latency)

    def _append(self, block: Any, mono: Floats) -> None:
        """One mono block of `block` (samples, channels), made in `mono`."""
        if self._channel is None:
            np.mean(block, axis=1, out=mono[: len(block)])
        else:
            mono[: len(block)] = block[:, self._channel - 1]
        self._tape.append(mono[: len(block)])

    def read_since(self, position: int, most: int) -> tuple[Floats, int]:
        return self._tape.read_since(position, most)

    def adc_time_s(self, position: int) -> float:
        stamped, time_s = self._stamp
        return time_s + (position - stamped) / self.sample_rate_hz if self.callbacks else 0.0

    def close(self) -> None:
        """End the stream. Blocks for ever when the sound server hangs: the voice closes in a thread it can leave."""
        if self._stream is not None:
            self._stream.close()


def inputs() -> tuple[Device, ...]:
    """Every input device of this machine; CardError when PortAudio itself is missing."""
    return listed("input")


def find_line(wanted: str | None, sample_rate_hz: int, channel: int | None = None) -> tuple[Line, str | None]:
    """The input to hear, and why there is none if there is none. Not yet open."""
    try:
        return PortAudioLine(wanted, sample_rate_hz, channel), None
    except CardError as error:
        return NullLine(sample_rate_hz), str(error)
