"""Spectrograms: of held-out sound above what the model makes of it for a model's card, or of any sounds."""

from __future__ import annotations

import io
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.training.evaluation import magnitudes

Samples = npt.NDArray[np.float32]

WINDOW = 4096
HOP = 512
LOW_HZ = 100.0
HIGH_HZ = 12_000.0
ROWS = 320
FLOOR_DB = -85.0
TOP_DB = -5.0
DOTS_PER_INCH = 100
COLOURS = 256
INK = "#e8e4dc"
PAPER = "#101014"
WAVE = "#f0a35e"
COLUMNS = 1_200
"""Of a waveform, each as high as the sound in it."""


def spectrogram_db(sound: Samples, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Level in dB of a full-scale sine at ROWS frequencies evenly spaced in pitch, (ROWS, frames): the loudest bin
    of each row's band, so that a partial stays visible however narrow it is."""
    levels = magnitudes(sound, WINDOW, HOP).T / (WINDOW / 4)
    edges_hz = LOW_HZ * (HIGH_HZ / LOW_HZ) ** (np.arange(ROWS + 1) / ROWS)
    edges = edges_hz * WINDOW / sample_rate_hz
    rows = [_row(levels, low, high) for low, high in pairwise(edges)]
    return 20.0 * np.log10(np.asarray(rows) + 1e-9)


def draw(path: Path, title: str, original: Samples, reconstruction: Samples, sample_rate_hz: int) -> None:
    """Write a PNG: the original above the reconstruction, pitch upwards, decibels as colour."""
    draw_panels(path, title, {"original": original, "reconstruction": reconstruction}, sample_rate_hz)


def draw_panels(path: Path, title: str, sounds: dict[str, Samples], sample_rate_hz: int) -> None:
    """Write a PNG of one or more `sounds` (samples,) by name, one above the other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        size = (10, 0.4 + 3.1 * len(sounds))
        figure, grid = pyplot.subplots(
            len(sounds), 1, figsize=size, sharex=True, squeeze=False, layout="constrained", facecolor=PAPER
        )
        axes = grid[:, 0]
        for axis, (name, sound) in zip(axes, sounds.items(), strict=True):
            image = _panel(axis, spectrogram_db(sound, sample_rate_hz), len(sound) / sample_rate_hz, name)
        axes[-1].set_xlabel("time in s")
        bar = figure.colorbar(image, ax=axes, pad=0.015, aspect=40)
        bar.set_label("level in dB (full-scale sine 0 dB)")
        bar.outline.set_edgecolor(PAPER)
        figure.suptitle(title, fontsize=12)
        save(path, figure)
        pyplot.close(figure)


def draw_excerpt(path: Path, title: str, sound: Samples, sample_rate_hz: int) -> None:
    """Write a PNG of a `sound` (samples,): its waveform above its spectrogram."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    length_s = len(sound) / sample_rate_hz
    with pyplot.rc_context({"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}):
        figure, (above, below) = pyplot.subplots(
            2, 1, figsize=(10, 5), sharex=True, layout="constrained", facecolor=PAPER, height_ratios=(1, 2.4)
        )
        _waveform(above, sound, length_s)
        image = _panel(below, spectrogram_db(sound, sample_rate_hz), length_s, "spectrogram")
        below.set_xlabel("time in s")
        bar = figure.colorbar(image, ax=below, pad=0.015, aspect=30)
        bar.set_label("level in dB (full-scale sine 0 dB)")
        bar.outline.set_edgecolor(PAPER)
        figure.suptitle(title, fontsize=12)
        save(path, figure)
        pyplot.close(figure)


def _waveform(axis: Any, sound: Samples, length_s: float) -> None:
    """The sound's lowest and highest value in each of COLUMNS, filled between."""
    columns = np.array_split(sound, min(COLUMNS, max(1, len(sound))))
    times_s = (np.arange(len(columns)) + 0.5) * length_s / len(columns)
    low, high = ([float(edge(column)) for column in columns] for edge in (np.min, np.max))
    axis.set_facecolor(PAPER)
    axis.fill_between(times_s, low, high, color=WAVE, linewidth=0.4, edgecolor=WAVE)
    axis.set_ylim(-1.05, 1.05)
    axis.set_yticks([-1.0, 0.0, 1.0])
    axis.set_title("waveform", loc="left", fontsize=10)
    for spine in axis.spines.values():
        spine.set_visible(False)


def save(path: Path, figure: Any) -> None:
    """Write the figure as a PNG of COLOURS colours: a third of the size."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, facecolor=PAPER)
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def _row(levels: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.float64]:
    """The loudest bin within low..high (in bins); between two bins their interpolation; nothing beyond the last."""
    if high > len(levels) - 1:
        return np.zeros(levels.shape[1])
    first, last = math.ceil(low), math.floor(high)
    if first <= last:
        return np.asarray(levels[first : last + 1].max(0))
    middle = 0.5 * (low + high)
    below = math.floor(middle)
    share = middle - below
    return np.asarray((1.0 - share) * levels[below] + share * levels[below + 1])


def _panel(axis: Any, levels_db: npt.NDArray[np.float64], length_s: float, name: str) -> Any:
    octaves = math.log2(HIGH_HZ / LOW_HZ)
    image = axis.imshow(
        levels_db, origin="lower", aspect="auto", cmap="magma", vmin=FLOOR_DB, vmax=TOP_DB,
        extent=(0.0, length_s, 0.0, octaves), interpolation="bilinear",
    )  # fmt: skip
    marks_hz = (125, 250, 500, 1000, 2000, 4000, 8000)
    axis.set_yticks([math.log2(hz / LOW_HZ) for hz in marks_hz], [f"{hz / 1000:g} kHz" for hz in marks_hz])
    axis.set_title(name, loc="left", fontsize=10)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return image
