"""`installation evolve`: its command line, the bar, and what a signal does."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from installation.errors import InstallationError
from installation.evolution.breeding import Breeder
from installation.evolution.embedding import EMBEDDINGS
from installation.evolution.settings import CHOICES, Settings
from installation.evolve import DEFAULT_MODEL, Order, evolve

STOPPED = 130
"""Exit code of a run that was told to stop before its last generation."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def add_evolve_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `evolve`. What is not named has LVNS-RAVE's value, or with `--resume` the run's own."""
    usual = Settings()
    evolve = commands.add_parser("evolve", help="search a model's latent space for novel sounds, offline (LVNS-RAVE)")
    evolve.add_argument("--model", help=f"a name in models/ or a folder (default: {DEFAULT_MODEL})")
    evolve.add_argument("--out", type=Path, required=True, metavar="RUN.sqlite", help="the store of the run")
    evolve.add_argument("--generations", type=int, default=100, help="broods after the founders, in all (default: 100)")
    for name, sentence in _NUMBERS.items():
        default = getattr(usual, name)
        evolve.add_argument(f"--{name}", type=type(default), help=f"{sentence} (default: {default:g})")
    evolve.add_argument(
        "--init",
        nargs="+",
        metavar=("HOW", "PATH"),
        help=f"{', '.join(CHOICES['init'])}: how the first are drawn; after dataset a sound file or a folder of them, "
        f"or nothing for the model's own excerpts (default: {usual.init})",
    )
    choices = CHOICES | {"embedding": tuple(EMBEDDINGS)}
    for name, sentence in _CHOSEN.items():
        evolve.add_argument(f"--{name}", choices=choices[name], help=f"{sentence} (default: {getattr(usual, name)})")
    evolve.add_argument(
        "--adapt", action="store_const", const=True, help="let sigma follow how many children come into the container"
    )
    evolve.add_argument("--quality", choices=("on", "off"), help="the gate before the embedding (default: on)")
    evolve.add_argument("--device", default="auto", help="auto, cpu or cuda")
    evolve.add_argument("--cluster", metavar="ADDRESS", help="evaluate on Ray: local, or a cluster's address")
    evolve.add_argument("--resume", action="store_true", help="go on with the run in RUN.sqlite")
    evolve.add_argument("--json", action="store_true", help="print what the run came to as JSON")
    evolve.set_defaults(run=_run)


_NUMBERS = {
    "container": "individuals alive",
    "brood": "children of a generation",
    "neighbours": "how many neighbours sparseness is the mean distance to",
    "steps": "latents in a trajectory",
    "rate": "each step's chance to be mutated",
    "sigma": "how far, in each latent's deviation",
    "archive": "past points novelty is also measured against, at most",
    "seed": "where chance begins",
    "components": "measure novelty on so many principal components; 0: on the embedding itself",
    "refit": "fit the components again after so many generations",
}
_CHOSEN = {
    "crossover": "how two parents make a child",
    "mutation": "the operator; mixed chooses by what each has lately earned",
    "selection": "who lives on",
    "embedding": "what novelty is measured on",
}


def _run(arguments: argparse.Namespace) -> int:
    order = _order(arguments)
    bar = tqdm(total=order.generations, unit="generation", desc=order.out.stem, disable=None)
    with _stop_on_signal() as stopped, bar:
        told = evolve(order, lambda: not stopped.is_set(), Progress(bar).show)
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        print(_sentence(told), file=sys.stderr)
    return 0 if told["whole"] else STOPPED


def _order(arguments: argparse.Namespace) -> Order:
    given = {name: getattr(arguments, name) for name in (*_NUMBERS, *_CHOSEN, "adapt")}
    given["quality"] = None if arguments.quality is None else arguments.quality == "on"
    init, *paths = arguments.init or [None]
    if init is not None and init not in CHOICES["init"]:
        raise InstallationError(f"evolve: --init {init}: allowed are {', '.join(CHOICES['init'])}")
    if len(paths) > 1 or (paths and init != "dataset"):
        raise InstallationError(f"evolve: --init {init} {' '.join(paths)}: one path may follow dataset, and no other")
    if arguments.generations < 1:
        raise InstallationError(f"evolve: --generations {arguments.generations}: allowed are 1 and more")
    given["init"] = init
    return Order(
        model=arguments.model,
        out=arguments.out,
        generations=arguments.generations,
        device=arguments.device,
        given={name: value for name, value in given.items() if value is not None},
        sounds=Path(paths[0]) if paths else None,
        cluster=arguments.cluster,
        resume=arguments.resume,
    )


class Progress:
    """The bar: generations told, mean sparseness, individuals a second since it was made."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._begun: tuple[float, int] | None = None

    def show(self, breeder: Breeder) -> None:
        """After each brood."""
        search, now_s = breeder.search, time.monotonic()
        if search.founding:
            self._bar.set_postfix_str(f"founding {len(search.container)}/{search.container_size}")
            return
        if self._begun is None:
            self._begun = now_s, search.evaluations
        begun_s, evaluated = self._begun
        rate = (search.evaluations - evaluated) / max(now_s - begun_s, 1e-9)
        self._bar.set_postfix_str(f"sparseness {search.mean_sparseness:.3f}, {rate:.0f} individuals/s", refresh=False)
        self._bar.update(search.generation - self._bar.n)


def _sentence(told: dict[str, Any]) -> str:
    state = "" if told["whole"] else ", stopped; go on with --resume"
    return (
        f"{told['out']}: generation {told['generations']}, {told['evaluations']} evaluated, mean sparseness "
        f"{told['mean_sparseness']:.3f}, {told['individuals_per_s']:g} individuals/s{state}"
    )


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """The first signal asks to stop between two batches, the second ends the process as it always would."""
    stopped = threading.Event()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(number: int, frame: Any) -> None:
        stopped.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
