"""What outlives a crash: every individual that lived, each generation's figures and the search's state, in one SQLite
file.

WAL with synchronous=FULL and one transaction a generation: whatever kills the process, the file opens and holds whole
generations only. Sound isn't kept: latents and the model's hash are enough to render it again. The file's size can be
bounded: of the individuals that live no more, and of the generations, the oldest beyond `keep` are removed, and SQLite
reuses their pages.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from installation.errors import StoreError
from installation.evolution.individual import Individual
from installation.evolution.kept import (
    COLUMNS,
    GENERATION,
    REPLACE_GENERATION,
    Change,
    Embedded,
    Header,
    Life,
    Past,
    figures_row,
    floats,
    individual,
    individual_row,
    past,
)

Floats = npt.NDArray[np.float32]

FORMAT = 2
PATIENCE_S = 5.0
"""How long another process's lock on the file is waited for."""
KEEP = 20_000
"""Individuals a show keeps that are neither in the container nor in the archive: about 5 kB each at 64 steps of 16
latents."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS header (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS excerpts (latents BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS embeddings (number INTEGER PRIMARY KEY, name TEXT NOT NULL, calibration TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS individuals (
    identity INTEGER PRIMARY KEY, generation INTEGER NOT NULL, parents TEXT NOT NULL, operator TEXT NOT NULL,
    latents BLOB NOT NULL, embedding BLOB NOT NULL, embedded INTEGER NOT NULL, sparseness REAL NOT NULL,
    quality REAL NOT NULL, alive INTEGER NOT NULL, archived INTEGER NOT NULL, entered INTEGER, left INTEGER);
CREATE INDEX IF NOT EXISTS dead ON individuals (identity) WHERE alive = 0 AND archived = 0;
CREATE INDEX IF NOT EXISTS living ON individuals (identity) WHERE alive;
CREATE INDEX IF NOT EXISTS remembered ON individuals (identity) WHERE archived;
CREATE INDEX IF NOT EXISTS novel ON individuals (sparseness DESC);
CREATE TABLE IF NOT EXISTS generations (
    number INTEGER PRIMARY KEY, evaluations INTEGER NOT NULL, mean REAL NOT NULL, deviation REAL NOT NULL,
    lowest REAL NOT NULL, highest REAL NOT NULL, born INTEGER NOT NULL, archived INTEGER NOT NULL, threshold REAL,
    reach REAL NOT NULL, credit TEXT NOT NULL, rejected TEXT NOT NULL);
"""
_CURE = "Name another store, or move this one away"


class UnfitStoreError(StoreError):
    """What lies there can't be gone on with, ever: no store, or made for something else. `move_aside` is the cure."""


class Store:
    """One search's file, opened with `open_store`. One writer; anyone may read beside it."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        header: Header,
        keep: int | None = KEEP,
        lock: IO[bytes] | None = None,
    ) -> None:
        self._lock = lock
        self.path = path
        self.header = header
        self.keep = keep
        self._connection = connection
        self._alive = {identity for (identity,) in connection.execute("SELECT identity FROM individuals WHERE alive")}

    def save(self, change: Change) -> None:
        """One generation, whole or not at all. StoreError if the disk says no; what was not written must be part of
        the next change."""
        alive, number = set(change.container), change.generation.number
        state = json.dumps(change.state | {"embedded": change.embedded})
        try:
            with self._connection as connection:
                connection.executemany(
                    f"INSERT INTO individuals ({COLUMNS}, embedded, alive, archived) VALUES (?,?,?,?,?,?,?,?,?,0,0) "
                    "ON CONFLICT (identity) DO UPDATE SET embedding = excluded.embedding, "
                    "embedded = excluded.embedded, sparseness = excluded.sparseness",
                    [(*individual_row(each), change.embedded) for _, each in sorted(change.newcomers.items())],
                )
                enter = "UPDATE individuals SET alive = 1, entered = ?, left = NULL WHERE identity = ?"
                connection.executemany(enter, [(number, each) for each in sorted(alive - self._alive)])
                leave = "UPDATE individuals SET alive = 0, left = ? WHERE identity = ?"
                connection.executemany(leave, [(number, each) for each in sorted(self._alive - alive)])
                for mark, marked in ((1, change.came), (0, change.went)):
                    remember = f"UPDATE individuals SET archived = {mark} WHERE identity = ?"
                    connection.executemany(remember, [(each,) for each in sorted(marked)])
                connection.execute(REPLACE_GENERATION, figures_row(change.generation, change.rejected))
                connection.execute("INSERT OR REPLACE INTO state VALUES ('search', ?)", (state,))
                self._prune(connection)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: generation {number} was not written: {error}") from error
        self._alive = alive

    def _prune(self, connection: sqlite3.Connection) -> None:
        if self.keep is not None:
            connection.execute(
                "DELETE FROM individuals WHERE identity IN (SELECT identity FROM individuals "
                "WHERE alive = 0 AND archived = 0 ORDER BY identity DESC LIMIT -1 OFFSET ?)",
                (self.keep,),
            )
            newest = "SELECT max(number) FROM generations"
            connection.execute(f"DELETE FROM generations WHERE number <= ({newest}) - ?", (self.keep,))

    def excerpts(self) -> Floats | None:
        """What founders are drawn from, (steps, latent_dim), if it was kept."""
        with _refusals(self.path):
            row = self._connection.execute("SELECT latents FROM excerpts").fetchone()
            return None if row is None else floats(row[0]).reshape(-1, self.header.latent_dim)

    def embed_anew(self, name: str, calibration: dict[str, Any]) -> int:
        """From the next change on points are of another embedding: its number."""
        try:
            with self._connection as connection:
                row = connection.execute(
                    "INSERT INTO embeddings (name, calibration) VALUES (?, ?)", (name, json.dumps(calibration))
                )
                return int(row.lastrowid or 0)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: the embedding {name} was not written: {error}") from error

    def embedded(self) -> Embedded:
        """The embedding the points of those who live now are of."""
        number = (self.state() or {}).get("embedded", 1)
        with _refusals(self.path):
            row = self._connection.execute(
                "SELECT name, calibration FROM embeddings WHERE number = ?", (number,)
            ).fetchone()
            if row is None:
                raise UnfitStoreError(f"{self.path}: lacks its embedding number {number}. {_CURE}")
            return Embedded(number, row[0], json.loads(row[1]))

    def state(self) -> dict[str, Any] | None:
        """The search's state as of the last whole generation; None before the first."""
        with _refusals(self.path):
            row = self._connection.execute("SELECT value FROM state WHERE key = 'search'").fetchone()
            return json.loads(row[0]) if row else None

    def container(self) -> list[Individual]:
        """Who lived in the container with that state, oldest first."""
        return list(self._individuals("WHERE alive ORDER BY identity"))

    def archive(self) -> dict[int, Floats]:
        """Who was remembered with that state, as points by identity, oldest first."""
        with _refusals(self.path):
            rows = self._connection.execute(
                "SELECT identity, embedding FROM individuals WHERE archived ORDER BY identity"
            )
            return {identity: floats(point) for identity, point in rows}

    def remembered(self, count: int) -> list[Individual]:
        """The youngest `count` of those remembered with that state, the youngest first."""
        return list(self._individuals("WHERE archived ORDER BY identity DESC LIMIT ?", (count,)))

    def individual(self, identity: int) -> Individual | None:
        """One that lived, if it is still kept."""
        return next(self._individuals("WHERE identity = ?", (identity,)), None)

    def individuals(self) -> Iterator[Individual]:
        """All that are kept, dead or alive, oldest first."""
        return self._individuals("ORDER BY identity")

    def most_novel(self, count: int) -> list[Individual]:
        """The sparsest that are kept, as of their birth, the sparsest first."""
        return list(self._individuals("ORDER BY sparseness DESC, identity LIMIT ?", (count,)))

    def lives(self) -> Iterator[Life]:
        """All that are kept with the time they lived, oldest first."""
        with _refusals(self.path):
            for row in self._connection.execute(f"SELECT {COLUMNS}, entered, left FROM individuals ORDER BY identity"):
                yield Life(individual(row[:-2], self.header.latent_dim), row[-2], row[-1])

    def generations(self) -> list[Past]:
        """Every generation that was kept, oldest first; 0 is the founders'."""
        with _refusals(self.path):
            rows = self._connection.execute(f"SELECT {GENERATION}, rejected FROM generations ORDER BY number")
            return [past(row) for row in rows]

    def _individuals(self, which: str, given: tuple[Any, ...] = ()) -> Iterator[Individual]:
        with _refusals(self.path):
            for row in self._connection.execute(f"SELECT {COLUMNS} FROM individuals {which}", given):
                yield individual(row, self.header.latent_dim)

    def close(self) -> None:
        """Let go of the file; whoever is the last takes SQLite's files beside it away, also a reader."""
        self._connection.execute("PRAGMA query_only = OFF")
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(path: Path, header: Header, keep: int | None = KEEP, excerpts: Floats | None = None) -> Store:
    """The store at `path`, made now if there is none; calibration and settings in `header`, and the `excerpts` (steps,
    latent_dim) founders are drawn from, are written with a new one and otherwise ignored. UnfitStoreError if what lies
    there is no store or was made for something else; StoreError if it can't be used now."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: its folder can't be made: {error}") from error
    with _refusals(path), ExitStack() as opened:
        lock = opened.enter_context(_locked(path))
        connection = opened.enter_context(closing(sqlite3.connect(path, timeout=PATIENCE_S)))
        held = _header(path, connection)
        if held is not None and (wrong := held.differences(header)):
            raise UnfitStoreError(f"{path}: made for something else: {'; '.join(wrong)}. {_CURE}")
        store = Store(path, connection, held or _found(connection, header, excerpts), keep, lock)
        opened.pop_all()
        return store


def _locked(path: Path) -> IO[bytes]:
    """A file beside the store that only one process can hold: two that wrote one search would make a third of it. It
    stays there, empty. StoreError while another holds it."""
    try:
        lock = path.with_name(f".{path.name}.lock").open("wb")
    except OSError as error:
        raise StoreError(f"{path}: its folder can't be written: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreError(f"{path}: another process is writing it") from error
    return lock


def read_store(path: Path) -> Store:
    """The store at `path`, to be read only, whatever it was made for. StoreError if there is none."""
    if not path.is_file():
        raise StoreError(f"{path}: no such file")
    with _refusals(path), ExitStack() as opened:
        connection = opened.enter_context(closing(sqlite3.connect(path, timeout=PATIENCE_S)))
        held = _header(path, connection)
        if held is None:
            raise UnfitStoreError(f"{path}: an empty file, not a store. {_CURE}")
        connection.execute("PRAGMA query_only = ON")
        store = Store(path, connection, held)
        opened.pop_all()
        return store


def read_header(path: Path) -> Header | None:
    """What the store at `path` was made for; None where no store is yet. Raises as `open_store`."""
    if not path.is_file():
        return None
    with _refusals(path), closing(sqlite3.connect(path, timeout=PATIENCE_S)) as connection:
        return _header(path, connection)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: busy, full or unreadable passes, anything else of the file's content doesn't."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path}: can't be used now: {error}") from error
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise UnfitStoreError(f"{path}: not a store: {error}. {_CURE}") from error


def move_aside(path: Path) -> Path:
    """Rename the store at `path`, with what SQLite keeps beside it, to the first free `<stem>.<n><suffix>`."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    for ending in ("-wal", "-shm", ""):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + ending))
    return aside


def _header(path: Path, connection: sqlite3.Connection) -> Header | None:
    """The header, the file made ready for writing; None if the file is empty."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "header" not in tables:
        raise UnfitStoreError(f"{path}: a database, but not a store of this program. {_CURE}")
    connection.execute("PRAGMA synchronous = FULL")
    row = connection.execute("SELECT value FROM header WHERE key = 'format'").fetchone()
    if row is None or json.loads(row[0]) != FORMAT:
        raise UnfitStoreError(f"{path}: format {row and row[0]}, allowed is {FORMAT}. {_CURE}")
    fields = dict(connection.execute("SELECT key, value FROM header WHERE key != 'format'"))
    return Header(**{key: json.loads(value) for key, value in fields.items()})


def _found(connection: sqlite3.Connection, header: Header, excerpts: Floats | None) -> Header:
    """Write schema, header and the first embedding into an empty file, in one transaction."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    written = {"format": FORMAT, **asdict(header)}
    with connection:
        connection.execute("BEGIN")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
        pairs = [(key, json.dumps(value)) for key, value in written.items()]
        connection.executemany("INSERT INTO header VALUES (?, ?)", pairs)
        first = (1, header.embedding, json.dumps(header.calibration or {}))
        connection.execute("INSERT INTO embeddings VALUES (?, ?, ?)", first)
        if excerpts is not None:
            connection.execute("INSERT INTO excerpts VALUES (?)", (np.asarray(excerpts, "<f4").tobytes(),))
    return header
