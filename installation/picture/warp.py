"""Puts a picture on one output: a part of it cut out, mirrored, turned, pinned to four corners, and fitted to the light
of its projector.

One draw, straight from the picture as it is seen to the window: for each pixel of the output the place of the picture
that belongs there, by the inverse of the map that puts the picture's corners where they are wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from installation.errors import InstallationError
from installation.picture import glsl
from installation.picture.draw import Draw
from installation.picture.output import Corners, Doubles, Output, homography

Area = tuple[int, int, int, int]
"""A part of a window: left, bottom, width, height in px."""
UPWARDS = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]])
"""From a place in the picture, y down, to one in its texture, y up."""

# Off the picture's edges light fades within one pixel, by the distance to the edge in pixels; an edge that lies between
# two pixels stays sharp. Where several texels fall on a pixel, as many places are read, up to 4 × 4. The noise is that
# of `finishing`: put on again where the one that is there is smoothed away, or spread.
FRAGMENT = """#version 330 core
out vec4 colour;
uniform sampler2D picture;
uniform vec2 corner;
uniform mat3 square;
uniform mat3 place;
uniform vec2 texels;
uniform float exponent;
uniform float noisy;

vec3 light(vec2 at, vec2 right, vec2 up) {
    ivec2 taps = ivec2(clamp(ceil(vec2(length(right * texels), length(up * texels)) - 0.01), 1.0, 4.0));
    vec3 sum = vec3(0.0);
    for (int y = 0; y < taps.y; y++)
        for (int x = 0; x < taps.x; x++) {
            vec2 off = (vec2(x, y) + 0.5) / vec2(taps) - 0.5;
            sum += textureLod(picture, at + off.x * right + off.y * up, 0.0).rgb;
        }
    return sum / float(taps.x * taps.y);
}

void main() {
    vec3 seen = square * vec3(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y, 1.0);
    vec2 inside = seen.xy / seen.z;
    vec2 at = (place * vec3(inside, 1.0)).xy;
    vec2 edge = min(inside, 1.0 - inside);
    vec2 slope = vec2(length(vec2(dFdx(inside.x), dFdy(inside.x))), length(vec2(dFdx(inside.y), dFdy(inside.y))));
    vec2 pixels = clamp(edge / max(slope, 1e-9) + 0.501, 0.0, 1.0);
    vec2 right = dFdx(at), up = dFdy(at);
    float cover = pixels.x * pixels.y;
    if (seen.z <= 0.0 || !(cover > 0.0)) {
        colour = vec4(0.0, 0.0, 0.0, 1.0);
        return;
    }
    vec3 rgb = light(at, right, up);
    if (exponent != 1.0) rgb = pow(max(rgb, 0.0), vec3(exponent));
    float noise = fract(dot(gl_FragCoord.xy, vec2(0.7548776662, 0.5698402910))) - 0.5;
    rgb += noisy * noise * 0.7 / 255.0 * step(vec3(0.5 / 255.0), rgb);
    colour = vec4(rgb * cover, 1.0);
}
"""


class Warp:
    """Puts pictures on `output`, in a moderngl `context`."""

    def __init__(self, context: Any, output: Output) -> None:
        self._context, self.output = context, output
        self._draw = Draw(context, glsl.VERTEX, FRAGMENT, {"picture": 0})
        self._place = UPWARDS @ output.shown()
        self._moved: Corners = ((0.0, 0.0),) * 4
        self.fault: str | None = None
        """Why the corners are not where they were moved to; they then stay where they were."""
        self._solved: tuple[Any, ...] = ()
        self._square = np.eye(3)
        self._noisy = False

    def move(self, moved: Corners) -> None:
        """From here on its corners lie so far from where `output` puts them, in shares of the display: what a person
        turns while looking at the wall."""
        self._moved = tuple(moved)

    def present(self, texture: Any, framebuffer: Any, area: Area) -> None:
        """Put `texture` on the `area` of a framebuffer; what it does not cover is black."""
        left, bottom, width, height = area
        self._solve((width, height), texture.size)
        framebuffer.use()
        self._context.viewport = area
        texture.use(0)
        self._draw.set(
            {
                "corner": (float(left), float(bottom + height)),
                "square": tuple(self._square.T.ravel()),
                "place": tuple(self._place.T.ravel()),
                "texels": (float(texture.size[0]), float(texture.size[1])),
                "exponent": self.output.gamma,
                "noisy": float(self._noisy),
            }
        )
        self._draw.render()

    def _solve(self, size: tuple[int, int], picture: tuple[int, int]) -> None:
        """The map for an area of `size` px and a `picture` of so many, if it is not the one there is."""
        wanted = (size, picture, self._moved)
        if wanted == self._solved:
            return
        resized, self._solved = wanted[:2] != self._solved[:2], wanted
        placed = self.output.placed(size, picture)
        there = tuple((x + dx, y + dy) for (x, y), (dx, dy) in zip(placed, self._moved, strict=True))
        try:
            put, self.fault = homography(there), None
        except InstallationError as error:
            self.fault = str(error)
            if not resized:
                return
            put = homography(placed)
        self._square = _inverse(put) @ np.diag([1.0 / size[0], 1.0 / size[1], 1.0])
        self._noisy = self.output.gamma != 1.0 or not self._plain(picture)

    def _plain(self, picture: tuple[int, int]) -> bool:
        """Whether each pixel is just one texel."""
        square = self._square / self._square[2, 2]
        texels = np.diag([*picture, 1.0]) @ self._place @ square
        steps, start = np.abs(texels[:2, :2]), texels[:2, 2]
        whole = np.allclose(steps, np.round(steps), atol=1e-6) and np.allclose(steps.sum(0), 1.0, atol=1e-6)
        straight = bool(np.abs(square[2, :2]).max() < 1e-12)
        return bool(straight and whole and np.allclose(start, np.round(start), atol=1e-3))

    def release(self) -> None:
        """Give it back."""
        self._draw.release()


def _inverse(put: Doubles) -> Doubles:
    """The map back, with a third coordinate above 0 where `put` puts the square: behind the horizon it is below, and
    nothing is seen."""
    back: Doubles = np.asarray(np.linalg.inv(put), np.float64)
    middle = put @ np.array([0.5, 0.5, 1.0])
    return back if float(back[2] @ middle) / float(middle[2]) > 0.0 else -back
