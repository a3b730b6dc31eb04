"""The treated sources as training takes them: WAV pieces of a minute, a part of them held out, copies varied.

acids-rave cuts every file into chunks of CHUNK samples and drops what is left over, so short files would be lost and
long ones lose their ends. So the sources are joined end to end, and the pieces are whole numbers of chunks.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.training import conditioning, manifest, sounds
from installation.training.manifest import Manifest, Source
from installation.training.variation import Variation, vary

Samples = npt.NDArray[np.float32]

CHUNK = 262_144
"""Samples of one example in acids-rave's database (2 × its num_signal)."""
PIECE_CHUNKS = 11
"""A minute at 48 kHz."""
WHOLE_FILES = 20
"""From so many sources on, whole ones are held out; else the end of each."""
LARGEST_SHARE = 0.2
"""Whole files are held out only if none of them is more of the whole."""
VARIED_S = 60.0
"""Sound is varied in parts of such a length, each by a draw of its own."""


@dataclass(frozen=True)
class Making:
    """How the pieces are made: share `held` out, so many varied `copies` of the rest, a noise `floor_db` under all of
    it (RMS, full scale; None: none)."""

    held: float = 0.05
    copies: int = 0
    variation: Variation = field(default_factory=Variation)
    floor_db: float | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0.0 <= self.held <= 0.5:
            raise ModelError(f"models prepare: held: {self.held:g} is outside 0..0.5")
        if not 0 <= self.copies <= 100:
            raise ModelError(f"models prepare: augment: {self.copies} copies are outside 0..100")


def digest(made: Manifest, making: Making) -> str:
    """Names the pieces that come of these sources made so."""
    said = [[each.sha256, each.treatment] for each in made.used], asdict(making)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def write(out: Path, made: Manifest, making: Making, show: Callable[[str], None]) -> None:
    """Write the pieces of `made` to the folders `train` and `held`, both replaced when the new ones are whole."""
    rate_hz = made.treatment.sample_rate_hz
    parts = {manifest.TRAIN: training(out, made, making), manifest.HELD: held_out(out, made, making)}
    for name, sound in parts.items():
        part = out / f".{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        floor = np.random.default_rng((making.seed, len(name)))
        for number, piece in enumerate(cut(sound, PIECE_CHUNKS * CHUNK, CHUNK if name == manifest.TRAIN else 1)):
            sounds.write(part / f"{name}-{number:04d}.wav", _on_floor(piece, making.floor_db, floor), rate_hz)
            show(f"{name}-{number:04d}.wav")
    for name in parts:
        shutil.rmtree(out / name, ignore_errors=True)
        (out / f".{name}.part").rename(out / name)


def training(out: Path, made: Manifest, making: Making) -> Iterator[Samples]:
    """What is to be learnt, source by source, then its copies."""
    chosen, rate_hz = whole_files(made, making), made.treatment.sample_rate_hz
    for copy in range(making.copies + 1):
        for number, source in enumerate(made.used):
            if source.path in chosen:
                continue
            sound = _read(out, source, rate_hz)
            kept = sound[: len(sound) - _end(len(sound), chosen, making)]
            rng = np.random.default_rng((making.seed, copy, number))
            yield kept if not copy else _varied(kept, rate_hz, making.variation, rng)


def held_out(out: Path, made: Manifest, making: Making) -> Iterator[Samples]:
    """What is kept from learning, source by source."""
    chosen = whole_files(made, making)
    for source in made.used:
        sound = _read(out, source, made.treatment.sample_rate_hz)
        if source.path in chosen:
            yield sound
        elif not chosen:
            yield sound[len(sound) - _end(len(sound), chosen, making) :]


def whole_files(made: Manifest, making: Making) -> frozenset[str]:
    """The sources that are held out whole: as many, drawn, as make up the share; none if there are too few."""
    lengths = {each.path: each.found.seconds_out for each in made.used if each.found}
    total = sum(lengths.values())
    if not making.held or len(lengths) < WHOLE_FILES or max(lengths.values()) > LARGEST_SHARE * total:
        return frozenset()
    chosen: list[str] = []
    for place in np.random.default_rng(making.seed).permutation(len(lengths)):
        if sum(lengths[path] for path in chosen) >= making.held * total:
            break
        chosen.append(list(lengths)[place])
    return frozenset(chosen)


def _end(count: int, chosen: frozenset[str], making: Making) -> int:
    """Samples at the end of a source of `count` that are held out, if no whole sources are."""
    return 0 if chosen else round(making.held * count)


def cut(parts: Iterable[Samples], size: int, unit: int = CHUNK) -> Iterator[Samples]:
    """The parts joined end to end, softly, and cut into pieces of `size`; the last has whole `unit`s only, unless there
    is less than one."""
    waiting: list[Samples] = []
    for part in parts:
        waiting.append(_softened(part))
        while sum(map(len, waiting)) >= size:
            joined = np.concatenate(waiting)
            waiting = [joined[size:]]
            yield joined[:size]
    rest = np.concatenate(waiting) if waiting else np.zeros(0, np.float32)
    kept = len(rest) // unit * unit or len(rest)
    if kept:
        yield rest[:kept]


def _softened(part: Samples, ends: int = 480) -> Samples:
    """The part with its first and last samples faded, so that two of them meet without a click."""
    ends = min(ends, len(part) // 2)
    made, ramp = part.copy(), np.linspace(0.0, 1.0, ends, dtype=np.float32)
    made[:ends] *= ramp
    made[len(made) - ends :] *= ramp[::-1]
    return made


def _varied(sound: Samples, rate_hz: int, variation: Variation, rng: np.random.Generator) -> Samples:
    size = int(VARIED_S * rate_hz)
    parts = [vary(sound[at : at + size], rate_hz, variation, rng) for at in range(0, len(sound), size)]
    return conditioning.join(parts, int(conditioning.FADE_S * rate_hz))


def _on_floor(piece: Samples, floor_db: float | None, rng: np.random.Generator) -> Samples:
    if floor_db is None:
        return piece
    return piece + np.float32(10.0 ** (floor_db / 20.0)) * rng.standard_normal(len(piece), dtype=np.float32)


def _read(out: Path, source: Source, rate_hz: int) -> Samples:
    return sounds.read(out / manifest.SOURCES / source.stored, rate_hz)
