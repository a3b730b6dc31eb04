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
from installation.picture.scroll import Scroll
from installation.picture.shading.isf import Input, Number
from installation.picture.shading.shadertoy_audio import WINDOW, AudioTexture
from installation.picture.texels import LOG_COLUMNS, LogAxis, latents, spectrum, unit, waveform
from installation.track import MEL_BINS, MOMENT, SPECTRUM_BINS, Moments

TRAIL_MOMENTS = 256
WAVE_SAMPLES = 512
"""Samples of an audio input that doesn't say how many."""
WAVEFORM_SAMPLES = 1024
MADE_AT_MOST = 64
HEARD_TRAIL = ("sparseness", "age", "loudness", "onset")

Pixels = npt.NDArray[Any]
Samples = npt.NDArray[Any]
"""(samples, channels), -1..1."""
Known = dict[str, int]
"""Which version of each of its textures a shader has."""


class Textures:
    """All of them, as of the moments pushed, each made only when it is asked for and has changed. Moments are lived
    through with `heard`."""

    def __init__(self, latent_dim: int, sample_rate_hz: int, heard: Heard | None = None) -> None:
        self._past = Scroll(TRAIL_MOMENTS, (), MOMENT)
        self._chart = Chart()
        self._heard = heard or Heard()
        self._shadertoy = AudioTexture()
        self._rate_hz = float(sample_rate_hz)
        self._heard_trail = Scroll(TRAIL_MOMENTS, (1, len(HEARD_TRAIL)), np.float16)
        width = max(1, latent_dim)
        axis = LogAxis(sample_rate_hz)
        self._trails = {
            "latentTrail": Trail(width, np.float32, partial(latents, width=width)),
            "spectrumTrail": Trail(SPECTRUM_BINS, np.float16, partial(unit, name="spectrum")),
            "melTrail": Trail(MEL_BINS, np.float16, partial(unit, name="mel")),
            "spectrogram": Trail(LOG_COLUMNS, np.float16, axis.of),
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
        rows: list[list[float]] = []
        for time_s, trajectory in zip(self._heard.live(moments), moments["trajectory"].tolist(), strict=True):
            self._chart.hear(time_s, trajectory)
            rows.append([self._heard.value(name) for name in HEARD_TRAIL])
        if rows:
            self._heard_trail.push(np.array(rows)[:, None])

    def take(self, atlas: Atlas) -> None:
        """The map of what the search knows has changed."""
        self._chart.take(atlas)

    def numbers(self, now_s: float) -> dict[str, Number]:
        """Numbers under reserved names, see `Chart.numbers`."""
        return {**self._chart.numbers(now_s), "iSampleRate": self._rate_hz}

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

    def _bytes(self, name: str, width: int) -> Pixels:
        assert self._sound is not None
        return self._shadertoy.push(self._sound)

    def _mel(self, name: str, width: int) -> Pixels:
        return unit(self._past.rows[:1], "mel").astype(np.float16) * np.float16(not self._stale)

    def _trail(self, name: str, width: int) -> Pixels:
        return self._trails[name].upto(self._past)

    def _heard_rows(self, name: str, width: int) -> Pixels:
        return self._heard_trail.rows

    def _map(self, name: str, width: int) -> Pixels:
        return self._chart.texture(self._now_s)


MAKERS: dict[str, tuple[bool, Callable[[Textures, str, int], Pixels]]] = {
    "audio": (True, Textures._wave),
    "audioFFT": (False, Textures._bins),
    "shadertoyAudio": (True, Textures._bytes),
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

RESERVED = frozenset(MAKERS) - {"audio", "audioFFT", "shadertoyAudio"}
"""Names a shader may give an INPUT of TYPE image to have it filled."""


class Trail:
    """What `rows` makes of the moments, (count, width), kept for the last of them; made when it is asked for."""

    def __init__(self, width: int, dtype: npt.DTypeLike, rows: Callable[[Moments], Pixels]) -> None:
        self._scroll, self._rows = Scroll(TRAIL_MOMENTS, (width,), dtype), rows

    def upto(self, past: Scroll) -> Pixels:
        """The rows of the moments in `past`, newest first."""
        if past.count > self._scroll.count:
            self._scroll.push(self._rows(past.since(self._scroll.count)))
            self._scroll.count = past.count
        return self._scroll.rows


def width_of(each: Input) -> int:
    """Texels in a row of an audio or audioFFT input: its MAX, or 512."""
    return each.width or (SPECTRUM_BINS if each.kind == "audioFFT" else WAVE_SAMPLES)


def _samples(each: Input) -> int:
    if each.kind == "shadertoyAudio":
        return WINDOW
    if each.kind == "audio":
        return width_of(each)
    return WAVEFORM_SAMPLES if each.kind == "image" and each.name == "waveform" else 0
