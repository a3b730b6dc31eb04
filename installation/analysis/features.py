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

from installation import features as catalogue
from installation.analysis import bands, beat, chroma, mel, onset, spectrum
from installation.analysis.envelope import Follower
from installation.analysis.kweighting import KWeighting
from installation.analysis.loudness import Gain, Momentary
from installation.analysis.shape import Shapes, flux
from installation.analysis.silence import Silence
from installation.analysis.spectrum import FFT, HOP, LOUDEST
from installation.features import BANDS, CHROMA, MFCC
from installation.track import FEATURES, MEL_BINS

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

SILENT_RMS = 10 ** (-80 / 20)
"""Below this there is no shape to be heard: that of a floor of noise means nothing."""
LEAST = 1e-9
"""What is smaller is 0: nothing dies away for ever."""
PRESENT_MS, ABSENT_MS = 300.0, 1500.0

_AT = {name: index for index, name in enumerate(FEATURES)}
_LEVELS, _HITS, _TIMES, _PRESENCES = (
    slice(_AT[f"{stem}0"], _AT[f"{stem}0"] + BANDS) for stem in ("band", "hits", "time", "presence")
)
_NOTES, _COEFFICIENTS = (
    slice(_AT[f"{stem}0"], _AT[f"{stem}0"] + size) for stem, size in (("chroma", CHROMA), ("mfcc", MFCC))
)
_MINIMA = np.array([each.minimum for each in catalogue.FEATURES])
_MAXIMA = np.array([each.maximum for each in catalogue.FEATURES])


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
        """Forget what was heard and hear what comes as beginning at sample `start`: after a gap. Clocks and the count
        of beats go on, and what is usual and what is noise is still known."""
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
        self._pulsing = False

    @property
    def onsets(self) -> int:
        """How many onsets it has heard since it was started, here or after a gap."""
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
        sums = self._weights @ power.astype(np.float32)
        mels_db = mel.level_db(sums[BANDS : BANDS + MEL_BINS], self.sample_rate_hz)
        found = np.zeros(len(FEATURES))
        silent = self._hear_loudness(found)
        self._hear_shape(found, magnitudes, levels_db, sums[BANDS + MEL_BINS :])
        self._hear_bands(found, sums[:BANDS], silent)
        self._hear_strikes(found, sums[:BANDS], mels_db)
        self._hear_beat(found, mels_db, silent)
        found[_COEFFICIENTS] = self._cepstrum.of(mels_db)
        found[np.abs(found) < LEAST] = 0.0
        features = np.minimum(np.maximum(found, _MINIMA), _MAXIMA).astype(np.float32)
        shown = spectrum.shown(levels_db), mel.display(mels_db)
        return Hearing(self.position, features, *shown, self._beat.count)

    def _hear_loudness(self, found: Doubles) -> bool:
        """Loudness, presence and silence, which is returned."""
        squares = self._kweighting.push(self._hop)
        power = float(squares.sum()) / len(squares) / self.channels
        silent = self._silence.push(10 * math.log10(max(power, 1e-12)))
        found[_AT["loudness"]] = self._gain.push(power, self._silence.sounding)
        found[_AT["loudness_lufs"]] = self._momentary.push(squares)
        found[_AT["silence"]] = silent
        found[_AT["presence"]] = self._presence.push(0.0 if silent else 1.0)
        return silent

    def _hear_shape(self, found: Doubles, magnitudes: Doubles, levels_db: Doubles, notes: Floats) -> None:
        """What means nothing below SILENT_RMS; there it stays 0."""
        rms = found[_AT["rms"]] = math.sqrt(float(self._window @ self._window) / FFT)
        if rms > SILENT_RMS:
            shape = self._shapes.of(magnitudes, levels_db)
            found[_AT["centroid"]], found[_AT["centroid_hz"]] = shape.centroid, shape.centroid_hz
            found[_AT["spread_hz"]], found[_AT["rolloff_hz"]] = shape.spread_hz, shape.rolloff_hz
            found[_AT["flatness"]] = shape.flatness
            found[_AT["flux"]] = flux(magnitudes, self._before)
            found[_NOTES] = chroma.shares(notes)
        self._before = magnitudes

    def _hear_bands(self, found: Doubles, power: Floats, silent: bool) -> None:
        found[_LEVELS], found[_TIMES], found[_PRESENCES] = self._bands.push(bands.level_db(power), silent, self.hop_s)

    def _hear_strikes(self, found: Doubles, power: Floats, mels_db: Doubles) -> None:
        """Onset strength, and the envelopes of the onsets in all and in each band."""
        mels = np.maximum(mels_db, mel.FLOOR_DB)
        strength_db = found[_AT["onset_db"]] = onset.strength_db(mels, self._mels_before)
        self._mels_before = mels
        rises_db = self._rises.push(power.astype(np.float64))
        strikes = self._strikes.push(np.concatenate([[strength_db], rises_db]))
        found[_AT["onset"]], found[_HITS] = strikes[0], strikes[1:]

    def _hear_beat(self, found: Doubles, mels_db: Doubles, silent: bool) -> None:
        """Of a beat in which there is no confidence, tempo and phase stay 0: from where none would be announced."""
        pulse = self._beat
        pulse.push(self._window[-HOP:], np.maximum(mels_db, mel.FLOOR_DB), not silent)
        found[_AT["beat"]], found[_AT["tempo_confidence"]] = pulse.level, pulse.confidence
        self._pulsing = pulse.confidence > (beat.CEASE if self._pulsing else beat.BEGIN)
        if self._pulsing:
            found[_AT["beat_phase"]], found[_AT["tempo_bpm"]] = pulse.phase, pulse.tempo_bpm
