"""LVNS-RAVE's first experiments and two of its open questions (arXiv 2404.14063), and what they come to on one model.

python -m bench.paper --out runs/paper --seeds 3 --generations 100 --jobs 2
python -m bench.paper --out runs/paper --only level          500 generations of nearest and farthest

Runs lie in OUT/runs-GENERATIONS and are made with `installation evolve`; one that is whole is not made again, one that
was interrupted goes on. Each experiment has a page OUT/EXPERIMENT/index.html; OUT/summary.json holds all figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from installation.errors import StoreError
from installation.evolution.audience import Audience
from installation.evolution.compare import compare
from installation.evolution.overlay import write_comparison
from installation.evolution.settings import Settings
from installation.evolution.store import read_header, read_store
from installation.instrument import open_instrument
from installation.retrospect import audience_of

STEPS = 64
MOMENTS = 11
LEVEL_GENERATIONS = 500
GREW, ABOVE, TIMES = 1.6, 1.0, 4.0
"""What is hoped for: Vendi end over start, distance to the nearest end over start, both over those of farthest."""

Options = Mapping[str, str]
"""Of `installation evolve`, by name without the dashes."""

PUBLISHED: Options = {
    "container": "50", "brood": "30", "neighbours": "30", "init": "random", "crossover": "one-point",
    "mutation": "step", "rate": "0.015625", "sigma": "1.0", "selection": "nearest", "archive": "500",
    "embedding": "texture", "quality": "on",
}  # fmt: skip
"""The paper's settings where it names them: every one is given, so that another default changes no experiment."""


def _ours() -> Options:
    usual = Settings()
    return {name: str(getattr(usual, name)) for name in PUBLISHED} | {"quality": "on" if usual.quality else "off"}


OURS: Options = _ours()
"""What `evolve` does by itself today."""
BASES: dict[str, Options] = {"published": PUBLISHED, "ours": OURS}


@dataclass(frozen=True)
class Experiment:
    """A question and the runs that answer it, each with every seed: what they change of the `base`, a name in BASES.
    `generations` where not those asked for."""

    question: str
    runs: tuple[Options, ...]
    base: str = "published"
    generations: int | None = None


_SELECTIONS: tuple[Options, ...] = (
    {"selection": "nearest", "archive": "500"},
    {"selection": "farthest", "archive": "0"},
)
_OPERATORS = ("step", "span", "drift", "iso-line", "replace", "stretch", "mixed")
_SIZES = ((20, 10), (50, 30), (100, 60), (200, 120))
EXPERIMENTS: dict[str, Experiment] = {
    "container": Experiment("Container of 20 or of 50?", ({"container": "20"}, {"container": "50"})),
    "start": Experiment("Founders from the data set or at random?", ({"init": "dataset"}, {"init": "random"})),
    "mutation": Experiment(
        "Low, medium or high mutation?", ({"rate": "0.015625"}, {"rate": "0.0625"}, {"rate": "0.25"})
    ),
    "operators": Experiment(
        "Which mutation operator?", tuple({"mutation": name, "rate": "0.125"} for name in _OPERATORS)
    ),
    "sizes": Experiment(
        "How large a container and brood?",
        tuple({"container": str(size), "brood": str(brood)} for size, brood in _SIZES),
    ),
    "published": Experiment("The nearest or the farthest, all else as published?", _SELECTIONS),
    "selection": Experiment("The nearest or the farthest, all else as evolve does it?", _SELECTIONS, "ours"),
    "level": Experiment("Does sparseness level off?", _SELECTIONS, "ours", LEVEL_GENERATIONS),
}
ASKED_FOR = ("level",)
"""Experiments that run only when named: they take long."""


@dataclass(frozen=True)
class Run:
    """One store to be made: `options`, `seed` and up to which generation."""

    path: Path
    model: str
    options: dict[str, str]
    seed: int
    generations: int

    def check(self) -> None:
        """StoreError if what lies there was made with other settings, as by another version of this bench."""
        with read_store(self.path) as store:
            header = store.header
        named = self.options | {"steps": str(STEPS), "seed": str(self.seed)}
        held = Settings.of(header.settings or {}).as_dict() | {"model": header.model}
        wrong = [
            f"{name} is {held[name]}, wanted {value}" for name, value in named.items() if _differ(held[name], value)
        ]
        if wrong:
            raise StoreError(f"{self.path}: {'; '.join(wrong)}. Move it away, or name another --out")

    def command(self) -> list[str]:
        """The command line that makes it, or goes on with it."""
        named = {
            "model": self.model, "steps": str(STEPS), "seed": str(self.seed), "generations": str(self.generations),
            "device": "cpu", "out": str(self.path), **self.options,
        }  # fmt: skip
        words = [word for name, value in named.items() for word in (f"--{name}", value)]
        return [sys.executable, "-m", "installation", "evolve", *words, *(["--resume"] if self.begun() else [])]

    def begun(self) -> bool:
        return self.path.is_file()

    def whole(self) -> bool:
        """Whether it is there up to its last generation."""
        if read_header(self.path) is None:
            return False
        self.check()
        with read_store(self.path) as store:
            kept = store.generations()
        return bool(kept) and kept[-1].generation.number >= self.generations

    def make(self) -> None:
        """Run the command; StoreError with what it said if it fails."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(self.command(), capture_output=True, text=True, env=one_thread)
        if done.returncode:
            raise StoreError(f"{self.path}: evolve ended with {done.returncode}: {done.stderr.strip()[-500:]}")


def runs_of(name: str, given: argparse.Namespace) -> list[Run]:
    """Every run of the experiment `name`. Runs of one base that change the same are the same file."""
    experiment = EXPERIMENTS[name]
    generations = experiment.generations or given.generations
    folder = given.out / f"runs-{generations}"
    return [
        Run(
            folder / f"{experiment.base}-{_stem(options)}-seed-{seed}.sqlite",
            given.model,
            {**BASES[experiment.base], **options},
            seed,
            generations,
        )
        for options in experiment.runs
        for seed in range(given.first_seed, given.first_seed + given.seeds)
    ]


def _stem(options: Options) -> str:
    return "-".join(f"{name}-{value}" for name, value in options.items())


def _differ(held: Any, wanted: str) -> bool:
    if isinstance(held, bool):
        return held != (wanted == "on")
    return bool(held != type(held)(wanted))


def make(runs: Sequence[Run], jobs: int) -> None:
    """Make those that are not whole yet, `jobs` at a time; the first failure ends it when those begun are done."""
    missing = [run for run in {run.path: run for run in runs}.values() if not run.whole()]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run.make) for run in missing]
        try:
            for future in tqdm(futures, desc="evolve", unit="run", disable=None):
                future.result()
        finally:
            for future in futures:
                future.cancel()


def judge(name: str, runs: Sequence[Run], audience: Audience, out: Path) -> dict[str, Any]:
    """Compare the runs of an experiment, write its page; its figures."""
    with ExitStack() as opened:
        stores = [opened.enter_context(read_store(run.path)) for run in runs]
        comparison = compare(stores, audience, moments=MOMENTS)
        figures = write_comparison(comparison, out / name, EXPERIMENTS[name].question)
    return figures | {"question": EXPERIMENTS[name].question, "acceptance": acceptance(figures["runs"].values())}


def acceptance(runs: Any) -> dict[str, Any] | None:
    """What `nearest` came to against its own start and against `farthest`, as means over seeds, and whether that is
    what was hoped for; None where one of the two is not among `runs`."""
    held = {name: [run for run in runs if run["selection"] == name] for name in ("nearest", "farthest")}
    if not all(held.values()):
        return None
    near, far = held["nearest"], held["farthest"]
    measures = ("vendi", "nearest_neighbour")
    over_start = {key: _mean(near, key) / float(np.mean([run["start"][key] for run in near])) for key in measures}
    over_farthest = {key: _mean(near, key) / _mean(far, key) for key in measures}
    return {
        "nearest_end_over_start": over_start,
        "nearest_over_farthest": over_farthest,
        "goals": {"vendi_end_over_start": GREW, "nearest_neighbour_end_over_start": ABOVE, "over_farthest": TIMES},
        "reached": {
            "vendi_end_over_start": over_start["vendi"] >= GREW,
            "nearest_neighbour_end_over_start": over_start["nearest_neighbour"] > ABOVE,
            "vendi_over_farthest": over_farthest["vendi"] >= TIMES,
            "nearest_neighbour_over_farthest": over_farthest["nearest_neighbour"] >= TIMES,
        },
    }


def _mean(runs: Sequence[Mapping[str, Any]], key: str) -> float:
    return float(np.mean([run[key] for run in runs]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bronze")
    parser.add_argument("--out", type=Path, default=Path("runs/paper"))
    parser.add_argument("--generations", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--first-seed", type=int, default=0, help="and from which on")
    parser.add_argument("--jobs", type=int, default=1, help="runs made at a time")
    parser.add_argument("--only", choices=tuple(EXPERIMENTS), help="this experiment and no other")
    given = parser.parse_args()
    names = [given.only] if given.only else [name for name in EXPERIMENTS if name not in ASKED_FOR]
    plan = {name: runs_of(name, given) for name in names}
    make([run for runs in plan.values() for run in runs], given.jobs)
    path = given.out / "summary.json"
    summary = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    audience = audience_of(open_instrument(given.model, "cpu"), STEPS)
    for name, runs in plan.items():
        summary[name] = judge(name, runs, audience, given.out)
        path.write_text(json.dumps(summary, indent=1), "utf-8")
    told = {name: each["acceptance"] for name, each in summary.items() if each["acceptance"]}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
