"""What is known against shaders, and what follows from it: a state machine without files, clocks or shaders.

A shader is its path and the digest of its content. One that failed is held for FIRST_S, after the next failure for
twice as long, up to LONGEST_S; then it may be tried again. One that is newly shown is on probation for PROBATION_S of
frames: if the process dies meanwhile, that speaks against it, and the second time is a failure. Times are seconds of
the wall's clock, which may be set back or forward: nothing is ever held for longer than it should by that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

FIRST_S = 600.0
LONGEST_S = 24 * 3600.0
FORGIVEN_S = 7 * 24 * 3600.0
"""A failure so long after the last is a first one again."""
PROBATION_S = 20.0
STEP_AT_MOST_S = 1.0
"""No more than this of the time between two frames counts as good: a frame that hung is not a good one."""
DEATHS = 2
DEATHS_WITHIN_S = 24 * 3600.0
ENTRIES_AT_MOST = 200
SUSPECTS_AT_MOST = 32


@dataclass(frozen=True, order=True)
class Suspect:
    """A shader: its file or folder, and the SHA-256 of its content."""

    shader: str
    digest: str


@dataclass(frozen=True)
class Entry:
    """What is known against one shader. `line` is the author's own, from 1, or None; `times` it failed, last at
    `last_s`."""

    suspect: Suspect
    cause: str
    sentence: str
    line: int | None
    renderer: str
    first_s: float
    last_s: float
    times: int = 1

    @property
    def period_s(self) -> float:
        """How long it is held from `last_s` on."""
        return float(min(LONGEST_S, FIRST_S * 2.0 ** min(self.times - 1, 30)))

    def holds(self, now_s: float) -> bool:
        """Whether it must not be tried at `now_s`. A clock set back by more than the period lets it go."""
        return abs(now_s - self.last_s) < self.period_s


@dataclass(frozen=True)
class Probation:
    """Who is newly shown, with the good seconds each has had; and who was so when the process died, and when."""

    standing: tuple[tuple[Suspect, float], ...] = ()
    deaths: tuple[tuple[Suspect, float], ...] = ()


def failed(entry: Entry, before: Entry | None) -> Entry:
    """`entry`, a new failure, with what was known `before`."""
    if before is None or abs(entry.last_s - before.last_s) - before.period_s > FORGIVEN_S:
        return replace(entry, times=1, first_s=entry.last_s)
    return replace(entry, times=before.times + 1, first_s=min(before.first_s, entry.last_s))


def begun(probation: Probation, suspects: Iterable[Suspect]) -> Probation:
    """`suspects` are about to be shown. Who is already on probation stays so, with the good seconds it has."""
    known = dict(probation.standing)
    standing = {**known, **{each: known.get(each, 0.0) for each in suspects}}
    return replace(probation, standing=tuple(standing.items())[-SUSPECTS_AT_MOST:])


def lived(probation: Probation, seconds: float) -> Probation:
    """So much time passed with pictures being shown. Whoever has had PROBATION_S of it is cleared, its deaths too."""
    good_s = min(STEP_AT_MOST_S, max(0.0, seconds))
    standing = tuple((each, had_s + good_s) for each, had_s in probation.standing)
    cleared = {each for each, had_s in standing if had_s >= PROBATION_S}
    if not cleared:
        return replace(probation, standing=standing)
    return Probation(
        tuple((each, had_s) for each, had_s in standing if each not in cleared),
        tuple((each, when_s) for each, when_s in probation.deaths if each not in cleared),
    )


def ended(probation: Probation) -> Probation:
    """The process ends as it should: nothing speaks against anybody."""
    return replace(probation, standing=())


def died(probation: Probation, now_s: float) -> tuple[Probation, tuple[Suspect, ...]]:
    """The process died with this probation standing, which is noticed at `now_s`: the probation to go on with, and
    those for whom it was once too often."""
    deaths = [(each, when_s) for each, when_s in probation.deaths if abs(now_s - when_s) < DEATHS_WITHIN_S]
    deaths += [(each, now_s) for each, _ in probation.standing]
    counted = [each for each, _ in deaths]
    guilty = tuple(sorted({each for each in counted if counted.count(each) >= DEATHS}))
    left = tuple((each, when_s) for each, when_s in deaths if each not in guilty)
    return Probation((), left[-DEATHS * SUSPECTS_AT_MOST :]), guilty
