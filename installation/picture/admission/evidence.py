"""What is known against shaders, on disk: a JSON file for each, with a copy of its source, and one for the probation.

Files are written whole or not at all (a new file, fsync, rename), in order, on a thread of their own: a slow disk
holds up no frame. What lies in the folder when it is read may be anything: what is not understood is said, passed over
and left as it is.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from installation.picture.admission.probation import SUSPECTS_AT_MOST, Entry, Probation, Suspect

PROBATION = "probation.json"
BYTES_AT_MOST = 1 << 20
SOURCE_AT_MOST = 128 * 1024
"""Characters of source kept of one shader, all its files together."""
FILES_AT_MOST = 1000
WORDS_AT_MOST = 2000
SENTENCES_AT_MOST = 5
"""Of what can't be read, so many files are named and the rest are counted."""

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


class Evidence:
    """The folder `folder`, made when something is first written; with None nothing is kept and nothing is read."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._orders: SimpleQueue[tuple[str, str | None] | threading.Event] = SimpleQueue()
        self._faults: SimpleQueue[str] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def read(self) -> tuple[list[Entry], Probation, list[str]]:
        """Every entry, the probation, and sentences about what could not be read."""
        entries: list[Entry] = []
        probation, broken = Probation(), list[str]()
        for path in self._files():
            try:
                said = _json(path)
                if path.name == PROBATION:
                    probation = Probation(_pairs(said, "standing"), _pairs(said, "deaths"))
                else:
                    entries.append(_entry(said))
            except (OSError, ValueError, RecursionError) as error:
                broken.append(f"{path}: not read: {' '.join(str(error).split())[:200]}")
        more = len(broken) - SENTENCES_AT_MOST
        rest = [f"{self._folder}: {more} more files were not read"] if more > 0 else []
        return entries, probation, broken[:SENTENCES_AT_MOST] + rest

    def keep(self, entry: Entry, sources: Mapping[str, str]) -> None:
        """Write `entry`, with its `sources`, text by file name."""
        said = {
            "shader": entry.suspect.shader,
            "sha256": entry.suspect.digest,
            "cause": entry.cause,
            "sentence": entry.sentence[:WORDS_AT_MOST],
            "line": entry.line,
            "renderer": entry.renderer[:WORDS_AT_MOST],
            "first_s": entry.first_s,
            "last_s": entry.last_s,
            "times": entry.times,
            "sources": _bounded(sources),
        }
        self._order(name_of(entry.suspect), json.dumps(said, indent=2) + "\n")

    def keep_probation(self, probation: Probation) -> None:
        """Write `probation`."""
        said = {
            key: [{"shader": each.shader, "sha256": each.digest, "seconds": seconds} for each, seconds in pairs]
            for key, pairs in (("standing", probation.standing), ("deaths", probation.deaths))
        }
        self._order(PROBATION, json.dumps(said, indent=2) + "\n")

    def drop(self, suspect: Suspect) -> None:
        """Delete what is known against `suspect`."""
        self._order(name_of(suspect), None)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was asked so far is on the disk, but no longer; whether it is."""
        if self._thread is None:
            return True
        done = threading.Event()
        self._orders.put(done)
        return done.wait(timeout_s)

    def faults(self) -> list[str]:
        """What the disk refused since this was last asked."""
        said = []
        while True:
            try:
                said.append(self._faults.get_nowait())
            except Empty:
                return said

    def _files(self) -> list[Path]:
        if self._folder is None:
            return []
        try:
            found = [path for path in self._folder.iterdir() if path.suffix == ".json" and path.is_file()]
        except OSError:  # not there yet
            return []
        # The probation first: no number of other files may push it out.
        return sorted(found, key=lambda path: (path.name != PROBATION, path.name))[:FILES_AT_MOST]

    def _order(self, name: str, text: str | None) -> None:
        if self._folder is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(self._folder,), name="evidence", daemon=True)
            self._thread.start()
        self._orders.put((name, text))

    def _work(self, folder: Path) -> None:
        fault = ""
        while True:
            order = self._orders.get()
            if isinstance(order, threading.Event):
                order.set()
                continue
            try:
                _carry_out(folder, *order)
                fault = ""
            except OSError as error:
                if str(error) != fault:  # a full disk is said once
                    fault = str(error)
                    self._faults.put(f"{folder}: what is known against shaders can't be kept: {error}")


def name_of(suspect: Suspect) -> str:
    """The file of what is known against `suspect`."""
    key = hashlib.sha256(f"{suspect.digest} {suspect.shader}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_ODD.sub('-', Path(suspect.shader).stem)[:40].lstrip('.')}-{key[:16]}.json"


def _carry_out(folder: Path, name: str, text: str | None) -> None:
    path = folder / name
    if text is None:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{name}.{os.getpid()}"
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _bounded(sources: Mapping[str, str]) -> dict[str, str]:
    room, kept = SOURCE_AT_MOST, {}
    for name, text in sources.items():
        kept[name] = text[:room]
        room -= len(kept[name])
    return kept


def _json(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        raw = file.read(BYTES_AT_MOST + 1)
    if len(raw) > BYTES_AT_MOST:
        raise ValueError(f"is larger than {BYTES_AT_MOST} bytes")
    said = json.loads(raw)
    if not isinstance(said, dict):
        raise ValueError("is not a JSON object")
    return said


def _entry(said: dict[str, Any]) -> Entry:
    line = said.get("line")
    if line is not None and (type(line) is not int or line < 1):
        raise ValueError(f"line {line!r} is not a number from 1")
    times = said.get("times")
    if type(times) is not int or not 1 <= times <= 10**9:
        raise ValueError(f"times {times!r} is not a number from 1")
    return Entry(
        suspect=_suspect(said),
        cause=_text(said, "cause"),
        sentence=_text(said, "sentence"),
        line=line,
        renderer=_text(said, "renderer"),
        first_s=_time(said, "first_s"),
        last_s=_time(said, "last_s"),
        times=times,
    )


def _pairs(said: dict[str, Any], key: str) -> tuple[tuple[Suspect, float], ...]:
    pairs = said.get(key, [])
    if not isinstance(pairs, list) or not all(isinstance(each, dict) for each in pairs):
        raise ValueError(f"{key} is not a list of objects")
    return tuple((_suspect(each), _time(each, "seconds")) for each in pairs[: 2 * SUSPECTS_AT_MOST])


def _suspect(said: dict[str, Any]) -> Suspect:
    digest = _text(said, "sha256")
    if not _DIGEST.match(digest):
        raise ValueError(f"sha256 {digest[:80]!r} is not 64 of 0-9a-f")
    return Suspect(_text(said, "shader"), digest)


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str) or len(value) > 2 * WORDS_AT_MOST:
        raise ValueError(f"{key} is not a text of at most {2 * WORDS_AT_MOST} characters")
    return value


def _time(said: dict[str, Any], key: str) -> float:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key} {value!r} is not a finite number")
    return float(value)
