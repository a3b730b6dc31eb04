"""How well the beat is found: `python -m bench.beat [--tracks N] [--seed N] [--training] [--rate HZ]`, three tables.

Music whose beats are known, of styles the tracker was not tuned on (`tests.beat_styles`), is heard by ours and, where
it is installed, by aubio (`pip install aubio-ledfx`, GPL: a peer for this bench, never a dependency). Of each track the
F-measure (±70 ms, the first 5 s not counted), how late its beats are announced in the mean, and whether the tempo at
its end is within 2 %. Then how many beats each finds in 30 s of what has none, and what ours costs.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from installation.analysis.beat import Beat
from installation.analysis.spectrum import FFT, HOP
from tests.beat_styles import HELD_OUT, TRAINING
from tests.beats import Track, beatless, tracks
from tests.tapping import f_measure, listen, mel_frames

Doubles = npt.NDArray[np.float64]

TEMPO_SHARE = 0.02
SCORED = 0.5
"""Lateness says nothing of a track whose beats were not found."""

Tapper = Callable[[Doubles, int], tuple[Doubles, float]]
"""Samples and their rate → when beats were announced, in s, and the tempo at the end, in BPM."""


@dataclass(frozen=True)
class Score:
    """Of one track: F-measure, mean lateness in ms, and whether the tempo was right."""

    f: float
    late_ms: float
    tempo: bool


def ours(samples: Doubles, rate_hz: int) -> tuple[Doubles, float]:
    """This project's tracker."""
    found = listen(samples, rate_hz)
    return found.beats_s, float(found.course[-1, 2])


def aubios(samples: Doubles, rate_hz: int) -> tuple[Doubles, float]:
    """aubio's, at its own settings. When a beat fell is what it says itself, not the end of the hop it says so in."""
    import aubio

    tempo = aubio.tempo("default", FFT // 2, HOP, rate_hz)
    hops = np.asarray(samples[: len(samples) // HOP * HOP], np.float32).reshape(-1, HOP)
    return np.array([float(tempo.get_last_s()) for hop in hops if tempo(hop)[0]]), float(tempo.get_bpm())


def tappers() -> dict[str, Tapper]:
    """Those there are."""
    found: dict[str, Tapper] = {"ours": ours}
    if find_spec("aubio"):
        found["aubio"] = aubios
    else:
        print("aubio: not measured: it is not installed here (pip install aubio-ledfx)")
    return found


def scored(track: Track, tapper: Tapper) -> Score:
    """How one did on one track."""
    beats_s, bpm = tapper(track.samples, track.sample_rate_hz)
    f, late_s = f_measure(track.beats_s, beats_s)
    late_ms = 1000 * float(late_s.mean()) if f > SCORED else float("nan")
    return Score(f, late_ms, abs(bpm / track.bpm - 1) < TEMPO_SHARE)


def cost_ms(samples: Doubles, rate_hz: int) -> tuple[float, float]:
    """Mean and 99th percentile of a push, in ms of the processor, whatever else it does meanwhile."""
    beat, spent = Beat(rate_hz), []
    for n, mels_db in enumerate(mel_frames(samples, rate_hz)[: len(samples) // HOP]):
        begun_s = time.thread_time()
        beat.push(samples[n * HOP : (n + 1) * HOP], mels_db, True)
        spent.append(1000 * (time.thread_time() - begun_s))
    return float(np.mean(spent)), float(np.percentile(spent, 99))


def row(*cells: object) -> str:
    """One line of a table."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def heading(*cells: str) -> str:
    """The first two lines of a table."""
    return f"\n{row(*cells)}\n{row(*['---'] * len(cells))}"


def summary(name: str, scores: list[Score]) -> str:
    """One row: of all tracks of a name."""
    late_ms = [each.late_ms for each in scores if np.isfinite(each.late_ms)] or [float("nan")]
    f = [each.f for each in scores]
    tempo = np.mean([each.tempo for each in scores])
    late = f"{np.mean(late_ms):+.1f}", f"{np.median(np.abs(late_ms)):.1f}"
    return row(name, len(scores), f"{np.mean(f):.3f}", f"{np.median(f):.3f}", *late, f"{tempo:.0%}")


def on_music(those: Iterator[Track], found: dict[str, Tapper]) -> None:
    """The tables of tracks, and of trackers and styles."""
    scores: dict[str, list[Score]] = {name: [] for name in found}
    styles: dict[tuple[str, str], list[Score]] = defaultdict(list)
    print(heading("track", *[f"{what}, {name}" for name in found for what in ("F", "late, ms")]))
    for track in those:
        cells = []
        for name, tapper in found.items():
            score = scored(track, tapper)
            scores[name].append(score)
            styles[track.name.split(",")[0], name].append(score)
            cells += [f"{score.f:.2f}", f"{score.late_ms:+.0f}" if np.isfinite(score.late_ms) else "–"]
        print(row(track.name, *cells), flush=True)
    print(heading("", "tracks", "F", "median F", "late, ms", "median of its size", "tempo"))
    for name in found:
        print(summary(name, scores[name]))
    for (style, name), of_style in sorted(styles.items()):
        print(summary(f"{style}, {name}", of_style))


def on_noise(rate_hz: int, found: dict[str, Tapper]) -> None:
    """The table of what has no beat."""
    print(heading("beats in 30 s of", *found))
    for name, samples in beatless(rate_hz).items():
        print(row(name, *[len(tapper(samples, rate_hz)[0]) for tapper in found.values()]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=int, default=44_100, help="samples a second")
    parser.add_argument("--training", action="store_true", help="the styles it was tuned on, and mixtures of them")
    arguments = parser.parse_args()
    found = tappers()
    styles = TRAINING if arguments.training else HELD_OUT
    on_music(tracks(styles, arguments.tracks, arguments.seed, arguments.rate, mixed=arguments.training), found)
    on_noise(arguments.rate, found)
    mean_ms, worst_ms = cost_ms(beatless(arguments.rate)["pink noise"], arguments.rate)
    print(f"\nours takes {mean_ms:.3f} ms of a processor a hop in the mean, {worst_ms:.3f} ms at the 99th percentile")


if __name__ == "__main__":
    main()
