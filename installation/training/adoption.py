"""`installation models add FILE`: a model somebody else trained, taken in with a card of its own.

What a decoder's file says of itself is all there is to know of it; the latents of its training sound are unknown, so
the card says mean 0 and deviation 1, which is what RAVE's latents are trained towards.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from installation import model
from installation.errors import ModelError
from installation.model import CARD, MODELS, digest

Opener = Callable[[Path, str], Any]
"""Opens a decoder file for a device: `installation.sound.decoder.open_decoder`."""


def add_add_command(commands: Any, opener: Opener | None) -> None:
    """Register `models add`; `opener` opens a decoder's file for a device."""
    add = commands.add_parser("add", help="take in a decoder's file (.ts or .onnx) of your own or somebody else's")
    add.add_argument("file", type=Path)
    add.add_argument("--name", help="default: the file's")
    add.set_defaults(run=_run, opener=opener)


def adopt(file: Path, name: str, decoder: Any, models: Path = MODELS) -> Path:
    """Copy `file`, which `decoder` was opened from, to the folder `name` of `models`, and write its card. ModelError
    if the name is no folder's or is taken; nothing is overwritten."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise ModelError(f"models add: {name!r} is no name; allowed are a to z, 0 to 9, - and _")
    folder = models / name
    if folder.exists():
        raise ModelError(f"{folder}: there is one already; choose another with --name")
    count = decoder.latent_dim
    card = {
        "name": name,
        "sample_rate_hz": decoder.sample_rate_hz,
        "ratio": decoder.ratio,
        "latent_dim": count,
        "channels": decoder.channels,
        "decoder": file.name,
        "latents": {"mean": [0.0] * count, "deviation": [1.0] * count, "low": [-3.0] * count, "high": [3.0] * count},
        "files": {file.name: digest(file)},
    }
    folder.mkdir(parents=True)
    shutil.copyfile(file, folder / file.name)
    (folder / CARD).write_text(yaml.safe_dump(card, sort_keys=False), "utf-8")
    return folder


def _run(arguments: argparse.Namespace) -> int:
    file: Path = arguments.file
    if arguments.opener is None:
        raise ModelError("models add: there is nothing here that opens decoders")
    try:
        decoder = arguments.opener(file, "cpu")
    except ImportError as error:
        raise ModelError(f"{file}: {error}; for .ts files: pip install -c constraints.txt '.[torch]'") from error
    name = arguments.name or re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-")
    folder = adopt(file, name, decoder)
    found = model.load(name)
    print(f"{folder}: {found.latent_dim} latents of {1e3 * found.step_s:.1f} ms at {found.sample_rate_hz} Hz")
    print(f"a scene plays it with:  model: {name}  and  evolution: {{init: normal}}")
    return 0
