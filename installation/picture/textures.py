"""What shaders see of the sound as textures: prepared here in numpy, uploaded by the canvas.

An array is (height, width); row 0 is the texture's y = 0. Names a shader may declare as INPUT of TYPE image:
`latentTrail` (256, latent_dim) float32, in each latent's own deviations, and `spectrumTrail` (256, 512) float16, 0..1;
row 0 is the newest moment. TYPE audio is (channels, width) of the waveform around .5 and TYPE audioFFT (1, width) of
the spectrum 0..1 as `analysis.spectrum` scales it, whatever the input's name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from installation.picture.isf import Input
from installation.track import SPECTRUM_BINS, Moments

TRAIL_MOMENTS = 256
TRAILS = ("latentTrail", "spectrumTrail")
WAVE_SAMPLES = 512

Pixels = npt.NDArray[Any]


class Trails:
    """The last TRAIL_MOMENTS moments, newest in row 0, oldest falling off the end; zeros before there were any."""

    def __init__(self, latent_dim: int) -> None:
        self.latents: Pixels = np.zeros((TRAIL_MOMENTS, max(1, latent_dim)), np.float32)
        self.spectra: Pixels = np.zeros((TRAIL_MOMENTS, SPECTRUM_BINS), np.float16)

    def push(self, moments: Moments) -> None:
        """Add `moments`, oldest first. A latent shorter than the trail is wide is filled up with zeros."""
        moments = moments[-TRAIL_MOMENTS:]
        if len(moments):
            _scroll(self.latents, _latents(moments, self.latents.shape[1])[::-1])
            _scroll(self.spectra, np.clip(np.nan_to_num(moments["spectrum"]), 0.0, 1.0)[::-1])


def _latents(moments: Moments, width: int) -> Pixels:
    latents = np.nan_to_num(moments["latent"][:, :width])
    beyond = np.arange(latents.shape[1]) >= moments["latent_dim"][:, None]
    latents = np.where(beyond, 0.0, latents)
    return np.pad(latents, ((0, 0), (0, width - latents.shape[1])))


def _scroll(trail: Pixels, rows: Pixels) -> None:
    count = len(rows)
    trail[count:] = trail[:-count].copy() if count < len(trail) else 0
    trail[:count] = rows


def waveform(samples: Pixels, width: int) -> Pixels:
    """The last `width` of `samples` (samples, channels), -1..1, as (channels, width) float16 0..1, silence at .5."""
    recent = samples[-width:]
    wave = np.full((max(1, samples.shape[1]), width), 0.5, np.float16)
    if len(recent):
        wave[:, width - len(recent) :] = np.clip(0.5 + 0.5 * np.nan_to_num(recent.T), 0.0, 1.0)
    return wave


def spectrum(bins: Pixels, width: int) -> Pixels:
    """`bins` (512,) 0..1 as (1, width) float16; fewer texels are the greatest of the bins they stand for."""
    bins = np.clip(np.nan_to_num(bins), 0.0, 1.0)
    if width >= len(bins):
        return np.interp(np.linspace(0, len(bins) - 1, width), np.arange(len(bins)), bins)[None].astype(np.float16)
    edges = np.arange(width) * len(bins) // width
    return np.maximum.reduceat(bins, edges)[None].astype(np.float16)


def width_of(each: Input) -> int:
    """Texels in a row of an audio or audioFFT input: its MAX, or 512."""
    return each.width or (SPECTRUM_BINS if each.kind == "audioFFT" else WAVE_SAMPLES)
