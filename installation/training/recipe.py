"""How a model is trained: the settings, and the commands of acids-rave they come to.

acids-rave 2.3.1 can't live beside this package (it needs numpy 1 and Python 3.11), so it has an environment of its own,
`.venv-train`, made by `make train-env`; everything here only composes and runs its commands. TRAIN_SEED, TRAIN_THREADS
and TRAIN_REPORT in the environment of a command are read by `installation/training/acids.py`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from installation.errors import ModelError

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = ROOT / ".venv-train"
EVERY_STEPS = 2_000
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BANDS = 16
"""Of the filter bank."""
WORKERS = 4
"""Processes that read sound for a graphics card."""
ACIDS = "installation.training.acids"
RATIOS = {2048: (4, 4, 4, 2), 1024: (4, 4, 2, 2), 512: (4, 4, 2), 256: (4, 2, 2)}
"""Samples of a latent, and the strides that make it of the filter bank's 16 bands; the first is v2's own."""

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
    ratio: int = 2048
    """Samples of one latent: the fewer, the sooner a change is heard and the more latents there are in a second."""
    biases: bool = False
    """Give the convolutions biases, which acids-rave's have not: without, a decoder is silent where its latents are 0,
    and the noise floor of recordings has to come of chance."""
    every_steps: int = EVERY_STEPS
    """Steps between two checkpoints, and between two validations."""
    report_steps: int = 100
    """Steps between two lines of progress."""

    def __post_init__(self) -> None:
        if self.ratio not in RATIOS:
            raise ModelError(f"ratio: {self.ratio} is none of {', '.join(map(str, RATIOS))}")
        whole = ("capacity", "encoder_capacity", "latent_dim", "batch", "samples", "steps", "threads", "every_steps",
                 "report_steps")  # fmt: skip
        wrong = [f"{name}: {getattr(self, name)} is not above 0" for name in whole if getattr(self, name) < 1]
        if self.samples % self.ratio:
            wrong.append(f"samples: {self.samples} is no multiple of the ratio, {self.ratio}")
        if self.samples // BANDS <= max(self.scales) // 2:
            least = BANDS * max(self.scales) // 2
            wrong.append(f"samples: {self.samples} are too few for windows of {max(self.scales)} in {BANDS} bands; "
                         f"more than {least} are needed")  # fmt: skip
        if not 0 <= self.phase_1_steps <= self.steps:
            wrong.append(f"phase-1: {self.phase_1_steps} is outside 0..{self.steps} (--steps)")
        if wrong:
            raise ModelError("\n".join(wrong))

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
            *(self._shape() if self.ratio != next(iter(RATIOS)) else ()),
            *(("cc.Conv1d.bias=True",) if self.biases else ()),
        )

    def _shape(self) -> tuple[str, str]:
        """The bindings of another ratio: strides, and the dilations of the residual units before each."""
        strides = RATIOS[self.ratio]
        dilations = ",".join(["[1,3,9]"] * (len(strides) - 1) + ["[1,3]"])
        return f"RATIOS=[{','.join(map(str, strides))}]", f"DILATIONS=[{dilations}]"


SIZES = {
    "small": Recipe(capacity=16, latent_dim=8, biases=True),
    "default": Recipe(biases=True),
    "v2": Recipe(
        capacity=96, encoder_capacity=96, latent_dim=128, batch=8, samples=131_072, scales=(2048, 1024, 512, 256, 128),
        log_epsilon=1e-7, regularisation=5e-2, phase_1_steps=1_000_000, steps=2_000_000, every_steps=10_000,
    ),
}  # fmt: skip
"""Recipes by name; `v2` is acids-rave's own, for a graphics card."""


def python(environment: Path = ENVIRONMENT) -> Path:
    """The training environment's interpreter, or ModelError saying how to make one."""
    found = environment / "bin" / "python"
    if not found.is_file():
        raise ModelError(f"{environment}: no training environment there; `make train-env` makes one")
    return found


def preprocess_arguments(recipe: Recipe, sound: Path, database: Path) -> list[str]:
    """acids-rave's command that turns a folder of sound files into its database."""
    flags = [f"--input_path={sound}", f"--output_path={database}", f"--sampling_rate={recipe.sample_rate_hz}"]
    return [ACIDS, "preprocess", *flags, "--channels=1"]


def train_arguments(
    recipe: Recipe, name: str, database: Path, runs: Path, checkpoint: Path | None, epoch_batches: int = 0
) -> list[str]:
    """acids-rave's command that trains, from the beginning or on from `checkpoint`. Validations must not be nearer to
    each other than an epoch of so many batches is long, so they are not."""
    flags = [
        *(
            f"--name={name}",
            f"--db_path={database}",
            f"--out_path={runs}",
            f"--gpu={recipe.gpu}",
            f"--workers={0 if recipe.gpu < 0 else WORKERS}",
            "--channels=1",
        ),
        *(f"--n_signal={recipe.samples}", f"--batch={recipe.batch}", f"--max_steps={recipe.steps}", "--noprogress"),
        *(f"--val_every={max(recipe.every_steps, epoch_batches)}", f"--save_every={recipe.every_steps}"),
    ]
    settings = ["--config=v2", "--config=causal", *(f"--override={each}" for each in recipe.overrides())]
    begin = settings if checkpoint is None else [f"--ckpt={checkpoint}"]
    return [ACIDS, "train", *flags, *begin]


def newest_run(name: str, runs: Path) -> Path:
    """The run of `name` that was last written to; ModelError if there is none."""
    named = re.compile(rf"{re.escape(name)}_[^_]+")
    found = [path.parent for path in runs.glob("*/config.gin") if named.fullmatch(path.parent.name)]
    if not found:
        raise ModelError(f"{runs}: no run of {name!r} to resume")
    return max(found, key=lambda folder: folder.stat().st_mtime)


def newest_checkpoint(run: Path) -> Path:
    """The checkpoint of a run that was last written; ModelError if there is none. Halves are passed over: a whole one
    is a whole archive."""
    found = [path for path in run.rglob("*.ckpt") if zipfile.is_zipfile(path)]
    if not found:
        raise ModelError(f"{run}: no checkpoint in it")
    return max(found, key=lambda path: path.stat().st_mtime)


def run(arguments: list[str], recipe: Recipe, log: Path, environment: Path = ENVIRONMENT) -> Iterator[Progress]:
    """Run a module in the training environment; its lines of progress as they come, all others into `log`. Signals of
    ENDING are passed on: training ends after its step, with a checkpoint, a second one ends it at once; all else ends
    at once. KeyboardInterrupt if it did; ModelError if it failed; nothing of it is left running in any case."""
    command = [str(python(environment)), "-m", *arguments]
    threads = str(recipe.threads)
    variables = {
        "TRAIN_SEED": str(recipe.seed),
        "TRAIN_THREADS": threads,
        "TRAIN_REPORT": str(recipe.report_steps),
        "OMP_NUM_THREADS": threads,
    }
    with (
        log.open("a", encoding="utf-8") as other,
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **variables}, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process,
        _obeying(process, gently=arguments[:2] == [ACIDS, "train"]) as asked,
    ):  # fmt: skip
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            if (progress := progress_of(line)) is not None:
                yield progress
            else:
                other.write(line)
                other.flush()
                last = line.strip() or last
    if asked.count and process.returncode:
        raise KeyboardInterrupt
    if process.returncode:
        words = arguments[0] if arguments[0] != ACIDS else f"acids-rave's {arguments[1]}"
        raise ModelError(f"{last}\n{words} ended with code {process.returncode}; its last words are in {log}")


@dataclass
class Asked:
    """How often a process was asked to end."""

    count: int = field(default=0)


@contextmanager
def _obeying(process: subprocess.Popen[str], gently: bool) -> Iterator[Asked]:
    """While it lasts, signals that would end us are passed on to the process and its children; they are killed when it
    is left before they have ended. Signals are the main thread's: in another nothing is passed on, nor is what was
    ignored before (`nohup`)."""
    asked = Asked()

    def end(number: int) -> None:
        if process.poll() is None:
            os.killpg(process.pid, number)

    def pass_on(_number: int, _frame: Any) -> None:
        asked.count += 1
        end(signal.SIGINT if gently and asked.count == 1 else signal.SIGKILL)

    ours = threading.current_thread() is threading.main_thread()
    heard = [each for each in ENDING if ours and signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, pass_on) for each in heard}
    try:
        yield asked
        process.wait()
    finally:
        end(signal.SIGKILL)
        for number, handler in before.items():
            signal.signal(number, handler)


def progress_of(line: str) -> Progress | None:
    """The progress a line of `acids.report` speaks of, or None for any other line."""
    if not line.startswith('{"step"'):
        return None
    return {str(key): float(value) for key, value in json.loads(line).items()}
