"""Texels of what was heard: moments and samples as rows of a texture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from installation.track import SPECTRUM_BINS, Moments

FFT = 2048
"""Samples the moments' spectrum is made of, as `analysis.spectrum` makes it: bin n lies at n * rate / FFT Hz."""
LOG_COLUMNS, LOW_HZ, HIGH_HZ = 256, 40.0, 16_000.0

Pixels = npt.NDArray[Any]


class LogAxis:
    """Spectra on LOG_COLUMNS columns between LOW_HZ and HIGH_HZ, all of the same interval. Where a column is narrower
    than a bin it is what lies on the line between two bins, where it is wider the greatest of those in it; above what
    the spectrum reaches it is 0."""

    def __init__(self, sample_rate_hz: int) -> None:
        edges_hz = np.geomspace(LOW_HZ, HIGH_HZ, LOG_COLUMNS + 1)
        edges = edges_hz * FFT / sample_rate_hz
        centres = np.sqrt(edges[1:] * edges[:-1])
        self._reached = int((edges[1:] <= SPECTRUM_BINS - 1).sum())
        first = np.minimum(np.ceil(edges).astype(np.int64), SPECTRUM_BINS - 1)[: self._reached + 1]
        self._narrow = int((np.diff(first) < 1).nonzero()[0].max(initial=-1)) + 1
        """So many columns, from the lowest, are taken from the line between bins: above them each has a bin within."""
        self._edges = first[self._narrow :]
        below = centres[: self._narrow]
        self._below = below.astype(np.int64)
        self._share = (below - self._below).astype(np.float32)

    def of(self, moments: Moments) -> Pixels:
        """(count, LOG_COLUMNS), 0..1."""
        spectra = unit(moments, "spectrum")
        rows = np.zeros((len(spectra), LOG_COLUMNS), np.float32)
        left, right = spectra[:, self._below], spectra[:, self._below + 1]
        rows[:, : self._narrow] = left + self._share * (right - left)
        if len(self._edges) > 1:
            wide = np.maximum.reduceat(spectra, self._edges, axis=1)[:, :-1]
            rows[:, self._narrow : self._reached] = wide
        return rows


def unit(moments: Moments, name: str) -> Pixels:
    """What the moments hold under `name`, in 0..1."""
    return np.clip(_finite(moments[name]), 0.0, 1.0)


def latents(moments: Moments, width: int) -> Pixels:
    """(count, width); a latent that is shorter is filled up with zeros."""
    rows = np.zeros((len(moments), width), np.float32)
    shown = _finite(moments["latent"][:, :width])
    np.copyto(rows[:, : shown.shape[1]], shown, where=np.arange(shown.shape[1]) < moments["latent_dim"][:, None])
    return rows


def _finite(values: Pixels) -> Pixels:
    """They themselves, if they are: asked first, for it takes long to see to."""
    return values if np.isfinite(values.sum()) else np.nan_to_num(values)


def waveform(samples: Pixels, width: int) -> Pixels:
    """The last `width` of `samples` (samples, channels), -1..1, as (channels, width) float16 0..1, silence at .5."""
    recent = samples[-width:]
    wave = np.full((max(1, samples.shape[1]), width), 0.5, np.float16)
    if len(recent):
        wave[:, width - len(recent) :] = np.clip(0.5 + 0.5 * _finite(recent.T), 0.0, 1.0)
    return wave


def spectrum(bins: Pixels, width: int) -> Pixels:
    """`bins` (512,) 0..1 as (1, width) float16; fewer texels are the greatest of the bins they stand for."""
    bins = np.clip(_finite(bins), 0.0, 1.0)
    if width >= len(bins):
        return np.interp(np.linspace(0, len(bins) - 1, width), np.arange(len(bins)), bins)[None].astype(np.float16)
    edges = np.arange(width) * len(bins) // width
    return np.maximum.reduceat(bins, edges)[None].astype(np.float16)
