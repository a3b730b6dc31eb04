"""`installation models add FILE`: a model somebody else trained, taken in with a card of its own.

What a decoder's file says of itself, and shows when it is played, is all there is to know of it; the latents of its
training sound are unknown, so the card says mean 0 and deviation 1, which is what RAVE's latents are trained towards.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path
from typing import Any, Protocol

import yaml

from installation import model
from installation.errors import ModelError
from installation.model import CARD, MODELS, digest
from installation.training.examination import Opener
from installation.training.inspection import EXTRA, inspect, sentences, trust_file
from installation.trust import SCRIPT


class Shape(Protocol):
    """What a card says of a decoder: an Examination, or a decoder itself."""

    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def ratio(self) -> int: ...
    @property
    def latent_dim(self) -> int: ...
    @property
    def channels(self) -> int: ...


def add_add_command(commands: Any, opener: Opener | None) -> None:
    """Register `models add`; `opener` opens a decoder's file for a device."""
    add = commands.add_parser("add", help="take in a decoder's file (.ts or .onnx) of your own or somebody else's")
    add.add_argument("file", type=Path)
    add.add_argument("--name", help="default: the file's")
    add.add_argument(
        "--trust", action="store_true", help="let this .ts be loaded: it is a program, and loading runs it"
    )
    add.set_defaults(run=_run, opener=opener, models=MODELS)


def adopt(file: Path, name: str, shape: Shape, models: Path = MODELS) -> Path:
    """Copy `file`, which is of that `shape`, to the folder `name` of `models`, and write its card. ModelError if the
    name is no folder's or is taken; nothing is overwritten."""
    folder = free(name, models)
    count = shape.latent_dim
    card = {
        "name": name,
        "sample_rate_hz": shape.sample_rate_hz,
        "ratio": shape.ratio,
        "latent_dim": count,
        "channels": shape.channels,
        "decoder": file.name,
        "latents": {"mean": [0.0] * count, "deviation": [1.0] * count, "low": [-3.0] * count, "high": [3.0] * count},
        "files": {file.name: digest(file)},
    }
    folder.mkdir(parents=True)
    shutil.copyfile(file, folder / file.name)
    (folder / CARD).write_text(yaml.safe_dump(card, sort_keys=False), "utf-8")
    return folder


def free(name: str, models: Path = MODELS) -> Path:
    """The folder `name` of `models`, which is not there yet; ModelError if it is, or if that is no name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise ModelError(f"models add: {name!r} is no name; allowed are a to z, 0 to 9, - and _")
    folder = models / name
    if folder.exists():
        raise ModelError(f"{folder}: there is one already; choose another with --name")
    return folder


def _run(arguments: argparse.Namespace) -> int:
    file: Path = arguments.file
    if arguments.opener is None:
        raise ModelError("models add: there is nothing here that opens decoders")
    if not file.is_file():
        raise ModelError(f"{file}: no such file")
    name = arguments.name or re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-")
    free(name, arguments.models)
    if arguments.trust and file.suffix == SCRIPT:
        trust_file(file)
    try:
        shown = inspect(arguments.opener, file, "cpu")
    except ImportError as error:
        raise ModelError(f"{file}: {error}; {EXTRA}") from error
    folder = adopt(file, name, shown, arguments.models)
    found = model.load(name, arguments.models)
    print(f"{folder}: {found.latent_dim} latents of {1e3 * found.step_s:.1f} ms at {found.sample_rate_hz} Hz")
    print("\n".join(sentences(file, shown)))
    print(f"a scene plays it with:  model: {name}  and  evolution: {{init: normal}}")
    return 0
