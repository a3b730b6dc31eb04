"""Whether there is anything to hear, with no threshold to set: against the floor of noise, which it learns."""

from __future__ import annotations

QUIETEST_DB, LOUDEST_DB = -70.0, -55.0
"""A floor of noise is within these: what is louder is sound, however steady, and no pause is too quiet for a note."""
RISE_DB = 1.0
"""How fast the floor rises where there is always more than it, in dB a second; it falls at once."""
BEGIN_DB, END_DB = 10.0, 6.0
"""Sound begins so much above the floor, and ends nearer to it than that."""
HOLD_S = 0.3


class Silence:
    """Pushed the K-weighted level of each hop. `silent`: there is no sound, nor was there in the last HOLD_S.
    `sounding`: there is sound in this very hop."""

    def __init__(self, hop_s: float) -> None:
        self._hop_s = hop_s
        self._floor_db = QUIETEST_DB
        self._left_s = 0.0
        self.silent = True
        self.sounding = False

    def push(self, level_db: float) -> bool:
        """One hop at `level_db`, the mean of the channels; whether it is silent after it."""
        self._floor_db = min(max(min(level_db, self._floor_db + RISE_DB * self._hop_s), QUIETEST_DB), LOUDEST_DB)
        self.sounding = level_db > self._floor_db + (BEGIN_DB if self.silent else END_DB)
        self._left_s = HOLD_S if self.sounding else max(0.0, self._left_s - self._hop_s)
        self.silent = self._left_s == 0.0
        return self.silent
