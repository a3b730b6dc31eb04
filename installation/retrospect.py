"""`installation report`, `compare` and `study`: what came of a search, from its store."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

from installation.errors import InstallationError, ModelError
from installation.evolution.agreement import agreement
from installation.evolution.answers import read_answers
from installation.evolution.audience import Audience
from installation.evolution.clips import run_name
from installation.evolution.compare import compare
from installation.evolution.embedding import EMBEDDINGS, Embedding
from installation.evolution.overlay import write_comparison
from installation.evolution.report import write_report
from installation.evolution.store import Store, read_store
from installation.evolution.study import write_study
from installation.evolution.study_results import as_page, as_text
from installation.instrument import REFERENCE_SEED, Instrument, open_instrument
from installation.model import digest, load

MOMENTS = 6
"""Generations at which the runs of a comparison's page are heard; only the first and last where there is no page."""


def add_retrospect_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `report`, `compare` and `study`."""
    report = commands.add_parser("report", help="a page about a search: curves, most novel sounds, lineage, diagnosis")
    report.add_argument("store", type=Path, metavar="RUN.sqlite")
    report.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    report.add_argument("--json", action="store_true", help="print the figures as JSON, too")
    _judging(report)
    report.set_defaults(run=_report)
    several = commands.add_parser("compare", help="searches side by side, judged by an embedding none of them used")
    several.add_argument("stores", type=Path, nargs="+", metavar="RUN.sqlite")
    several.add_argument("--out", type=Path, metavar="FOLDER", help="write a page with plots")
    several.add_argument("--json", action="store_true", help="print the figures as JSON")
    _judging(several)
    several.set_defaults(run=_compare)
    study = commands.add_parser("study", help="a listening study of a search's sounds, and what people answered")
    study.add_argument("store", type=Path, metavar="RUN.sqlite")
    study.add_argument("--out", type=Path, metavar="STUDY.html", help="the study; with --answers, its results")
    study.add_argument("--answers", type=Path, nargs="+", metavar="FILE.json", help="read what listeners saved")
    study.add_argument("--triplets", type=int, default=24, help="questions: which of two is more like a third")
    study.add_argument("--ratings", type=int, default=12, help="sounds to rate")
    study.add_argument("--repeats", type=int, default=4, help="questions asked twice")
    study.add_argument("--seed", type=int, default=0, help="where chance begins")
    study.add_argument("--json", action="store_true", help="print the results as JSON")
    _hearing(study)
    study.set_defaults(run=_study)


def _hearing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", help="the search's model, if it lies elsewhere than in models/")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda")


def _judging(command: argparse.ArgumentParser) -> None:
    command.add_argument("--heldout", choices=tuple(EMBEDDINGS), help="judge by this embedding")
    _hearing(command)


def _instrument(store: Store, arguments: argparse.Namespace) -> Instrument:
    """The model the search was made with. ModelError if what is there now is another."""
    name = arguments.model or store.header.model
    decoder = load(name).decoder
    if (found := digest(decoder)) != store.header.decoder_sha256:
        raise ModelError(
            f"{store.path}: was made with a decoder of SHA-256 {store.header.decoder_sha256}, "
            f"{decoder} has {found}; name the right one with --model"
        )
    return open_instrument(name, arguments.device)


def audience_of(instrument: Instrument, steps: int) -> Audience:
    """What a search of trajectories of so many `steps` is judged with: the same for every search of this model."""
    return Audience(
        decode=instrument.decode,
        sample_rate_hz=instrument.model.sample_rate_hz,
        space=instrument.space,
        embed=cache(partial(instrument.calibrated, steps=steps, seed=REFERENCE_SEED)),
        reopen=instrument.embedding,
        reference=instrument.reference(steps),
    )


def _report(arguments: argparse.Namespace) -> int:
    with read_store(arguments.store) as store:
        audience = audience_of(_instrument(store, arguments), store.header.steps)
        figures = write_report(store, arguments.out, audience, arguments.heldout)
    print(json.dumps(figures, indent=1) if arguments.json else arguments.out / "index.html")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    with ExitStack() as opened:
        stores = [opened.enter_context(read_store(path)) for path in arguments.stores]
        steps = {store.header.steps for store in stores}
        if len(steps) > 1:
            raise InstallationError(f"compare: trajectories of {_listed(steps)} steps, allowed is one length")
        audience = audience_of(_instrument(stores[0], arguments), steps.pop())
        found = compare(stores, audience, arguments.heldout, MOMENTS if arguments.out else 2)
    if arguments.out:
        write_comparison(found, arguments.out)
        print(arguments.out / "index.html", file=sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(json.dumps(found.as_dict(), indent=1))
    elif not arguments.out:
        _print_table(found.as_dict()["runs"])
    return 0


def _listed(values: set[int]) -> str:
    return ", ".join(map(str, sorted(values)))


def _print_table(runs: dict[str, Any]) -> None:
    """Start and end of each run, by the held-out embedding."""
    held = next(iter(runs.values()))["heldout_embedding"]
    print(f"{'run':24} {'sparseness':>16} {'Vendi':>14} {'nearest':>14} {'coverage':>14}    by {held}")
    for name, run in runs.items():
        start = run["start"]
        pairs = [(start["sparseness"], run["sparseness"][-1] if run["sparseness"] else start["sparseness"])]
        pairs += [(start[key], run[key]) for key in ("vendi", "nearest_neighbour", "coverage")]
        cells = [f"{before:.3g} → {after:.3g}" for before, after in pairs]
        print(f"{name:24} {cells[0]:>16} " + " ".join(f"{cell:>14}" for cell in cells[1:]))


def _study(arguments: argparse.Namespace) -> int:
    if arguments.out is None and arguments.answers is None:
        raise InstallationError("study: nothing to do; name --out to write a study, or --answers to read some")
    with read_store(arguments.store) as store:
        instrument = _instrument(store, arguments)
        embeddings = _openable(instrument, store.header.steps)
        if arguments.answers is None:
            study = write_study(
                store, arguments.out, instrument.decode, instrument.model.sample_rate_hz, embeddings,
                triplets=arguments.triplets, ratings=arguments.ratings, repeats=arguments.repeats, seed=arguments.seed,
            )  # fmt: skip
            print(
                f"{arguments.out}: study {study.name}, {len(study.triplets)} questions about {len(study.clips)} sounds"
            )
            return 0
        reading = read_answers(arguments.answers, store)
        results = agreement(reading, instrument.decode, embeddings, run_name(store.header), arguments.seed)
    if arguments.out is not None:
        try:
            arguments.out.write_text(as_page(results), "utf-8")
        except OSError as error:
            raise InstallationError(f"{arguments.out}: the results can't be written: {error}") from error
    print(json.dumps(results.as_dict(), indent=1) if arguments.json else as_text(results))
    return 0


def _openable(instrument: Instrument, steps: int) -> dict[str, Embedding]:
    """Every embedding that can be had here, calibrated; what can't is said."""
    found = {}
    for name in EMBEDDINGS:
        try:
            found[name] = instrument.calibrated(name, steps, REFERENCE_SEED)
        except ModelError as error:
            print(f"without {name}: {error}", file=sys.stderr)
    return found
