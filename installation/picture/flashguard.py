"""The flash guard: no strobe leaves the picture (WCAG 2.2, success criterion 2.3.1).

Public light may not flash more than three times in any second on more than a quarter of any ninth of the picture; a
flash is a pair of opposing changes of luminance by a tenth, or of saturated red. After each frame the guard looks at
points spread over what is shown and notes when each turns from rising to falling or back. A point that has turned as
often as it may in this second is spent; so is a ninth in which many points begin to flash together a fourth time. Where
too much is spent the picture is held: from the next frame on it goes towards what is wanted so slowly that it can't
flash, until what is wanted has been calm for a while. All else passes as it is, bit for bit.

Why nothing gets past: a point turns freely only while fewer than TURNS lie in the last second, so it never has more;
held, it needs more than that second for a change that counts; and the three flashes allowed are six turns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from installation.picture import flashpoints
from installation.picture.flashpoints import (
    BLOCKS,
    DELTA_AT_MOST_S,
    GRID,
    HASTE_HZ,
    LEAK_HZ,
    TICKS_HZ,
    UNITS,
)


class _Draw:
    """A fragment shader drawn over all of a picture, or over what the triangles of `vertex` cover."""

    def __init__(self, context: Any, fragment: str, vertex: str = flashpoints.FULL, corners: int = 3) -> None:
        self.program = context.program(vertex_shader=vertex, fragment_shader=fragment)
        self._triangles = context.vertex_array(self.program, [])
        self._corners = corners
        for name in self.program:
            if name in UNITS:
                self.program[name].value = UNITS[name]

    def draw(self, into: Any, **values: Any) -> None:
        for name, value in values.items():
            self.program[name].value = value
        into.use()
        self._triangles.render(vertices=self._corners)

    def release(self) -> None:
        self._triangles.release()
        self.program.release()


class _Picture:
    """`count` textures of `size` drawn at once, all nought at first; `turns`: two of each in turn, so that they can be
    drawn from themselves."""

    def __init__(
        self, context: Any, size: tuple[int, int], components: int, kind: str, count: int = 1, turns: bool = False
    ) -> None:
        zeros = bytes(size[0] * size[1] * components * (2 if kind == "f2" else 4))
        self.size = size
        self._sets = [
            [context.texture(size, components, zeros, dtype=kind) for _ in range(count)] for _ in range(1 + turns)
        ]
        for each in (texture for textures in self._sets for texture in textures):
            each.filter = (context.NEAREST, context.NEAREST)
        self._buffers = [context.framebuffer(textures) for textures in self._sets]

    @property
    def textures(self) -> Any:
        """What was drawn last."""
        return self._sets[0]

    @property
    def next(self) -> Any:
        """The framebuffer to draw next."""
        return self._buffers[-1]

    def turn(self) -> None:
        """What was drawn is what is read from here on."""
        self._sets.reverse()
        self._buffers.reverse()

    def release(self) -> None:
        for each in (*self._buffers, *(texture for textures in self._sets for texture in textures)):
            each.release()


class FlashGuard:
    """Watches pictures of `size` px, or any other, shown in a moderngl `context`. What it draws with stays bound."""

    def __init__(self, context: Any, size: tuple[int, int]) -> None:
        self._context = context
        self._states = _Picture(context, GRID, 4, "u4", count=2, turns=True)
        self._slices = _Picture(context, (5, 5), 4, "u4", turns=True)
        self._counts = _Picture(context, BLOCKS, 1, "f4")
        self._windows = _Picture(context, flashpoints.WINDOWS_SIZE, 1, "f4")
        self._hold = _Picture(context, BLOCKS, 1, "f4")
        self._small = _Picture(context, GRID, 1, "f4")
        self._wish = _Picture(context, size, 4, "f2")
        corners = 6 * BLOCKS[0] * BLOCKS[1]
        self._keep = _Draw(context, flashpoints.KEEP, flashpoints.HELD_BLOCKS, corners)
        self._slow = _Draw(context, flashpoints.SLOW, flashpoints.HELD_BLOCKS, corners)
        texts = (flashpoints.STATES, flashpoints.SLICES, flashpoints.COUNTS, flashpoints.WINDOWS, flashpoints.HOLD)
        self._note, self._slice, self._count, self._sum, self._decide = (_Draw(context, each) for each in texts)
        self._shrink = _Draw(context, flashpoints.THUMBNAIL)
        self._clock_s = 2.0
        self._frames = 0

    def watch(self, before: Any, seen: Any, into: Any, delta_s: float) -> None:
        """Make of the frame just drawn, `seen` (a texture, and `into`, the framebuffer it was drawn in), what may be
        shown `delta_s` after `before` (a texture of the same size), and look at it."""
        step_s = min(max(delta_s, 0.0), DELTA_AT_MOST_S)
        leaks = int((self._clock_s + step_s) * LEAK_HZ) - int(self._clock_s * LEAK_HZ)
        self._clock_s = (self._clock_s + step_s) % (65536 / TICKS_HZ)
        self._frames = (self._frames + 1) % 1024
        self._slow_down(before, seen, into, HASTE_HZ * step_s)
        self._look(seen, int(self._clock_s * TICKS_HZ), leaks)

    def _slow_down(self, before: Any, seen: Any, into: Any, haste: float) -> None:
        """Where it is held, keep what is wanted and show what may be."""
        if self._wish.size != seen.size:
            self._wish.release()
            self._wish = _Picture(self._context, seen.size, 4, "f2")
        _use(hold=self._hold, wish=self._wish)
        seen.use(UNITS["seen"])
        self._keep.draw(self._wish.next)
        before.use(UNITS["seen"])
        self._slow.draw(into, haste=haste, drift=self._frames * 0.6180339887 % 1.0)

    def _look(self, seen: Any, now: int, leaks: int) -> None:
        """Note what turned at tick `now`, and decide where the next frame is held."""
        seen.use(UNITS["seen"])
        _use(lights=self._states)
        self._note.draw(self._states.next, now=now, leak=leaks)
        self._states.turn()
        _use(lights=self._states, slices=self._slices)
        self._slice.draw(self._slices.next, now=now)
        self._slices.turn()
        _use(slices=self._slices, counts=self._counts, windows=self._windows)
        self._count.draw(self._counts.next, now=now)
        self._sum.draw(self._windows.next)
        self._decide.draw(self._hold.next, now=now)

    @property
    def held(self) -> float:
        """The share of the picture, 0..1, that the next frame will be held in. Waits until it is known."""
        return float(np.frombuffer(self._hold.textures[0].read(alignment=1), np.float32).mean())

    def thumbnail(self, seen: Any) -> npt.NDArray[np.float32]:
        """The luminance of `seen` (a texture), (45, 75) 0..1, row 0 on top. Waits until it is drawn."""
        seen.use(UNITS["seen"])
        self._shrink.draw(self._small.next)
        raw = self._small.textures[0].read(alignment=1)
        return np.frombuffer(raw, np.float32).reshape(GRID[::-1])[::-1].copy()

    def release(self) -> None:
        """Give back everything it holds."""
        pictures = (self._states, self._slices, self._counts, self._windows, self._hold, self._small, self._wish)
        looks = (self._note, self._slice, self._count, self._sum, self._decide)
        for each in (*pictures, *looks, self._keep, self._slow, self._shrink):
            each.release()


def _use(**pictures: _Picture) -> None:
    for name, picture in pictures.items():
        for place, texture in enumerate(picture.textures):
            texture.use(UNITS[name] + place)
