"""A training from beginning to end, or on from where it was: checks, database, run, and what is seen of it meanwhile.

Of a run called NAME there lie in RUNS, beside the folder NAME_… that acids-rave writes (checkpoints, and event files
for TensorBoard): NAME.json (how it was begun), NAME.log, NAME.losses.jsonl, NAME-seen/ (losses and held-out sound as
pictures), data/NAME (the sound as acids-rave reads it).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from installation.errors import ModelError
from installation.training import checks, database, descent, manifest, recipe
from installation.training.curves import Ledger
from installation.training.descent import Descent
from installation.training.pace import Pace
from installation.training.recipe import Progress, Recipe

MAY_CHANGE = ("batch", "samples", "steps", "seed", "threads", "gpu", "every_steps", "report_steps")
"""Settings that a resumed run may have otherwise; the others lie in its config.gin."""
STEPS = "epoch_*.ckpt"
"""What acids-rave calls the checkpoints of every so many steps."""
PATIENCE_S = 600.0
"""For the last pictures, when the training is done."""


@dataclass(frozen=True)
class Course:
    """What is asked for. `keep` checkpoints of every so many steps stay; `held` is drawn as it goes, None: nothing."""

    recipe: Recipe
    name: str
    sound: Path
    runs: Path
    held: Path | None = None
    keep: int = 12
    resume: bool = False
    descent: Descent | None = None

    def file(self, ending: str) -> Path:
        """A file or folder of this run in RUNS."""
        return self.runs / f"{self.name}{ending}"


@dataclass(frozen=True)
class Told:
    """What is told as it goes: the step, its phase, seconds left (None: not known yet), losses by name."""

    step: int
    phase: int
    left_s: float | None
    losses: Progress


@dataclass(frozen=True)
class Outcome:
    """The run's folder, the last step reported, and whether it was stopped before its last."""

    run: Path
    step: int
    stopped: bool


def remembered(name: str, runs: Path) -> dict[str, Any]:
    """What NAME.json says of how a run was begun; empty if there is none."""
    path = runs / f"{name}.json"
    if not path.is_file():
        return {}
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
        told["recipe"] = Recipe(**{**told["recipe"], "scales": tuple(told["recipe"]["scales"])})
        return told
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not what `models train` wrote: {error}") from error


def settled(base: Recipe, given: dict[str, Any], began: Recipe | None) -> Recipe:
    """`base` with what was `given`, or, for a run that `began` already, that with what may change. ModelError for what
    may not."""
    if began is None:
        return replace(base, **given)
    fixed = [
        f"{name}: {value} is not {getattr(began, name)}, with which the run began"
        for name, value in given.items()
        if name not in MAY_CHANGE and value != getattr(began, name)
    ]
    if fixed:
        raise ModelError("\n".join([*fixed, f"allowed to change with --resume are {', '.join(MAY_CHANGE)}"]))
    return replace(began, **given)


def follow(course: Course, show: Callable[[Told], None], now: Callable[[], float] = time.monotonic) -> Outcome:
    """Check, prepare what is missing, train, and tell `show` of every step reported. ModelError with all that is wrong
    before anything is begun."""
    start = _start(course)
    course.runs.mkdir(parents=True, exist_ok=True)
    recipe.python()
    log = course.file(".log")
    prospect = checks.look_ahead(course.recipe, course.runs, log)
    taken = 0 if (course.runs / "data" / course.name).is_dir() else checks.sound_bytes(course.sound)
    checks.refuse(
        checks.sound(course.recipe, course.sound),
        checks.machine(course.recipe, prospect, course.keep, course.runs, taken),
    )
    data = database.ensure(course.recipe, course.sound, course.runs / "data" / course.name, log)
    checks.refuse(checks.data(course.recipe, data))
    if course.descent is not None and start is None:
        start = descent.begin(course.descent, course.recipe, course.name, course.runs)
    _remember(course)
    batches = data.epoch_batches(course.recipe.batch)
    words = recipe.train_arguments(course.recipe, course.name, data.folder, course.runs, start, batches)
    return _train(course, words, log, show, now)


def _start(course: Course) -> Path | None:
    """The checkpoint to go on from; None to begin anew. ModelError if there is none, or if there is a run already."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", course.name):
        raise ModelError(f"models train: {course.name!r} is no name; allowed are letters, digits, - and _")
    if course.resume:
        return recipe.newest_checkpoint(recipe.newest_run(course.name, course.runs))
    try:
        found = recipe.newest_checkpoint(recipe.newest_run(course.name, course.runs))
    except ModelError:
        return None
    raise ModelError(f"{found}: {course.name} has been trained already; --resume goes on, another NAME begins anew")


def _remember(course: Course) -> None:
    """Write NAME.json."""
    parent = course.descent
    told = {
        "name": course.name,
        "sound": str(course.sound.resolve()),
        "held": str(course.held.resolve()) if course.held else None,
        "recipe": asdict(course.recipe),
        "from": asdict(parent) | {"parent": str(parent.parent)} if parent else None,
    }
    if course.resume:
        told["from"] = remembered(course.name, course.runs).get("from")
    manifest.write_whole(course.file(".json"), json.dumps(told, indent=1) + "\n")


def _train(
    course: Course, words: list[str], log: Path, show: Callable[[Told], None], now: Callable[[], float]
) -> Outcome:
    """Run it, keep its losses, look at each new checkpoint."""
    ledger, pace, seen, step = Ledger(course.file(".losses.jsonl")), Pace(course.recipe), Seen(course), 0
    if not course.resume:
        ledger.begin(0)
    for progress in recipe.run(words, course.recipe, log):
        if not step and course.resume:
            ledger.begin(int(progress["step"]) - 1)
        step = int(progress["step"])
        ledger.add(progress)
        pace.push(step, now())
        show(Told(step, pace.phase(step), pace.left_s(), {k: v for k, v in progress.items() if k != "step"}))
        seen.look(step)
    stopped = step <= course.recipe.steps - course.recipe.report_steps
    seen.end(step, wait=not stopped)
    return Outcome(recipe.newest_run(course.name, course.runs), step, stopped)


class Seen:
    """Looks at a run's newest checkpoint as it comes, in a process of its own (`glimpse`); removes the oldest."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._newest: Path | None = None
        self._began_s = time.time()
        self._process: subprocess.Popen[bytes] | None = None

    def look(self, step: int) -> None:
        """Draw if there is a checkpoint that was not there the last time, unless that is still being drawn."""
        written = self._written()
        if not written or written[-1] == self._newest or written[-1].stat().st_mtime < self._began_s:
            return
        if self._process is not None and self._process.poll() is None:
            return
        self._newest = written[-1]
        self._draw(self._newest, step)
        prune(self._newest.parent.parent.parent, self._course.keep)

    def _written(self) -> list[Path]:
        """The run's checkpoints of every so many steps and the last of all, the newest last."""
        try:
            run = recipe.newest_run(self._course.name, self._course.runs)
        except ModelError:
            return []
        found = [*run.glob(f"version_*/checkpoints/{STEPS}"), *run.glob("version_*/checkpoints/last.ckpt")]
        return sorted(found, key=lambda path: path.stat().st_mtime)

    def end(self, step: int, wait: bool) -> None:
        """The last look; with `wait`, until it is drawn."""
        if not wait:
            self._stop()
            return
        self._wait()
        self.look(step)
        self._wait()

    def _draw(self, checkpoint: Path, step: int) -> None:
        course = self._course
        pictured = ["--sound", str(course.sound), "--held", str(course.held)] if course.held else []
        words = [
            *(sys.executable, "-m", "installation.training.glimpse", str(checkpoint.parent.parent.parent)),
            *("--checkpoint", str(checkpoint), "--name", course.name, "--step", str(step), "--out"),
            *(str(course.file("-seen")), "--losses", str(course.file(".losses.jsonl"))),
            *("--phase-1", str(course.recipe.phase_1_steps), *pictured),
        ]
        with course.file(".log").open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=recipe.ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _wait(self) -> None:
        if self._process is not None:
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._stop()

    def _stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def prune(run: Path, keep: int) -> None:
    """Remove all but the newest `keep` of a run's checkpoints of every so many steps; the best and the last ones of all
    kinds stay."""
    found = sorted(run.glob(f"version_*/checkpoints/{STEPS}"), key=lambda path: path.stat().st_mtime)
    for path in found[: max(0, len(found) - keep)]:
        path.unlink()
