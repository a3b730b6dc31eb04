"""Shaders that failed, kept from the picture until they change or their time is up: evidence and automatic return.

`probation` says what follows from what, `evidence` keeps it on disk; this is what the stage asks and tells. The time
`now_s` is the wall's clock, for it must hold across restarts of the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from installation.errors import InstallationError
from installation.picture.admission import probation
from installation.picture.admission.evidence import Evidence
from installation.picture.admission.probation import Entry, Suspect
from installation.picture.admission.verdict import CRASHES, Verdict
from installation.picture.shading import shaders

READ_AT_MOST = 4 << 20
"""Bytes of one file that count for its digest."""
PROVEN_AT_MOST = 256
WRITTEN_S, CLOSED_S = 0.25, 2.0
"""How long a switch waits until the mark is on disk, and the end of the process until all is."""


class Quarantine:
    """What is known against shaders, kept in `folder` (by one process at a time), or with None only in memory. If the
    process before died while shaders were on probation, that is counted against them here, at `now_s`."""

    def __init__(self, folder: Path | None, now_s: float) -> None:
        self._evidence = Evidence(folder)
        entries, self._probation, self._sentences = self._evidence.read()
        self._entries = {each.suspect: each for each in entries}
        self._proven: dict[Suspect, None] = {}
        self._last_s = now_s
        self._bound()
        if self._probation.standing:
            self._count_death(now_s)

    def holds(self, suspect: Suspect, now_s: float) -> Entry | None:
        """What is known against `suspect`, if it must not be shown or tried now."""
        entry = self._entries.get(suspect)
        return entry if entry is not None and entry.holds(now_s) else None

    def put(self, suspect: Suspect, verdict: Verdict, now_s: float) -> Entry:
        """`suspect` failed: hold it. What is known of it now."""
        said = Entry(
            suspect, verdict.cause, verdict.sentence, verdict.line, verdict.renderer, first_s=now_s, last_s=now_s
        )
        entry = probation.failed(said, self._entries.get(suspect))
        self._entries[suspect] = entry
        self._proven.pop(suspect, None)
        contents = _contents(Path(suspect.shader))
        same = _digest(contents) == suspect.digest
        self._evidence.keep(entry, {name: raw.decode("utf-8", "replace") for name, raw in contents} if same else {})
        self._bound()
        return entry

    def mark(self, suspects: Iterable[Suspect], now_s: float) -> None:
        """`suspects` are about to be shown: if the process dies from now on, it speaks against those that were not
        shown well by it before. Waits for the disk, but not for long."""
        before, self._last_s = self._probation, now_s
        self._probation = probation.begun(before, [each for each in suspects if each not in self._proven])
        if self._probation != before:
            self._evidence.keep_probation(self._probation)
            self._evidence.flush(WRITTEN_S)

    def live(self, now_s: float) -> None:
        """A frame was shown."""
        if not self._probation.standing:
            self._last_s = now_s
            return
        before = self._probation
        self._probation = probation.lived(before, now_s - self._last_s)
        self._last_s = now_s
        cleared = dict(before.standing).keys() - dict(self._probation.standing).keys()
        if cleared:
            self._proven.update(dict.fromkeys(cleared))
            while len(self._proven) > PROVEN_AT_MOST:
                del self._proven[next(iter(self._proven))]
            self._evidence.keep_probation(self._probation)

    def suspected(self, suspect: Suspect) -> bool:
        """Whether the process died once while it was on probation: to be tried before it is shown again."""
        return any(each == suspect for each, _ in self._probation.deaths)

    def sentences(self) -> list[str]:
        """What should be said since this was last asked."""
        said, self._sentences = self._sentences + self._evidence.faults(), []
        return said

    def figures(self, now_s: float) -> dict[str, Any]:
        """Its part of the report."""
        held = sorted((each for each in self._entries.values() if each.holds(now_s)), key=lambda each: -each.last_s)
        return {
            "held": len(held),
            "known": len(self._entries),
            "shaders": [
                {"shader": each.suspect.shader, "cause": each.cause, "sentence": each.sentence, "times": each.times}
                for each in held[:10]
            ],
        }

    def close(self) -> None:
        """The process ends as it should."""
        if self._probation.standing:
            self._probation = probation.ended(self._probation)
            self._evidence.keep_probation(self._probation)
        self._evidence.flush(CLOSED_S)

    def _count_death(self, now_s: float) -> None:
        names = ", ".join(each.shader for each, _ in self._probation.standing)
        self._sentences.append(f"the stage died less than {probation.PROBATION_S:g} s after it first showed {names}")
        self._probation, guilty = probation.died(self._probation, now_s)
        for suspect in guilty:
            sentence = f"the stage died {probation.DEATHS} times soon after it was shown"
            entry = self.put(suspect, Verdict(CRASHES, sentence), now_s)
            self._sentences.append(f"{suspect.shader}: {sentence}: held for {entry.period_s / 60.0:.0f} min")
        self._evidence.keep_probation(self._probation)

    def _bound(self) -> None:
        """No more entries than ENTRIES_AT_MOST: the oldest go."""
        for entry in sorted(self._entries.values(), key=lambda each: each.last_s)[: -probation.ENTRIES_AT_MOST]:
            del self._entries[entry.suspect]
            self._evidence.drop(entry.suspect)


def suspect(path: Path) -> Suspect:
    """The shader in `path` as it is now."""
    return Suspect(str(path), _digest(_contents(path)))


def _contents(path: Path) -> list[tuple[str, bytes]]:
    """The files the shader is written in, by name; what can't be read is empty."""
    found = []
    try:
        files = shaders.files(path)
    except (OSError, InstallationError):
        files = (path,)
    for each in files:
        raw = b""
        try:
            if each.is_file():
                with each.open("rb") as file:
                    raw = file.read(READ_AT_MOST)
        except OSError:
            pass
        found.append((each.name, raw))
    return found


def _digest(contents: Iterable[tuple[str, bytes]]) -> str:
    whole = hashlib.sha256()
    for name, raw in contents:
        named = name.encode("utf-8", "surrogateescape")
        whole.update(b"%d %d " % (len(named), len(raw)) + named + raw)
    return whole.hexdigest()
