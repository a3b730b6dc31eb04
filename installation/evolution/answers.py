"""What listeners sent back: files of a study's answers, each believed only as far as it can be true.

The files come from strangers. One that is not what the page writes, is of another run, says what can't be or is
somebody's second is refused with a sentence, and the others count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from installation.evolution.clips import Clip, find_clips, run_name
from installation.evolution.store import Store

BYTES = 4_000_000
"""A file of answers, at most; a whole study of the usual size has 12,000."""
TRIALS = 1000
PASSED = 0.75
"""Share of catch trials a listener must have answered rightly to be counted. Who only guesses four of them passes in 5
of 16 cases, who errs once in twenty fails in 1 of 70."""
REASONS = 4
"""Faults of one file that are said."""

Name = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Plays = Annotated[int, Field(ge=1, le=10_000)]
Degree = Annotated[int, Field(ge=1, le=7)]
Word = Annotated[str, Field(max_length=80)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Timed(_Written):
    """Seconds from the first sight to when all was heard, and to the answer."""

    heard_s: Seconds
    time_s: Seconds


class Choice(_Timed):
    """One triplet as it was heard: clip `a` and the two compared with it by their side; how often each was played."""

    a: Name
    left: Name
    right: Name
    chosen: Literal["left", "right"]
    plays: Annotated[list[Plays], Field(min_length=3, max_length=3)]

    @property
    def is_catch(self) -> bool:
        """Whether one of the two compared is A itself."""
        return self.a in (self.left, self.right)

    @property
    def taken(self) -> str:
        """The clip that was said to be more like A."""
        return self.left if self.chosen == "left" else self.right

    @property
    def question(self) -> tuple[str, str, str]:
        """What was asked, whichever side was which: A, then the two compared in the order of their names."""
        return self.a, min(self.left, self.right), max(self.left, self.right)


class Rating(_Timed):
    """One clip as it was liked: how interesting, and how much it is wanted in a room, 1..7; whether something is wrong
    with it."""

    clip: Name
    interest: Degree
    room: Degree
    fault: bool
    plays: Plays


class About(_Written):
    """What a listener cared to say, in the page's words; empty is no answer."""

    age: Word = ""
    experience: Word = ""
    listening: Word = ""


class Answers(_Written):
    """One listener's file. `participant` and `seed` were drawn by the page; order and sides follow from the seed."""

    format: Literal["listening-study-answers"] = Field(alias="schema")
    version: Literal[1]
    study: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    run: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    participant: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)]
    started: AwareDatetime
    saved: AwareDatetime
    complete: bool
    about: About
    triplets: Annotated[list[Choice], Field(max_length=TRIALS)]
    ratings: Annotated[list[Rating], Field(max_length=TRIALS)]

    @property
    def catches(self) -> tuple[int, int]:
        """Catch trials answered rightly, and all."""
        asked = [each for each in self.triplets if each.is_catch]
        return sum(each.taken == each.a for each in asked), len(asked)

    @property
    def attentive(self) -> bool:
        """Whether the catch trials were answered as they must be; also where there was none yet."""
        right, asked = self.catches
        return right >= PASSED * asked


@dataclass(frozen=True, eq=False)
class Reading:
    """The files that count, one a listener: `counted`, and `inattentive` for those who missed catch trials; `refused`
    are sentences, one a file; `clips` are those asked about, by name."""

    counted: tuple[Answers, ...]
    inattentive: tuple[Answers, ...]
    refused: tuple[str, ...]
    clips: dict[str, Clip]


def read_answers(paths: Sequence[Path], store: Store) -> Reading:
    """The answers in `paths` to studies of the run in `store`. No file raises: it is refused."""
    read, refused = dict[Path, Answers](), list[str]()
    for path in dict.fromkeys(paths):
        found = _read(path, run_name(store.header))
        if isinstance(found, Answers):
            read[path] = found
        else:
            refused.append(found)
    clips = find_clips(store, {name for each in read.values() for name in _names(each)})
    for path, each in list(read.items()):
        if lost := sorted(_names(each) - clips.keys()):
            refused.append(f"{path}: clip {lost[0]}: not one that is kept of this run ({len(lost)} such)")
            del read[path]
    refused += _drop_second(read)
    listeners = read.values()
    return Reading(
        tuple(each for each in listeners if each.attentive),
        tuple(each for each in listeners if not each.attentive),
        tuple(refused),
        clips,
    )


def _read(path: Path, run: str) -> Answers | str:
    """What is in a file, or why not."""
    try:
        with path.open("rb") as file:
            written = file.read(BYTES + 1)
    except OSError as error:
        return f"{path}: can't be read: {error.strerror or error}"
    if len(written) > BYTES:
        return f"{path}: size: more than {BYTES} bytes, no study has that many answers"
    try:
        answers = Answers.model_validate_json(written)
    except ValidationError as error:
        return f"{path}: {_faults(error)}"
    if answers.run != run:
        return f"{path}: run: {answers.run[:12]}…, allowed is this run's {run[:12]}…"
    wrong = _impossible(answers)
    return f"{path}: {wrong}" if wrong else answers


def _faults(error: ValidationError) -> str:
    """The first faults as place, what is allowed, what was got."""
    said = []
    for each in error.errors(include_url=False)[:REASONS]:
        place = ".".join(map(str, each["loc"])) or "the file"
        got = repr(each["input"])
        said.append(f"{place}: {each['msg']}, got {got if len(got) <= 60 else got[:57] + '…'}")
    more = error.error_count() - len(said)
    return "; ".join(said) + (f"; and {more} more" if more > 0 else "")


def _impossible(answers: Answers) -> str:
    """What the page would never have written, in words; empty if all is well."""
    if not answers.triplets and not answers.ratings:
        return "holds no answer"
    if answers.saved < answers.started:
        return f"saved: {answers.saved}, before it was started"
    times: dict[tuple[str, str, str], int] = {}
    for place, each in enumerate(answers.triplets):
        if each.left == each.right:
            return f"triplets.{place}: B and C are both {each.left}"
        times[each.question] = times.get(each.question, 0) + 1
        if times[each.question] > 2 or (each.is_catch and times[each.question] > 1):
            return f"triplets.{place}: the same question too often"
    timed: list[_Timed] = [*answers.triplets, *answers.ratings]
    for answer in timed:
        if answer.time_s < answer.heard_s:
            return f"time_s: {answer.time_s}, before all was heard at {answer.heard_s}"
    rated = [each.clip for each in answers.ratings]
    return "" if len(set(rated)) == len(rated) else "ratings: the same clip more than once"


def _drop_second(read: dict[Path, Answers]) -> list[str]:
    """Leave of each listener the file with most answers, the first of such; why the others went. The same answers under
    another name are the same listener."""
    order = sorted(read, key=lambda path: -len(read[path].triplets) - len(read[path].ratings))
    first, said = dict[str, Path](), list[str]()
    for path in order:
        each = read[path]
        marks = (each.participant, f"{each.seed} {each.triplets!r} {each.ratings!r}")
        held = next((first[mark] for mark in marks if mark in first), None)
        if held is None:
            first.update(dict.fromkeys(marks, path))
        else:
            said.append(f"{path}: participant {each.participant[:8]}: already counted from {held}")
            del read[path]
    return said


def _names(answers: Answers) -> set[str]:
    heard = {name for each in answers.triplets for name in (each.a, each.left, each.right)}
    return heard | {each.clip for each in answers.ratings}
