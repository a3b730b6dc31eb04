"""A folder of sound, treated: every file that can be read, once, into `sources/` of the prepared folder.

Safe to interrupt: each file's sound is written beside its place and moved there, then the manifest is. The next
preparation does only what is new, changed, or to be treated otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError, ModelError
from installation.model import digest
from installation.training import conditioning, sounds
from installation.training import manifest as manifests
from installation.training.manifest import Manifest, Source
from installation.training.treatment import Treatment, treat

Samples = npt.NDArray[np.float32]
Reader = Callable[[Path, int], Samples]
"""Reads a sound file at a rate, 0: its own, (samples, channels): `installation.sound.files.read_channels`."""
Show = Callable[[str], None]
"""Is told of each file that is done."""

SOUND_ENDING = re.compile(
    r"\.(wave?|w64|rf64|bwf|aif[fc]?|flac|mp[23c4]|og[ga]|opus|m4a|aac|alac|wma|ape|wv|caf|au|snd|mk[av]|mov|webm|avi"
    r"|ac3|dts|amr|gsm|voc|tta)",
    re.IGNORECASE,
)
"""Of a file with another ending that can't be read it is only said how many there are."""


def offered(folder: Path, out: Path) -> list[Path]:
    """Every file in a folder and its folders, in order, but for hidden ones and what lies in `out`. ModelError if there
    is no such folder, or nothing in it."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder of sound")
    hidden = re.compile(r"(^|/)\.")
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not hidden.search(path.relative_to(folder).as_posix())
        and not path.resolve().is_relative_to(out.resolve())
    ]
    if not found:
        raise ModelError(f"{folder}: nothing in it")
    return found


def gather(folder: Path, out: Path, treatment: Treatment, reader: Reader, show: Show) -> Manifest:
    """Treat every file of `folder`; the manifest, saved after each. A file that can't be read or is silent is
    kept in it with its `trouble`, one that equals another as its copy. ModelError if nothing at all can be used."""
    files = offered(folder, out)
    (out / manifests.SOURCES).mkdir(parents=True, exist_ok=True)
    made = _begin(folder, out, treatment, files)
    known = {each.path: each for each in made.sources}
    for path in files:
        name = path.relative_to(folder).as_posix()
        if not manifests.unchanged(known.get(name), path, out, treatment):
            made = replace(made.with_source(_source(path, name, out, treatment, reader)), pieces="")
            manifests.save(out, made)
        show(name)
    made = _without_copies(made)
    manifests.save(out, made)
    _tidy(out, made)
    if not made.used:
        troubles = "\n".join(f"  {each.path}: {each.trouble}" for each in made.sources[:20])
        raise ModelError(f"{folder}: no sound in it that can be used:\n{troubles}")
    return made


def _begin(folder: Path, out: Path, treatment: Treatment, files: list[Path]) -> Manifest:
    """The manifest to go on from, without files that are gone; ModelError if `out` was prepared from another folder."""
    before = manifests.load(out)
    if before is None:
        return Manifest(str(folder.resolve()), treatment)
    if before.folder != str(folder.resolve()):
        raise ModelError(f"{out}: prepared from {before.folder}, not from {folder.resolve()}; choose another --out")
    there = {path.relative_to(folder).as_posix() for path in files}
    kept = tuple(each for each in before.sources if each.path in there)
    same = len(kept) == len(before.sources) and before.treatment == treatment
    return replace(before, treatment=treatment, sources=kept, pieces=before.pieces if same else "")


def _source(path: Path, name: str, out: Path, treatment: Treatment, reader: Reader) -> Source:
    """What becomes of one file; its sound is written."""
    there = path.stat()
    source = Source(name, there.st_size, there.st_mtime_ns, digest(path), treatment.digest())
    try:
        clipped = conditioning.clipped(reader(path, 0).T.ravel())
        sound, found = treat(reader(path, treatment.sample_rate_hz), treatment, clipped)
    except InstallationError as error:
        return replace(source, trouble=str(error).removeprefix(f"{path}: "))
    source = replace(source, found=found)
    if not len(sound):
        return replace(source, trouble="silent")
    stored = _name(path, name)
    write_sound(out / manifests.SOURCES / stored, sound, treatment.sample_rate_hz)
    return replace(source, stored=stored)


def write_sound(path: Path, sound: Samples, sample_rate_hz: int) -> None:
    """Write a WAV file beside its place, and move it there when it is whole."""
    part = path.with_name(f".{path.name}.part")
    sounds.write(part, sound, sample_rate_hz)
    part.replace(path)


def _name(path: Path, name: str) -> str:
    """A file name that is like the source's and no other source's."""
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-")[:40] or "sound"
    return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.wav"


def _without_copies(made: Manifest) -> Manifest:
    """The same, every file that equals one before it, byte by byte, marked as its copy."""
    first: dict[str, str] = {}
    sources: list[Source] = []
    for each in made.sources:
        twin = first.setdefault(each.sha256, each.path)
        sources.append(replace(each, copy_of="" if twin == each.path or not each.stored else twin))
    return replace(made, sources=tuple(sources))


def _tidy(out: Path, made: Manifest) -> None:
    """Remove from `sources/` what no source of the manifest is stored in."""
    stored = {each.stored for each in made.sources}
    for path in (out / manifests.SOURCES).iterdir():
        if path.name not in stored:
            path.unlink()


def not_sound(sources: Iterable[Source]) -> tuple[list[Source], list[Source]]:
    """Of the sources with trouble: those to be told of one by one, and those that are no sound anyway."""
    troubled = [each for each in sources if each.trouble]
    alien = [each for each in troubled if each.found is None and not SOUND_ENDING.fullmatch(Path(each.path).suffix)]
    return [each for each in troubled if each not in alien], alien
