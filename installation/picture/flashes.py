"""How often a film flashes, by the letter of WCAG 2.2, success criterion 2.3.1, from the pixels that were seen. A judge
that knows nothing of the flash guard: slow, and exact.

A general flash is a pair of opposing changes in relative luminance by 10 % or more of the maximum, the darker state
below .80; a red flash is a pair of opposing changes to or from a saturated red, R / (R + G + B) >= .8, in which
(R - G - B) x 320, nought where negative, changes by more than 20 (so until WCAG 2.1; 2.2 names a distance of .2 in the
CIE 1976 chromaticity diagram, which in reds so dark that it sees more, nobody does). Three of a kind in one second are
allowed, and any number on up to a quarter of any block of 341 x 256 in a picture of 1024 x 768 px.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

ALLOWED = 3
"""Flashes of a kind in one second."""
ALLOWED_TURNS = 2 * ALLOWED
"""Changes of so many flashes; a seventh in the same second is one too many."""
AREA = 0.25
PLACES = 9
"""Across and down, how many blocks are looked at for flashes of many pixels together: at steps of a quarter of one."""
TOGETHER_S = 0.05
"""What changes no later than this after a flash of many pixels was part of it."""
SLACK_S = 1e-6
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255.0], np.float32
)


@dataclass(frozen=True)
class Sight:
    """What the second before a frame held. `general` and `red`: the largest share, 0..1, of any block whose pixels each
    flashed more than three times. `general_flashes` and `red_flashes`: how often, one after the other, more than a
    quarter of a block flashed concurrently, whichever pixels they were."""

    general: float = 0.0
    red: float = 0.0
    general_flashes: int = 0
    red_flashes: int = 0

    @property
    def allowed(self) -> bool:
        """Whether it may be shown in public."""
        return max(self.general, self.red) <= AREA and max(self.general_flashes, self.red_flashes) <= ALLOWED


class Turns:
    """Per place, when a signal last turned by a change of `least` or more: a stack of the last seven times, newest
    first. Counting is greedy: each turn is noted as soon as the change is large enough, and only if it or the one next
    to it is to or from a marked state. Before the first picture there is darkness."""

    def __init__(self, shape: tuple[int, int], least: float, all_marked: bool) -> None:
        self._least = least
        self.times_s = np.full((ALLOWED_TURNS + 1, *shape), -np.inf)
        self._low, self._high = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._low_marked, self._high_marked = np.full(shape, all_marked), np.full(shape, all_marked)
        self._way = np.zeros(shape, np.int8)
        self._last_s = np.full(shape, -np.inf)
        self._last_marked = np.zeros(shape, bool)
        self._last_noted = np.ones(shape, bool)

    def push(self, value: Floats, dark: float, marked: Mask | None, now_s: float) -> None:
        """`value` as it is at `now_s`; a change counts where its lower end is below `dark`. Without `marked`, every
        state is."""
        here = np.ones(value.shape, bool) if marked is None else marked
        self._low_marked = np.where(value < self._low, here, self._low_marked)
        self._high_marked = np.where(value > self._high, here, self._high_marked)
        self._low, self._high = np.minimum(self._low, value), np.maximum(self._high, value)
        up = (self._way <= 0) & (value - self._low >= self._least) & (self._low < dark)
        down = (self._way >= 0) & (self._high - value >= self._least) & (value < dark)
        self._note(up | down, here | np.where(up, self._low_marked, self._high_marked), now_s)
        turned = up | down
        self._way = np.where(up, 1, np.where(down, -1, self._way)).astype(np.int8)
        self._low = np.where(turned, value, self._low)
        self._high = np.where(turned, value, self._high)
        self._low_marked = np.where(turned, here, self._low_marked)
        self._high_marked = np.where(turned, here, self._high_marked)

    def _note(self, turned: Mask, marked: Mask, now_s: float) -> None:
        """These turn at `now_s`, `marked` ones to or from a marked state."""
        late = turned & marked & ~self._last_noted
        self._stack(late, self._last_s)
        noted = turned & (marked | self._last_marked)
        self._stack(noted, np.full(turned.shape, now_s))
        self._last_s = np.where(turned, now_s, self._last_s)
        self._last_marked = np.where(turned, marked, self._last_marked)
        self._last_noted = np.where(turned, noted, self._last_noted)

    def _stack(self, where: Mask, times_s: npt.NDArray[np.float64]) -> None:
        self.times_s[1:, where] = self.times_s[:-1, where]
        self.times_s[0, where] = times_s[where]


class _Block:
    """A part of the picture, and the flashes in which more than a quarter of it took part concurrently."""

    def __init__(self, rows: slice, columns: slice) -> None:
        self.place = (1, rows, columns)
        self._starts_s: list[float] = []
        self._end_s = -np.inf

    def push(self, turns: Turns, now_s: float) -> int:
        """How many lie in the second before `now_s`. One is over as soon as enough pixels have turned twice since the
        one before was, so that at some moment all these were between their two turns; it began when the last did."""
        began_s = turns.times_s[self.place]
        enough = int(AREA * began_s.size) + 1
        flashed = began_s > max(self._end_s + TOGETHER_S, now_s - 1.0)
        if np.count_nonzero(flashed) >= enough:
            starts_s, ends_s = np.sort(began_s[flashed]), np.sort(turns.times_s[0][self.place[1:]][flashed])
            together = np.arange(1, len(starts_s) + 1) - np.searchsorted(ends_s, starts_s, side="right")
            if together.max() >= enough:
                self._starts_s.append(float(starts_s[-enough]))
                self._end_s = now_s
        self._starts_s = [each for each in self._starts_s if each > now_s - 1.0 + SLACK_S]
        return len(self._starts_s)


class _Kind:
    """General flashes or red ones."""

    def __init__(self, size: tuple[int, int], least: float, all_marked: bool) -> None:
        self._turns = Turns(size, least, all_marked)
        self._size = (max(1, round(size[0] / 3)), max(1, round(size[1] / 3)))
        rows, columns = (
            [slice(start, start + part) for start in np.unique(np.linspace(0, side - part, PLACES).astype(int))]
            for side, part in zip(size, self._size, strict=True)
        )
        self._blocks = [_Block(row, column) for row in rows for column in columns]

    def push(self, value: Floats, dark: float, marked: Mask | None, now_s: float) -> tuple[float, int]:
        """The share and the flashes of `Sight`."""
        self._turns.push(value, dark, marked, now_s)
        often = self._turns.times_s[ALLOWED_TURNS] > now_s - 1.0 + SLACK_S
        return float(shares(often, self._size).max()), max(each.push(self._turns, now_s) for each in self._blocks)


class Judge:
    """Looks at one frame after another of a film."""

    def __init__(self) -> None:
        self._kinds: tuple[_Kind, _Kind] | None = None

    def push(self, rgb: npt.NDArray[np.uint8], now_s: float) -> Sight:
        """The frame seen at `now_s`: (height, width, 3), 0..255 as it is displayed."""
        if self._kinds is None:
            size = (rgb.shape[0], rgb.shape[1])
            self._kinds = _Kind(size, 0.1, True), _Kind(size, 20.0 / 320.0, False)
        light = _LINEAR[rgb]
        redness = np.maximum(0.0, light[..., 0] - light[..., 1] - light[..., 2])
        total = light.sum(axis=2)
        saturated = (light[..., 0] >= 0.8 * total) & (total > 0.0)
        general, general_flashes = self._kinds[0].push(light @ _LUMINANCE, 0.8, None, now_s)
        red, red_flashes = self._kinds[1].push(redness, np.inf, saturated, now_s)
        return Sight(general, red, general_flashes, red_flashes)


def judged(film: Iterable[npt.NDArray[np.uint8]], times_s: Iterable[float]) -> Sight:
    """The worst of every kind that `film`, frames (height, width, 3) seen at `times_s`, shows anywhere."""
    judge = Judge()
    sights = [judge.push(rgb, now_s) for rgb, now_s in zip(film, times_s, strict=True)]
    return Sight(
        max(each.general for each in sights),
        max(each.red for each in sights),
        max(each.general_flashes for each in sights),
        max(each.red_flashes for each in sights),
    )


def shares(mask: Mask, block: tuple[int, int]) -> Floats:
    """The share, 0..1, of `mask` that is set in every place a block of (height, width) px has in it."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    height, width = block
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    return (inside / np.float32(height * width)).astype(np.float32)
