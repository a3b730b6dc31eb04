"""One film of a show that goes on: pictures and sound laid where they belong by their positions in the ring.

The film's time is the sound's: sample `start` is its first, and every sample after it follows. A picture comes with
the position heard when it was seen, whenever it comes, and lies on the nearest frame of the film's constant rate; what
stood before is repeated up to there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]

PATIENCE_S = 1.0
"""A picture that comes later than this after its sound finds its frame taken by the one before it."""
AHEAD_S = 0.5
"""So much sound waits for pictures. What the ring holds of the past may be little more than a second."""
YIELD = 0.1
"""So much further than half a frame a picture may lie from its place if it then keeps its distance from the one before.
Where two clocks of one rate slide past each other this spares a repeat and a drop each frame or two."""


class Sheet(Protocol):
    """What is written on: a `Film`."""

    def write_frame(self, pixels: Pixels) -> None: ...
    def repeat(self, count: int) -> None: ...
    def write_sound(self, block: Samples) -> None: ...


class Past(Protocol):
    """What sound is taken from: a `Ring`."""

    @property
    def written(self) -> int: ...
    @property
    def taken(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    def tap(self, end: int, count: int) -> Samples: ...


@dataclass(frozen=True)
class Waiting:
    """A picture that has its frame, `number`, but may yet move: `place` is where it belongs, in frames."""

    pixels: Pixels
    place: float
    number: int


class Reel:
    """Writes `film` from sample `start` on, at `fps` and `sample_rate_hz`, up to `frames_at_most`."""

    def __init__(self, film: Sheet, start: int, fps: float, sample_rate_hz: int, frames_at_most: int) -> None:
        self._film = film
        self.start = start
        self._fps, self._rate_hz = fps, sample_rate_hz
        self._frames_at_most = frames_at_most
        self._waiting: Waiting | None = None
        self._last: Waiting | None = None
        self.frames = self.repeated = self.dropped = self.lost = 0
        """Frames written; of these repeats; pictures without a frame; samples that could not be had in time."""
        self._heard = start

    @property
    def end(self) -> int:
        """The position after its last frame, if it gets as long as it may."""
        return self._position(self._frames_at_most)

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return self.frames / self._fps

    @property
    def complete(self) -> bool:
        """Whether its last sample is written."""
        return self._heard >= self.end

    def picture(self, pixels: Pixels, position: int) -> None:
        """A picture (height, width, 3 or 4), seen when `position` was heard; it is kept, and must not be changed."""
        place = (position - self.start) * self._fps / self._rate_hz
        number = self._number(place)
        before = self._waiting
        if number < self.frames or number >= self._frames_at_most or (before and number < before.number):
            self.dropped += 1
            return
        if before and number > before.number:
            self._write(before.pixels, before.number)
        elif before:
            self.dropped += 1
            if abs(place - number) >= abs(before.place - number):
                return
        self._waiting = self._last = Waiting(pixels, place, number)

    def follow(self, ring: Past, ending: bool = False) -> None:
        """Write the sound that was taken: under the pictures there are, so that both can end at once; and unless it is
        `ending` all that was taken AHEAD_S ago, whether a picture comes or not."""
        old = 0 if ending else ring.taken - round(AHEAD_S * self._rate_hz)
        self._follow(ring, min(ring.taken, max(self._covered, old)))

    def stand(self, heard: int) -> None:
        """No picture is on its way: repeat what stands, if none has come for long before `heard`."""
        behind_s = (heard - self.start) / self._rate_hz - PATIENCE_S
        self._stand(min(self._frames_at_most, math.floor(behind_s * self._fps)))

    def finish(self, ring: Past) -> None:
        """The last picture, and picture and sound to the same end; the film is then closed by whoever opened it."""
        if self._waiting:
            self._stand(self._waiting.number + 1)
        self._stand(min(self._frames_at_most, math.ceil((self._heard - self.start) * self._fps / self._rate_hz)))
        self.follow(ring, ending=True)

    def missing(self, ring: Past) -> int:
        """Samples that will be heard under the pictures there are, and were not taken yet."""
        return max(0, self._covered - ring.taken)

    @property
    def _covered(self) -> int:
        """The position after the last picture's frame."""
        return self._position(self._waiting.number + 1 if self._waiting else self.frames)

    def _follow(self, ring: Past, upto: int) -> None:
        step = max(1, ring.capacity // 4)
        upto = min(upto, self.end)
        while self._heard < upto:
            until = min(upto, self._heard + step)
            block = ring.tap(until, until - self._heard)
            self.lost += min(len(block), max(0, ring.written - ring.capacity - self._heard))
            self._film.write_sound(np.clip(block, -1.0, 1.0))
            self._heard = until

    def _number(self, place: float) -> int:
        """The frame nearest to `place`; or if that is near enough the one as far from the last picture's as it is."""
        if self._last:
            number = self._last.number + round(place - self._last.place)
            if abs(place - number) <= 0.5 + YIELD:
                return number
        return max(0, math.floor(place + 0.5))

    def _position(self, frame: int) -> int:
        """The position of a frame's first sample."""
        return self.start + round(frame * self._rate_hz / self._fps)

    def _stand(self, upto: int) -> None:
        """Let the picture that waits stand until frame `upto`."""
        if self._waiting and self._waiting.number < upto:
            self._write(self._waiting.pixels, self._waiting.number)
            self._waiting = None
        if not self._waiting and 0 < self.frames < upto:
            self._repeat(upto - self.frames)

    def _write(self, pixels: Pixels, number: int) -> None:
        """Lay a picture on frame `number`; on those before it what stood, and on a film's first ones itself."""
        if self.frames:
            self._repeat(number - self.frames)
        self._film.write_frame(pixels)
        self.frames += 1
        if self.frames <= number:
            self._repeat(number + 1 - self.frames)

    def _repeat(self, count: int) -> None:
        self._film.repeat(count)
        self.frames += count
        self.repeated += count
