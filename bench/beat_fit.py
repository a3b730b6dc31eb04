"""Where the table of `analysis.places` comes from: `python -m bench.beat_fit [--tracks N] [--seed N]` prints it anew.

A logistic regression: from the accents of a hop and of the two before to the kind of place in the beat the hop is at,
of tracks of the styles to be tuned on and mixtures of them (`tests.beat_styles`). How common a place is before anything
is heard is taken off, so that a score is the logarithm of how much likelier it has become.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from installation.analysis.accents import COUNT, Accents
from installation.analysis.metre import BEATS, PLACES, places
from installation.analysis.places import HEARD
from installation.analysis.spectrum import HOP
from tests.beat_styles import TRAINING
from tests.beats import Track, tracks
from tests.tapping import mel_frames

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

KINDS = BEATS * len(PLACES)
SEEN_HOPS = 0.7
"""How long after a beat falls the hop begins whose accents are its strike's."""
RARELY = 4
"""Of the hops between all places each so-many-th is enough."""
DECAY = 1e-5
"""What large weights cost."""
ROUNDS = 150


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


def fitted(inputs: Floats, wanted: Ints) -> Doubles:
    """The weights, (HEARD, KINDS)."""
    middle, spread = inputs.mean(axis=0), inputs.std(axis=0)
    middle[-1], spread[-1] = 0.0, 1.0
    scaled = (inputs - middle) / spread
    truth = np.eye(KINDS, dtype=np.float32)[wanted]

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(HEARD, KINDS).astype(np.float32)
        score = scaled @ weights
        score -= score.max(axis=1, keepdims=True)
        chance = np.exp(score)
        chance /= chance.sum(axis=1, keepdims=True)
        cost = -np.log(chance[np.arange(len(wanted)), wanted]).mean() + DECAY * (weights**2).sum()
        slope = scaled.T @ (chance - truth) / len(wanted) + 2 * DECAY * weights
        return float(cost), slope.ravel().astype(np.float64)

    found = minimize(loss, np.zeros(HEARD * KINDS), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    weights = found.x.reshape(HEARD, KINDS)
    table = weights / spread[:, None]
    table[-1] -= (middle / spread) @ weights + np.log(np.bincount(wanted, minlength=KINDS) / len(wanted))
    return np.asarray(table - table.mean(axis=1, keepdims=True))


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
    for row in np.round(1000 * fitted(np.concatenate(inputs), np.concatenate(wanted))).astype(int):
        print(*row)


if __name__ == "__main__":
    main()
