"""One endless path through latent space, out of the trajectories the search finds.

Trajectories follow one another without a break: from the last step of one the path glides to the first of the next.
What a person asked for is played first; then the newly bred, of the newest generation the most novel; when there are
none, one not heard lately is drawn.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.commands import Trajectory

Floats = npt.NDArray[np.float32]

REPERTOIRE = 128
"""Trajectories remembered, at the most."""
RECENT = 8
"""How many of those last played are not drawn again."""


@dataclass(frozen=True)
class Sounding:
    """What a step of the path is of: `step` of `steps` of the trajectory, and what the search knew of it."""

    trajectory: int
    step: int
    steps: int
    sparseness: float
    generation: int


@dataclass(frozen=True, eq=False)
class Turn:
    """What people turned: latent = mean + (path - mean) * scale + bias * deviation, but `frozen` ones stay at `kept`.

    All (latent_dim,); `frozen` is boolean, `kept` in latent units.
    """

    bias: Floats
    scale: Floats
    frozen: npt.NDArray[np.bool_]
    kept: Floats

    @classmethod
    def none(cls, latent_dim: int) -> Turn:
        """Nothing turned: the path as it is."""
        return cls(
            np.zeros(latent_dim, np.float32),
            np.ones(latent_dim, np.float32),
            np.zeros(latent_dim, np.bool_),
            np.zeros(latent_dim, np.float32),
        )

    def apply(self, path: Floats, mean: Floats, deviation: Floats) -> Floats:
        """`path` (…, latent_dim) as it is to be decoded."""
        turned = mean + (path - mean) * self.scale + self.bias * deviation
        return np.where(self.frozen, self.kept, turned).astype(np.float32)


class Player:
    """The path. `latent()` is its next step; time is counted in steps, chance is the generator given."""

    def __init__(self, first: Trajectory, rng: np.random.Generator) -> None:
        self._rng = rng
        self._current = first
        self._place = 0.0
        self._last: Floats = first.latents[0]
        self._glide_from = first.latents[0]
        self._glided = 1.0
        self._first: deque[Trajectory] = deque(maxlen=REPERTOIRE)
        self._fresh: deque[Trajectory] = deque(maxlen=REPERTOIRE)
        self._known: dict[int, Trajectory] = {}
        self._recent: deque[int] = deque([first.identity], maxlen=RECENT)
        self._unwanted = False
        self.played = 1

    @property
    def here(self) -> Floats:
        """The latent of the path last given, or its first."""
        return self._last

    def offer(self, trajectories: tuple[Trajectory, ...], replace: bool = False, first: bool = False) -> None:
        """Take newly bred trajectories into the repertoire, to be played soon; `replace` forgets the others, `first`
        plays these before all that wait, in their order."""
        if replace:
            self._known.clear()
            self._first.clear()
            self._fresh.clear()
        for each in trajectories:
            self._known.pop(each.identity, None)
            self._known[each.identity] = each
            if not (replace or first):
                self._fresh.append(each)
        if first:
            self._first.extendleft(reversed(trajectories))
        while len(self._known) > REPERTOIRE:
            self._known.pop(next(iter(self._known)))

    def drop(self, identities: tuple[int, ...]) -> None:
        """Forget these. If one of them is sounding the path glides to another at once, or as soon as there is one."""
        for identity in identities:
            self._known.pop(identity, None)
        self._unwanted = self._unwanted or self._current.identity in identities

    def latent(self, rate: float, glide_steps: float, hold: bool) -> tuple[Floats, Sounding]:
        """The next latent of the path, (latent_dim,), and what it is of. `rate` is steps of the trajectory a call."""
        if hold:
            self._glide_from, self._glided = self._last, 0.0
            return self._last, self._sounding()
        if self._place > len(self._current.latents) - 1 or (self._unwanted and self._known):
            self._glide_from, self._glided = self._last, 0.0
            self._current, self._place = self._choose(), 0.0
            self._unwanted = self._unwanted and not self._known
            self.played += 1
        path = self._read()
        if self._glided < 1.0:
            self._glided = min(1.0, self._glided + 1.0 / (glide_steps + 1.0))
            weight = self._glided * self._glided * (3.0 - 2.0 * self._glided)
            path = (self._glide_from + (path - self._glide_from) * weight).astype(np.float32)
            if self._place > 0.0 or self._glided >= 1.0:
                self._place += rate
        else:
            self._place += rate
        self._last = path
        return path, self._sounding()

    def stay(self, latent: Floats) -> None:
        """While held: hold this latent, the one that is heard, and glide from it when let go."""
        self._last = self._glide_from = latent

    def _read(self) -> Floats:
        latents = self._current.latents
        low = min(int(self._place), len(latents) - 1)
        high = min(low + 1, len(latents) - 1)
        fraction = self._place - low
        return np.asarray(latents[low] + (latents[high] - latents[low]) * fraction, np.float32)

    def _choose(self) -> Trajectory:
        wanted = self._waiting()
        if wanted is not None:
            self._recent.append(wanted.identity)
            return wanted
        rested = [identity for identity in self._known if identity not in self._recent]
        if not rested:
            rested = list(self._known)
        if not rested:
            return self._current
        identity = rested[int(self._rng.integers(len(rested)))]
        self._recent.append(identity)
        return self._known[identity]

    def _waiting(self) -> Trajectory | None:
        """The next of those asked for, or else of the newly bred, that is still known."""
        while self._first or self._fresh:
            if self._first:
                each = self._first.popleft()
            else:
                each = max(self._fresh, key=lambda fresh: (fresh.generation, fresh.sparseness))
                self._fresh.remove(each)
            if each.identity in self._known:
                return each
        return None

    def _sounding(self) -> Sounding:
        current = self._current
        step = min(int(self._place), len(current.latents) - 1)
        return Sounding(current.identity, step, len(current.latents), current.sparseness, current.generation)
