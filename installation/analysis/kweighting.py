"""K-weighting (ITU-R BS.1770-4, annex 1): as an ear hears loudness, a head's shelf and a high pass.

The recommendation lists two biquads for 48 kHz; for other rates they are made anew from the analogue filters that give
these (De Man 2014). A hop is filtered at once: as blocks of a few samples, each from the four numbers the filter
remembers at its beginning, which for all blocks follow from those of the first, by matrices made once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.spectrum import HOP

Doubles = npt.NDArray[np.float64]

BLOCK = 32
"""Samples a block; HOP is a whole number of them."""
BLOCKS = HOP // BLOCK
MEMORY = 4
_LEAST = 1e-30


def shelf(sample_rate_hz: int) -> tuple[Doubles, Doubles]:
    """The first stage, +4 dB above 1.7 kHz: numerator and denominator, (3,) each."""
    tangent, quality = np.tan(np.pi * 1681.974450955533 / sample_rate_hz), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    below = np.array([1 + tangent / quality + tangent**2, 2 * (tangent**2 - 1), 1 - tangent / quality + tangent**2])
    slope = middle * tangent / quality
    above = np.array([high + slope + tangent**2, 2 * (tangent**2 - high), high - slope + tangent**2])
    return above / below[0], below / below[0]


def high_pass(sample_rate_hz: int) -> tuple[Doubles, Doubles]:
    """The second stage, 38 Hz: numerator and denominator, (3,) each."""
    tangent, quality = np.tan(np.pi * 38.13547087602444 / sample_rate_hz), 0.5003270373238773
    below = np.array([1 + tangent / quality + tangent**2, 2 * (tangent**2 - 1), 1 - tangent / quality + tangent**2])
    return np.array([1.0, -2.0, 1.0]), below / below[0]


def _system(sample_rate_hz: int) -> tuple[Doubles, Doubles, Doubles, float]:
    """Both stages as one linear system of MEMORY numbers: s' = A s + b x, y = c s + d x."""
    (b, a), (q, p) = shelf(sample_rate_hz), high_pass(sample_rate_hz)
    step = np.zeros((MEMORY, MEMORY))
    step[0, :2], step[1, 0] = (-a[1], 1.0), -a[2]
    first, second = q[1] - p[1] * q[0], q[2] - p[2] * q[0]
    step[2, [0, 2, 3]], step[3, [0, 2]] = (first, -p[1], 1.0), (second, -p[2])
    given = np.array([b[1] - a[1] * b[0], b[2] - a[2] * b[0], first * b[0], second * b[0]])
    return step, given, np.array([q[0], 0.0, 1.0, 0.0]), float(q[0] * b[0])


class KWeighting:
    """Pushed hops of `channels`; what it gives is the same whatever came in one hop or in many."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        step, given, taken, direct = _system(sample_rate_hz)
        powers = [np.linalg.matrix_power(step, n) for n in range(BLOCK + 1)]
        answer = np.array([direct, *(taken @ powers[n] @ given for n in range(BLOCK - 1))])
        late = np.subtract.outer(np.arange(BLOCK), np.arange(BLOCK))
        self._through: Doubles = np.where(late >= 0, answer[np.maximum(late, 0)], 0.0).T.copy()
        self._out: Doubles = np.array([taken @ powers[n] for n in range(BLOCK)]).T.copy()
        self._in: Doubles = np.array([powers[BLOCK - 1 - n] @ given for n in range(BLOCK)])
        self._carry, self._spread = _chained(powers[BLOCK])
        self._channels = channels
        self.restart()

    def restart(self) -> None:
        """Forget what was filtered."""
        self._memory: Doubles = np.zeros((self._channels, MEMORY))

    def push(self, hop: Doubles) -> Doubles:
        """Filter `hop` (HOP, channels); the mean squares of its blocks, summed over the channels, (BLOCKS,)."""
        blocks = np.ascontiguousarray(hop.T).reshape(-1, BLOCK)
        driven = (blocks @ self._in).reshape(self._channels, -1)
        states = self._memory @ self._carry + driven @ self._spread
        starts = np.concatenate([self._memory, states[:, :-MEMORY]], axis=1).reshape(-1, MEMORY)
        ends = states[:, -MEMORY:]
        self._memory = ends * (np.abs(ends) > _LEAST)
        heard = blocks @ self._through + starts @ self._out
        squares = np.einsum("bn,bn->b", heard, heard)
        return np.asarray(squares.reshape(self._channels, BLOCKS).sum(axis=0) / BLOCK)


def _chained(block: Doubles) -> tuple[Doubles, Doubles]:
    """What the memory after each of the BLOCKS blocks is of that before the first, (MEMORY, BLOCKS * MEMORY), and of
    what each block drives in, (BLOCKS * MEMORY, BLOCKS * MEMORY), for `block` the step of one."""
    powers = [np.linalg.matrix_power(block, n) for n in range(BLOCKS + 1)]
    carry = np.concatenate([powers[n + 1].T for n in range(BLOCKS)], axis=1)
    spread = np.zeros((BLOCKS, MEMORY, BLOCKS, MEMORY))
    for after in range(BLOCKS):
        for before in range(after + 1):
            spread[before, :, after, :] = powers[after - before].T
    return carry, spread.reshape(BLOCKS * MEMORY, BLOCKS * MEMORY)
