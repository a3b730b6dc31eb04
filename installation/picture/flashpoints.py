"""What the flash guard reckons: which points of the picture turned, where too many are spent, which blocks are held.

Plain arithmetic on a few thousand points of each frame, as they are displayed; see `flashguard` for what it is all for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from installation.picture.finishing import R2

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]
Values = npt.NDArray[np.int16]
Points = npt.NDArray[np.uint16]
"""(2, NUMBER): relative luminance, and R - G - B of linear light or nought; in ONE-ths. TINTED more where a red is
saturated."""
ONE, TINTED = 16384, 32768

BLOCKS = (15, 9)
"""Blocks across and up: 5 x 3 of them are a ninth of the picture, WCAG's 341 x 256 of 1024 x 768 px."""
POINTS = 5
"""Points across and up a block: 375 in a ninth; a quarter of it has 94, give or take 8."""
GRID = (BLOCKS[0] * POINTS, BLOCKS[1] * POINTS)
NUMBER = GRID[0] * GRID[1]
AREA = 60
"""Where a ninth of the picture has more spent points than these, it is held."""
TOGETHER = 60
"""More points of a ninth than these that flash at once are a flash of them all, of which there may be three."""
TOGETHER_S = 0.05
"""What turns no later than this after such a flash was part of it."""
TURNS = 6
"""A point turns freely as often as this in MEMORY_S: three flashes."""
MEMORY_S = 1.02
LEAST_LUMINANCE, LEAST_RED = 0.098, 0.06
"""What counts as a change, 0..1; WCAG's are .1 and 20/320."""
DARK = 0.8
"""The darker end of a flash is below this luminance."""
LUMINANCE = (0.2126, 0.7152, 0.0722)
SATURATED = 3.9
"""A red is saturated with so many times the rest; WCAG says .8 of all, which is four times."""
LATELY, LATELY_AT_MOST = 3.0, 9.0
"""Of the turns of what a held point wants so many are forgotten a second; it stays held while more than so many are
not, which is up to two seconds longer than they come as often."""
HELD_ALL_S = 1.9
"""All is held for so long where a ninth began to flash together once too often."""
FREE = 4
"""So many frames may be free at once."""
RECKONED_S = 32.0
"""After so long times are counted from anew."""

_LEAST = np.array([[round(LEAST_LUMINANCE * ONE)], [round(LEAST_RED * ONE)]], np.int16)
_DARK = np.array([[round(DARK * ONE)], [2 * ONE - 1]], np.int16)


def pixels(size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """(NUMBER, 2): where the points are in a picture of `size` px, the lowest row first. Spread as the R2 sequence is,
    so that no grating falls between them."""
    number = np.arange(NUMBER)
    at = np.stack([number % GRID[0], number // GRID[0]], axis=1)
    spread = number[:, None] * np.array(R2) % 1.0
    found: npt.NDArray[np.int64] = np.minimum((at + spread) / GRID * size, np.subtract(size, 1)).astype(np.int64)
    return found


def blocks_a_pixel(size: tuple[int, int]) -> Floats:
    """Across and up."""
    return np.asarray(np.divide(BLOCKS, size), np.float32)


def blocks(places: npt.NDArray[np.int64], size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """(NUMBER,): the block each pixel of a picture of `size` px lies in, reckoned as a shader does."""
    at = ((places.astype(np.float32) + np.float32(0.5)) * blocks_a_pixel(size)).astype(np.int64)
    found: npt.NDArray[np.int64] = at[:, 1] * BLOCKS[0] + at[:, 0]
    return found


NINTHS = (BLOCKS[1] - BLOCKS[1] // 3 + 1, BLOCKS[0] - BLOCKS[0] // 3 + 1)
"""Ninths that begin at a block, up and across."""


def _within(cells: int, ninths: int) -> Floats:
    """(ninths, cells): 1 where a row or column of points lies in a ninth."""
    begin = np.arange(ninths)[:, None] * POINTS
    return ((np.arange(cells) >= begin) & (np.arange(cells) < begin + cells // 3)).astype(np.float32)


_UP, _ACROSS = _within(GRID[1], NINTHS[0]), _within(GRID[0], NINTHS[1])
_MEMBERS = np.stack([np.flatnonzero(np.outer(up, across)) for up in _UP for across in _ACROSS])
"""(ninths, points of one): which they are."""


def by_ninth(points: Mask) -> Floats:
    """NINTHS: how many of `points` (NUMBER,) lie in each."""
    found: Floats = _UP @ points.reshape(GRID[::-1]).astype(np.float32) @ _ACROSS.T
    return found


class Extremes:
    """Per point, of luminance and of red, the extreme since it turned last, and the way it went there."""

    def __init__(self) -> None:
        self._extreme = np.zeros((2, NUMBER), np.int16)
        self._way = np.full((2, NUMBER), -1, np.int16)

    def follow(self, value: Values) -> npt.NDArray[np.intp]:
        """Where `value` (2, NUMBER) turned: indices into it as one row."""
        back = (self._extreme - value) * self._way
        turned = (back >= _LEAST) & (np.minimum(self._extreme, value) < _DARK)
        np.copyto(self._extreme, value, where=turned | (back < 0))
        found = np.flatnonzero(turned)
        self._way.ravel()[found] *= -1
        return found

    def copy(self, other: Extremes) -> None:
        """Be as the other is."""
        np.copyto(self._extreme, other._extreme)
        np.copyto(self._way, other._way)


class Slices:
    """Slices of time in which many points of a ninth flash at once, in luminance or in red, be it only once each."""

    def __init__(self) -> None:
        self._ends_s, self._fourth_s = np.full((2, len(_MEMBERS)), -np.inf)
        self._middles_s = np.full((3, len(_MEMBERS)), -np.inf)
        """The newest first. The start of a slice may be the end of another flash as well."""

    @property
    def times_s(self) -> tuple[npt.NDArray[Any], ...]:
        """All it counts time in."""
        return self._ends_s, self._fourth_s, self._middles_s

    def push(self, turns_s: Floats, now_s: float) -> None:
        """`turns_s` (2, NUMBER): when each point turned, and when the time before."""
        turned, flashed = (by_ninth(each > now_s - 1.0).ravel() > TOGETHER for each in turns_s)
        busy = np.flatnonzero(flashed | (turned & (self._middles_s[2] > now_s - 1.0)))
        if not len(busy):
            return
        since_s = np.maximum(self._ends_s[busy] + TOGETHER_S, now_s - 1.0)[:, None]
        last_s, pair_s = turns_s[:, _MEMBERS[busy]]
        flashed = pair_s > since_s
        count = np.count_nonzero(flashed, axis=1)
        over = count > TOGETHER
        for row in np.flatnonzero(over):
            over[row] = _at_once(pair_s[row, flashed[row]], last_s[row, flashed[row]]) > TOGETHER
        turned = np.count_nonzero(last_s > since_s, axis=1) > TOGETHER
        self._fourth_s[busy[turned & ~over & (self._middles_s[2, busy] > now_s - 1.0)]] = now_s
        if over.any():
            ages_s = np.sum(now_s - pair_s, axis=1, where=flashed)
            middles_s = now_s - ages_s[over] / count[over] / 2.0
            over = busy[over]
            self._middles_s[1:, over] = self._middles_s[:-1, over]
            self._middles_s[0, over], self._ends_s[over] = middles_s, now_s

    def free(self, now_s: float) -> int:
        """In how many frames a fourth can't have begun, whatever comes."""
        lately = int(np.count_nonzero(self._middles_s.max(axis=1) > now_s - 1.0))
        return min(FREE, len(self._middles_s) + 1 - lately)

    def too_many(self, now_s: float) -> bool:
        """Whether a fourth began in one second anywhere, lately."""
        return bool(self._fourth_s.max() > now_s - HELD_ALL_S)


class FlashPoints:
    """Follows the points of a film. Before its first frame there is darkness."""

    def __init__(self) -> None:
        self._shown, self._wish = Extremes(), Extremes()
        self._held: Mask | None = None
        self._now_s = 0.0
        self._began_s = 0.0
        """What times count from, so that they stay exact in half the memory."""
        self._turns_s = np.full((TURNS, 2 * NUMBER), -np.inf, np.float32)
        """When each point turned, the newest first."""
        self._lately, self._counted_s = np.zeros((2, 2 * NUMBER), np.float32)
        """How often what is wanted turned, leaking, and when that was counted."""
        self._tinted, self._before = np.zeros((2, NUMBER), bool)
        self._missed_s = np.full(NUMBER, -np.inf, np.float32)
        """Whether a saturated red came by since the last turn of red, whether one did before it, and when that turn
        was, if it was not noted."""
        self._slices = Slices(), Slices()

    def push(self, now_s: float, shown: Points, wanted: Points, held: Mask | None) -> None:
        """A frame: `shown` is what was seen at `now_s`. If some of it was `held` (NUMBER,), `wanted` is what was to be
        seen."""
        now_s = self._counted(now_s)
        value, saturated = _parted(shown)
        turned = self._shown.follow(value)
        self._note(turned, saturated, now_s)
        if held is not None:
            if self._held is None:
                self._wish.copy(self._shown)
            turned = self._wish.follow(_parted(wanted)[0])
        self._held = held
        self._lately[turned] = np.minimum(self._leaked(turned, now_s) + 1.0, LATELY_AT_MOST)
        self._counted_s[turned] = self._now_s = now_s
        for slices, turns_s in zip(self._slices, np.split(self._turns_s[:2], 2, axis=1), strict=True):
            slices.push(turns_s, now_s)

    def hold(self) -> Mask | None:
        """The blocks that the next frame is to be held in (rows, columns), lowest row first; None if it is free."""
        if any(each.too_many(self._now_s) for each in self._slices):
            return np.ones(BLOCKS[::-1], bool)
        return _hold(self._spent())

    def free(self) -> int:
        """If the next frame is free: how many are, whatever comes; FREE at most. In each frame a point turns once, and
        a turn of red is noted twice if the one before it was not; and many of them may be a slice."""
        since_s = self._now_s - MEMORY_S
        for frames in range(min(each.free(self._now_s) for each in self._slices), 1, -1):
            light, red = self._turns_s[TURNS - frames], self._turns_s[TURNS - 2 - frames]
            if by_ninth((light[:NUMBER] > since_s) | (red[NUMBER:] > since_s)).max() <= AREA:
                return frames
        return 1

    def _counted(self, now_s: float) -> float:
        """`now_s` as times are counted here."""
        if now_s - self._began_s > RECKONED_S:
            slices = (times_s for each in self._slices for times_s in each.times_s)
            for each in (self._turns_s, self._counted_s, self._missed_s, *slices):
                each -= now_s - self._began_s
            self._began_s = now_s
        return now_s - self._began_s

    def _leaked(self, points: Any, now_s: float) -> Floats:
        """What is left of `_lately` at these points."""
        left: Floats = np.maximum(self._lately[points] - LATELY * (now_s - self._counted_s[points]), 0.0)
        return left

    def _note(self, turned: npt.NDArray[np.intp], saturated: Mask, now_s: float) -> None:
        """These points turned. A red flash is a pair of turns of which one is tinted: the other counts too, though it
        came first."""
        self._tinted |= saturated
        light = turned[: np.searchsorted(turned, NUMBER)]
        red = turned[len(light) :] - NUMBER
        tinted = self._tinted[red]
        late = red[tinted & (self._missed_s[red] > -np.inf)]
        self._stamp(late + NUMBER, self._missed_s[late])
        noted = tinted | self._before[red]
        self._stamp(np.concatenate([light, red[noted] + NUMBER]), now_s)
        self._missed_s[red] = np.where(noted, -np.inf, now_s)
        self._before[red], self._tinted[red] = tinted, saturated[red]

    def _stamp(self, points: npt.NDArray[np.intp], time_s: float | Floats) -> None:
        if len(points):
            self._turns_s[1:, points] = self._turns_s[:-1, points]
            self._turns_s[0, points] = time_s

    def _spent(self) -> Mask:
        """The points that have turned as often as they may, or would if they were let; in red one turn sooner, for that
        a held picture may make by itself."""
        since_s = self._now_s - MEMORY_S
        spent = np.concatenate([self._turns_s[-1, :NUMBER] > since_s, self._turns_s[-2, NUMBER:] > since_s])
        if self._held is not None:
            spent |= np.tile(self._held, 2) & (self._leaked(slice(None), self._now_s) > LATELY)
        both: Mask = spent[:NUMBER] | spent[NUMBER:]
        return both


def _at_once(starts_s: Floats, ends_s: Floats) -> int:
    """Of flashes that start and end then, how many are under way at once, at the most."""
    starts_s, ends_s = np.sort(starts_s), np.sort(ends_s)
    return int((np.arange(1, len(starts_s) + 1) - np.searchsorted(ends_s, starts_s, side="right")).max())


def _parted(points: Points) -> tuple[Values, Mask]:
    """(2, NUMBER) luminance and redness, and whether that is of a saturated red."""
    return (points & (TINTED - 1)).view(np.int16), points[1] >= TINTED


def _hold(spent: Mask) -> Mask | None:
    """A block is held where it, or one beside it, has a spent point and lies in a ninth that has too many."""
    if np.count_nonzero(spent) <= AREA:
        return None
    over = by_ninth(spent) > AREA
    if not over.any():
        return None
    counts = spent.reshape(BLOCKS[1], POINTS, BLOCKS[0], POINTS).any(axis=(1, 3))
    near: Any = sliding_window_view(np.pad(counts, 1), (3, 3)).any(axis=(2, 3))
    ninth = (BLOCKS[1] // 3, BLOCKS[0] // 3)
    covered = sliding_window_view(np.pad(over, [(side - 1, side - 1) for side in ninth]), ninth).any(axis=(2, 3))
    held: Mask = near & covered
    return held
