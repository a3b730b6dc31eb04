"""The analyser: blocks of sound in, one hearing each hop out, the same whatever the blocks are.

Each hearing is made from the 2048 samples before its end (zeros before the beginning), once each 512 samples:

    rms        0..1     root mean square of those samples, full scale 1 (a full-scale sine gives .707)
    centroid   0..1     spectral centroid (of magnitude, as librosa), as a position on a log axis from 40 Hz to 16 kHz;
                        0 in silence
    flux       0..1     share of the spectrum's magnitude that is new since the last hop
    onset      0..1     jumps at each onset and decays (`analysis.onset`)
    band0-7    0..1     level in dB of eight log bands, 40 Hz to 16 kHz, -70..0 dB, attack 5 ms, release 180 ms
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.analysis import bands, onset, spectrum
from installation.analysis.envelope import Envelope
from installation.analysis.spectrum import FFT, HOP
from installation.track import BANDS, FEATURES

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

SILENT_RMS = 10 ** (-80 / 20)
"""Below this nothing is heard: centroid and flux of a noise floor mean nothing."""
LOUDEST = 8.0
"""Samples beyond are faults of their maker and clipped here, so that nothing overflows."""
ATTACK_MS, RELEASE_MS = 5.0, 180.0


@dataclass(frozen=True, eq=False)
class Hearing:
    """What was heard up to sample `end` (exclusive): `features` in the order of `track.FEATURES`, `spectrum` (512,)."""

    end: int
    features: Floats
    spectrum: Floats


class Analyser:
    """Stateful; a few kilobytes, for ever. `start` is the position of the first sample it will be pushed."""

    def __init__(self, sample_rate_hz: int, channels: int, start: int = 0) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self.hop_s = HOP / sample_rate_hz
        self._frequency_hz = np.arange(FFT // 2 + 1) * sample_rate_hz / FFT
        self._band_weights = bands.weights(sample_rate_hz)
        self._mel_weights = onset.mel_weights(sample_rate_hz)
        self.restart(start)

    def restart(self, start: int) -> None:
        """Forget everything and hear what comes as beginning at sample `start`: after a gap."""
        self.position = start
        self._window: Doubles = np.zeros(FFT)
        self._held = 0
        self._before: Doubles = np.zeros(FFT // 2 + 1)
        self._levels = Envelope(ATTACK_MS, RELEASE_MS, BANDS)
        self._onset = onset.Onset(self.hop_s)

    @property
    def onsets(self) -> int:
        """How many onsets it has heard."""
        return self._onset.count

    def push(self, block: Floats) -> list[Hearing]:
        """Hear `block` (samples, channels); the hearings whose hop ended in it, oldest first. Samples that aren't
        numbers count as silence."""
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise ValueError(f"analyser: block of shape {block.shape}, allowed is (samples, {self.channels})")
        mono = self._mono(block)
        heard, taken = [], 0
        while taken < len(mono):
            count = min(HOP - self._held, len(mono) - taken)
            place = FFT - HOP + self._held
            self._window[place : place + count] = mono[taken : taken + count]
            taken, self._held, self.position = taken + count, self._held + count, self.position + count
            if self._held == HOP:
                heard.append(self._hear())
                self._window[:-HOP] = self._window[HOP:]
                self._held = 0
        return heard

    def _mono(self, block: Floats) -> Doubles:
        """The channels' mean, summed one by one so that the order of additions never depends on the block."""
        clean = np.where(np.isfinite(block), np.clip(block, -LOUDEST, LOUDEST), 0.0).astype(np.float64)
        mono = clean[:, 0]
        for channel in range(1, self.channels):
            mono = mono + clean[:, channel]
        return np.asarray(mono / self.channels)

    def _hear(self) -> Hearing:
        """Features of the window as it is now."""
        magnitudes = spectrum.magnitude(self._window)
        rms = float(np.sqrt(np.mean(self._window**2)))
        features = np.zeros(len(FEATURES), np.float32)
        features[0] = min(1.0, rms)
        if rms > SILENT_RMS:
            features[1] = centroid(magnitudes, self._frequency_hz)
            features[2] = flux(magnitudes, self._before)
        features[3] = self._onset.push(onset.mel_db(magnitudes, self._mel_weights))
        features[4:12] = self._levels.push(bands.levels(magnitudes, self._band_weights), self.hop_s)
        self._before = magnitudes
        return Hearing(self.position, features, spectrum.display(magnitudes))


def centroid(magnitudes: Doubles, frequency_hz: Doubles) -> float:
    """Centre of gravity of a spectrum, as a position 0..1 between 40 Hz and 16 kHz in octaves."""
    total = float(magnitudes.sum())
    centre_hz = float(magnitudes @ frequency_hz) / total if total > 0 else 0.0
    octaves = np.log2(max(centre_hz, bands.LOW_HZ) / bands.LOW_HZ) / np.log2(bands.HIGH_HZ / bands.LOW_HZ)
    return float(min(1.0, octaves))


def flux(magnitudes: Doubles, before: Doubles) -> float:
    """What of a spectrum is new: sum of max(0, now - before) over sum of now. 0..1; 1 out of silence."""
    total = float(magnitudes.sum())
    return float(np.maximum(magnitudes - before, 0.0).sum()) / total if total > 0 else 0.0
