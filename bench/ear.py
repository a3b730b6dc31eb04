"""What listening costs: `python -m bench.ear [--seconds N]`, one table.

A hop of everything the analyser hears, beat and loudness included; of that the set librosa has, too: RMS, centroid,
bandwidth, roll-off, flatness, mel bands, onset strength, chroma and MFCC; and librosa's of the same windows, called as
its manual says. In turns, a few hops each, so that what else the machine does falls on all alike: median and 90th
percentile of a hop, and the mean of a frame at 60 Hz. For the fairness of it, last, librosa on the whole sound at once,
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

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # as the program itself has it
    os.environ.setdefault(_library, "1")

import numpy as np  # noqa: E402

from installation.analysis import chroma, mel, onset, spectrum  # noqa: E402
from installation.analysis.features import Analyser  # noqa: E402
from installation.analysis.shape import Shapes  # noqa: E402
from installation.analysis.spectrum import FFT, HOP  # noqa: E402
from installation.track import FEATURES, MEL_BINS  # noqa: E402

RATE_HZ = 48_000
FRAMES_HZ = 60
TURN = 20
"""Hops each goes on before it is the next one's turn."""
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


class Share:
    """Of what the analyser does the set that librosa has, too."""

    def __init__(self) -> None:
        self._weights = np.concatenate([mel.weights(RATE_HZ), chroma.weights(RATE_HZ)]).astype(np.float32)
        self._shapes, self._cepstrum = Shapes(RATE_HZ), mel.Cepstrum(RATE_HZ)
        self._before = np.full(MEL_BINS, mel.FLOOR_DB)

    def push(self, window: np.ndarray) -> list[Any]:
        """Hear a window (FFT,)."""
        magnitudes = spectrum.magnitude(window)
        power = magnitudes**2
        sums = self._weights @ power.astype(np.float32)
        levels_db = mel.level_db(sums[:MEL_BINS], RATE_HZ)
        floored_db = np.maximum(levels_db, mel.FLOOR_DB)
        strength_db = onset.strength_db(floored_db, self._before)
        self._before = floored_db
        shape = self._shapes.of(magnitudes, spectrum.level_db(power))
        rms = float(np.sqrt(window @ window / FFT))
        return [rms, shape, strength_db, chroma.shares(sums[MEL_BINS:]), self._cepstrum.of(levels_db)]


class Librosa:
    """The same by librosa."""

    def __init__(self) -> None:
        import librosa

        self._librosa = librosa
        self._before = np.full((MEL_BINS, 1), -100.0)

    def push(self, samples: np.ndarray) -> list[Any]:
        """Hear a window (FFT,), or more samples at once."""
        librosa, feature = self._librosa, self._librosa.feature
        magnitudes = np.abs(librosa.stft(samples, n_fft=FFT, hop_length=HOP, center=False))
        power = magnitudes**2
        levels_db = librosa.power_to_db(feature.melspectrogram(S=power, sr=RATE_HZ, n_mels=MEL_BINS), top_db=None)
        past, self._before = self._before, levels_db[:, -1:]
        return [
            feature.rms(S=magnitudes, frame_length=FFT),
            feature.spectral_centroid(S=magnitudes, sr=RATE_HZ),
            feature.spectral_bandwidth(S=magnitudes, sr=RATE_HZ),
            feature.spectral_rolloff(S=magnitudes, sr=RATE_HZ),
            feature.spectral_flatness(S=magnitudes),
            librosa.onset.onset_strength(S=np.hstack([past, levels_db]), sr=RATE_HZ, center=False),
            feature.chroma_stft(S=power, sr=RATE_HZ, tuning=0.0),
            feature.mfcc(S=levels_db, n_mfcc=13),
        ]


def timed_ms(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    begun_s = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begun_s)


def measured(seconds: float) -> tuple[dict[str, np.ndarray], float]:
    """Milliseconds of each hop by name, and of one of librosa's when it has them all at once."""
    sound = music(seconds)
    mono = np.ascontiguousarray(sound.mean(axis=1))
    analyser, share, librosa = Analyser(RATE_HZ, 2), Share(), Librosa()
    begin = 100
    analyser.push(sound[: begin * HOP])
    share.push(mono[:FFT])
    librosa.push(mono[:FFT])

    def window(hop: int) -> np.ndarray:
        return mono[(hop + 1) * HOP - FFT : (hop + 1) * HOP]

    works: dict[str, Callable[[int], object]] = {
        f"ours, all {len(FEATURES)}": lambda hop: analyser.push(sound[hop * HOP : (hop + 1) * HOP]),
        "ours, librosa's share": lambda hop: share.push(window(hop)),
        "librosa": lambda hop: librosa.push(window(hop)),
    }
    spent: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(begin, len(sound) // HOP - TURN, TURN):
        for name, work in works.items():
            spent[name] += [timed_ms(lambda hop=hop, work=work: work(hop)) for hop in range(turn, turn + TURN)]  # type: ignore[misc]
    whole_ms = timed_ms(lambda: librosa.push(mono)) / (len(mono) // HOP)
    return {name: np.array(each) for name, each in spent.items()}, whole_ms


def main() -> int:
    """1 if a hop costs more than it may, or librosa's share by librosa not ten times what it costs here."""
    parser = argparse.ArgumentParser(description="What listening costs a hop, beside librosa.")
    parser.add_argument("--seconds", type=float, default=15.0, help="how much sound is heard (15)")
    seconds = max(2.0, parser.parse_args().seconds)
    if find_spec("librosa") is None:
        print("not measured: librosa is not installed; pip install -c constraints.txt librosa", file=sys.stderr)
        return 2
    spent, whole_ms = measured(seconds)
    per_frame = RATE_HZ / HOP / FRAMES_HZ
    print(f"{'':<24}{'median':>9}{'p90':>9}{'a frame':>10}   ms; {RATE_HZ} Hz, hop {HOP}, FFT {FFT}")
    for name, each in spent.items():
        median, slow = np.percentile(each, [50, 90])
        print(f"{name:<24}{median:>9.3f}{slow:>9.3f}{per_frame * each.mean():>10.3f}")
    everything, share, theirs = (float(np.median(each)) for each in spent.values())
    print(f"librosa takes {theirs / share:.1f} times as long for the same, {theirs / everything:.1f} times our all;")
    print(f"on the whole sound at once {whole_ms:.3f} ms a hop")
    return int(theirs / share < FASTER or everything > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main())
