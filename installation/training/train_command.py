"""`installation models train NAME --sound FOLDER --out RUNS`: a model learns a folder of sound."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from installation import model
from installation.errors import ModelError
from installation.training import course, manifest
from installation.training.course import Course, Told
from installation.training.descent import Descent
from installation.training.pace import clock
from installation.training.recipe import ENVIRONMENT, RATIOS, SIZES, Recipe

SETTINGS = {
    "steps": "steps", "phase_1": "phase_1_steps", "batch": "batch", "capacity": "capacity", "latents": "latent_dim",
    "samples": "samples", "ratio": "ratio", "biases": "biases", "sample_rate": "sample_rate_hz", "seed": "seed",
    "threads": "threads", "gpu": "gpu", "every": "every_steps", "report": "report_steps",
}  # fmt: skip
"""Options, and the recipe's settings that they are."""


def add_train_command(commands: Any) -> None:
    """Register `models train`."""
    train = commands.add_parser("train", help="train a model on a folder of sound (hours; needs `make train-env`)")
    train.add_argument("name")
    train.add_argument("--sound", type=Path, metavar="FOLDER", help="what `models prepare` wrote, or WAV files")
    train.add_argument("--out", type=Path, required=True, metavar="RUNS", help="where runs and checkpoints go")
    train.add_argument("--held", type=Path, metavar="FOLDER", help="WAV files to draw as it goes (prepared: its own)")
    train.add_argument("--resume", action="store_true", help="go on from the newest checkpoint of NAME")
    train.add_argument(
        "--from", dest="parent", metavar="MODEL", help="begin with a model's weights: a name or a folder"
    )
    train.add_argument("--rate", type=float, default=3e-4, help="with --from: the learning rate it begins with")
    train.add_argument("--what-fits", action="store_true", help="with --from: take the layers that fit")
    train.add_argument("--size", choices=SIZES, default="default", help="the settings that the others change")
    train.add_argument("--keep", type=int, default=12, metavar="COUNT", help="checkpoints that stay")
    _add_settings(train)
    train.set_defaults(run=_train)


def _add_settings(train: argparse.ArgumentParser) -> None:
    """The recipe's, absent unless they are given."""
    usual, group = SIZES["default"], train.add_argument_group("settings (default: those of --size, here `default`)")
    for option, name, text in (
        ("--steps", "steps", "both phases together"),
        ("--phase-1", "phase_1_steps", "steps before the discriminators"),
        ("--batch", "batch", "excerpts in a step"),
        ("--samples", "samples", "in an excerpt"),
        ("--capacity", "capacity", "channels of the widest layer but one, at the sound"),
        ("--latents", "latent_dim", "numbers in a latent"),
        ("--sample-rate", "sample_rate_hz", "Hz; of prepared sound its own"),
        ("--seed", "seed", "where chance begins"),
        ("--threads", "threads", "of the processor"),
        ("--gpu", "gpu", "number of a graphics card; -1: none"),
        ("--every", "every_steps", "steps between two checkpoints"),
        ("--report", "report_steps", "steps between two lines of progress"),
    ):
        shown = f"{text} ({getattr(usual, name)})"
        group.add_argument(option, type=int, default=argparse.SUPPRESS, metavar="N", help=shown)
    group.add_argument(
        "--ratio", type=int, choices=RATIOS, default=argparse.SUPPRESS, help=f"samples of a latent ({usual.ratio})"
    )
    group.add_argument(
        "--biases", action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS,
        help="convolutions with biases, which can be silent and still have a floor (with)",
    )  # fmt: skip


def _train(arguments: argparse.Namespace) -> int:
    asked = _course(arguments)
    print(f"losses and pictures as it goes: {asked.file('-seen')}")
    print(f"TensorBoard: {ENVIRONMENT / 'bin' / 'tensorboard'} --logdir {asked.runs}", flush=True)
    if asked.held is None:
        print("no held-out sound, so none is drawn: `models prepare`, or --held FOLDER", flush=True)
    with _bar(asked) as show:
        outcome = course.follow(asked, show)
    if outcome.stopped:
        print(f"stopped after step {outcome.step:,}, which is kept; go on with --resume")
        return 130
    print(outcome.run)
    print(f"next:  installation models export {outcome.run} --out models/{asked.name.lower()}")
    return 0


def _course(arguments: argparse.Namespace) -> Course:
    """What is asked for, with what is known of the run and of the sound."""
    known = course.remembered(arguments.name, arguments.out) if arguments.resume else {}
    folder: Path | None = arguments.sound or (Path(known["sound"]) if known else None)
    if folder is None:
        raise ModelError("models train: --sound FOLDER is needed: what `models prepare` wrote, or WAV files")
    given = {name: getattr(arguments, option) for option, name in SETTINGS.items() if hasattr(arguments, option)}
    held: Path | None = arguments.held or (Path(known["held"]) if known.get("held") else None)
    if (made := manifest.prepared(folder)) is not None:
        given.setdefault("sample_rate_hz", made.treatment.sample_rate_hz)
        held = held or (folder / manifest.HELD if any((folder / manifest.HELD).glob("*.wav")) else None)
        folder = folder / manifest.TRAIN
    began: Recipe | None = known.get("recipe")
    return Course(
        recipe=course.settled(SIZES[arguments.size], given, began),
        name=arguments.name,
        sound=folder,
        runs=arguments.out,
        held=held,
        keep=max(1, arguments.keep),
        resume=arguments.resume,
        descent=Descent(model.find(arguments.parent), arguments.rate, arguments.what_fits)
        if arguments.parent
        else None,
    )


@contextmanager
def _bar(asked: Course) -> Iterator[Callable[[Told], None]]:
    """A line with phase, steps, time left and losses."""
    from tqdm import tqdm

    shape = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} steps{postfix}"
    with tqdm(total=asked.recipe.steps, desc=f"{asked.name}: begins", bar_format=shape) as bar:

        def show(told: Told) -> None:
            left = "" if told.left_s is None else f"{clock(told.left_s)} left, "
            losses = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in told.losses.items())
            bar.set_description_str(f"{asked.name}: phase {told.phase} of 2", refresh=False)
            bar.set_postfix_str(left + losses, refresh=False)
            bar.update(told.step - bar.n)

        yield show
