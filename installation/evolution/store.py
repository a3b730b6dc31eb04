"""What outlives a crash: every individual that lived, and the search's state, in one SQLite file.

WAL with synchronous=FULL and one transaction a generation: whatever kills the process, the file opens and holds whole
generations only. Sound isn't kept: latents and the model's hash are enough to render it again. The file's size is
bounded: of the individuals that live no more, the oldest beyond `keep` are removed, and SQLite reuses their pages.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from installation.errors import StoreError
from installation.evolution.individual import Individual

FORMAT = 1
PATIENCE_S = 5.0
"""How long another process's lock on the file is waited for."""
KEEP = 20_000
"""Individuals kept that are neither in the container nor in the archive: about 5 kB each at 64 steps of 16 latents."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS header (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS individuals (
    identity INTEGER PRIMARY KEY, generation INTEGER NOT NULL, parents TEXT NOT NULL,
    latents BLOB NOT NULL, embedding BLOB NOT NULL, sparseness REAL NOT NULL,
    alive INTEGER NOT NULL, archived INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS dead ON individuals (identity) WHERE alive = 0 AND archived = 0;
CREATE INDEX IF NOT EXISTS novel ON individuals (sparseness DESC);
"""
_CURE = "Name another store, or move this one away"
_COLUMNS = "identity, generation, parents, latents, embedding, sparseness"


class UnfitStoreError(StoreError):
    """What lies there can't be gone on with, ever: no store, or made for something else. `move_aside` is the cure."""


@dataclass(frozen=True)
class Header:
    """What a store was made for. Another model, decoder, shape or embedding can't go on with it; `seed` and
    `calibration` are those it began with."""

    model: str
    decoder_sha256: str
    latent_dim: int
    steps: int
    embedding: str
    seed: int
    calibration: dict[str, Any] | None = None

    def differences(self, other: Header) -> list[str]:
        """What keeps a search for `other` from going on with a store made for this one, in words."""
        fields = ("model", "decoder_sha256", "latent_dim", "steps", "embedding")
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in fields]
        return [f"{name} is {held}, wanted {wanted}" for name, held, wanted in pairs if held != wanted]


class Store:
    """One search's file, opened with `open_store`. One writer; anyone may read beside it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, header: Header, keep: int = KEEP) -> None:
        self.path = path
        self.header = header
        self.keep = keep
        self._connection = connection
        rows = connection.execute("SELECT identity, alive, archived FROM individuals WHERE alive OR archived")
        self._living = {identity: (bool(alive), bool(archived)) for identity, alive, archived in rows}

    def save(self, state: dict[str, Any], container: Iterable[Individual], archive: Iterable[Individual]) -> None:
        """One generation, whole or not at all: `state` and who lives in the container and in the archive now. What an
        earlier `save` failed to write is written with the next. StoreError if the disk says no."""
        alive = {each.identity: each for each in container}
        archived = {each.identity: each for each in archive}
        living = {identity: (identity in alive, identity in archived) for identity in alive | archived}
        new = [each for identity, each in sorted((archived | alive).items()) if identity not in self._living]
        marks = [(False, False, identity) for identity in self._living if identity not in living]
        marks += [(*mark, identity) for identity, mark in living.items() if self._living.get(identity, mark) != mark]
        try:
            with self._connection as connection:
                connection.executemany(
                    f"INSERT INTO individuals ({_COLUMNS}, alive, archived) VALUES (?,?,?,?,?,?,?,?)",
                    [(*_row(each), *living[each.identity]) for each in new],
                )
                connection.executemany("UPDATE individuals SET alive = ?, archived = ? WHERE identity = ?", marks)
                connection.execute("INSERT OR REPLACE INTO state VALUES ('search', ?)", (json.dumps(state),))
                self._prune(connection)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: generation {state.get('generation')} was not written: {error}") from error
        self._living = living

    def _prune(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "DELETE FROM individuals WHERE identity IN (SELECT identity FROM individuals "
            "WHERE alive = 0 AND archived = 0 ORDER BY identity DESC LIMIT -1 OFFSET ?)",
            (self.keep,),
        )

    def state(self) -> dict[str, Any] | None:
        """The search's state as of the last whole generation; None before the first."""
        with _refusals(self.path):
            row = self._connection.execute("SELECT value FROM state WHERE key = 'search'").fetchone()
            return json.loads(row[0]) if row else None

    def container(self) -> list[Individual]:
        """Who lived in the container with that state, oldest first."""
        return list(self._individuals("WHERE alive ORDER BY identity"))

    def archive(self) -> list[Individual]:
        """Who was remembered with that state, oldest first."""
        return list(self._individuals("WHERE archived ORDER BY identity"))

    def individuals(self) -> Iterator[Individual]:
        """All that are kept, dead or alive, oldest first."""
        return self._individuals("ORDER BY identity")

    def _individuals(self, which: str) -> Iterator[Individual]:
        with _refusals(self.path):
            for row in self._connection.execute(f"SELECT {_COLUMNS} FROM individuals {which}"):
                yield _individual(row, self.header.latent_dim)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(path: Path, header: Header, keep: int = KEEP) -> Store:
    """The store at `path`, made now if there is none; `header.calibration` is written with a new one and otherwise
    ignored. UnfitStoreError if what lies there is no store or was made for something else; StoreError if it can't be
    used now."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: its folder can't be made: {error}") from error
    with _refusals(path), ExitStack() as opened:
        connection = opened.enter_context(closing(sqlite3.connect(path, timeout=PATIENCE_S)))
        held = _header(path, connection)
        if held is not None and (wrong := held.differences(header)):
            raise UnfitStoreError(f"{path}: made for something else: {'; '.join(wrong)}. {_CURE}")
        store = Store(path, connection, held or _found(connection, header), keep)
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


def _found(connection: sqlite3.Connection, header: Header) -> Header:
    """Write schema and header into an empty file, in one transaction."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    fields = {"format": FORMAT, **asdict(header)}
    with connection:
        connection.execute("BEGIN")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
        pairs = [(key, json.dumps(value)) for key, value in fields.items()]
        connection.executemany("INSERT INTO header VALUES (?, ?)", pairs)
    return header


def _row(each: Individual) -> tuple[Any, ...]:
    latents, embedding = (np.asarray(array, "<f4").tobytes() for array in (each.latents, each.embedding))
    return each.identity, each.generation, json.dumps(each.parents), latents, embedding, each.sparseness


def _individual(row: tuple[Any, ...], latent_dim: int) -> Individual:
    identity, generation, parents, latents, embedding, sparseness = row
    return Individual(
        identity=identity,
        generation=generation,
        parents=tuple(json.loads(parents)),
        latents=np.frombuffer(latents, "<f4").astype(np.float32).reshape(-1, latent_dim),
        embedding=np.frombuffer(embedding, "<f4").astype(np.float32),
        sparseness=sparseness,
    )
