"""Tapping along: what the beat tracker announces for a piece of sound, and how well it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.analysis import mel, spectrum
from installation.analysis.beat import Beat
from installation.analysis.spectrum import FFT, HOP

Doubles = npt.NDArray[np.float64]

MARGIN_S = 0.07
SKIPPED_S = 5.0


@dataclass(frozen=True)
class Found:
    """When beats were announced, in s, and after each hop the level, phase, tempo and confidence, (hops, 4)."""

    beats_s: Doubles
    course: Doubles


def mel_frames(samples: Doubles, rate_hz: int) -> Doubles:
    """The mel levels of the frame that ends with each hop, (hops, bands), in dB."""
    weights = mel.weights(rate_hz).T
    padded = np.concatenate([np.zeros(FFT - HOP), samples])
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    powers = [np.abs(np.fft.rfft(frame * spectrum.hann())) ** 2 @ weights for frame in frames]
    return np.maximum(mel.level_db(np.array(powers), rate_hz), mel.FLOOR_DB)


def listen(samples: Doubles, rate_hz: int, present: bool = True, beat: Beat | None = None) -> Found:
    """What is announced, hop by hop: a beat is where the count went up, at the end of that hop."""
    beat = beat or Beat(rate_hz)
    beats_s, course = [], []
    for n, mels_db in enumerate(mel_frames(samples, rate_hz)[: len(samples) // HOP]):
        before = beat.count
        beat.push(samples[n * HOP : (n + 1) * HOP], mels_db, present)
        if beat.count > before:
            beats_s.append((n + 1) * HOP / rate_hz)
        course.append((beat.level, beat.phase, beat.tempo_bpm, beat.confidence))
    return Found(np.array(beats_s), np.array(course))


def matched(truth_s: Doubles, found_s: Doubles) -> Doubles:
    """How late each beat is that was found within MARGIN_S, in s: as many pairs as there can be, each beat in one."""
    late_s, t, f = [], 0, 0
    while t < len(truth_s) and f < len(found_s):
        error_s = found_s[f] - truth_s[t]
        if abs(error_s) <= MARGIN_S:
            late_s.append(error_s)
            t, f = t + 1, f + 1
        elif error_s > 0:
            t += 1
        else:
            f += 1
    return np.array(late_s)


def f_measure(truth_s: Doubles, found_s: Doubles) -> tuple[float, Doubles]:
    """The F-measure (Dixon 2007, as mir_eval has it: ±70 ms, the first 5 s not counted), and how late in s."""
    truth_s, found_s = truth_s[truth_s >= SKIPPED_S], found_s[found_s >= SKIPPED_S]
    late_s = matched(truth_s, found_s)
    return 2 * len(late_s) / max(1, len(truth_s) + len(found_s)), late_s
