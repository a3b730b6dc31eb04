"""Pictures on their way from one process to another, in shared memory, none of them ever waited for.

One writer, one reader. Each counts only what it did itself, in an aligned 64-bit number, so no lock is needed. When
every slot is full the writer is told so, and goes on without.
"""

from __future__ import annotations

import shutil
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import RenderError

Pixels = npt.NDArray[np.uint8]

ROOM = 64 << 20
"""Bytes of all slots together, about; but MOST of them at the most and FEWEST at the least."""
FEWEST, MOST = 6, 24
SHARED = Path("/dev/shm")
"""Where Linux keeps shared memory. Writing to what does not fit there would end the process, so it is asked before."""
CHANNELS = 4
_PUT, _GOT, _COUNT, _WIDTH, _HEIGHT = range(5)
_HEADER = 8 * 8 + MOST * 8


def upright(pixels: Pixels) -> Pixels:
    """A copy of a picture out of a slot, with row 0 on top."""
    return pixels[::-1].copy()


class Slots:
    """Slots for pictures as graphics cards have them: (height, width, 4), row 0 at the bottom, 0..255; each with the
    position in the ring heard when it is seen."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._counters = np.ndarray((8,), np.int64, memory.buf)
        self._positions = np.ndarray((MOST,), np.int64, memory.buf, 8 * 8)
        self.count, width, height = (int(self._counters[each]) for each in (_COUNT, _WIDTH, _HEIGHT))
        self.size = (width, height)
        self._pixels: Pixels = np.ndarray((self.count, height, width, CHANNELS), np.uint8, memory.buf, _HEADER)

    @classmethod
    def create(cls, size: tuple[int, int]) -> Slots:
        """New ones for pictures of `size` (width, height) px; RenderError where there is no room for them."""
        picture_bytes = size[0] * size[1] * CHANNELS
        count = min(MOST, max(FEWEST, ROOM // picture_bytes))
        wanted = _HEADER + count * picture_bytes
        if SHARED.is_dir() and shutil.disk_usage(SHARED).free < wanted:
            raise RenderError(f"{SHARED}: {wanted / 1e6:.0f} MB for pictures to be filmed don't fit in what is free")
        try:
            memory = SharedMemory(create=True, size=wanted)
        except OSError as error:
            raise RenderError(f"no shared memory for pictures to be filmed: {error}") from error
        counters = np.ndarray((8,), np.int64, memory.buf)
        counters[:] = (0, 0, count, *size, 0, 0, 0)
        del counters
        return cls(memory)

    @classmethod
    def attach(cls, name: str) -> Slots:
        """Those another process created, which also removes them."""
        return cls(SharedMemory(name=name))

    @property
    def name(self) -> str:
        return self._memory.name

    def free(self) -> Pixels | None:
        """The slot to write the next picture in, then `put`; None when all are full."""
        put = int(self._counters[_PUT])
        full = put - int(self._counters[_GOT]) >= self.count
        return None if full else self._pixels[put % self.count]

    def put(self, position: int) -> None:
        """What was written in the slot that was free is a picture, seen when `position` is heard."""
        put = int(self._counters[_PUT])
        self._positions[put % self.count] = position
        self._counters[_PUT] = put + 1

    def next(self) -> tuple[Pixels, int] | None:
        """The oldest picture that is there and its position, to be looked at until `got`; None when there is none."""
        got = int(self._counters[_GOT])
        if got >= int(self._counters[_PUT]):
            return None
        return self._pixels[got % self.count], int(self._positions[got % self.count])

    def got(self) -> None:
        """The slot of the picture that was `next` may be written again."""
        self._counters[_GOT] += 1

    def remove(self) -> None:
        """Take away its name, so that nothing stays behind however this ends; it is there for those who have it."""
        self._memory.unlink()

    def close(self) -> None:
        """Let go of the memory."""
        del self._counters, self._positions, self._pixels
        self._memory.close()
