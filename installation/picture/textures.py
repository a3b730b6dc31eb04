"""What shaders see of this instrument as textures: prepared here in numpy, uploaded by whoever draws.

An array is (height, width) or (height, width, 4); row 0 is the texture's y = 0. TYPE audio is (channels, width) of the
waveform around .5 and TYPE audioFFT (1, width) of the spectrum 0..1 as `analysis.spectrum` scales it, whatever the
input's name. Inputs of TYPE image are filled if they have a reserved name; moments are those heard by the frame's time,
and in a trail row 0 is the newest of them:

    waveform       (channels, 1024)      the last samples before the frame's time, silence at .5
    spectrum       (1, 512)              linear in frequency, 0..1
    mel            (1, 64)               mel bands, 0..1
    latentTrail    (256, latent_dim)     latents played, in each latent's own deviations
    spectrumTrail  (256, 512)            spectra
    melTrail       (256, 64)             mel bands
    spectrogram    (256, 256)            spectra on a logarithmic axis, 40 Hz to 16 kHz: octaves are equally wide
    heardTrail     (256, 1, 4)           sparseness and age of what was heard, loudness, onset
    archiveMap     (2, 1024, 4)          what the search knows, a column each, see `Chart.texture`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.commands import Atlas
from installation.picture.chart import Chart
from installation.picture.heard import STALE_S, Heard
from installation.picture.isf import Input, Number
from installation.picture.scroll import Scroll
from installation.track import MOMENT, SPECTRUM_BINS, Moments

TRAIL_MOMENTS = 256
WAVE_SAMPLES = 512
"""Samples of an audio input that doesn't say how many."""
WAVEFORM_SAMPLES = 1024
FFT = 2048
"""Samples the moments' spectrum is made of, as `analysis.spectrum` makes it: bin n lies at n * rate / FFT Hz."""
LOG_COLUMNS, LOW_HZ, HIGH_HZ = 256, 40.0, 16_000.0
MADE_AT_MOST = 64
HEARD_TRAIL = ("sparseness", "age", "loudness", "onset")

Pixels = npt.NDArray[Any]
Samples = npt.NDArray[Any]
"""(samples, channels), -1..1."""
Known = dict[str, int]
"""Which version of each of its textures a shader has."""


class Textures:
    """All of them, as of the moments pushed, each made only when it is asked for and has changed."""

    def __init__(self, latent_dim: int, sample_rate_hz: int) -> None:
        self._past = Scroll(TRAIL_MOMENTS, (), MOMENT)
        self._chart = Chart()
        self._heard = Heard()
        self._heard_trail = Scroll(TRAIL_MOMENTS, (1, len(HEARD_TRAIL)), np.float16)
        width = max(1, latent_dim)
        mels = MOMENT["mel"].shape[0]
        self._trails = {
            "latentTrail": Trail(Scroll(TRAIL_MOMENTS, (width,), np.float32), partial(_latents, width=width)),
            "spectrumTrail": Trail(Scroll(TRAIL_MOMENTS, (SPECTRUM_BINS,), np.float16), partial(_unit, name="spectrum")),
            "melTrail": Trail(Scroll(TRAIL_MOMENTS, (mels,), np.float16), partial(_unit, name="mel")),
            "spectrogram": Trail(Scroll(TRAIL_MOMENTS, (LOG_COLUMNS,), np.float16), LogAxis(sample_rate_hz).of),
        }
        self._frame = 0
        self._now_s = 0.0
        self._sound: Samples | None = None
        self._made: dict[tuple[str, int], tuple[int, Pixels]] = {}

    @property
    def moments_wanted(self) -> int:
        """How many past moments fill the trails."""
        return TRAIL_MOMENTS

    def samples_wanted(self, inputs: Iterable[Input]) -> int:
        """How many samples before a frame's time `inputs` look at; 0 for most."""
        return max((_samples(each) for each in inputs), default=0)

    def push(self, moments: Moments) -> None:
        """These are heard by the next frame's time, oldest first."""
        self._past.push(moments)
        for place in range(len(moments)):
            self._heard.push(moments[place : place + 1])
            self._chart.hear(moments[place])
            self._heard_trail.push(np.array([[[self._heard.value(name) for name in HEARD_TRAIL]]]))

    def take(self, atlas: Atlas) -> None:
        """The map of what the search knows has changed."""
        self._chart.take(atlas)

    def numbers(self, now_s: float) -> dict[str, Number]:
        """Numbers under reserved names, see `Chart.numbers`."""
        return self._chart.numbers(now_s)

    def changed(self, wanted: Mapping[str, Input], sound: Samples, now_s: float, known: Known) -> dict[str, Pixels]:
        """The textures of `wanted`, inputs by name, at `now_s`, when `sound` (samples, channels) ends, but for those
        that are as `known` says, which is brought up to date."""
        if now_s != self._now_s or sound is not self._sound:
            self._frame += 1
            self._now_s, self._sound = now_s, sound
        found: dict[str, Pixels] = {}
        for name, each in wanted.items():
            if each.kind == "image" and name not in RESERVED:
                continue
            version, pixels = self._current((name, 0) if each.kind == "image" else (each.kind, width_of(each)))
            if known.get(name) != version:
                known[name], found[name] = version, pixels
        return found

    def _current(self, key: tuple[str, int]) -> tuple[int, Pixels]:
        """Version and pixels of the texture of this name and width, made unless they are."""
        each_frame, make = MAKERS[key[0]]
        version = self._frame if each_frame else 2 * self._past.count + self._stale
        made = self._made.get(key)
        if made is None or made[0] != version:
            if len(self._made) > MADE_AT_MOST:  # of many widths, in months
                self._made.clear()
            made = self._made[key] = (version, make(self, *key))
        return made

    @property
    def _stale(self) -> bool:
        """Whether nothing has been heard for so long that there is nothing to be heard."""
        return self._now_s - float(self._past.rows[0]["time_s"]) > STALE_S

    def _wave(self, name: str, width: int) -> Pixels:
        assert self._sound is not None
        return waveform(self._sound, width or WAVEFORM_SAMPLES)

    def _bins(self, name: str, width: int) -> Pixels:
        newest = self._past.rows[0]["spectrum"]
        return spectrum(np.zeros_like(newest) if self._stale else newest, width or SPECTRUM_BINS)

    def _mel(self, name: str, width: int) -> Pixels:
        return _unit(self._past.rows[:1], "mel").astype(np.float16) * np.float16(not self._stale)

    def _trail(self, name: str, width: int) -> Pixels:
        return self._trails[name].upto(self._past)

    def _heard_rows(self, name: str, width: int) -> Pixels:
        return self._heard_trail.rows

    def _map(self, name: str, width: int) -> Pixels:
        return self._chart.texture(self._now_s)


MAKERS: dict[str, tuple[bool, Callable[[Textures, str, int], Pixels]]] = {
    "audio": (True, Textures._wave),
    "audioFFT": (False, Textures._bins),
    "waveform": (True, Textures._wave),
    "spectrum": (False, Textures._bins),
    "mel": (False, Textures._mel),
    "latentTrail": (False, Textures._trail),
    "spectrumTrail": (False, Textures._trail),
    "melTrail": (False, Textures._trail),
    "spectrogram": (False, Textures._trail),
    "heardTrail": (False, Textures._heard_rows),
    "archiveMap": (True, Textures._map),
}
"""By reserved name, or by kind for the audio inputs: whether it changes with each frame, else with each moment, and
what makes it."""

RESERVED = frozenset(MAKERS) - {"audio", "audioFFT"}
"""Names a shader may give an INPUT of TYPE image to have it filled."""


class Trail:
    """`rows` of each moment in a `scroll`, made when they are asked for."""

    def __init__(self, scroll: Scroll, rows: Callable[[Moments], Pixels]) -> None:
        self._scroll, self._rows = scroll, rows

    def upto(self, past: Scroll) -> Pixels:
        """The rows of the moments in `past`, newest first."""
        if past.count > self._scroll.count:
            self._scroll.push(self._rows(past.since(self._scroll.count)))
            self._scroll.count = past.count
        return self._scroll.rows


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
        spectra = _unit(moments, "spectrum")
        rows = np.zeros((len(spectra), LOG_COLUMNS), np.float32)
        left, right = spectra[:, self._below], spectra[:, self._below + 1]
        rows[:, : self._narrow] = left + self._share * (right - left)
        if len(self._edges) > 1:
            wide = np.maximum.reduceat(spectra, self._edges, axis=1)[:, :-1]
            rows[:, self._narrow : self._reached] = wide
        return rows


def _unit(moments: Moments, name: str) -> Pixels:
    """What the moments hold under `name`, in 0..1."""
    return np.asarray(np.clip(np.nan_to_num(moments[name]), 0.0, 1.0))


def _latents(moments: Moments, width: int) -> Pixels:
    """(count, width); a latent that is shorter is filled up with zeros."""
    latents = np.nan_to_num(moments["latent"][:, :width])
    beyond = np.arange(latents.shape[1]) >= moments["latent_dim"][:, None]
    latents = np.where(beyond, 0.0, latents)
    return np.pad(latents, ((0, 0), (0, width - latents.shape[1])))


def waveform(samples: Samples, width: int) -> Pixels:
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


def _samples(each: Input) -> int:
    if each.kind == "audio":
        return width_of(each)
    return WAVEFORM_SAMPLES if each.kind == "image" and each.name == "waveform" else 0
