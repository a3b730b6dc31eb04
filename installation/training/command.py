"""`installation models …`: every command that has to do with models, each in a file of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from installation import model
from installation.training.adoption import add_add_command
from installation.training.conversion import Converter, add_convert_command
from installation.training.dataset import Reader
from installation.training.examination import Opener
from installation.training.export_command import add_export_command
from installation.training.inspection import add_info_command, add_list_command, add_trust_command
from installation.training.prepare_command import add_prepare_command
from installation.training.synthesis import add_synthesise_command
from installation.training.train_command import add_train_command

Importer = Callable[[str, Path], str]
"""Takes in VGGish's weights: where from, which folder to, their SHA-256."""


def add_models_commands(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    opener: Opener | None = None,
    importer: Importer | None = None,
    reader: Reader | None = None,
    converter: Converter | None = None,
) -> None:
    """Register `models` and its sub-commands. With an `opener` of decoders, `info` plays a model; with an `importer` of
    VGGish's weights there is `import-vggish`, with a `reader` of sound files `prepare`, with a `converter` of
    TorchScript files `convert`."""
    models = subparsers.add_parser("models", help="list, describe, train and export models")
    commands = models.add_subparsers(dest="models_command", required=True, metavar="COMMAND")
    add_list_command(commands)
    add_info_command(commands, opener)
    add_trust_command(commands)
    add_add_command(commands, opener)
    if converter is not None:
        add_convert_command(commands, converter)
    add_synthesise_command(commands)
    if reader is not None:
        add_prepare_command(commands, reader)
    add_train_command(commands)
    add_export_command(commands)
    if importer is not None:
        _add_import_vggish(commands, importer)


def _add_import_vggish(commands: Any, importer: Importer) -> None:
    vggish = commands.add_parser("import-vggish", help="take in VGGish's published weights, to measure novelty on")
    vggish.add_argument("source", help="an https address on TensorFlow Hub, or a folder or file of weights")
    vggish.add_argument("--out", type=Path, default=model.MODELS / "vggish", metavar="FOLDER")
    vggish.set_defaults(run=_import_vggish, importer=importer)


def _import_vggish(arguments: argparse.Namespace) -> int:
    sha256 = arguments.importer(arguments.source, arguments.out)
    print(f"{arguments.out}: VGGish's weights, SHA-256 {sha256}")
    return 0
