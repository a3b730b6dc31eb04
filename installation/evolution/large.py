"""A memory of some million points: a file of them, and an index that finds nearly all of the nearest quickly.

The index is an inverted file (faiss; Jégou, Douze & Schmid, IEEE PAMI 33(1), 2011): points in lists around centres, of
which the nearest few are searched. The distances of what is found are true, to the rounding of doubles; it is the
finding that is not certain. So when the index is trained, more lists are searched until it finds RECALL of what there
is. Where that takes too many (points without any structure, as from a Gaussian in a hundred dimensions) there is no
index, and every point is looked at. Points that came since are in lists too, but for a tail of the newest that is
looked at whole.

Nothing here need be safe: the store holds the same points, and whoever opens the memory compares and adds what is lost.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError
from installation.evolution.memory import (
    NOBODY,
    PAIRS,
    Doubles,
    Floats,
    Integers,
    check_asked,
    check_new,
    measured,
    merged,
    nearest_of,
    without,
)
from installation.evolution.pointfile import PointFile

TRAIN_FROM = 50_000
"""Points up to which all are looked at: an index gains little."""
TAIL = 64
"""The newest are looked at whole until they are one in so many."""
RECALL, RECALL_NEIGHBOURS, RECALL_ASKED = 0.98, 50, 64
"""Of so many nearest of so many points drawn from those held, the share that the index must find when it is trained."""
LISTS_AT_MOST = 8
"""One in so many lists may be searched; where that doesn't do, looking at every point takes no longer."""
CANDIDATES = 4
"""Points measured truly for each neighbour asked for."""
ROUNDS, SAMPLE = 10, 64
"""Of k-means: iterations, and points for each centre."""


class Large:
    """A `Memory` in `folder`, to be opened; `threads` are the index's. `lost` counts records that were torn when it was
    opened. Removed points stay where they are, and don't count, until half are removed."""

    def __init__(self, folder: Path, threads: int = 2, train_from: int = TRAIN_FROM) -> None:
        self.folder = folder
        self.threads = threads
        self.train_from = train_from
        self._file = PointFile(folder / "memory.points")
        self._gone = 0
        self._index: Any = None
        self._trained = self._indexed = self._probe = 0

    def open(self) -> None:
        """InstallationError without faiss, StoreError if the folder can't be used or another process uses it."""
        try:
            import faiss  # noqa: F401
        except ImportError as error:
            raise InstallationError(f"memory large: {error}: pip install -c constraints.txt '.[large]'") from error
        self._file.open()
        self._gone = int(np.isinf(self._file.lengths).sum())
        self._read()
        self._settle()

    def close(self) -> None:
        """See `Memory`."""
        self._drop()
        self._gone = 0
        self._file.close()

    def __enter__(self) -> Large:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._file) - self._gone

    @property
    def lost(self) -> int:
        return self._file.lost

    @property
    def identities(self) -> Integers:
        return self._file.identities[self._alive()] if self._gone else self._file.identities

    @property
    def points(self) -> Floats:
        return self._file.points[self._alive()] if self._gone else self._file.points

    def add(self, identities: Integers, points: Floats) -> None:
        """See `Memory`."""
        check_new(self.identities, identities, points, self._file.size if len(self) else None)
        if not len(points):
            return
        if not len(self):
            self.clear()
            self._file.start(points)
        self._file.append(identities, points)
        self._settle()

    def remove(self, identities: Integers) -> None:
        """See `Memory`."""
        places = np.flatnonzero(self._alive() & np.isin(self._file.identities, identities))
        self._file.strike(places)
        self._gone += len(places)
        if 2 * self._gone > len(self._file):
            held, points = self.identities.copy(), self.points.copy()
            self.clear()
            self.add(held, points)

    def clear(self) -> None:
        """See `Memory`."""
        self._file.clear()
        self._drop()
        self._gone = 0

    def nearest(self, points: Floats, neighbours: int, leave_out: Integers = NOBODY) -> Doubles:
        """See `Memory`: nearly all of the nearest are found, see RECALL."""
        check_asked(points, neighbours, self._file.size if len(self) else None)
        lengths = without(self._file.lengths, self._file.identities, leave_out)
        few = min(neighbours, int(np.isfinite(lengths).sum()))
        if self._index is None or not few:
            return self._scanned(points, few, lengths, 0)
        both = self._found(points, few, lengths), self._scanned(points, few, lengths, self._indexed)
        best = np.sort(np.hstack(both), axis=1)[:, :few]
        short = np.isinf(best[:, -1])
        best[short] = self._scanned(points[short], few, lengths, 0)
        return best

    def _alive(self) -> npt.NDArray[np.bool_]:
        return np.isfinite(self._file.lengths)

    def _scanned(self, asked: Floats, neighbours: int, lengths: Floats, start: int) -> Doubles:
        """All from `start` on looked at; `lengths` (count,) are infinite for those that don't count."""
        return nearest_of(self._file.points[start:], lengths[start:], self._file.centre, asked, neighbours)

    def _found(self, asked: Floats, neighbours: int, lengths: Floats) -> Doubles:
        """The nearest as the index finds them, measured; infinite where it finds too few."""
        faiss = self._faiss()
        counted = np.isfinite(lengths[: self._indexed])
        selector = None if counted.all() else faiss.IDSelectorBitmap(np.packbits(counted, bitorder="little"))
        how = faiss.SearchParametersIVF(nprobe=self._probe, sel=selector)
        many = min(CANDIDATES * neighbours, self._indexed)
        _, places = self._index.search(np.ascontiguousarray(asked, np.float32), many, params=how)
        rows, columns = np.nonzero(places >= 0)
        found = measured(self._file.points, places[rows, columns], asked, rows)
        return merged(np.full((len(asked), neighbours), np.inf), rows, found)

    def _settle(self) -> None:
        """Train the index, or let the tail into it, if it is time."""
        count = len(self._file)
        if count >= max(self.train_from, 2 * self._trained):
            self._train()
        elif self._index is not None and TAIL * (count - self._indexed) > count:
            self._fill()

    def _train(self) -> None:
        """About as many lists as points in a list; from a sample that is the same for as many points."""
        faiss, count = self._faiss(), len(self._file)
        lists = 2 ** round(np.log2(count) / 2)
        rng = np.random.default_rng(count)
        sample = np.sort(rng.choice(count, min(count, SAMPLE * lists), replace=False))
        size = len(self._file.centre)
        self._index = faiss.IndexIVFFlat(faiss.IndexFlatL2(size), size, lists)
        self._index.cp.niter, self._index.cp.max_points_per_centroid = ROUNDS, SAMPLE
        self._index.cp.min_points_per_centroid = 1
        self._index.train(np.ascontiguousarray(self._file.points[sample]))
        self._trained, self._indexed = count, 0
        self._fill()
        self._probe = self._enough(lists, rng)
        if not self._probe:
            self._index = None
        self._write()

    def _fill(self) -> None:
        self._faiss()
        for start in range(self._indexed, len(self._file), PAIRS):
            self._index.add(np.ascontiguousarray(self._file.points[start : start + PAIRS]))
        self._indexed = len(self._file)

    def _enough(self, lists: int, rng: np.random.Generator) -> int:
        """How many lists to search to find RECALL of what there is, or 0 if that is too many."""
        alive = np.flatnonzero(self._alive())
        places = rng.choice(alive, min(len(alive) // 2, RECALL_ASKED), replace=False)
        asked, lengths = self._file.points[places], self._file.lengths.copy()
        lengths[places] = np.inf
        neighbours = min(RECALL_NEIGHBOURS, len(alive) - len(places))
        farthest = self._scanned(asked, neighbours, lengths, 0)[:, -1:]
        self._probe = 1
        while LISTS_AT_MOST * self._probe <= lists:
            if (self._found(asked, neighbours, lengths) <= farthest).mean() >= RECALL:
                return self._probe
            self._probe *= 2
        return 0

    def _faiss(self) -> Any:
        import faiss

        faiss.omp_set_num_threads(self.threads)
        return faiss

    def _drop(self) -> None:
        """No index, nor the wish for one."""
        self._index, self._trained, self._indexed, self._probe = None, 0, 0, 0

    def _write(self) -> None:
        """The index, then what it is of: where it was torn, there is none."""
        note, file = self.folder / "memory.json", self.folder / "memory.index"
        with suppress(OSError, RuntimeError):
            note.unlink(missing_ok=True)
            file.unlink(missing_ok=True)
            if self._index is not None:
                self._faiss().write_index(self._index, str(file))
            kept = {"trained": self._trained, "probe": self._probe, "digest": self._file.digest(self._trained)}
            note.write_text(json.dumps(kept), "utf-8")

    def _read(self) -> None:
        """The index that was written when it was trained, if it was on the points that are here."""
        with suppress(OSError, ValueError, KeyError, TypeError, RuntimeError):
            kept = json.loads((self.folder / "memory.json").read_text("utf-8"))
            if kept["trained"] <= len(self._file) and kept["digest"] == self._file.digest(kept["trained"]):
                if kept["probe"]:
                    self._index = self._faiss().read_index(str(self.folder / "memory.index"))
                    self._indexed = self._index.ntotal
                self._trained, self._probe = kept["trained"], kept["probe"]


def open_large(folder: Path, threads: int = 2) -> Large:
    """The memory in `folder`, made now if there is none. Raises as `Large.open`."""
    memory = Large(folder, threads)
    memory.open()
    return memory
