"""The flash guard: no strobe leaves the picture (WCAG 2.2, success criterion 2.3.1).

Public light may not flash more than three times in any second on more than a quarter of any ninth of the picture; a
flash is a pair of opposing changes of luminance by a tenth, or of saturated red. After each frame the guard looks at
points spread over what was shown and notes when each turned from rising to falling or back. A point that has turned as
often as it may in this second is spent; so is a block in which many points flashed together three times. Where too much
is spent the picture is held: from the next frame on it goes towards what is wanted so slowly that it can't flash, until
what is wanted has been calm for a while. All else passes as it is, bit for bit.

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
    CALMING_HZ,
    DELTA_AT_MOST_S,
    GRID,
    HASTE_HZ,
    LATELY,
    TICKS_HZ,
    UNITS,
)

GLSL = "vec4 isf_guarded(vec3 wanted) { return vec4(wanted, 1.0); }"


class _Draw:
    """Two shaders, drawn with `vertices` corners of triangles."""

    def __init__(self, context: Any, vertex: str, fragment: str, vertices: int) -> None:
        self.program = context.program(vertex_shader=vertex, fragment_shader=fragment)
        self._corners = context.vertex_array(self.program, [])
        self._vertices = vertices
        for name in self.program:
            if name in UNITS:
                self.program[name].value = UNITS[name]

    def draw(self, into: Any, **values: Any) -> None:
        for name, value in values.items():
            self.program[name].value = value
        into.use()
        self._corners.render(vertices=self._vertices)

    def release(self) -> None:
        self._corners.release()
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
    """Watches what a moderngl `context` shows."""

    def __init__(self, context: Any, size: tuple[int, int] = (1, 1)) -> None:
        self._context = context
        self._states = _Picture(context, GRID, 4, "u4", count=2, turns=True)
        self._slices = _Picture(context, (5, 5), 4, "u4", turns=True)
        self._counts = _Picture(context, BLOCKS, 1, "f4")
        self._windows = _Picture(context, flashpoints.WINDOWS_SIZE, 1, "f4")
        self._hold = _Picture(context, BLOCKS, 1, "f4")
        self._small = _Picture(context, GRID, 1, "f4")
        self._wish = _Picture(context, (1, 1), 4, "f2")
        blocks, held = 6 * BLOCKS[0] * BLOCKS[1], flashpoints.HELD_BLOCKS
        self._keep = _Draw(context, held, flashpoints.KEEP, blocks)
        self._slow = _Draw(context, held, flashpoints.SLOW, blocks)
        self._draw_states = _Draw(context, flashpoints.FULL, flashpoints.STATES, 3)
        self._draw_slices = _Draw(context, flashpoints.FULL, flashpoints.SLICES, 3)
        self._draw_counts = _Draw(context, flashpoints.FULL, flashpoints.COUNTS, 3)
        self._draw_windows = _Draw(context, flashpoints.FULL, flashpoints.WINDOWS, 3)
        self._draw_hold = _Draw(context, flashpoints.FULL, flashpoints.HOLD, 3)
        self._draw_small = _Draw(context, flashpoints.FULL, flashpoints.THUMBNAIL, 3)
        self._clock_s = 2.0
        self._frames = 0

    def bind(self, shown: Any, watches: bool, delta_s: float) -> dict[str, Any]:
        self._before = shown
        return {}

    def measure(self, shown: Any, watches: bool, delta_s: float) -> None:
        self._seen = shown
        if watches:
            into = self._context.framebuffer([shown])
            self.watch(self._before, shown, into, delta_s)
            into.release()

    def watch(self, before: Any, seen: Any, into: Any, delta_s: float) -> None:
        """Make the frame just drawn, `seen` (a texture, and the framebuffer `into` it), one that may be shown `delta_s`
        after `before` (a texture of its size)."""
        step_s = min(max(delta_s, 0.0), DELTA_AT_MOST_S)
        leaks = CALMING_HZ * LATELY
        leak = int((self._clock_s + step_s) * leaks) - int(self._clock_s * leaks)
        self._clock_s = (self._clock_s + step_s) % (65536 / TICKS_HZ)
        self._frames = (self._frames + 1) % 1024
        now = int(self._clock_s * TICKS_HZ)
        if self._wish.size != seen.size:
            self._wish.release()
            self._wish = _Picture(self._context, seen.size, 4, "f2")
        self._use(hold=self._hold, wish=self._wish, counts=self._counts)
        seen.use(UNITS["seen"])
        self._keep.draw(self._wish.next)
        before.use(UNITS["seen"])
        self._slow.draw(into, haste=HASTE_HZ * step_s, drift=self._frames * 0.6180339887 % 1.0)
        seen.use(UNITS["seen"])
        self._use(lights=self._states)
        self._draw_states.draw(self._states.next, now=now, leak=leak)
        self._states.turn()
        self._use(lights=self._states, slices=self._slices)
        self._draw_slices.draw(self._slices.next, now=now)
        self._slices.turn()
        self._use(slices=self._slices)
        self._draw_counts.draw(self._counts.next, now=now)
        self._draw_windows.draw(self._windows.next)
        self._use(windows=self._windows)
        self._draw_hold.draw(self._hold.next, now=now)

    def thumbnail(self) -> npt.NDArray[np.float32]:
        """The luminance of the frame measured last, (45, 75) 0..1, row 0 on top. Waits until it is drawn."""
        self._seen.use(UNITS["seen"])
        self._draw_small.draw(self._small.next)
        raw = self._small.textures[0].read(alignment=1)
        return np.frombuffer(raw, np.float32).reshape(GRID[::-1])[::-1].copy()

    def release(self) -> None:
        """Give back everything it holds."""
        pictures = (self._states, self._slices, self._counts, self._windows, self._hold, self._small, self._wish)
        draws = (self._keep, self._slow, self._draw_states, self._draw_slices, self._draw_counts, self._draw_windows)
        for each in (*pictures, *draws, self._draw_hold, self._draw_small):
            each.release()

    def _use(self, **pictures: _Picture) -> None:
        for name, picture in pictures.items():
            for place, texture in enumerate(picture.textures):
                texture.use(UNITS[name] + place)
