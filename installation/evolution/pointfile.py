"""Points in one file: a header, then a record for each point ever added. A record is in the file whole, or its checksum
says it isn't: after a crash the file ends before the first that is torn. Nothing is synced; what is in it is kept
elsewhere too.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from installation.errors import StoreError
from installation.evolution.memory import LEAST, PAIRS, Floats, Integers, squares_from

Bools = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]

MAGIC = b"points 1"
HEADER_BYTES = 16
"""Of the header before the centre: MAGIC and the points' size."""
SALT = np.uint32(0x9E3779B9)
"""The checksum of a record of zeros, which is what a lost block of a file is read as."""


class PointFile:
    """`path`, mapped into memory. `lengths` (count,) are squared distances of points to `centre` (size,), infinite for
    those that were struck out. `lost` says how many records were torn when it was opened, with all after them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost = 0
        self._lock: IO[bytes] | None = None
        self._forget()

    def open(self) -> None:
        """StoreError if it can't be used, or another process uses it."""
        with _refusals(self.path), ExitStack() as opened:
            opened.callback(self.close)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self.path.with_suffix(".lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.path.exists():
                self._read()
            opened.pop_all()

    def close(self) -> None:
        """Let go of it; another process may open it."""
        self._forget()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __len__(self) -> int:
        return len(self.points)

    @property
    def size(self) -> int | None:
        """Numbers in a point; None while there is no file."""
        return len(self.centre) or None

    @property
    def identities(self) -> Integers:
        return self._identities[: len(self)]

    @property
    def lengths(self) -> Floats:
        return self._lengths[: len(self)]

    def start(self, points: Floats) -> None:
        """A new file, for points like these, measured from their centre. Who holds points of the old one keeps them."""
        self._forget()
        self.centre = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        header = MAGIC + len(self.centre).to_bytes(HEADER_BYTES - len(MAGIC), "little") + self.centre.tobytes()
        beside = self.path.with_suffix(".new")
        with _refusals(self.path):
            beside.write_bytes(header)
            beside.replace(self.path)
        self._map(0)

    def append(self, identities: Integers, points: Floats) -> None:
        """Points of the file's size, (any, size), at its end."""
        records = _records(identities, points, self.centre)
        with _refusals(self.path), self.path.open("ab") as file:
            file.write(records.tobytes())
        before = len(self)
        self._make_room(before + len(records))
        self._identities[before : before + len(records)] = identities
        self._lengths[before : before + len(records)] = records["length"]
        self._map(before + len(records))

    def strike(self, places: Integers) -> None:
        """Points at these places don't count from now on."""
        self._lengths[places] = np.inf
        self._records["length"][places] = np.inf

    def clear(self) -> None:
        """No file."""
        self._forget()
        with _refusals(self.path):
            self.path.unlink(missing_ok=True)

    def digest(self, count: int) -> str:
        """What the first `count` points are known by."""
        return hashlib.sha256(self._records["check"][:count].tobytes()).hexdigest()

    def _forget(self) -> None:
        self.centre = np.zeros(0, np.float32)
        self._identities, self._lengths = np.zeros(0, np.int64), np.zeros(0, np.float32)
        self._set(np.zeros(0, _record(0)))

    def _set(self, records: Records) -> None:
        self._records = records
        self.points: Floats = records["point"]

    def _map(self, count: int) -> None:
        kind = _record(len(self.centre))
        start = HEADER_BYTES + self.centre.nbytes
        self._set(np.memmap(self.path, kind, "r+", start, (count,)) if count else np.zeros(0, kind))

    def _make_room(self, count: int) -> None:
        if count > len(self._identities):
            more = max(LEAST, 2 * count) - len(self._identities)
            self._identities = np.pad(self._identities, (0, more))
            self._lengths = np.pad(self._lengths, (0, more))

    def _read(self) -> None:
        """What the file holds, up to the first record that isn't whole; StoreError if it isn't ours."""
        length = self.path.stat().st_size
        with self.path.open("rb") as file:
            head = file.read(HEADER_BYTES)
            if head[: len(MAGIC)] != MAGIC:
                raise StoreError(f"{self.path}: not a file of points: move it away")
            size = int.from_bytes(head[len(MAGIC) :], "little")
            self.centre = np.frombuffer(file.read(4 * size), "<f4").astype(np.float32)
        start, width = HEADER_BYTES + 4 * size, _record(size).itemsize
        self._map((length - start) // width)
        whole = _whole(self._records)
        self.lost = -(-(length - start) // width) - whole
        if self.lost:
            self._map(0)
            os.truncate(self.path, start + whole * width)
            self._map(whole)
        self._identities, self._lengths = self._records["identity"].copy(), self._records["length"].copy()


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """The file system's errors as ours."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: can't be used now: {error}") from error


def _record(size: int) -> np.dtype[np.void]:
    """A point of `size` numbers; `check` is of it and its `identity`, for `length` changes when it is struck out."""
    return np.dtype([("identity", "<i8"), ("length", "<f4"), ("check", "<u4"), ("point", "<f4", (size,))])


def _records(identities: Integers, points: Floats, centre: Floats) -> Records:
    records = np.zeros(len(points), _record(len(centre)))
    records["identity"], records["point"] = identities, points
    records["length"] = squares_from(centre, records["point"])
    records["check"] = _checks(records)
    return records


def _checks(records: Records) -> npt.NDArray[np.uint32]:
    """Sums of a record's words, each times an odd number of its own: none can change alone and leave the sum."""
    words = np.ascontiguousarray(records).view("<u4").reshape(len(records), records.dtype.itemsize // 4)
    factors = np.random.default_rng(1).integers(0, 2**31, words.shape[1], np.uint32) * np.uint32(2) + np.uint32(1)
    factors[2:4] = 0
    return np.asarray((words * factors).sum(axis=1, dtype=np.uint32) + SALT)


def _whole(records: Records) -> int:
    """How many records there are before the first whose checksum is wrong."""
    for start in range(0, len(records), PAIRS):
        some = records[start : start + PAIRS]
        wrong = np.flatnonzero(_checks(some) != some["check"])
        if len(wrong):
            return start + int(wrong[0])
    return len(records)
