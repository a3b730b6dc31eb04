"""The flash guard: no strobe leaves the picture (WCAG 2.2, success criterion 2.3.1).

Public light may not flash more than three times in any second on more than a quarter of any ninth of the picture; a
flash is a pair of opposing changes of luminance by a tenth, or of saturated red. After each frame the guard looks at
points spread over what is shown and notes when each turns from rising to falling or back. A point that has turned as
often as it may in this second is spent; so is a ninth in which many points begin to flash together a fourth time. Where
too much is spent the picture is held: from the next frame on it goes towards what is wanted so slowly that it can't
flash, until what is wanted has been calm for a while. All else passes as it is, bit for bit.

Why nothing gets past: a point turns freely only while fewer than TURNS lie in the last second, so it never has more;
held, it needs more than that second for a change of luminance that counts, and a third of it or more for one of red,
which is therefore held one turn sooner; and the three flashes allowed are six turns.

The points of a frame are fetched when the next one has been asked for, so that a graphics card is not waited for while
it has nothing to do. Where so little turned that the next few frames are free whatever they are, they are shown, and
reckoned all at once. A frame that is free costs one small draw (on a software renderer each costs a tenth of a
millisecond before it draws a pixel, which is why the reckoning is not done there).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from installation.picture import flashpoints
from installation.picture.draw import Draw
from installation.picture.finishing import R2
from installation.picture.flashpoints import BLOCKS, FREE, GRID, NUMBER, FlashPoints
from installation.picture.shading import glsl

HASTE_HZ = 0.07
"""A held picture goes this share of the way in a second, in squares of what is displayed; of luminance that is at most
1.14 times as much, sRGB being what it is: a change that counts takes more than MEMORY_S. R - G - B, in which three
channels move, goes up to 2.6 times as fast: one that counts takes a third of a second."""
DELTA_AT_MOST_S = 0.5
CHANNELS = 4
ROWS = 2 * GRID[1]
"""Of what is looked at: luminance and redness."""

LOOK = f"""#version 330 core
uniform isampler2D places;
uniform sampler2D seen;
uniform int row;
out uint found;
void main() {{
    ivec2 cell = ivec2(gl_FragCoord.xy) - ivec2(0, row);
    int part = cell.y / {GRID[1]};
    vec3 colour = texelFetch(seen, texelFetch(places, ivec2(cell.x, cell.y - part * {GRID[1]}), 0).xy, 0).rgb;
    vec3 linear = mix(colour / 12.92, pow((colour + 0.055) / 1.055, vec3(2.4)), step(0.04045, colour));
    float others = linear.g + linear.b, luminance = dot(linear, vec3({", ".join(map(str, flashpoints.LUMINANCE))}));
    float value = part % 2 == 0 ? luminance : max(linear.r - others, 0.0);
    bool saturated = part % 2 == 1 && linear.r >= {flashpoints.SATURATED} * others && linear.r > 1e-4;
    found = uint(value * {flashpoints.ONE}.0 + 0.5) + (saturated ? {flashpoints.TINTED}u : 0u);
}}
"""

# Squares stand for linear light. Noise of half a step of a half float keeps slow fades from stopping short.
SLOW = f"""#version 330 core
uniform sampler2D before;
uniform sampler2D wish;
uniform sampler2D hold;
uniform float haste;
uniform float drift;
uniform vec2 blocks_a_pixel;
layout(location = 0) out vec4 shown;
layout(location = 1) out vec4 exactly;
void main() {{
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec3 was = texelFetch(before, at, 0).rgb, wanted = texelFetch(wish, at, 0).rgb;
    vec3 slow = sqrt(mix(was * was, wanted * wanted, haste));
    float noise = fract(dot(gl_FragCoord.xy, vec2{R2}) + drift) - 0.5;
    slow += slow * (haste > 0.0 ? noise / 1400.0 : 0.0);
    ivec2 block = ivec2((vec2(at) + 0.5) * blocks_a_pixel);
    shown = exactly = vec4(texelFetch(hold, block, 0).r > 0.5 ? slow : wanted, 1.0);
}}
"""

THUMBNAIL = f"""#version 330 core
uniform sampler2D seen;
out float luminance;
void main() {{
    luminance = 0.0;
    for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 4; ++x) {{
            vec2 at = (floor(gl_FragCoord.xy) + (vec2(x, y) + 0.5) / 4.0) / vec2({GRID[0]}.0, {GRID[1]}.0);
            vec3 light = pow(clamp(texture(seen, at).rgb, 0.0, 1.0), vec3(2.2));
            luminance += dot(light, vec3({", ".join(map(str, flashpoints.LUMINANCE))})) / 16.0;
        }}
}}
"""


class _Slow:
    """Pictures of `size` px that go slowly: as they are shown, in 8 bits, and exactly, in half floats by turns."""

    def __init__(self, context: Any, size: tuple[int, int]) -> None:
        self.size = size
        self.shown = context.texture(size, CHANNELS, dtype="f1")
        self._exactly = [context.texture(size, CHANNELS, dtype="f2") for _ in range(2)]
        for each in (self.shown, *self._exactly):
            each.repeat_x = each.repeat_y = False
        self._buffers = [context.framebuffer([self.shown, each]) for each in self._exactly]

    def use(self) -> None:
        """Draw the next one from here on."""
        self._buffers[-1].use()

    def turn(self) -> None:
        """It is drawn."""
        self._exactly.reverse()
        self._buffers.reverse()

    def exactly(self, texture: Any) -> Any:
        """What is in `texture`: as exactly as it is known."""
        return self._exactly[0] if texture is self.shown else texture

    def release(self) -> None:
        for each in (*self._buffers, *self._exactly, self.shown):
            each.release()


class FlashGuard:
    """Watches pictures of `size` px, or any other, drawn in a moderngl `context`. What it draws with stays bound."""

    def __init__(self, context: Any, size: tuple[int, int]) -> None:
        self._context = context
        self._points = FlashPoints()
        self._hold: flashpoints.Mask | None = None
        """The blocks to hold."""
        self._free = 1
        """So many frames may be shown before it is reckoned again."""
        self._seen_s: list[float] = []
        """When those were seen that are not reckoned yet."""
        self._held: flashpoints.Mask | None = None
        """The points that were held in the one of them, if there is one."""
        self._now_s, self._frames = 0.0, 0
        self._looks = context.texture((GRID[0], ROWS * FREE), 1, dtype="u2")
        self._into = context.framebuffer([self._looks])
        self._found = np.zeros((FREE, 2, NUMBER), np.uint16)
        self._buffer = context.buffer(reserve=self._found.nbytes)
        self._places = context.texture(GRID, 2, dtype="i4")
        self._blocks_held = context.texture(BLOCKS, 1, dtype="f1", alignment=1)
        self._small = context.texture(GRID, 1, dtype="f4")
        self._shrunk = context.framebuffer([self._small])
        for each in (self._looks, self._places, self._blocks_held, self._small):
            each.filter = (context.NEAREST, context.NEAREST)
        self._look = Draw(context, glsl.VERTEX, LOOK, {"seen": 0, "places": 1})
        self._drag = Draw(context, glsl.VERTEX, SLOW, {"before": 0, "wish": 1, "hold": 2})
        self._slow = _Slow(context, size)
        self._measure(size)
        self._shrink = Draw(context, glsl.VERTEX, THUMBNAIL, {"seen": 0})

    def watch(self, before: Any, drawn: Any, delta_s: float) -> Any:
        """The texture that may be shown `delta_s` after `before`, where the frame just `drawn` is wanted: that itself,
        if it is free. Both are textures of the same size; `before` is what was shown."""
        if len(self._seen_s) >= self._free:
            self._reckon()
        step_s = min(max(delta_s, 0.0), DELTA_AT_MOST_S)
        self._now_s += step_s
        if self._slow.size != drawn.size:
            self._fit(drawn.size)
        seen = drawn if self._hold is None else self._slow_down(before, drawn, HASTE_HZ * step_s)
        self._ask(seen, drawn)
        return seen

    @property
    def held(self) -> float:
        """The share of the picture, 0..1, that the next frame will be held in. Waits until it is known."""
        self._reckon()
        return 0.0 if self._hold is None else float(self._hold.mean())

    def thumbnail(self, seen: Any) -> npt.NDArray[np.float32]:
        """The luminance of `seen` (a texture), (45, 75) 0..1, row 0 on top. Waits until it is drawn."""
        seen.use(0)
        self._shrunk.use()
        self._shrink.render()
        raw = self._small.read(alignment=1)
        return np.frombuffer(raw, np.float32).reshape(GRID[::-1])[::-1].copy()

    def release(self) -> None:
        """Give back everything it holds."""
        textures = (self._looks, self._places, self._blocks_held, self._small)
        draws = (self._look, self._drag, self._shrink)
        for each in (*draws, self._into, self._shrunk, self._slow, self._buffer, *textures):
            each.release()

    def _fit(self, size: tuple[int, int]) -> None:
        """Pictures are of `size` px from now on."""
        self._reckon()
        self._slow.release()
        self._slow = _Slow(self._context, size)
        self._measure(size)

    def _measure(self, size: tuple[int, int]) -> None:
        places = flashpoints.pixels(size)
        self._places.write(places.astype(np.int32).tobytes())
        self._block = flashpoints.blocks(places, size)
        self._drag.set({"blocks_a_pixel": tuple(map(float, flashpoints.blocks_a_pixel(size)))})

    def _slow_down(self, before: Any, wanted: Any, haste: float) -> Any:
        """What may be shown, where something is held."""
        self._frames = (self._frames + 1) % 1024
        self._slow.exactly(before).use(0)
        wanted.use(1)
        self._blocks_held.use(2)
        self._drag.set({"haste": haste, "drift": self._frames * 0.6180339887 % 1.0})
        self._slow.use()
        self._drag.render()
        self._slow.turn()
        return self._slow.shown

    def _ask(self, seen: Any, wanted: Any) -> None:
        """Look at the points of this frame; what they are is fetched by `_reckon`."""
        self._look_at(seen, len(self._seen_s))
        self._seen_s.append(self._now_s)
        self._held = None
        if self._hold is not None:
            self._look_at(wanted, 1)
            self._held = self._hold.ravel()[self._block]
        if len(self._seen_s) >= self._free:
            self._into.read_into(self._buffer, self._area(), components=1, alignment=1, dtype="u2")

    def _look_at(self, texture: Any, place: int) -> None:
        texture.use(0)
        self._places.use(1)
        self._into.viewport = (0, ROWS * place, GRID[0], ROWS)
        self._into.use()
        self._look.set({"row": ROWS * place})
        self._look.render()

    def _area(self) -> tuple[int, int, int, int]:
        """What is looked at."""
        return 0, 0, GRID[0], ROWS * (2 if self._held is not None else len(self._seen_s))

    def _reckon(self) -> None:
        """Decide where the next frame is held, from the points of those that were seen."""
        if not self._seen_s:
            return
        if len(self._seen_s) < self._free:
            self._into.read_into(self._buffer, self._area(), components=1, alignment=1, dtype="u2")
        self._buffer.read_into(self._found)
        for place, now_s in enumerate(self._seen_s):
            self._points.push(now_s, self._found[place], self._found[1], self._held)
        self._seen_s.clear()
        self._hold = self._points.hold()
        self._free = 1 if self._hold is not None else self._points.free()
        if self._hold is not None:
            self._blocks_held.write(np.multiply(self._hold, 255, dtype=np.uint8).tobytes(), alignment=1)
