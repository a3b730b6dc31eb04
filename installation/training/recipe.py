"""How a model is trained: the settings, and the commands of acids-rave they come to.

acids-rave 2.3.1 can't live beside this package (it needs numpy 1 and Python 3.11), so it has an environment of its own,
`.venv-train`, made by `make train-env`; everything here only composes and runs its commands. TRAIN_SEED and
TRAIN_THREADS in the environment of a command are read by `installation/training/acids.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from installation.errors import ModelError

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = ROOT / ".venv-train"
EVERY_STEPS = 2_000
"""Steps between two checkpoints, and between two validations."""

Progress = dict[str, float]
"""One line of progress: `step` and the losses by name."""


@dataclass(frozen=True)
class Recipe:
    """v2 with causal convolutions. Defaults are those the shipped model was trained with."""

    sample_rate_hz: int = 48_000
    capacity: int = 32
    encoder_capacity: int = 16
    latent_dim: int = 16
    batch: int = 2
    samples: int = 32_768
    """Length of one excerpt."""
    scales: tuple[int, ...] = (2048, 512, 128)
    """Windows of the spectral distance that is minimised."""
    log_epsilon: float = 1e-2
    """Added to magnitudes before their logarithm: about the noise floor's, so that the partials are what counts."""
    regularisation: float = 3e-3
    """What the latents' divergence from a unit Gaussian weighs in the end."""
    phase_1_steps: int = 30_000
    """Spectral distance alone; the learning rate falls from 1e-3 to 1e-4 meanwhile."""
    steps: int = 36_000
    """Both phases together; the second adds the discriminators."""
    seed: int = 1
    threads: int = 1
    gpu: int = -1
    """Number of the graphics processor to train on; -1 trains on the processor."""

    def overrides(self) -> tuple[str, ...]:
        """gin bindings."""
        return (
            f"CAPACITY={self.capacity}",
            f"blocks.EncoderV2.capacity={self.encoder_capacity}",
            f"LATENT_SIZE={self.latent_dim}",
            f"SAMPLING_RATE={self.sample_rate_hz}",
            f"PHASE_1_DURATION={self.phase_1_steps}",
            f"BetaWarmupCallback.target_value={self.regularisation}",
            f"core.AudioDistanceV1.log_epsilon={self.log_epsilon}",
            f"core.MultiScaleSTFT.scales=[{','.join(map(str, self.scales))}]",
            "RAVE.valid_signal_crop=False",
        )


def python(environment: Path = ENVIRONMENT) -> Path:
    """The training environment's interpreter, or ModelError saying how to make one."""
    found = environment / "bin" / "python"
    if not found.is_file():
        raise ModelError(f"{environment}: no training environment there; `make train-env` makes one")
    return found


def preprocess_arguments(recipe: Recipe, sound: Path, database: Path) -> list[str]:
    """acids-rave's command that turns a folder of sound files into its database."""
    flags = [f"--input_path={sound}", f"--output_path={database}", f"--sampling_rate={recipe.sample_rate_hz}"]
    return ["installation.training.acids", "preprocess", *flags, "--channels=1"]


def train_arguments(recipe: Recipe, name: str, database: Path, runs: Path, checkpoint: Path | None) -> list[str]:
    """acids-rave's command that trains, from the beginning or on from `checkpoint`."""
    flags = [
        *(
            f"--name={name}",
            f"--db_path={database}",
            f"--out_path={runs}",
            f"--gpu={recipe.gpu}",
            "--workers=0",
            "--channels=1",
        ),
        *(f"--n_signal={recipe.samples}", f"--batch={recipe.batch}", f"--max_steps={recipe.steps}", "--noprogress"),
        *(f"--val_every={EVERY_STEPS}", f"--save_every={EVERY_STEPS}"),
    ]
    settings = ["--config=v2", "--config=causal", *(f"--override={each}" for each in recipe.overrides())]
    begin = settings if checkpoint is None else [f"--ckpt={checkpoint}"]
    return ["installation.training.acids", "train", *flags, *begin]


def newest_run(name: str, runs: Path) -> Path:
    """The run of `name` that was last written to; ModelError if there is none."""
    found = [folder for folder in runs.glob(f"{name}_*") if (folder / "config.gin").is_file()]
    if not found:
        raise ModelError(f"{runs}: no run of {name!r} to resume")
    return max(found, key=lambda folder: folder.stat().st_mtime)


def newest_checkpoint(run: Path) -> Path:
    """The checkpoint of a run that was last written; ModelError if there is none."""
    found = list(run.rglob("*.ckpt"))
    if not found:
        raise ModelError(f"{run}: no checkpoint in it")
    return max(found, key=lambda path: path.stat().st_mtime)


def train(
    recipe: Recipe, name: str, sound: Path, runs: Path, resume: bool, show: Callable[[Progress], None]
) -> Path:  # fmt: skip
    """Prepare the sound where that has not been done, train, and tell `show` of every step reported; the run's
    folder. What acids-rave prints besides goes to RUNS/NAME.log."""
    runs.mkdir(parents=True, exist_ok=True)
    log, database = runs / f"{name}.log", runs / "data" / name
    checkpoint = newest_checkpoint(newest_run(name, runs)) if resume else None
    if not (database / "metadata.yaml").is_file():
        for _ in run(preprocess_arguments(recipe, sound, database), recipe, log):
            pass
    for progress in run(train_arguments(recipe, name, database, runs, checkpoint), recipe, log):
        show(progress)
    return newest_run(name, runs)


def run(arguments: list[str], recipe: Recipe, log: Path, environment: Path = ENVIRONMENT) -> Iterator[Progress]:
    """Run a module in the training environment; its lines of progress as they come, all others into `log`."""
    command = [str(python(environment)), "-m", *arguments]
    threads = str(recipe.threads)
    variables = {"TRAIN_SEED": str(recipe.seed), "TRAIN_THREADS": threads, "OMP_NUM_THREADS": threads}
    with (
        log.open("a", encoding="utf-8") as other,
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **variables}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if (progress := progress_of(line)) is not None:
                yield progress
            else:
                other.write(line)
    if process.returncode:
        raise ModelError(f"{arguments[1]} ended with code {process.returncode}; its last words are in {log}")


def progress_of(line: str) -> Progress | None:
    """The progress a line of `acids.report` speaks of, or None for any other line."""
    if not line.startswith('{"step"'):
        return None
    return {str(key): float(value) for key, value in json.loads(line).items()}
