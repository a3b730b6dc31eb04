"""Samples between the decoder and the card, and their recent past (the tap), in shared memory.

One writer (the voice), one taker (the card's thread in the same process), any number of readers of the past. Positions
are absolute sample counts that only grow; position p lives in slot p % capacity. The writer may write again anything
the card has not taken yet (`rewrite`), which is how a knob is heard at once although much is held ahead.

Single aligned 64-bit stores are whole on every machine this runs on, so the counters need no lock: each has one writer.
"""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory
from types import TracebackType

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_WRITTEN, _TAKEN, _MISSED, _CALLBACKS, _UNDERFLOWS, _RATE, _CHANNELS, _CAPACITY, _STAMP, _STAMP_SEQUENCE = range(10)
_BLOCK, _CAME = 11, 12
_HEADER = 16 * 8


class Ring:
    """`capacity` samples per channel at `sample_rate_hz`; float32, (capacity, channels)."""

    def __init__(self, memory: SharedMemory, owner: bool) -> None:
        self._memory = memory
        self._owner = owner
        self._counters = np.ndarray((16,), np.int64, memory.buf)
        self._times = self._counters.view(np.float64)
        capacity, channels = int(self._counters[_CAPACITY]), int(self._counters[_CHANNELS])
        self._slots = np.ndarray((capacity, channels), np.float32, memory.buf, _HEADER)

    @classmethod
    def create(cls, capacity: int, channels: int, sample_rate_hz: int) -> Ring:
        """A new ring in shared memory; its creator unlinks it on `close`."""
        memory = SharedMemory(create=True, size=_HEADER + capacity * channels * 4)
        counters = np.ndarray((16,), np.int64, memory.buf)
        counters[:] = 0
        counters[_RATE], counters[_CHANNELS], counters[_CAPACITY] = sample_rate_hz, channels, capacity
        del counters
        return cls(memory, owner=True)

    @classmethod
    def attach(cls, name: str) -> Ring:
        """The ring another process created."""
        return cls(SharedMemory(name=name), owner=False)

    @property
    def name(self) -> str:
        return self._memory.name

    @property
    def capacity(self) -> int:
        """Samples per channel it holds, past and future together."""
        return int(self._counters[_CAPACITY])

    @property
    def channels(self) -> int:
        return int(self._counters[_CHANNELS])

    @property
    def sample_rate_hz(self) -> int:
        return int(self._counters[_RATE])

    @sample_rate_hz.setter
    def sample_rate_hz(self, value: int) -> None:
        """Only the voice, before it writes: the rate its card really opened at."""
        self._counters[_RATE] = value

    @property
    def written(self) -> int:
        """Samples ever written: the next position to write."""
        return int(self._counters[_WRITTEN])

    @property
    def taken(self) -> int:
        """Samples ever taken by the card, real ones only: the next position it takes."""
        return int(self._counters[_TAKEN])

    @property
    def missed(self) -> int:
        """Samples the card had to replace by silence."""
        return int(self._counters[_MISSED])

    @property
    def callbacks(self) -> int:
        """How often the card came; stands still when it died."""
        return int(self._counters[_CALLBACKS])

    @property
    def block(self) -> int:
        """Samples the card took when it last came; 0 before."""
        return int(self._counters[_BLOCK])

    @property
    def came_s(self) -> float:
        """When the card last came, monotonic; 0 before."""
        return float(self._times[_CAME])

    @property
    def underflows(self) -> int:
        """How often the card itself said it ran dry."""
        return int(self._counters[_UNDERFLOWS])

    @property
    def ahead(self) -> int:
        """Samples written and not yet taken."""
        return self.written - self.taken

    def write(self, block: Samples) -> int:
        """Append `block` (samples, channels); the position after it. What the card still needs is never overwritten."""
        start = self.written
        if len(block) > self.capacity - max(0, start - self.taken):
            raise ValueError(
                f"ring: {len(block)} samples do not fit: {self.ahead} of {self.capacity} are still to be taken"
            )
        self._place(start, block)
        self._counters[_WRITTEN] = start + len(block)
        return start + len(block)

    def rewrite(self, position: int, block: Samples) -> None:
        """Replace what was written from `position` on, up to at most `written`; the caller keeps clear of `taken`."""
        if position + len(block) > self.written or position < self.written - self.capacity:
            raise ValueError(f"ring: rewrite of {position}..{position + len(block)} outside what is held")
        self._place(position, block)

    def cut(self, position: int) -> None:
        """Take back what was written from `position` on, which the card must not be near to."""
        self._counters[_WRITTEN] = min(self.written, position)

    def forget_ahead(self) -> None:
        """Drop what is still to be taken: a new voice does not go on in a dead one's sound. Before the card opens."""
        self._counters[_TAKEN] = self.written

    def take(self, out: Samples) -> int:
        """Fill `out` (samples, channels) with the next samples; how many were there. The card's thread only: copies
        and counts, allocates nothing of the block's size."""
        start, count = self.taken, len(out)
        have = min(count, self.written - start)
        if have > 0:
            slot = start % self.capacity
            first = min(have, self.capacity - slot)
            out[:first] = self._slots[slot : slot + first]
            if have > first:
                out[first:have] = self._slots[: have - first]
        have = max(0, have)
        self._counters[_TAKEN] = start + have
        self._counters[_MISSED] += count - have
        return have

    def stamp(
        self, position: int, dac_time_s: float, underflow: bool = False, block: int = 0, came_s: float = 0.0
    ) -> None:
        """The card's thread, which came at `came_s` for `block` samples: sample `position` leaves the DAC at
        `dac_time_s`, both on the monotonic clock."""
        self._counters[_STAMP_SEQUENCE] += 1
        self._counters[_STAMP] = position
        self._times[_STAMP + 2] = dac_time_s
        self._counters[_STAMP_SEQUENCE] += 1
        self._counters[_BLOCK] = block
        self._times[_CAME] = came_s
        self._counters[_CALLBACKS] += 1
        self._counters[_UNDERFLOWS] += int(underflow)

    def dac_time_s(self, position: int) -> float:
        """When sample `position` leaves (or left) the DAC, on the monotonic clock; 0 before the first callback."""
        for _ in range(8):
            before = int(self._counters[_STAMP_SEQUENCE])
            stamped, time_s = int(self._counters[_STAMP]), float(self._times[_STAMP + 2])
            if before % 2 == 0 and before == int(self._counters[_STAMP_SEQUENCE]):
                break
        if before == 0:
            return 0.0
        return time_s + (position - stamped) / self.sample_rate_hz

    def tap(self, end: int, count: int) -> Samples:
        """A copy of the `count` samples before position `end`, (count, channels); zeros where nothing is held."""
        out = np.zeros((count, self.channels), np.float32)
        start = max(end - count, 0, self.written - self.capacity)
        if end > start:
            index = np.arange(start, end) % self.capacity
            out[count - (end - start) :] = self._slots[index]
        return out

    def _place(self, position: int, block: Samples) -> None:
        slot = position % self.capacity
        first = min(len(block), self.capacity - slot)
        self._slots[slot : slot + first] = block[:first]
        if len(block) > first:
            self._slots[: len(block) - first] = block[first:]

    def close(self) -> None:
        """Let go of the memory; its creator also removes it."""
        del self._counters, self._times, self._slots
        self._memory.close()
        if self._owner:
            self._memory.unlink()

    def __enter__(self) -> Ring:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
