"""The analyser: blocks of sound in, one hearing each hop out, the same whatever the blocks are.

Each hearing is made from the 2048 samples before its end (zeros before the beginning), once each 512 samples, of the
mean of the channels; only loudness hears each channel for itself. What each is called, its range and its unit are said
in `installation.features`:

    rms                  root mean square of the window, full scale 1 (a full-scale sine gives .707)
    centroid, *_hz, flatness, flux    `shape`, 0 in silence
    onset, hits0-7, onset_db          `onset`
    band, time, presence0-7           `bands`
    loudness, loudness_lufs           `loudness`
    silence, presence                 `silence`; presence follows it in .3 s, and leaves in 1.5 s
    beat, beat_phase, tempo_*         `beat`; tempo and phase are 0 while there is no confidence in them
    chroma0-11, mfcc0-12              `chroma`, `mel`
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation import features
from installation.analysis import bands, beat, chroma, mel, onset, spectrum
from installation.analysis.envelope import Follower
from installation.analysis.kweighting import KWeighting
from installation.analysis.loudness import Gain, Momentary
from installation.analysis.shape import Shape, Shapes, flux
from installation.analysis.silence import Silence
from installation.analysis.spectrum import FFT, HOP
from installation.features import BANDS, CHROMA
from installation.track import MEL_BINS

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

SILENT_RMS = 10 ** (-80 / 20)
"""Below this there is no shape to be heard: that of a floor of noise means nothing."""
LOUDEST = 8.0
"""Samples beyond are faults of their maker and clipped here, so that nothing overflows."""
LEAST = 1e-9
"""What is smaller is 0: nothing dies away for ever."""
PRESENT_MS, ABSENT_MS = 300.0, 1500.0

_MINIMA = np.array([each.minimum for each in features.FEATURES])
_MAXIMA = np.array([each.maximum for each in features.FEATURES])


@dataclass(frozen=True, eq=False)
class Hearing:
    """What was heard up to sample `end` (exclusive): `features` in the order of `track.FEATURES`, `spectrum` (512,) and
    `mel` (64,) 0..1, and how many `beats` there have been."""

    end: int
    features: Floats
    spectrum: Floats
    mel: Floats
    beats: int


class Analyser:
    """Stateful; a megabyte, for ever. `start` is the position of the first sample it will be pushed."""

    def __init__(self, sample_rate_hz: int, channels: int, start: int = 0) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self.hop_s = HOP / sample_rate_hz
        rows = [bands.weights(sample_rate_hz), mel.weights(sample_rate_hz), chroma.weights(sample_rate_hz)]
        self._weights: Floats = np.concatenate(rows).astype(np.float32)
        self._shapes = Shapes(sample_rate_hz)
        self._cepstrum = mel.Cepstrum(sample_rate_hz)
        self._kweighting = KWeighting(sample_rate_hz, channels)
        self._mono: Doubles = np.full(channels, 1 / channels)
        self._clocks = bands.Clocks()
        self._gain = Gain(self.hop_s)
        self._silence = Silence(self.hop_s)
        self._beat = beat.Beat(sample_rate_hz)
        self.restart(start)

    def restart(self, start: int) -> None:
        """Forget what was heard and hear what comes as beginning at sample `start`: after a gap. Clocks and counts go
        on, and what is usual and what is noise is still known."""
        self.position = start
        self._window: Doubles = np.zeros(FFT)
        self._hop: Doubles = np.zeros((HOP, self.channels))
        self._held = 0
        self._before: Doubles = np.zeros(FFT // 2 + 1)
        self._mels_before: Doubles = np.full(MEL_BINS, mel.FLOOR_DB)
        self._bands = bands.Bands(self._clocks)
        self._rises = bands.Rises(self.hop_s)
        self._strikes = onset.Strikes(self.hop_s)
        self._momentary = Momentary(self.sample_rate_hz)
        self._presence = Follower(PRESENT_MS, ABSENT_MS, self.hop_s)
        self._kweighting.restart()
        self._beat.restart()

    @property
    def onsets(self) -> int:
        """How many onsets it has heard since it was started."""
        return int(self._strikes.counts[0])

    def push(self, block: Floats) -> list[Hearing]:
        """Hear `block` (samples, channels); the hearings whose hop ended in it, oldest first. Samples that aren't
        numbers count as silence."""
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise ValueError(f"analyser: block of shape {block.shape}, allowed is (samples, {self.channels})")
        clean = np.where(np.isfinite(block), np.clip(block, -LOUDEST, LOUDEST), 0.0)
        heard, taken = [], 0
        while taken < len(clean):
            count = min(HOP - self._held, len(clean) - taken)
            self._hop[self._held : self._held + count] = clean[taken : taken + count]
            taken, self._held, self.position = taken + count, self._held + count, self.position + count
            if self._held == HOP:
                self._window[:-HOP] = self._window[HOP:]
                self._window[-HOP:] = self._hop @ self._mono
                heard.append(self._hear())
                self._held = 0
        return heard

    def _hear(self) -> Hearing:
        """Everything of the window as it is now."""
        magnitudes = spectrum.magnitude(self._window)
        power = magnitudes**2
        levels_db = spectrum.level_db(power)
        summed = self._weights @ power.astype(np.float32)
        bands_db = bands.level_db(summed[:BANDS])
        mels_db = mel.level_db(summed[BANDS : BANDS + MEL_BINS], self.sample_rate_hz)
        squares = self._kweighting.push(self._hop)
        loudness, presence, silent = self._loudness(squares)
        strength_db, strikes = self._struck(summed[:BANDS], mels_db)
        levels, times_s, presences = self._bands.push(bands_db, silent, self.hop_s)
        rms = math.sqrt(float(self._window @ self._window) / FFT)
        shape, new, notes = Shape(), 0.0, np.zeros(CHROMA)
        if rms > SILENT_RMS:
            shape, new = self._shapes.of(magnitudes, levels_db), flux(magnitudes, self._before)
            notes = chroma.shares(summed[BANDS + MEL_BINS :])
        self._before = magnitudes
        found = np.concatenate(
            [
                [rms, shape.centroid, new, strikes[0]],
                levels,
                [loudness, self._momentary.push(squares)],
                [shape.centroid_hz, shape.spread_hz, shape.rolloff_hz, shape.flatness, strength_db],
                [presence, silent],
                self._beaten(mels_db, silent),
                strikes[1:],
                times_s,
                presences,
                notes,
                self._cepstrum.of(mels_db),
            ]
        )
        found[np.abs(found) < LEAST] = 0.0
        return Hearing(
            self.position,
            np.minimum(np.maximum(found, _MINIMA), _MAXIMA).astype(np.float32),
            spectrum.shown(levels_db),
            mel.display(mels_db),
            self._beat.count,
        )

    def _loudness(self, squares: Doubles) -> tuple[float, float, bool]:
        """Loudness against the usual, presence, and whether it is silent, after K-weighted squares (BLOCKS,)."""
        power = float(squares.sum()) / len(squares) / self.channels
        silent = self._silence.push(10 * math.log10(max(power, 1e-12)))
        loudness = self._gain.push(power, self._silence.sounding)
        return loudness, self._presence.push(0.0 if silent else 1.0), silent

    def _struck(self, power: Floats, mels_db: Doubles) -> tuple[float, Doubles]:
        """Onset strength, and the envelopes of the onsets in all and in each band, (1 + BANDS,), after
        `power` in the bands."""
        mels = np.maximum(mels_db, mel.FLOOR_DB)
        strength_db = onset.strength_db(mels, self._mels_before)
        self._mels_before = mels
        rises_db = self._rises.push(power.astype(np.float64))
        return strength_db, self._strikes.push(np.concatenate([[strength_db], rises_db]))

    def _beaten(self, mels_db: Doubles, silent: bool) -> tuple[float, float, float, float]:
        """Beat, phase, tempo and confidence."""
        found = self._beat
        found.push(self._window[-HOP:], np.maximum(mels_db, mel.FLOOR_DB), not silent)
        if found.confidence < beat.CEASE:
            return found.level, 0.0, 0.0, found.confidence
        return found.level, found.phase, found.tempo_bpm, found.confidence
