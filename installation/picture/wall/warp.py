"""Puts a picture on one output: a part of it cut out, mirrored, turned, pinned to four corners, and fitted to the light
of its projector.

One draw, straight from the picture as it is seen to the window: for each pixel of the output the place of the picture
that belongs there, by the inverse of the map that puts the picture's corners where they are wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from installation.errors import InstallationError
from installation.picture.draw import Draw
from installation.picture.finishing import NOISE
from installation.picture.shading import glsl
from installation.picture.wall.output import Corners, Doubles, Output, homography

Area = tuple[int, int, int, int]
"""A part of a window: left, bottom, width, height in px."""
UPWARDS = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]])
"""From a place in the picture, y down, to one in its texture, y up."""

# Off the picture's sides light fades within one pixel, by the distance to the nearest; a side that lies between two
# pixels stays sharp. Where several texels fall on a pixel, as many places are read, up to 4 × 4; where each pixel is
# one texel, just that. The noise is that of `finishing`: put on again where the one that is there is smoothed away, or
# spread.
FRAGMENT = """#version 330 core
#define PLAIN %d
#define BENT %d
out vec4 colour;
uniform sampler2D picture;
uniform vec2 corner;
uniform mat3 square;
uniform mat3 place;
uniform vec3 sides[4];
uniform vec2 texels;
uniform float exponent;

vec3 light(vec2 at, vec2 right, vec2 up) {
    ivec2 taps = ivec2(clamp(ceil(vec2(length(right * texels), length(up * texels)) - 0.25), 1.0, 4.0));
    vec3 sum = vec3(0.0);
    for (int y = 0; y < taps.y; y++)
        for (int x = 0; x < taps.x; x++) {
            vec2 off = (vec2(x, y) + 0.5) / vec2(taps) - 0.5;
            sum += textureLod(picture, at + off.x * right + off.y * up, 0.0).rgb;
        }
    return sum / float(taps.x * taps.y);
}

void main() {
    vec3 pixel = vec3(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y, 1.0);
    vec3 seen = square * pixel;
    vec2 at = (place * vec3(seen.xy / seen.z, 1.0)).xy;
#if PLAIN == 0
    vec2 right = dFdx(at), up = dFdy(at);
#endif
    float deep = min(min(dot(sides[0], pixel), dot(sides[1], pixel)), min(dot(sides[2], pixel), dot(sides[3], pixel)));
    float cover = clamp((deep + 0.5) * 1.002 - 0.001, 0.0, 1.0);
    if (cover <= 0.0) {
        colour = vec4(0.0, 0.0, 0.0, 1.0);
        return;
    }
#if PLAIN == 1
    vec3 rgb = texelFetch(picture, ivec2(at * texels), 0).rgb;
#else
    vec3 rgb = light(at, right, up);
#if BENT == 1
    rgb = pow(max(rgb, 0.0), vec3(exponent));
#endif
    float noise = %s;
    rgb += noise * 0.7 / 255.0 * step(vec3(0.5 / 255.0), rgb);
#endif
    colour = vec4(rgb * cover, 1.0);
}
"""


class Warp:
    """Puts pictures on `output`, in a moderngl `context`."""

    def __init__(self, context: Any, output: Output) -> None:
        self._context, self.output = context, output
        texts = (FRAGMENT % (plain, output.gamma != 1.0, NOISE) for plain in (0, 1))
        self._draws = [Draw(context, glsl.VERTEX, text, {"picture": 0}) for text in texts]
        self._place = UPWARDS @ output.shown()
        self._moved: Corners = ((0.0, 0.0),) * 4
        self.fault: str | None = None
        """Why the corners are not where they were moved to; they then stay where they were."""
        self._solved: tuple[Any, ...] = ()
        self._square: Doubles = np.eye(3)
        self._sides: list[tuple[float, ...]] = []
        self._plain = False

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
        draw = self._draws[self._plain]
        draw.set(
            {
                "corner": (float(left), float(bottom + height)),
                "square": tuple(self._square.T.ravel()),
                "place": tuple(self._place.T.ravel()),
                "sides": self._sides,
                "texels": (float(texture.size[0]), float(texture.size[1])),
                "exponent": self.output.gamma,
            }
        )
        draw.render()

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
            there = placed
        shares = np.diag([1.0 / size[0], 1.0 / size[1], 1.0])
        self._square = np.asarray(np.linalg.inv(put) @ shares, np.float64)
        self._sides = _sides(np.array(there) * size)
        self._plain = self.output.gamma == 1.0 and self._fits(picture)

    def _fits(self, picture: tuple[int, int]) -> bool:
        """Whether each pixel is just one texel."""
        square = self._square / self._square[2, 2]
        texels = np.diag([*picture, 1.0]) @ self._place @ square
        steps, start = np.abs(texels[:2, :2]), texels[:2, 2]
        whole = np.allclose(steps, np.round(steps), atol=1e-6) and np.allclose(steps.sum(0), 1.0, atol=1e-6)
        straight = bool(np.abs(square[2, :2]).max() < 1e-12)
        return bool(straight and whole and np.allclose(start, np.round(start), atol=1e-3))

    def release(self) -> None:
        """Give it back."""
        for draw in self._draws:
            draw.release()


def _sides(corners: Doubles) -> list[tuple[float, ...]]:
    """The four sides between `corners` (4, 2), in px: dotted with (x, y, 1), each gives a point's distance from it,
    above 0 within."""
    ways = np.roll(corners, -1, axis=0) - corners
    across = np.stack([-ways[:, 1], ways[:, 0]], axis=1) / np.hypot(ways[:, 0], ways[:, 1])[:, None]
    if np.sum((corners.mean(0) - corners[0]) * across[0]) < 0.0:
        across = -across
    distances = -np.sum(across * corners, axis=1)
    return [(float(x), float(y), float(distance)) for (x, y), distance in zip(across, distances, strict=True)]
