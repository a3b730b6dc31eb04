"""`installation models convert FILE.ts --to onnx`: a TorchScript export as a model of ONNX files.

Such a model needs no trust and no torch to play, starts in a tenth of the time, decodes any number of rows at once, and
has all the latents of its network. The card says what it was made of, and how far from it the files are.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import yaml

from installation import model
from installation.errors import ModelError
from installation.model import CARD, MODELS, digest
from installation.training.adoption import free
from installation.training.inspection import EXTRA, SCRIPT, trust_file

DECODER, ENCODER = "decoder.onnx", "encoder.onnx"


class Converted(Protocol):
    """What became of a file: `installation.sound.conversion.conversion.Conversion`."""

    @property
    def facts(self) -> dict[str, int]: ...
    @property
    def differences(self) -> dict[str, float]: ...
    @property
    def without(self) -> str | None: ...
    @property
    def explained(self) -> tuple[float, ...] | None: ...


Converter = Callable[[Path, Path], Converted]
"""Writes what becomes of a TorchScript file to a folder: `installation.sound.conversion.conversion.convert`."""


def add_convert_command(commands: Any, converter: Converter | None) -> None:
    """Register `models convert`."""
    convert = commands.add_parser("convert", help="a .ts export as a model of ONNX files that plays the same")
    convert.add_argument("file", type=Path)
    convert.add_argument("--to", choices=("onnx",), default="onnx")
    convert.add_argument("--name", help="default: the file's")
    convert.add_argument("--models", type=Path, default=MODELS, metavar="FOLDER", help="where the model's folder goes")
    convert.add_argument("--trust", action="store_true", help="let this .ts be loaded: it is a program")
    convert.set_defaults(run=_run, converter=converter)


def convert_to(file: Path, name: str, converter: Converter, models: Path = MODELS) -> tuple[Path, Converted]:
    """Make the folder `name` of `models` of what `converter` makes of `file`, with its card, all at once; ModelError if
    the name is no folder's or is taken, or the file can't be converted, and then nothing is left."""
    folder = free(name, models)
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=".converting-") as unfinished:
        made = Path(unfinished) / name
        made.mkdir()
        converted = converter(file, made)
        card = compose(file, name, made, converted)
        (made / CARD).write_text(yaml.safe_dump(card, sort_keys=False, width=120), "utf-8")
        made.rename(folder)
    return folder, converted


def compose(file: Path, name: str, made: Path, converted: Converted) -> dict[str, Any]:
    """The card of the files in the folder `made`. What the latents of its training sound were like is unknown: mean 0
    and deviation 1 are what RAVE's latents are trained towards."""
    count = converted.facts["latent_dim"]
    latents: dict[str, Any] = {"mean": [0.0] * count, "deviation": [1.0] * count}
    latents |= {"low": [-3.0] * count, "high": [3.0] * count}
    if converted.explained is not None:
        explained = [round(each, 4) for each in converted.explained]
        latents = {"order": "principal components, most variance first", "explained": explained, **latents}
    encoder = {"encoder": ENCODER} if converted.without is None else {}
    return {
        "name": name,
        **converted.facts,
        "decoder": DECODER,
        **encoder,
        "latents": latents,
        "converted": {
            "file": file.name,
            "sha256": digest(file),
            "largest_difference": {name: float(f"{each:.1e}") for name, each in converted.differences.items()},
        },
        "files": {path.name: digest(path) for path in sorted(made.glob("*.onnx"))},
    }


def _run(arguments: argparse.Namespace) -> int:
    file: Path = arguments.file
    if arguments.converter is None:
        raise ModelError("models convert: there is nothing here that converts files")
    if not file.is_file() or file.suffix != SCRIPT:
        raise ModelError(f"{file}: {'files to convert end in .ts' if file.is_file() else 'no such file'}")
    name = arguments.name or re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-")
    free(name, arguments.models)
    if arguments.trust:
        trust_file(file)
    try:
        folder, converted = convert_to(file, name, arguments.converter, arguments.models)
    except ImportError as error:
        raise ModelError(f"{file}: {error}; {EXTRA}") from error
    found = model.load(str(folder))
    print(f"{folder}: {found.latent_dim} latents of {1e3 * found.step_s:.1f} ms at {found.sample_rate_hz} Hz")
    for written, difference in converted.differences.items():
        print(f"{written}: plays what {file.name} plays, to {difference:.1e} of full scale or of the largest latent")
    if converted.without is not None:
        print(f"no {ENCODER}: {converted.without}")
    print(f"a scene plays it with:  model: {name}  and  evolution: {{init: normal}}")
    return 0
