"""The map of what the search knows as shaders see it: where each individual lies, and which is heard now."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.commands import Atlas
from installation.picture.heard import STALE_S
from installation.picture.shading.isf import Number

COLUMNS = 1024
"""Individuals the map has room for."""
GLIDE_S = 0.4
"""The time constant with which a place follows a new one, and `playing` the trajectory that is heard."""
HEAT_HALF_S = 8.0
"""After so long without being heard, an individual's heat is half."""
COLD_S = 16 * HEAT_HALF_S
"""After so long it is no heat that a half float could tell from none."""

Floats = npt.NDArray[np.float32]


class Chart:
    """Holds the last atlas taken and follows what is heard on it. Time is that of the moments and of the picture."""

    def __init__(self) -> None:
        self._identities: list[int] = []
        self._columns: dict[int, int] = {}
        self._texels = np.zeros((2, COLUMNS, 4), np.float32)
        self._goals: Floats = np.zeros((0, 4), np.float32)
        self._shown: Floats = np.zeros((0, 4), np.float32)
        """Of each its place and its parent's, x y x y: where they are to be, and where they are now."""
        self._played: dict[int, float] = {}
        self._playing = 0
        self._playing_at: tuple[float, float] | None = None
        self._heard_s = -math.inf
        self._now_s: float | None = None

    def take(self, atlas: Atlas) -> None:
        """Go over to `atlas`: the known glide to their places, newcomers from their parents'."""
        identities = atlas.identities[:COLUMNS].tolist()
        count = len(identities)
        self._goals = np.hstack([atlas.places[:COLUMNS], atlas.origins[:COLUMNS]]).astype(np.float32)
        shown = self._goals.copy()
        if self._identities:
            shown[:, :2] = self._goals[:, 2:]
            before = [self._columns.get(each, -1) for each in identities]
            kept = np.array(before, np.int64) >= 0
            shown[kept] = self._shown[np.array(before, np.int64)[kept]]
        self._shown, self._identities = shown, identities
        self._columns = {identity: column for column, identity in enumerate(identities)}
        self._texels[:] = 0.0
        self._texels[0, :count, 2] = atlas.sparseness[:COLUMNS]
        self._texels[0, :count, 3] = atlas.age[:COLUMNS]
        self._texels[1, :count, 2] = atlas.alive[:COLUMNS]

    def hear(self, time_s: float, trajectory: int) -> None:
        """This one is heard from that time on."""
        self._advance(time_s)
        self._heard_s, self._playing = time_s, trajectory
        if self._playing:
            self._played.pop(self._playing, None)
            self._played[self._playing] = time_s
            if len(self._played) > COLUMNS:
                self._cool(time_s)

    def texture(self, now_s: float) -> Floats:
        """(2, COLUMNS, 4): row 0 is x, y, sparseness and age of each, row 1 its parent's x and y, 1 if it is alive, and
        its heat, 1 while it is heard. What lies beyond `archiveCount` is 0."""
        self._advance(now_s)
        texels, count = self._texels.copy(), len(self._identities)
        texels[0, :count, :2], texels[1, :count, :2] = self._shown[:, :2], self._shown[:, 2:]
        for identity, played_s in self._played.items():
            column = self._columns.get(identity)
            if column is not None:
                texels[1, column, 3] = self._heat(identity, now_s - played_s)
        return texels

    def numbers(self, now_s: float) -> dict[str, Number]:
        """`archiveCount`, how many the map shows; `playing`, the place of the one that is heard, gliding from one to
        the next; `playingIndex`, its column, -1 if it is not on the map or nothing is heard."""
        self._advance(now_s)
        column = -1 if self._silent(now_s) else self._columns.get(self._playing, -1)
        return {
            "archiveCount": float(len(self._identities)),
            "playing": self._playing_at or (0.0, 0.0),
            "playingIndex": float(column),
        }

    def _advance(self, now_s: float) -> None:
        """Let everything glide until `now_s`; however that time is divided, it arrives at the same."""
        delta_s = max(0.0, now_s - (now_s if self._now_s is None else self._now_s))
        self._now_s = now_s if self._now_s is None else max(now_s, self._now_s)
        share = -math.expm1(-delta_s / GLIDE_S)
        self._shown += (self._goals - self._shown) * np.float32(share)
        column = self._columns.get(self._playing)
        if column is not None:
            goal: Any = self._goals[column, :2].tolist()
            x, y = self._playing_at or goal
            self._playing_at = (x + (goal[0] - x) * share, y + (goal[1] - y) * share)

    def _silent(self, now_s: float) -> bool:
        return now_s - self._heard_s > STALE_S

    def _heat(self, identity: int, since_s: float) -> float:
        if identity == self._playing and since_s <= STALE_S:
            return 1.0
        return 2.0 ** (-max(0.0, since_s) / HEAT_HALF_S) if since_s < COLD_S else 0.0

    def _cool(self, now_s: float) -> None:
        """Forget when those were played that are cold."""
        warm = {each: played_s for each, played_s in self._played.items() if now_s - played_s < COLD_S}
        self._played = dict(list(warm.items())[-COLUMNS // 2 :])
