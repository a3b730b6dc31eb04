"""The losses of a training: kept as lines of JSON that survive a resumption, and drawn."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from installation.training.manifest import write_whole
from installation.training.pictures import INK, PAPER, save
from installation.training.recipe import Progress

GROUPS = (
    ("spectral distance", ("multiband_spectral_distance", "fullband_spectral_distance", "validation")),
    ("regularisation", ("regularization",)),
    ("discriminators", ("adversarial", "feature_matching", "loss_dis")),
)
"""Panels, and the losses in each by acids-rave's names."""
COLOURS = ("#f0a35e", "#7fb8c9", "#d9607a")
SMOOTH = 9
"""Points in a running median."""


class Ledger:
    """The lines of a run in `path`, one a report, each with its `step`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, step: int) -> None:
        """Forget what was kept of steps after `step`: training goes on from there. 0 forgets everything."""
        kept = [each for each in self.read() if each["step"] <= step]
        write_whole(self.path, "".join(json.dumps(each) + "\n" for each in kept))

    def add(self, progress: Progress) -> None:
        """Keep one more."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(progress) + "\n")

    def read(self) -> list[Progress]:
        """All that is kept; a line cut short by a crash is left out."""
        found = []
        for line in self.path.read_text("utf-8").splitlines() if self.path.is_file() else []:
            try:
                found.append({str(name): float(value) for name, value in json.loads(line).items()})
            except ValueError:
                continue
        return [each for each in found if "step" in each]


def smooth(values: Iterable[float]) -> list[float]:
    """Running median of SMOOTH points, fewer at the ends, and in rows too short for so many."""
    row = np.asarray(list(values))
    half = min(SMOOTH // 2, len(row) // (2 * SMOOTH))
    return [float(np.median(row[max(0, at - half) : at + half + 1])) for at in range(len(row))]


def draw(path: Path, name: str, kept: list[Progress], phase_1_steps: int) -> None:
    """Write a PNG: a panel for each of GROUPS that there is anything of, faint as reported, strong smoothed; a dashed
    line where the second phase begins."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    groups = [(title, there) for title, names in GROUPS if (there := [each for each in names if _has(kept, each)])]
    if not groups:
        return
    with pyplot.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        figure, grid = pyplot.subplots(
            len(groups), 1, figsize=(10, 0.6 + 2.6 * len(groups)), sharex=True, squeeze=False,
            layout="constrained", facecolor=PAPER,
        )  # fmt: skip
        for axis, (title, names) in zip(grid[:, 0], groups, strict=True):
            _panel(axis, title, names, kept, phase_1_steps)
        grid[-1, 0].set_xlabel("steps")
        figure.suptitle(f"{name}: losses", fontsize=12)
        save(path, figure)
        pyplot.close(figure)


def _has(kept: list[Progress], name: str) -> bool:
    return any(name in each for each in kept)


def _panel(axis: Any, title: str, names: list[str], kept: list[Progress], phase_1_steps: int) -> None:
    for colour, name in zip(COLOURS, names, strict=False):
        points = [(each["step"], each[name]) for each in kept if name in each]
        steps, values = [list(row) for row in zip(*points, strict=True)]
        axis.plot(steps, values, color=colour, alpha=0.35, linewidth=0.8)
        axis.plot(steps, smooth(values), color=colour, linewidth=1.6, label=name.replace("_", " "))
    if kept[-1]["step"] > phase_1_steps:
        axis.axvline(phase_1_steps, color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
    axis.set_facecolor(PAPER)
    axis.set_title(title, loc="left", fontsize=10)
    axis.grid(color=INK, alpha=0.12)
    axis.legend(facecolor=PAPER, edgecolor=PAPER, labelcolor=INK, fontsize=8, loc="upper right")
    if all(each.get(name, 1.0) > 0.0 for each in kept for name in names):
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:.3g}")
    for spine in axis.spines.values():
        spine.set_visible(False)
