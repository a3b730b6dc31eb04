"""Random excerpts of a data set as pictures, waveform above spectrogram, to see what a model will be given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from installation.training import pictures, sounds
from installation.training.pictures import Samples

EXCERPT_S = 5.0


def choose(paths: list[Path], count: int, rate_hz: int, rng: np.random.Generator) -> list[tuple[str, Samples]]:
    """`count` excerpts, (name and time, sound): from as many files as possible, where in them by chance."""
    order = [paths[place] for place in rng.permutation(len(paths))]
    chosen = []
    for number in range(count if paths else 0):
        path = order[number % len(order)]
        sound = sounds.read(path, rate_hz)
        size = int(EXCERPT_S * rate_hz)
        start = int(rng.integers(max(1, len(sound) - size + 1)))
        chosen.append((f"{path.name} from {start / rate_hz:.1f} s", sound[start : start + size]))
    return chosen


def draw(out: Path, paths: list[Path], count: int, rate_hz: int, seed: int) -> list[str]:
    """Write `excerpt-1.png` … to `out`; their names. Earlier ones are removed."""
    for old in out.glob("excerpt-*.png"):
        old.unlink()
    names = []
    for number, (title, sound) in enumerate(choose(paths, count, rate_hz, np.random.default_rng(seed)), 1):
        name = f"excerpt-{number}.png"
        pictures.draw_excerpt(out / name, title, sound, rate_hz)
        names.append(name)
    return names
