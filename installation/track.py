"""What was heard and when, in shared memory: the last moments of the sound, with their features, latent and DAC time.

The voice pushes one moment a hop; the stage reads the one for the time its picture will be seen. A moment being
overwritten while it is read is noticed by its sequence number and read again.
"""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from installation import features
from installation.features import BANDS as BANDS

LATENTS_AT_MOST = 128
SPECTRUM_BINS = 512
MEL_BINS = 64

FEATURES = tuple(each.name for each in features.FEATURES)
"""What is heard, by name, in the order of `MOMENT['features']`."""

MOMENT = np.dtype(
    [
        ("sequence", np.int64),
        ("time_s", np.float64),
        ("sample", np.int64),
        ("features", np.float32, (len(FEATURES),)),
        ("spectrum", np.float32, (SPECTRUM_BINS,)),
        ("mel", np.float32, (MEL_BINS,)),
        ("beats", np.int64),
        ("latent", np.float32, (LATENTS_AT_MOST,)),
        ("latent_dim", np.int32),
        ("step", np.int32),
        ("steps", np.int32),
        ("trajectory", np.int64),
        ("sparseness", np.float32),
        ("generation", np.int32),
    ]
)
"""One hop of what was heard. `time_s` is DAC time on the monotonic clock; `spectrum` and `mel` are 0..1, `beats` counts
beats, see `analysis`; `latent` holds `latent_dim` numbers in each latent's own deviations from its mean; `step` of
`steps` of `trajectory`."""

Moments = npt.NDArray[Any]


class Track:
    """The last `length` moments. One writer, any readers."""

    def __init__(self, memory: SharedMemory, length: int, owner: bool) -> None:
        self._memory = memory
        self._owner = owner
        self._count = np.ndarray((1,), np.int64, memory.buf)
        self._moments: Moments = np.ndarray((length,), MOMENT, memory.buf, 64)

    @classmethod
    def create(cls, length: int = 1024) -> Track:
        """A new track in shared memory; its creator unlinks it on `close`."""
        track = cls(SharedMemory(create=True, size=64 + length * MOMENT.itemsize), length, owner=True)
        track._count[:] = 0
        track._moments[:] = np.zeros((), MOMENT)
        return track

    @classmethod
    def attach(cls, name: str, length: int = 1024) -> Track:
        """The track another process created."""
        return cls(SharedMemory(name=name), length, owner=False)

    @property
    def name(self) -> str:
        return self._memory.name

    @property
    def count(self) -> int:
        """Moments ever pushed."""
        return int(self._count[0])

    def push(self, moment: Moments) -> None:
        """Append one moment (a MOMENT scalar array, shape ())."""
        number = self.count
        slot = self._moments[number % len(self._moments)]
        slot["sequence"] = -1
        for name in MOMENT.names[1:]:  # type: ignore[index]
            slot[name] = moment[name]
        slot["sequence"] = number + 1
        self._count[0] = number + 1

    def at(self, time_s: float) -> Moments:
        """The last moment whose DAC time is not after `time_s` (the oldest held if all are later); zeros if none."""
        newest = self.count
        oldest = max(0, newest - len(self._moments) + 2)
        low, high = oldest, newest - 1
        while low < high:
            middle = (low + high + 1) // 2
            if float(self._moments[middle % len(self._moments)]["time_s"]) <= time_s:
                low = middle
            else:
                high = middle - 1
        return self._read(low) if newest else np.zeros((), MOMENT)

    def since(self, number: int, time_s: float) -> tuple[int, Moments]:
        """The moments from `number` on that are heard by `time_s`, oldest first, and the number after the last."""
        newest = self.count
        first = max(number, newest - len(self._moments) + 2, 0)
        found: list[Moments] = []
        for each in range(first, newest):
            moment = self._read(each)
            if float(moment["time_s"]) > time_s:
                return each, np.array(found, MOMENT)
            found.append(moment)
        return newest, np.array(found, MOMENT)

    def _read(self, number: int) -> Moments:
        slot = self._moments[number % len(self._moments)]
        for _ in range(8):
            before = int(slot["sequence"])
            copy = slot.copy()
            if before == number + 1 and int(slot["sequence"]) == before:
                break
        return np.asarray(copy)

    def close(self) -> None:
        """Let go of the memory; its creator also removes it."""
        del self._count, self._moments
        self._memory.close()
        if self._owner:
            self._memory.unlink()

    def __enter__(self) -> Track:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
