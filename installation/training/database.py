"""acids-rave's database of a data set: made once for a run's name, anew when the sound has changed."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from installation.errors import ModelError
from installation.training import recipe as recipes
from installation.training.pieces import CHUNK
from installation.training.recipe import Recipe

METADATA, SOURCE = "metadata.yaml", "source.txt"
TRAINED = 98
"""Per cent of the chunks that acids-rave trains on; it validates on the others."""


@dataclass(frozen=True)
class Database:
    """What is known of one: its folder, its rate, and how many chunks of pieces.CHUNK samples there are."""

    folder: Path
    sample_rate_hz: int
    chunks: int

    def epoch_batches(self, batch: int) -> int:
        """Batches that all of it makes."""
        return max(1, TRAINED * self.chunks // 100) // batch


def fingerprint(sound: Path) -> str:
    """Names what lies in a folder of WAV files, by names, sizes and times of change."""
    said = [
        f"{path.relative_to(sound).as_posix()} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for path in sorted(sound.rglob("*"))
        if path.is_file()
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def ensure(recipe: Recipe, sound: Path, folder: Path, log: Path) -> Database:
    """The database of `sound`, made where there is none or it is of other sound or another rate. What was half made is
    made again; what is whole was moved into its place."""
    mark = f"{recipe.sample_rate_hz} {fingerprint(sound)}"
    if not (folder / METADATA).is_file() or _mark(folder) not in (mark, ""):
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        for _ in recipes.run(recipes.preprocess_arguments(recipe, sound, part), recipe, log):
            pass
        if not (part / METADATA).is_file():
            raise ModelError(f"{sound}: acids-rave made no database of it; its last words are in {log}")
        (part / SOURCE).write_text(mark, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    return load(folder)


def _mark(folder: Path) -> str:
    """What a database was made of; empty for one that does not say."""
    path = folder / SOURCE
    return path.read_text("utf-8") if path.is_file() else ""


def load(folder: Path) -> Database:
    """What acids-rave says of a database; ModelError if it can't be read."""
    try:
        said = yaml.safe_load((folder / METADATA).read_text("utf-8"))
        rate_hz = int(said["sr"])
        return Database(folder, rate_hz, round(float(said["n_seconds"]) * rate_hz / CHUNK) + 1)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder}: no database of acids-rave: {error}") from error
