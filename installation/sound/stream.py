"""The ring's writer: the lanes' sound, added up, through the guard and into the ring, a block at a time.

Every part's memory is a value held outside it, so what is still in the ring can be made again. When a knob is turned,
its lane's step now sounding is decoded again from its own start with the latents as they are now, and what follows it;
the sum goes through the guard again from where that step began, and replaces what the ring holds from just ahead of
the card on, across a short crossfade. So the ring can hold enough to survive a busy machine, and a knob is heard within
the card's own latency. The same holds for what the input plays.

Lanes may come and go while others sound: one that comes begins where the ring ends, and both fade with equal power.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.ring import Ring
from installation.sound.click import clicks
from installation.sound.fade import Fade
from installation.sound.guard import Guard
from installation.sound.lane import Lane
from installation.sound.mixer import FADE_S

Floats = npt.NDArray[np.float32]

BLOCK = 2048
"""Samples of one block: a multiple of the guard's."""
AT_ONCE_S = 0.06
"""So much is made again before a turned knob is heard; what was held beyond is taken back, and made after that."""
HEARD_S = 0.5
"""Steps are remembered for so long after they were taken, for the ear to ask what it heard."""


@dataclass(frozen=True, eq=False)
class Block:
    """A block in the ring: where it begins, and what the guard remembered before it."""

    begin: int
    guard: Any

    @property
    def end(self) -> int:
        return self.begin + BLOCK


class Stream:
    """Keeps `ahead` samples in the ring. One process, one thread."""

    def __init__(self, ring: Ring, ahead: int) -> None:
        self._ring = ring
        self._guard = Guard(ring.channels, ring.sample_rate_hz)
        self._guarded = self._guard.start()
        self._crossfade = np.linspace(0.0, 1.0, int(FADE_S * ring.sample_rate_hz), dtype=np.float32)[:, None]
        self._blocks: deque[Block] = deque()
        self._at_once = int(AT_ONCE_S * ring.sample_rate_hz)
        self._responded = -1
        self.lanes: list[Lane] = []
        self.ahead = ahead
        self.rewrites = 0
        self.torn = 0
        """Rewrites the card came in the midst of."""
        self.broken_blocks = 0
        self.clicks = False
        """Whether a click each second takes the place of all else."""

    def add(self, lane: Lane, crossfade: int = 0) -> None:
        """Let `lane`, which begins where the ring ends, be heard, rising for `crossfade` samples."""
        if crossfade:
            lane.rise = Fade(lane.begin, crossfade, rises=True)
        self.lanes.append(lane)

    def retire(self, lane: Lane, crossfade: int) -> None:
        """Let `lane` fall for `crossfade` samples from where the ring ends, and go."""
        lane.fall = Fade(self._ring.written, max(1, crossfade), rises=False)

    def fill(self, most: int = 8) -> int:
        """Write blocks until `ahead` samples are held, `most` of them a call; how many were written."""
        self._forget()
        written = 0
        while written < most and self._ring.ahead < self.ahead:
            begin = self._ring.written
            for lane in self.lanes:
                lane.reach(begin + BLOCK)
            self._blocks.append(Block(begin, self._guarded))
            block, self._guarded = self._guard_block(begin, self._guarded)
            self._ring.write(block)
            written += 1
        return written

    def respond(self, margin: Callable[[], int]) -> bool:
        """After a lane was turned: make again what the ring holds from just ahead of the card on, at most once a block
        of the card. `margin` says how many samples beyond `taken` the card will leave alone for the next
        millisecond. Whether it did."""
        turned = [lane for lane in self.lanes if lane.turned]
        if not turned or self._ring.taken == self._responded:
            return False
        self._responded = self._ring.taken
        saved = [(lane, lane.saved()) for lane in turned]
        if self._splice(turned, margin):
            self.rewrites += 1
            return True
        for lane, held in saved:
            lane.restore(held)
            lane.settle()
        return False

    def restart(self) -> None:
        """Panic: clean decoders and silence, fading in again; what the ring holds is made again from just ahead."""
        for lane in self.lanes:
            lane.restart()

    def _splice(self, turned: list[Lane], margin: Callable[[], int]) -> bool:
        """Make the lanes `turned` again, and the blocks they are heard in, and replace the ring from just ahead of
        where the card has come to meanwhile. Whether there was still room to: if not, the next block has the knobs."""
        splice, written = self._ring.taken + margin(), self._ring.written
        if splice >= written:
            return False
        until = min(written, splice + self._at_once)
        changed = min(lane.remake(splice, until) for lane in turned)
        late = [block for block in self._blocks if block.begin >= until]
        again = [block for block in self._blocks if block.end > changed and block.begin < until]
        if not again or again[0].begin > changed:
            return False
        until = again[-1].end
        for lane in self.lanes:
            lane.reach(until)
        made, guarded, blocks = [], again[0].guard, []
        for block in again:
            blocks.append(Block(block.begin, guarded))
            sound, guarded = self._guard_block(block.begin, guarded)
            made.append(sound)
        line, length = np.concatenate(made), len(self._crossfade)
        splice = self._ring.taken + margin()
        if splice + length > until:
            return False
        old = self._ring.tap(splice + length, length)
        new = line[splice - again[0].begin :]
        new[:length] = old + (new[:length] - old) * self._crossfade
        self._ring.rewrite(splice, new)
        self.torn += self._ring.taken > splice
        self._ring.cut(until)
        self._guarded = guarded
        for _ in (*again, *late):
            self._blocks.pop()
        self._blocks.extend(blocks)
        return True

    def _guard_block(self, begin: int, guarded: Any) -> tuple[Floats, Any]:
        """The sum of all lanes in the block from `begin` on, made safe, and what the guard remembers after it."""
        if self.clicks:
            return clicks(begin, BLOCK, self._ring.sample_rate_hz, self._ring.channels), guarded
        total = np.zeros((BLOCK, self._ring.channels), np.float32)
        for lane in self.lanes:
            total += lane.span(begin, BLOCK)
        safe, guarded, whole = self._guard.process(total, guarded)
        self.broken_blocks += not whole
        return safe, guarded

    def _forget(self) -> None:
        """Let go of what was heard, and of lanes that have fallen silent."""
        taken = self._ring.taken
        heard = taken - int(HEARD_S * self._ring.sample_rate_hz)
        while self._blocks and self._blocks[0].end < heard:
            self._blocks.popleft()
        for lane in self.lanes:
            lane.forget(heard)
        self.lanes = [lane for lane in self.lanes if lane.fall is None or lane.fall.end > heard]
