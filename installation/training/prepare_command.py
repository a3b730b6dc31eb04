"""`installation models prepare FOLDER --out OUT`: a folder of any sound made ready for a model to learn.

Written to OUT: `sources/` (every file, treated), `train/` and `held/` (pieces for `models train` and `models export`),
`report.md`, `report.json`, pictures of excerpts, and `manifest.json`, by which an interrupted preparation goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from installation.training import dataset, excerpts, expectations, manifest, pieces, survey
from installation.training.dataset import Reader
from installation.training.manifest import Manifest
from installation.training.pieces import Making
from installation.training.recipe import Recipe
from installation.training.survey import Survey
from installation.training.treatment import CHANNELS, NORMALISATIONS, Treatment
from installation.training.variation import Variation


def add_prepare_command(commands: Any, reader: Reader) -> None:
    """Register `models prepare`; `reader` reads sound files of any format."""
    prepare = commands.add_parser("prepare", help="make a folder of sound of any format ready for `models train`")
    prepare.add_argument("folder", type=Path, metavar="FOLDER")
    prepare.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where it is written; use it again to go on"
    )
    treatment, making, variation = Treatment(), Making(), Variation()
    prepare.add_argument("--rate", type=int, default=treatment.sample_rate_hz, metavar="HZ")
    prepare.add_argument(
        "--channels", choices=CHANNELS, default=treatment.channels, help="which of a file's become its sound"
    )
    prepare.add_argument(
        "--normalise",
        choices=NORMALISATIONS,
        default=treatment.normalise,
        help="each file by its peak (to -1 dB) or its loudness",
    )
    prepare.add_argument(
        "--loudness", type=float, default=treatment.loudness_db, metavar="DB", help="with --normalise loudness"
    )
    prepare.add_argument(
        "--silence", type=float, default=treatment.silence_db, metavar="DB", help="quieter is silence, and is cut out"
    )
    prepare.add_argument(
        "--silence-seconds", type=float, default=treatment.silence_s, metavar="S", help="if it lasts so long"
    )
    prepare.add_argument("--keep-silence", action="store_true")
    prepare.add_argument(
        "--held", type=float, default=making.held, metavar="SHARE", help="kept from learning, to judge the model on"
    )
    prepare.add_argument("--floor", type=float, metavar="DB", help="put noise of this level under everything")
    prepare.add_argument("--augment", type=int, default=0, metavar="COPIES", help="varied copies of all that is learnt")
    prepare.add_argument(
        "--gain",
        type=float,
        default=variation.gain_db,
        metavar="DB",
        help="of a copy, up or down at most; as the next three",
    )
    prepare.add_argument("--pitch", type=float, default=0.0, metavar="SEMITONES", help="the time unchanged")
    prepare.add_argument("--speed", type=float, default=0.0, metavar="SEMITONES", help="as a tape")
    prepare.add_argument("--stretch", type=float, default=0.0, metavar="SHARE", help="the pitch unchanged")
    prepare.add_argument("--no-mirror", action="store_true", help="turn no copy's sign over")
    prepare.add_argument("--allpass", action="store_true", help="turn the phases of copies")
    prepare.add_argument("--pictures", type=int, default=4, metavar="COUNT", help="random excerpts to draw")
    prepare.add_argument("--seed", type=int, default=1)
    prepare.set_defaults(run=_prepare, reader=reader)


def prepare(
    folder: Path, out: Path, treatment: Treatment, making: Making, reader: Reader, shown: Callable[[str], Any]
) -> tuple[Manifest, Survey]:
    """Treat, cut and survey; `shown` opens, for a stage's name, what is told of each thing done in it."""
    with shown("treat") as show:
        made = dataset.gather(folder, out, treatment, reader, show)
    name = pieces.digest(made, making)
    if made.pieces != name or not all((out / part).is_dir() for part in (manifest.TRAIN, manifest.HELD)):
        made = replace(made, pieces="", making=asdict(making))
        manifest.save(out, made)
        with shown("write pieces") as show:
            pieces.write(out, made, making, show)
        made = replace(made, pieces=name)
        manifest.save(out, made)
    with shown("survey") as show:
        return made, survey.survey(out, made, show)


def _prepare(arguments: argparse.Namespace) -> int:
    treatment, making = _settings(arguments)
    out: Path = arguments.out
    made, found = prepare(arguments.folder, out, treatment, making, arguments.reader, _bar)
    expected = expectations.expectations(found, Recipe(sample_rate_hz=treatment.sample_rate_hz))
    names = _draw(out, arguments, made)
    survey.write(out, found, expected, names)
    width = max(len(name) for name, _ in survey.figures(found))
    print("\n".join(f"{name.ljust(width)}  {value}" for name, value in survey.figures(found)))
    print("\n".join([*survey.named(found), *(f"- {each}" for each in expected)]))
    print(f"{out / survey.REPORT} says it again" + (", with pictures" if names else ""))
    print(f"next:  installation models train NAME --sound {out} --out RUNS")
    return 0


def _settings(arguments: argparse.Namespace) -> tuple[Treatment, Making]:
    treatment = Treatment(
        arguments.rate,
        arguments.channels,
        arguments.normalise,
        arguments.loudness,
        None if arguments.keep_silence else arguments.silence,
        arguments.silence_seconds,
    )
    variation = Variation(
        arguments.gain,
        arguments.pitch,
        arguments.speed,
        arguments.stretch,
        not arguments.no_mirror,
        arguments.allpass,
    )
    return treatment, Making(arguments.held, arguments.augment, variation, arguments.floor, arguments.seed)


def _draw(out: Path, arguments: argparse.Namespace, made: Manifest) -> list[str]:
    """The excerpts' pictures; none, with a word about it, where matplotlib is missing."""
    paths = sorted((out / manifest.TRAIN).glob("*.wav"))
    try:
        return excerpts.draw(out, paths, arguments.pictures, made.treatment.sample_rate_hz, arguments.seed)
    except ImportError as error:
        print(f"no pictures: {error}; .venv/bin/pip install -c constraints.txt -e '.[plots]'")
        return []


@contextmanager
def _bar(stage: str) -> Iterator[Callable[[str], None]]:
    """A counter of what is done in a stage, with the name of the last."""
    from tqdm import tqdm

    with tqdm(desc=stage, unit=" files", mininterval=0.5) as bar:

        def show(name: str) -> None:
            bar.set_postfix_str(name[-40:], refresh=False)
            bar.update()

        yield show
