"""The page of a comparison.

FOLDER/index.html   curves laid over each other, a band over runs that differ in their seed only, and a table
FOLDER/compare.json the same figures for programs        FOLDER/*.png   the plots
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError
from installation.evolution import plots
from installation.evolution.audience import Spread
from installation.evolution.compare import Comparison, Run
from installation.evolution.page import document, figure, table

Curves = tuple[Sequence[int], npt.NDArray[np.float64]]
"""Generations, and a row for each run, (runs, generations)."""

SHOWN: dict[str, Callable[[Spread], float]] = {
    "Vendi score": lambda spread: spread.vendi,
    "mean distance to the nearest": lambda spread: spread.nearest_neighbour,
    "coverage of the reference": lambda spread: spread.coverage,
}


def write_comparison(comparison: Comparison, out: Path, title: str = "Runs compared") -> dict[str, Any]:
    """Write the page into the folder `out`, made if missing; the figures of compare.json. InstallationError if it can't
    be written."""
    groups, figures = comparison.groups(), comparison.as_dict()
    try:
        out.mkdir(parents=True, exist_ok=True)
        plots.overlay_plot(out / "sparseness.png", {"mean sparseness, each by its own embedding": _sparseness(groups)})
        panels = {
            name: {label: _series(runs, value) for label, runs in groups.items()} for name, value in SHOWN.items()
        }
        plots.overlay_plot(out / "spread.png", panels)
        (out / "compare.json").write_text(json.dumps(figures, indent=1), "utf-8")
        (out / "index.html").write_text(document(title, _body(comparison, groups, title)), "utf-8")
    except OSError as error:
        raise InstallationError(f"{out}: the comparison can't be written: {error}") from error
    return figures


def _sparseness(groups: Mapping[str, list[Run]]) -> dict[str, Curves]:
    """By label: the generations all runs of the group have, and their means (runs, generations)."""
    rows: dict[str, Curves] = {}
    for label, runs in groups.items():
        length = min(len(run.chronicle.means) for run in runs)
        numbers = [past.generation.number for past in runs[0].chronicle.generations[:length]]
        rows[label] = numbers, np.array([run.chronicle.means[:length] for run in runs])
    return rows


def _series(runs: list[Run], value: Callable[[Spread], float]) -> Curves:
    """One row a run; runs of a group that were heard at other generations are read off their own curve."""
    shortest = min(runs, key=lambda run: run.numbers[-1])
    numbers = shortest.numbers
    rows = [np.interp(numbers, run.numbers, [value(each) for each in run.spread]) for run in runs]
    return numbers, np.array(rows)


def _body(comparison: Comparison, groups: Mapping[str, list[Run]], title: str) -> str:
    first = comparison.runs[0].chronicle
    heads = (*SHOWN, "mean sparseness")
    by_group = [(label, len(runs), *_changes(runs)) for label, runs in groups.items()]
    by_run = [(run.name, *_changes([run])) for run in comparison.runs]
    each_run = table(("run", *heads), by_run)
    return (
        f'<p class="mark">Novelty search over {escape(first.header.model)}</p><h1>{escape(title)}</h1>'
        f'<p class="lead">{len(comparison.runs)} runs, judged by {escape(comparison.held_out)}{_fairness(comparison)}, '
        f"with one kernel scale, {comparison.scale:.3g}.</p>"
        + "<h2>Variety</h2>"
        + figure(
            "spread.png",
            "The containers under the embedding all are judged by. Thick: the mean over seeds, with a band of one "
            "deviation to either side; thin: each run.",
        )
        + "<h2>Sparseness</h2>"
        + figure(
            "sparseness.png",
            "What each search maximised, in its own embedding and by its own neighbours: curves of different measures "
            "can't be compared by height.",
        )
        + "<h2>Start and end</h2>"
        + "<p class='note'>From the first container to the last; the mean over seeds.</p>"
        + table(("runs that differ in seed only", "seeds", *heads), by_group)
        + f"<details><summary>Each run</summary>{each_run}</details>"
    )


def _fairness(comparison: Comparison) -> str:
    used = any(comparison.held_out in run.chronicle.used for run in comparison.runs)
    return ", which some of them used themselves" if used else ", which none of them used"


def _changes(runs: list[Run]) -> list[str]:
    """Start and end of each measure and of sparseness, as means over `runs`."""
    pairs = [
        (np.mean([value(run.spread[0]) for run in runs]), np.mean([value(run.spread[-1]) for run in runs]))
        for value in SHOWN.values()
    ]
    ends = [[run.chronicle.mean_at(run.numbers[place]) for run in runs] for place in (0, -1)]
    pairs.append((np.mean(ends[0]), np.mean(ends[1])))
    return [f"{start:.2f} → {end:.2f}" for start, end in pairs]
