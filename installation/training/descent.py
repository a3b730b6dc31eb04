"""`models train --from MODEL`: a run begun from a model's weights, by `inheritance` in the training environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from installation.errors import ModelError
from installation.training.recipe import Recipe, run

CHECKPOINT = "inherited.ckpt"


@dataclass(frozen=True)
class Descent:
    """Whose weights a run begins with, and how."""

    parent: Path
    """A folder that `models export` wrote."""
    rate: float = 3e-4
    """The learning rate the run begins with; it falls to a tenth over phase 1."""
    what_fits: bool = False
    """Take the layers nearest to the sound as long as they agree, instead of refusing a model of another shape."""


def arguments(descent: Descent, recipe: Recipe, out: Path) -> list[str]:
    """The command that writes the run's `config.gin` and CHECKPOINT to `out`."""
    flags = [str(descent.parent), f"--out={out}", f"--rate={descent.rate}", f"--seed={recipe.seed}"]
    settings = [f"--override={each}" for each in recipe.overrides()]
    return ["installation.training.inheritance", *flags, *settings, *(["--what-fits"] if descent.what_fits else [])]


def begin(descent: Descent, recipe: Recipe, name: str, runs: Path) -> Path:
    """The checkpoint that a run of `name` begins with; ModelError with the reason if the model can't be inherited.
    What is said besides goes to RUNS/NAME-inherits.log."""
    out, log = runs / f"inherited-{name}", runs / f"{name}-inherits.log"
    runs.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    try:
        for _ in run(arguments(descent, recipe, out), recipe, log):
            pass
    except ModelError as error:
        said = log.read_text("utf-8").splitlines() if log.is_file() else []
        raise ModelError(said[-1] if said and said[-1].startswith(str(descent.parent)) else str(error)) from error
    return out / CHECKPOINT
