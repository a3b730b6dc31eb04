"""Where the tables of `analysis.weights` come from: `python -m bench.beat_fit [--tracks N] [--seed N]` prints the file.

A classifier with one hidden layer: from the accents of a hop and of the two before to the kind of place in the bar the
hop is at, of tracks of the styles to be tuned on and mixtures of them (`tests.beat_styles`), by Adam (Kingma & Ba 2015)
on their cross entropy. How common a place is before anything is heard is taken off at the end, so that a score is the
logarithm of how much likelier it has become. The same words give the same tables.
"""

from __future__ import annotations

import argparse
import textwrap

import numpy as np
import numpy.typing as npt

from installation.analysis.accents import COUNT, Accents
from installation.analysis.metre import BEATS, PLACES, places
from installation.analysis.places import HEARD, KINDS
from installation.analysis.spectrum import HOP
from tests.beat_styles import TRAINING
from tests.beats import Track, tracks
from tests.tapping import mel_frames

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SEEN_HOPS = 0.7
"""How long after a beat falls the hop begins whose accents are its strike's."""
RARELY = 4
"""Of the hops between all places each so-many-th is enough."""
HIDDEN_UNITS = 32
ROUNDS, BATCH = 8, 1024
FASTEST, WARM = 0.01, 0.3
"""Adam's greatest step, and the share of the steps it grows for; then it shrinks to nothing."""
DECAY = 1e-3
"""Share of the weights that a step of 1 would take off them (AdamW, Loshchilov & Hutter 2019)."""
UNIT = 0.001


def heard(track: Track) -> Doubles:
    """What each hop is judged by, (hops, HEARD)."""
    accents, rate_hz = Accents(track.sample_rate_hz), track.sample_rate_hz
    frames = mel_frames(track.samples, rate_hz)[: len(track.samples) // HOP]
    now = np.array([accents.push(track.samples[n * HOP : (n + 1) * HOP], frame) for n, frame in enumerate(frames)])
    past = np.concatenate([np.zeros((2, COUNT)), now])
    return np.concatenate([now, past[1:-1], past[:-2], now**2, np.ones((len(now), 1))], axis=1)


def kinds(track: Track, hops: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The kind of place of each hop, and which hops to learn from, (hops,) each."""
    beats = track.beats_s * track.sample_rate_hz / HOP + SEEN_HOPS
    number = np.searchsorted(beats, np.arange(hops) + 0.5) - 1
    within = (number >= 0) & (number < len(beats) - 1)
    number = np.clip(number, 0, len(beats) - 2)
    since, beat = np.arange(hops) - beats[number], beats[number + 1] - beats[number]
    found = places(np.where(since < -0.5, since + beat, since), beat)
    common = (found == PLACES.index("between")) & (np.arange(hops) % RARELY > 0)
    return found + len(PLACES) * (number % BEATS), within & ~common


def slopes(weights: list[Floats], inputs: Floats, wanted: Ints) -> list[Floats]:
    """How the cross entropy grows with each of the weights."""
    within = np.maximum(inputs @ weights[0], 0)
    within[:, -1] = 1
    score = within @ weights[1]
    chance = np.exp(score - score.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    chance[np.arange(len(wanted)), wanted] -= 1
    chance /= len(wanted)
    back = chance @ weights[1].T * (within > 0)
    back[:, -1] = 0
    return [inputs.T @ back, within.T @ chance]


def fitted(inputs: Floats, wanted: Ints, rng: np.random.Generator) -> list[Floats]:
    """The weights of both layers, (HEARD, HIDDEN_UNITS + 1), (HIDDEN_UNITS + 1, KINDS): the last unit is always 1."""
    shapes = (HEARD, HIDDEN_UNITS + 1), (HIDDEN_UNITS + 1, KINDS)
    weights = [rng.normal(0, size[0] ** -0.5, size).astype(np.float32) for size in shapes]
    means, squares = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    steps = ROUNDS * (len(inputs) // BATCH)
    for step in range(steps):
        if step % (len(inputs) // BATCH) == 0:
            order = rng.permutation(len(inputs))
        those = order[BATCH * (step % (len(inputs) // BATCH)) :][:BATCH]
        done = step / steps
        rate = FASTEST * (done / WARM if done < WARM else (1 - done) / (1 - WARM))
        for w, mean, square, slope in zip(
            weights, means, squares, slopes(weights, inputs[those], wanted[those]), strict=True
        ):
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            due = mean / (1 - 0.9 ** (step + 1)) / (np.sqrt(square / (1 - 0.999 ** (step + 1))) + 1e-8)
            w -= np.float32(rate) * (due + np.float32(DECAY) * w)
    return weights


def tables(inputs: Floats, wanted: Ints) -> tuple[Doubles, Doubles]:
    """The weights for what is heard as it is: fitted with inputs of mean 0 and deviation 1, and turned back."""
    middle, spread = inputs.mean(axis=0, dtype=np.float64), inputs.std(axis=0, dtype=np.float64)
    middle[-1], spread[-1] = 0.0, 1.0
    hidden, out = fitted(((inputs - middle) / spread).astype(np.float32), wanted, np.random.default_rng(0))
    hidden = hidden[:, :-1] / spread[:, None]
    hidden[-1] -= (middle / spread) @ (hidden * spread[:, None])
    scores = out - out.mean(axis=1, keepdims=True)
    scores[-1] -= np.log(np.bincount(wanted, minlength=KINDS) / len(wanted))
    return hidden, scores


def written(table: Doubles) -> str:
    """A table as text, in thousandths."""
    return "\n".join(textwrap.wrap(" ".join(str(round(float(each) / UNIT)) for each in table.ravel()), 118))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=180)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    inputs, wanted = [], []
    for track in tracks(TRAINING, arguments.tracks, arguments.seed, mixed=True):
        judged = heard(track)
        found, used = kinds(track, len(judged))
        inputs.append(judged[used].astype(np.float32))
        wanted.append(found[used])
    hidden, scores = tables(np.concatenate(inputs), np.concatenate(wanted))
    print('"""The tables of `analysis.places`, printed by `python -m bench.beat_fit`: never by hand."""\n')
    print("from __future__ import annotations\n")
    print(f"UNIT = {UNIT}\n")
    print(f'HIDDEN = """\n{written(hidden)}\n"""\n\nWANTED = """\n{written(scores)}\n"""')


if __name__ == "__main__":
    main()
