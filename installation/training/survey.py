"""What a prepared data set is like, in figures, and the report of it: for programs, for people, for the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from installation.training import homogeneity, manifest, sounds
from installation.training.dataset import not_sound
from installation.training.manifest import Manifest

REPORT, FIGURES = "report.md", "report.json"
CLIPPED = 1e-4
"""Share of clipped samples from which on a file is named."""
NARROW = 0.85
"""Share of the Nyquist frequency below which a file is named for its bandwidth."""
NAMED = 12
"""At most so many files are named one by one."""


@dataclass(frozen=True)
class Survey:
    """Of the whole data set. `clipped` and `narrow` give files and what was found of them; a narrow file's highest
    frequency in Hz. `strangest` is the source that is least like the others."""

    sample_rate_hz: int
    files: int
    hours_in: float
    hours_train: float
    hours_held: float
    silence: float
    loudness_db: float
    loudness_spread_db: float
    clipped: dict[str, float]
    narrow: dict[str, float]
    homogeneity: float
    strangest: str
    repeated: float
    """Share of the segments that repeat another."""
    repeats: tuple[str, ...]
    copies: dict[str, str]
    troubles: dict[str, str]
    not_sound: int

    @property
    def hours(self) -> float:
        """All that was kept, before copies were varied, in hours."""
        return self.hours_in * (1.0 - self.silence)


def survey(out: Path, made: Manifest, show: Callable[[str], None]) -> Survey:
    """Look at everything in the prepared folder `out`."""
    rate_hz = made.treatment.sample_rate_hz
    segments, owners = [], []
    for source in made.used:
        found = homogeneity.segments(sounds.read(out / manifest.SOURCES / source.stored, rate_hz), rate_hz)
        segments += found
        owners += [source.path] * len(found)
        show(source.path)
    repeats = homogeneity.repeats(segments)
    facts = {each.path: each.found for each in made.used if each.found}
    seconds_in = sum(each.seconds_in for each in facts.values())
    loudness = np.array([each.loudness_db for each in facts.values()])
    troubled, alien = not_sound(made.sources)
    return Survey(
        sample_rate_hz=rate_hz,
        files=len(facts),
        hours_in=seconds_in / 3600.0,
        hours_train=_hours(out / manifest.TRAIN, rate_hz),
        hours_held=_hours(out / manifest.HELD, rate_hz),
        silence=1.0 - sum(each.seconds_out for each in facts.values()) / seconds_in,
        loudness_db=float(np.median(loudness)),
        loudness_spread_db=float(loudness.std()),
        clipped={path: each.clipped for path, each in facts.items() if each.clipped > CLIPPED},
        narrow={path: each.highest_hz for path, each in facts.items() if each.highest_hz < NARROW * rate_hz / 2},
        homogeneity=homogeneity.homogeneity(segments),
        strangest=owners[homogeneity.strangest(segments)],
        repeated=len(repeats) / len(segments),
        repeats=tuple(dict.fromkeys(f"{owners[later]} repeats {owners[earlier]}" for earlier, later in repeats)),
        copies={each.path: each.copy_of for each in made.sources if each.copy_of},
        troubles={each.path: each.trouble for each in troubled},
        not_sound=len(alien),
    )


def _hours(folder: Path, rate_hz: int) -> float:
    """Of the pieces in a folder: 16 bits a sample behind a header of 44 bytes."""
    return sum((path.stat().st_size - 44) / 2 for path in folder.glob("*.wav")) / rate_hz / 3600.0


def duration(hours: float) -> str:
    """`2.5 h`, `12.0 min` or `40 s`."""
    if hours >= 1.0:
        return f"{hours:.1f} h"
    return f"{60.0 * hours:.1f} min" if hours >= 1 / 60 else f"{3600.0 * hours:.0f} s"


def figures(found: Survey) -> list[tuple[str, str]]:
    """The rows of the report."""
    spread = f"{found.loudness_db:.1f} dB, spread {found.loudness_spread_db:.1f} dB between files, as they came"
    return [
        ("files", f"{found.files} used, {len(found.troubles)} in trouble, {len(found.copies)} copies, "
                  f"{found.not_sound} not sound"),
        ("sound", f"{duration(found.hours_in)} in; {duration(found.hours_train)} to learn, "
                  f"{duration(found.hours_held)} held out"),
        ("silence cut out", f"{100 * found.silence:.1f} %"),
        ("loudness", spread),
        ("clipped", f"{len(found.clipped)} files"),
        ("narrow", f"{len(found.narrow)} files hold nothing above {NARROW:.0%} of {found.sample_rate_hz / 2000:g} kHz"),
        ("homogeneity", f"{found.homogeneity:.2f} of 1; least like the others: {found.strangest}"),
        ("repeated", f"{100 * found.repeated:.1f} % of the sound"),
    ]  # fmt: skip


def named(found: Survey) -> list[str]:
    """Files that something is to be said of, one by one."""
    kinds: list[tuple[str, list[str]]] = [
        ("in trouble", [f"{path}: {trouble}" for path, trouble in found.troubles.items()]),
        ("copies", [f"{path}: the same file as {twin}" for path, twin in found.copies.items()]),
        ("clipped", [f"{path}: {100 * share:.2f} % of its samples" for path, share in found.clipped.items()]),
        ("narrow", [f"{path}: nothing above {hz / 1000:.1f} kHz" for path, hz in found.narrow.items()]),
        ("repeated", list(found.repeats)),
    ]
    lines: list[str] = []
    for kind, said in kinds:
        lines += [f"{kind}: {each}" for each in said[:NAMED]]
        lines += [f"{kind}: and {len(said) - NAMED} more (report.json)"] if len(said) > NAMED else []
    return lines


def write(out: Path, found: Survey, expected: list[str], pictures: list[str]) -> None:
    """Write the report, as Markdown with the pictures and as JSON."""
    rows = [f"| {name} | {value} |" for name, value in figures(found)]
    lines = [
        *("# What was prepared", "", "| | |", "|---|---|", *rows, ""),
        *("## What to expect", "", *(f"- {each}" for each in expected), ""),
        *(["## Files to look at", "", *(f"- {each}" for each in named(found)), ""] if named(found) else []),
        *(["## Excerpts", "", *(f"![{name}]({name})\n" for name in pictures)] if pictures else []),
    ]
    manifest.write_whole(out / REPORT, "\n".join(lines))
    told = {**asdict(found), "expected": expected, "pictures": pictures}
    manifest.write_whole(out / FIGURES, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
