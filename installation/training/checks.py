"""What must be so before a training begins, all of it looked at before anything is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installation.errors import ModelError
from installation.training import recipe as recipes
from installation.training.database import Database
from installation.training.pieces import CHUNK
from installation.training.recipe import Recipe

BYTES_A_WEIGHT = 12
"""Of a checkpoint: the weight itself and Adam's two means, four bytes each."""
KEPT_BESIDES = 3
"""Checkpoints beside those of every so many steps: the best, the last epoch's, the last."""
SPARE_BYTES = 1 << 30
CARD_BYTES = 12.7e9
"""Of a graphics card's memory, in the second phase: `v2`, batch 8 of 131,072 samples (the first takes 5.4e9)."""
CARD_LEAST_BYTES = 1.2e9
"""What torch takes for itself."""
TOOLS = ("ffmpeg", "ffprobe")
"""Programs that acids-rave's preprocess starts; without them it would hang."""


@dataclass(frozen=True)
class Prospect:
    """What `installation.training.prospect` said: numbers in the whole model, and the card it is to run on."""

    weights: int
    card: str | None = None
    cards: int = 0
    free_bytes: int = 0
    whole_bytes: int = 0

    @property
    def checkpoint_bytes(self) -> int:
        """Of one checkpoint, in the second phase, when it is largest."""
        return self.weights * BYTES_A_WEIGHT


def look_ahead(recipe: Recipe, folder: Path, log: Path) -> Prospect:
    """What a run of `recipe` will be. ModelError if the training environment lacks anything."""
    out = folder / ".prospect.json"
    settings = [f"--override={each}" for each in recipe.overrides()]
    words = ["installation.training.prospect", f"--out={out}", f"--gpu={recipe.gpu}", *settings]
    try:
        for _ in recipes.run(words, recipe, log):
            pass
        said: dict[str, Any] = json.loads(out.read_text("utf-8"))
    except (ModelError, OSError, ValueError) as error:
        raise ModelError(
            f"{recipes.ENVIRONMENT}: can't build the model ({error}); `make train-env` mends the environment"
        ) from error
    finally:
        out.unlink(missing_ok=True)
    return Prospect(**{name: said[name] for name in Prospect.__dataclass_fields__ if name in said})


def card_bytes(recipe: Recipe) -> float:
    """About what the second phase takes of a graphics card: in proportion to batch, samples and capacity."""
    v2 = recipes.SIZES["v2"]
    share = recipe.batch * recipe.samples * recipe.capacity / (v2.batch * v2.samples * v2.capacity)
    return CARD_LEAST_BYTES + share * (CARD_BYTES - CARD_LEAST_BYTES)


def disk_bytes(recipe: Recipe, prospect: Prospect, keep: int) -> int:
    """What the checkpoints of a run take, if `keep` of every so many steps are kept."""
    count = min(keep, -(-recipe.steps // recipe.every_steps)) + KEPT_BESIDES
    return count * prospect.checkpoint_bytes


def sound(recipe: Recipe, folder: Path) -> Iterator[str]:
    """What is wrong with a folder of training sound, and with what reads it."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        yield f"{' and '.join(missing)} not found; `make train-env` installs them (Debian: apt-get install ffmpeg)"
    if not folder.is_dir():
        yield f"{folder}: no such folder of sound"
        return
    largest = max((path.stat().st_size for path in folder.rglob("*.wav")), default=0)
    others = {path.suffix.lower() for path in folder.rglob("*.*") if path.is_file()} - {".wav", ".json", ".md", ".png"}
    if not largest:
        found = f"; there are {', '.join(sorted(others))}" if others else ""
        yield f"{folder}: no .wav in it{found}; `models prepare {folder} --out FOLDER` makes some of any sound"
    elif largest < 2 * CHUNK:
        yield (
            f"{folder}: no file in it is as long as {CHUNK / recipe.sample_rate_hz:.1f} s, and acids-rave leaves out "
            f"all that are shorter; `models prepare {folder} --out FOLDER` joins them"
        )
    if recipe.samples > CHUNK:
        yield f"samples: {recipe.samples} is more than acids-rave keeps together, {CHUNK}"


def data(recipe: Recipe, found: Database) -> Iterator[str]:
    """What is wrong with a database for a recipe."""
    if found.sample_rate_hz != recipe.sample_rate_hz:
        yield (
            f"{found.folder}: sound at {found.sample_rate_hz} Hz, the run's rate is {recipe.sample_rate_hz}; "
            f"--sample-rate {found.sample_rate_hz}, or another NAME"
        )
    if not found.epoch_batches(recipe.batch):
        least_s = (recipe.batch + 1) * CHUNK / found.sample_rate_hz
        yield (
            f"{found.folder}: {found.chunks} chunks of sound make no batch of {recipe.batch}; "
            f"at least {least_s:.0f} s of sound are needed, or a smaller --batch"
        )


def sound_bytes(folder: Path) -> int:
    """What a folder of sound takes, which its database will take again."""
    return sum(path.stat().st_size for path in folder.rglob("*.wav"))


def machine(recipe: Recipe, prospect: Prospect, keep: int, runs: Path, database_bytes: int = 0) -> Iterator[str]:
    """What the machine lacks."""
    needed = disk_bytes(recipe, prospect, keep) + database_bytes + SPARE_BYTES
    free = shutil.disk_usage(runs).free
    if needed > free:
        yield (
            f"{runs}: {free / 1e9:.1f} GB free, about {needed / 1e9:.1f} GB are needed, "
            f"{prospect.checkpoint_bytes / 1e6:.0f} MB for each checkpoint; make room, or --keep fewer than {keep}"
        )
    if recipe.gpu < 0:
        return
    if prospect.card is None:
        there = f"torch sees {prospect.cards} graphics cards" if prospect.cards else "torch sees no graphics card"
        yield f"--gpu {recipe.gpu}: {there} in {recipes.ENVIRONMENT}; --gpu -1 trains on the processor"
    elif (wanted := card_bytes(recipe)) > prospect.free_bytes:
        fitting = max(1, int(recipe.batch * prospect.free_bytes / wanted * 0.9))
        yield (
            f"--gpu {recipe.gpu}: {prospect.card} has {prospect.free_bytes / 1e9:.1f} of "
            f"{prospect.whole_bytes / 1e9:.1f} GB free, the second phase takes about {wanted / 1e9:.1f} GB; "
            f"--batch {fitting} would fit"
        )


def refuse(*kinds: Iterator[str]) -> None:
    """ModelError with everything that is wrong, a line each, if anything is."""
    wrong = [each for kind in kinds for each in kind]
    if wrong:
        raise ModelError("\n".join(wrong))
