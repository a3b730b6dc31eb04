"""Plots in the palette of `page`: curves, bands, bars, maps and matrices. The only home of matplotlib here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError
from installation.evolution.page import BRONZE, FAINT, GROUND, INK, QUIET, RAMP, RULE, SERIES, SKY, SURFACE, VERDIGRIS

Floats = npt.NDArray[np.floating]

DOTS_AN_INCH = 160
WIDE = (10.0, 4.2)
MARKED = 16
"""Points of a curve up to which each is marked."""


def canvas(panels: int = 1, size: tuple[float, float] = WIDE, names: Sequence[str] = ()) -> tuple[Any, list[Any]]:
    """A figure with `panels` side by side, each with one of `names` above it. InstallationError without matplotlib."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ModuleNotFoundError as error:
        raise InstallationError("plots: matplotlib is missing; pip install -c constraints.txt '.[plots]'") from error
    made = Figure(figsize=size, dpi=DOTS_AN_INCH, facecolor=SURFACE)
    made.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12, wspace=0.06))
    axes = [made.add_subplot(1, panels, place + 1) for place in range(panels)]
    for place, each in enumerate(axes):
        dress(each, names[place] if place < len(names) else "")
    return made, axes


def dress(axes: Any, name: str = "") -> None:
    """Quiet axes: no box, faint lines, a name at the left."""
    axes.set_facecolor(SURFACE)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(RULE)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, labelsize=9, length=0, pad=5)
    if name:
        axes.set_title(name, color=INK, fontsize=11, loc="left", pad=10)


def words(axes: Any, below: str, beside: str = "") -> None:
    """What the axes measure."""
    axes.set_xlabel(below, color=QUIET, fontsize=9.5)
    axes.set_ylabel(beside, color=QUIET, fontsize=9.5)


def key(axes: Any, columns: int = 1, place: str = "best") -> None:
    """Which colour is what."""
    axes.legend(frameon=False, labelcolor=INK, fontsize=9, ncols=columns, loc=place, handlelength=1.4)


def save(made: Any, path: Path) -> None:
    """Write the figure as PNG, with no date or version in it."""
    made.savefig(path, facecolor=SURFACE, metadata={"Software": None})


def ramp() -> Any:
    """RAMP as a colour map."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ramp", RAMP)


def band(axes: Any, across: Sequence[float], series: Floats, colour: str, label: str) -> None:
    """Mean of several `series` (runs, points) with a band as wide as their deviation to either side, and each run as a
    thin line of its own."""
    mean, deviation = series.mean(axis=0), series.std(axis=0)
    if len(series) > 1:
        axes.fill_between(across, mean - deviation, mean + deviation, color=colour, alpha=0.18, linewidth=0)
        axes.plot(across, series.T, color=colour, linewidth=0.6, alpha=0.35)
    marker = {"marker": "o", "markersize": 3.6} if len(across) <= MARKED else {}
    axes.plot(across, mean, color=colour, linewidth=2.0, label=label, **marker)


def sparseness_plot(path: Path, numbers: Sequence[int], rows: Floats) -> None:
    """`rows` (4, generations): mean, deviation, lowest and highest sparseness of the container, as the paper draws
    them."""
    made, (axes,) = canvas()
    mean, deviation, lowest, highest = rows
    axes.fill_between(numbers, mean - deviation, mean + deviation, color=BRONZE, alpha=0.22, linewidth=0)
    axes.plot(numbers, highest, color=SKY, linewidth=0.9, label="highest")
    axes.plot(numbers, mean, color=BRONZE, linewidth=2.2, label="mean ± deviation")
    axes.plot(numbers, lowest, color=VERDIGRIS, linewidth=0.9, label="lowest")
    key(axes, 3, "lower right")
    axes.margins(x=0.005)
    axes.set_ylim(bottom=0.0)
    words(axes, "generation", "sparseness")
    save(made, path)


def spread_plot(path: Path, numbers: Sequence[int], rows: Mapping[str, Sequence[float]]) -> None:
    """One panel for each measure by name, over the generations `numbers`."""
    made, panels = canvas(len(rows), (11.0, 3.5), list(rows))
    for axes, row, colour in zip(panels, rows.values(), SERIES, strict=False):
        axes.axhline(row[0], color=FAINT, linewidth=0.9, linestyle=(0, (4, 4)))
        band(axes, numbers, np.array([row]), colour, "")
        axes.set_ylim(0.0, 1.12 * max(*row, 1e-9))
        words(axes, "generation")
    save(made, path)


def stack_plot(path: Path, numbers: Sequence[int], rows: Mapping[str, Sequence[float]], beside: str) -> None:
    """Counts by reason, stacked, over the generations `numbers`."""
    made, (axes,) = canvas(size=(5.6, 3.6))
    if rows:
        axes.stackplot(numbers, *rows.values(), labels=list(rows), colors=SERIES, alpha=0.85, linewidth=0)
        key(axes, 1, "upper left")
    else:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, color=QUIET, ha="center", fontsize=13)
        axes.set_yticks([])
        axes.set_xlim(numbers[0], max(numbers[-1], numbers[0] + 1))
    axes.margins(x=0.0)
    axes.set_ylim(bottom=0.0)
    words(axes, "generation", beside)
    save(made, path)


def lines_plot(path: Path, numbers: Sequence[int], rows: Mapping[str, Sequence[float]], beside: str) -> None:
    """One line for each of `rows` by name."""
    made, (axes,) = canvas(size=(5.6, 3.6))
    for (name, row), colour in zip(rows.items(), SERIES, strict=False):
        axes.plot(numbers, row, color=colour, linewidth=1.8, label=name)
    axes.margins(x=0.0)
    axes.set_ylim(bottom=0.0)
    words(axes, "generation", beside)
    if rows:
        key(axes, 2)
    save(made, path)


def map_plot(path: Path, places: Floats, born: Sequence[int], alive: npt.NDArray[np.bool_], shares: Floats) -> None:
    """Everyone at `places` (count, 2), coloured by the generation they were `born` in; who is `alive` is large and
    ringed. `shares` (2,) is how much of the variance each axis holds."""
    made, (axes,) = canvas(size=(10.0, 6.2))
    axes.grid(False)
    order = np.argsort(np.asarray(born), kind="stable")
    drawn = axes.scatter(*places[order].T, c=np.asarray(born)[order], cmap=ramp(), s=16, linewidths=0, alpha=0.85)
    colours = np.asarray(born)[alive]
    axes.scatter(*places[alive].T, c=colours, cmap=ramp(), norm=drawn.norm, s=70, edgecolors=VERDIGRIS, linewidths=1.6)
    bar = made.colorbar(drawn, ax=axes, pad=0.01, aspect=32)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=QUIET, labelsize=9, length=0)
    bar.set_label("generation born", color=QUIET, fontsize=9.5)
    words(axes, f"first component, {shares[0]:.0%} of the variance", f"second component, {shares[1]:.0%}")
    save(made, path)


def matrix_plot(path: Path, names: Sequence[str], cells: Floats) -> None:
    """`cells` (names, names), -1..1, each written into its square."""
    size = 2.2 + 0.95 * len(names)
    made, (axes,) = canvas(size=(size + 0.6, size))
    axes.grid(False)
    axes.imshow(cells, cmap=ramp(), vmin=-0.3, vmax=1.0)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.spines["bottom"].set_visible(False)
    for row, column in np.ndindex(*cells.shape):
        colour = GROUND if cells[row, column] > 0.35 else INK
        axes.text(column, row, f"{cells[row, column]:.2f}", color=colour, ha="center", va="center", fontsize=11)
    save(made, path)


def spectrogram_plot(path: Path, level_db: Floats, rows_hz: Floats, seconds: float) -> None:
    """`level_db` (rows, hops) with the lowest frequency first, over `seconds`."""
    made, (axes,) = canvas(size=(5.6, 2.9))
    axes.grid(False)
    axes.imshow(level_db, origin="lower", aspect="auto", cmap=ramp(), extent=(0.0, seconds, -0.5, len(rows_hz) - 0.5))
    marks = [hz for hz in (100, 300, 1000, 3000, 10_000) if rows_hz[0] <= hz <= rows_hz[-1]]
    places = np.interp(np.log(marks), np.log(rows_hz), np.arange(len(rows_hz)))
    axes.set_yticks(places, [f"{hz // 1000} kHz" if hz >= 1000 else f"{hz} Hz" for hz in marks])
    words(axes, "seconds")
    save(made, path)


def overlay_plot(path: Path, panels: Mapping[str, Mapping[str, tuple[Sequence[int], Floats]]]) -> None:
    """By panel and label: the generations, and one row for each run (runs, generations)."""
    made, axes_of = canvas(len(panels), (11.0, 4.2), list(panels))
    for axes, groups in zip(axes_of, panels.values(), strict=True):
        for (label, (numbers, rows)), colour in zip(groups.items(), _endless(), strict=False):
            band(axes, numbers, rows, colour, label)
        axes.set_ylim(bottom=0.0)
        axes.margins(x=0.01)
        words(axes, "generation")
    handles, labels = axes_of[0].get_legend_handles_labels()
    made.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(4, len(labels)),
        frameon=False,
        labelcolor=INK,
        fontsize=9.5,
    )
    save(made, path)


def _endless() -> list[str]:
    return list(SERIES) * 32
