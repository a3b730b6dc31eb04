"""What listening costs: `python -m bench.ear [--seconds N]`, one table.

A hop of everything the analyser hears, all features, spectrum, mel bands and beat, against what of the same librosa has:
RMS, centroid, bandwidth, roll-off, flatness, mel bands, onset strength, chroma and MFCC of the same window, called as its
manual says. In turns, a few hops each, so that what else the machine does falls on both alike; medians and 90th
percentiles of a hop, and the mean a frame at 60 Hz. Below it, for the fairness of it, librosa on the whole sound at once,
where its calls cost next to nothing, but nobody is playing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_library, "1")

import numpy as np

from installation.analysis.features import Analyser
from installation.analysis.spectrum import FFT, HOP
from installation.track import FEATURES, MEL_BINS

RATE_HZ = 48_000
FRAMES_HZ = 60
TURN = 20
"""Hops each goes on before it is the other's turn."""
BUDGET_MS = 0.2
FASTER = 10.0


def music(seconds: float) -> np.ndarray:
    """Chords, a kick and a hat, in stereo, (samples, 2)."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    beat_s = time_s % 0.5
    kick = np.sin(2 * np.pi * 60 * beat_s) * np.exp(-12 * beat_s)
    hat = np.random.default_rng(0).standard_normal(len(time_s)) * np.exp(-60 * (time_s % 0.25))
    chord = sum(np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in (220.0, 277.2, 329.6, 554.4))
    sound = 0.4 * kick + 0.05 * hat + 0.08 * np.asarray(chord)
    return np.stack([sound, 0.9 * sound], axis=1).astype(np.float32)


def librosas(samples: np.ndarray, before: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """What librosa has of the set for `samples` (FFT or more,), and the mel levels to give it the next time."""
    import librosa

    feature = librosa.feature
    magnitudes = np.abs(librosa.stft(samples, n_fft=FFT, hop_length=HOP, center=False))
    power = magnitudes**2
    levels_db = librosa.power_to_db(feature.melspectrogram(S=power, sr=RATE_HZ, n_mels=MEL_BINS), top_db=None)
    found = [
        feature.rms(S=magnitudes, frame_length=FFT),
        feature.spectral_centroid(S=magnitudes, sr=RATE_HZ),
        feature.spectral_bandwidth(S=magnitudes, sr=RATE_HZ),
        feature.spectral_rolloff(S=magnitudes, sr=RATE_HZ),
        feature.spectral_flatness(S=magnitudes),
        librosa.onset.onset_strength(S=np.hstack([before, levels_db]), sr=RATE_HZ, center=False),
        feature.chroma_stft(S=power, sr=RATE_HZ, tuning=0.0),
        feature.mfcc(S=levels_db, n_mfcc=13),
    ]
    return found, levels_db[:, -1:]


def measured(seconds: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Milliseconds of each hop, ours and librosa's, and of one of librosa's when it has them all at once."""
    sound = music(seconds)
    mono = np.ascontiguousarray(sound.mean(axis=1))
    analyser = Analyser(RATE_HZ, 2)
    before = np.full((MEL_BINS, 1), -100.0)
    librosas(mono[:FFT], before)
    analyser.push(sound[: 50 * HOP])
    spent: tuple[list[float], list[float]] = ([], [])

    def timed(place: int, work: Callable[[], Any]) -> Any:
        begun_s = time.perf_counter()
        result = work()
        spent[place].append(1e3 * (time.perf_counter() - begun_s))
        return result

    for turn in range(50, len(sound) // HOP - TURN, TURN):
        for hop in range(turn, turn + TURN):
            timed(0, lambda at=hop * HOP: analyser.push(sound[at : at + HOP]))  # type: ignore[misc]
        for hop in range(turn, turn + TURN):
            end = (hop + 1) * HOP
            _, before = timed(1, lambda window=mono[end - FFT : end], past=before: librosas(window, past))  # type: ignore[misc]
    begun_s = time.perf_counter()
    librosas(mono, before)
    whole_ms = 1e3 * (time.perf_counter() - begun_s) / (len(mono) // HOP)
    return np.array(spent[0]), np.array(spent[1]), whole_ms


def main() -> int:
    """1 if a hop costs too much, or librosa's not ten times as much."""
    parser = argparse.ArgumentParser(description="What listening costs a hop, beside librosa.")
    parser.add_argument("--seconds", type=float, default=15.0, help="how much sound is heard (15)")
    seconds = parser.parse_args().seconds
    if find_spec("librosa") is None:
        print("not measured: librosa is not installed; pip install -c constraints.txt librosa", file=sys.stderr)
        return 2
    ours, theirs, whole_ms = measured(seconds)
    per_frame = RATE_HZ / HOP / FRAMES_HZ
    print(f"{'':<28}{'median':>9}{'p90':>9}{'a frame':>10}   ms, {RATE_HZ} Hz, hop {HOP}, FFT {FFT}")
    for name, each in ((f"ours, {len(FEATURES)} features", ours), ("librosa, its share of them", theirs)):
        median, slow = np.percentile(each, [50, 90])
        print(f"{name:<28}{median:>9.3f}{slow:>9.3f}{per_frame * each.mean():>10.3f}")
    ratio = float(np.median(theirs) / np.median(ours))
    print(f"librosa takes {ratio:.0f} times as long; on the whole sound at once {whole_ms:.3f} ms a hop")
    return int(ratio < FASTER or float(np.median(ours)) > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main())
