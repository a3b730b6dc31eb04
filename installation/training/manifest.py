"""What a prepared data set was made of: `manifest.json` in its folder, by which an interrupted preparation goes on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from installation.errors import ModelError
from installation.model import digest
from installation.training.treatment import Found, Treatment

MANIFEST = "manifest.json"
TRAIN, HELD, SOURCES = "train", "held", "sources"
"""Folders in it: what is to be learnt, what is held out, and every source as it was treated."""


@dataclass(frozen=True)
class Source:
    """One file that was offered. `stored` is its treated sound in SOURCES, empty where `trouble` says why there is
    none; `treatment` names how it was treated. A file that equals an earlier one byte by byte is a `copy_of` it."""

    path: str
    size: int
    modified_ns: int
    sha256: str
    treatment: str
    stored: str = ""
    trouble: str = ""
    copy_of: str = ""
    found: Found | None = None


@dataclass(frozen=True)
class Manifest:
    """All of it. `pieces` names what the written pieces were made from; empty until they are whole."""

    folder: str
    treatment: Treatment
    sources: tuple[Source, ...] = ()
    pieces: str = ""
    making: dict[str, Any] = field(default_factory=dict)

    @property
    def used(self) -> tuple[Source, ...]:
        """The sources of which there is sound, each once."""
        return tuple(each for each in self.sources if each.stored and not each.copy_of)

    def with_source(self, source: Source) -> Manifest:
        """The same, with this one instead of an earlier one of its path."""
        others = [each for each in self.sources if each.path != source.path]
        return replace(self, sources=tuple(sorted([*others, source], key=lambda each: each.path)))


def load(out: Path) -> Manifest | None:
    """The manifest of a prepared folder; None if it has none. ModelError if it can't be read."""
    path = out / MANIFEST
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text("utf-8"))
        sources = [
            Source(**{**each, "found": Found(**each["found"]) if each["found"] else None}) for each in stored["sources"]
        ]
        return Manifest(**{**stored, "treatment": Treatment(**stored["treatment"]), "sources": tuple(sources)})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{path}: not a manifest that `models prepare` wrote ({error}); remove it to begin anew"
        ) from error


def prepared(sound: Path) -> Manifest | None:
    """The manifest of a prepared folder, or None for a plain folder of WAV files. ModelError if preparing it was
    interrupted."""
    made = load(sound)
    if made is not None and not made.pieces:
        raise ModelError(f"{sound}: preparing it was interrupted; `models prepare {made.folder} --out {sound}` goes on")
    return made


def save(out: Path, manifest: Manifest) -> None:
    """Write the manifest, all at once."""
    write_whole(out / MANIFEST, json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text file beside its place, and move it there when it is whole."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, "utf-8")
    part.replace(path)


def unchanged(known: Source | None, path: Path, out: Path, treatment: Treatment) -> bool:
    """Whether a file was treated like this already, and its sound still lies there: by size and time of change, and by
    SHA-256 where only the time differs."""
    if known is None or known.treatment != treatment.digest():
        return False
    if known.stored and not (out / SOURCES / known.stored).is_file():
        return False
    there = path.stat()
    if known.size != there.st_size:
        return False
    return known.modified_ns == there.st_mtime_ns or known.sha256 == digest(path)
