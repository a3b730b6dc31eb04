"""`installation models synthesise`: the sound that the shipped models learn, written again from its seed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

RATE_HZ = 48_000


def add_synthesise_command(commands: Any) -> None:
    """Register `models synthesise`."""
    synthesise = commands.add_parser("synthesise", help="write the sound that the shipped models learn")
    synthesise.add_argument("--family", default="bronze", help="bronze (struck), breath (blown) or wire (plucked)")
    synthesise.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    synthesise.add_argument("--minutes", type=float, default=80.0)
    synthesise.add_argument("--seed", type=int, default=1)
    synthesise.set_defaults(run=_synthesise)


def _synthesise(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from installation.training import families

    paths = families.write(arguments.out, arguments.family, arguments.minutes, RATE_HZ, arguments.seed)
    for path in tqdm(paths, total=families.files(arguments.minutes), unit=" min", desc="synthesise"):
        tqdm.write(str(path))
    return 0
