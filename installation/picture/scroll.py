"""Rows that scroll, the newest first, without moving them each time one is added."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[Any]


class Scroll:
    """The last `length` rows of `shape`, zeros before there were any. They lie in an array twice as long, which is
    filled backwards: only when it is full are they moved, to its end."""

    def __init__(self, length: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.length = length
        self.count = 0
        """Rows ever added."""
        self._held: Rows = np.zeros((2 * length, *shape), dtype)
        self._first = length

    @property
    def rows(self) -> Rows:
        """The last `length`, newest first: a view, as it is until the next `push`."""
        return self._held[self._first : self._first + self.length]

    def push(self, rows: Rows) -> None:
        """Add `rows`, oldest first."""
        self.count += len(rows)
        rows = rows[-self.length :]
        if len(rows) > self._first:
            self._held[self.length :] = self.rows
            self._first = self.length
        self._first -= len(rows)
        self._held[self._first : self._first + len(rows)] = rows[::-1]

    def since(self, count: int) -> Rows:
        """Those added since it had `count`, as many as are held, oldest first."""
        return self.rows[: min(self.length, self.count - count)][::-1]
