"""Shaders that strobe, in every way we could think of: what the flash guard must hold. Each is a body of `colour(uv)`
(0..1), which may use TIME, FRAMEINDEX, RENDERSIZE, the inputs hz and duty, and what PRELUDE defines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.frame import Frame
from installation.picture.shading import isf

PRELUDE = """
float on(float phase) { return fract(TIME * hz + phase) < duty ? 1.0 : 0.0; }
float hash(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }
vec3 pick(float which) { return which > 0.5 ? A : B; }
float checks(float px) { vec2 at = floor(gl_FragCoord.xy / px); return mod(at.x + at.y, 2.0) * 0.5; }
"""

_FULL = "return pick(on(0.0));"
COLOURS = {
    "black and white": ("vec3(1.0)", "vec3(0.0)"),
    "just over a tenth of luminance": ("vec3(0.735)", "vec3(0.66)"),
    "from black to a tenth": ("vec3(0.352)", "vec3(0.0)"),
    "grey to white": ("vec3(1.0)", "vec3(0.89)"),
    "red and black": ("vec3(1.0, 0.0, 0.0)", "vec3(0.0)"),
    "red and its equal in grey": ("vec3(1.0, 0.0, 0.0)", "vec3(0.498)"),
    "red and blue": ("vec3(1.0, 0.0, 0.0)", "vec3(0.0, 0.0, 1.0)"),
    "red and cyan": ("vec3(1.0, 0.0, 0.0)", "vec3(0.0, 1.0, 1.0)"),
    "dim red and black": ("vec3(0.3, 0.0, 0.0)", "vec3(0.0)"),
    "red and darker red": ("vec3(1.0, 0.0, 0.0)", "vec3(0.94, 0.0, 0.0)"),
    "green and magenta": ("vec3(0.0, 1.0, 0.0)", "vec3(1.0, 0.0, 1.0)"),
    "dark red and orange": ("vec3(0.1, 0.0, 0.0)", "vec3(0.42, 0.25, 0.0)"),
}
"""What strobes between which two colours, over the whole picture."""

SHAPES = {
    "whole": _FULL,
    "one half": "return uv.x < 0.5 ? pick(on(0.0)) : vec3(0.3);",
    "halves in turn": "return pick(uv.x < 0.5 ? on(0.0) : on(0.5));",
    "quarters in turn": "return pick(on(0.25 * floor(uv.x * 2.0) + 0.5 * floor(uv.y * 2.0)));",
    "just over a quarter of a ninth": "return all(lessThan(abs(uv - 0.37), vec2(0.087))) ? pick(on(0.0)) : vec3(0.3);",
    "a wide strip": "return abs(uv.y - 0.6) < 0.045 ? pick(on(0.0)) : vec3(0.3);",
    "a tall strip": "return abs(uv.x - 0.7) < 0.045 ? pick(on(0.0)) : vec3(0.3);",
    "a ring around a ninth": """vec2 d = abs(uv - 0.4); float m = max(d.x, d.y);
        return m < 0.167 && m > 0.14 ? pick(on(0.0)) : vec3(0.1);""",
    "the corner": "return uv.x > 0.825 && uv.y > 0.825 ? pick(on(0.0)) : vec3(0.3);",
    "checks of 1 px": "return pick(on(checks(1.0)));",
    "checks of 2 px": "return pick(on(checks(2.0)));",
    "checks of 5 px": "return pick(on(checks(5.0)));",
    "checks of 40 px": "return pick(on(checks(40.0)));",
    "lines of 1 px": "return pick(on(0.5 * mod(floor(gl_FragCoord.y), 2.0)));",
    "a third of the lines": "return mod(floor(gl_FragCoord.y), 3.0) < 1.0 ? pick(on(0.0)) : vec3(0.0);",
    "a third of the pixels": "return hash(floor(gl_FragCoord.xy)) < 0.34 ? pick(on(0.0)) : vec3(0.0);",
    "noise": "return vec3(hash(floor(gl_FragCoord.xy) + float(FRAMEINDEX % 997)));",
    "noise of large grains": "return vec3(hash(floor(gl_FragCoord.xy / 12.0) + float(FRAMEINDEX % 997)));",
    "bars that move": "return pick(on(uv.x * 4.0));",
    "fine bars that move": "return pick(on(uv.x * 40.0));",
    "a grating": "return vec3(0.5 + 0.5 * sin(6.2832 * (uv.y * 6.0 - TIME * hz)));",
    "a spiral": """vec2 p = uv - 0.5; return vec3(0.5 + 0.5 * sin(3.0 * atan(p.y, p.x) + 20.0 * length(p)
        - 6.2832 * TIME * hz));""",
    "a wave from the middle": "return pick(on(-length(uv - 0.5)));",
    "each pixel in its own time": "return pick(on(hash(floor(gl_FragCoord.xy))));",
    "each pixel in its own rhythm": "return pick(fract(TIME * hz * (0.7 + 0.6 * hash(floor(gl_FragCoord.xy)))));",
    "sine": "return mix(B, A, 0.5 + 0.5 * sin(6.2832 * TIME * hz));",
    "flashes on a ramp": "return vec3(0.7 * fract(TIME * 0.2)) + 0.3 * pick(on(0.0));",
    "after a calm": "return TIME < 1.5 ? vec3(0.2) : pick(on(0.0));",
    "bursts": "return fract(TIME * 0.4) < 0.4 ? pick(on(0.0)) : vec3(0.0);",
    "rising rate": "return pick(step(0.5, fract(TIME * TIME * hz * 0.4)));",
    "each frame": "return pick(float(FRAMEINDEX % 2));",
    "two of three frames": "return pick(FRAMEINDEX % 3 == 0 ? 0.0 : 1.0);",
    "random frames": "return pick(hash(vec2(float(FRAMEINDEX), 1.0)));",
    "cuts between pictures": """float scene = floor(TIME * hz * 2.0);
        vec2 p = floor(uv * (3.0 + 9.0 * hash(vec2(scene, 2.0))));
        return vec3(hash(p + scene), hash(p - scene), hash(p));""",
    "hidden in fast motion": """vec2 p = uv + vec2(sin(TIME * 9.0), cos(TIME * 7.0)) * 0.5;
        float cloud = 0.5 + 0.25 * sin(p.x * 17.0) + 0.25 * sin(p.y * 13.0);
        return vec3(cloud) * (0.4 + 0.6 * on(0.0));""",
    "under a slow veil": "return mix(vec3(0.4, 0.3, 0.2), pick(on(0.0)), 0.5 + 0.5 * sin(TIME));",
    "two rates": "return pick(uv.y < 0.5 ? on(0.0) : step(0.5, fract(TIME * (hz * 0.77 + 1.0))));",
    "a moving patch": """vec2 d = abs(uv - 0.5 - 0.3 * vec2(sin(TIME), cos(TIME * 1.3)));
        return max(d.x, d.y) < 0.12 ? pick(on(0.0)) : vec3(0.3);""",
    "a patch that jumps": """float which = floor(TIME * hz);
        vec2 at = vec2(hash(vec2(which, 1.0)), hash(vec2(which, 3.0)));
        return max(abs(uv.x - at.x), abs(uv.y - at.y)) < 0.2 ? A : B;""",
    "flashes of one frame": "return pick(fract(TIME * hz) < fract((TIME - TIMEDELTA) * hz) ? 1.0 : 0.0);",
}
"""Where and when it strobes."""


@dataclass(frozen=True)
class Strobe:
    """A shader that strobes."""

    body: str
    hz: float = 8.0
    duty: float = 0.5
    colours: str = "black and white"

    @property
    def shader(self) -> isf.Shader:
        """It as a shader."""
        first, second = COLOURS[self.colours]
        return isf.read(
            '/*{"INPUTS": [{"NAME": "hz", "TYPE": "float"}, {"NAME": "duty", "TYPE": "float"}]}*/\n'
            f"const vec3 A = {first};\nconst vec3 B = {second};\n{PRELUDE}"
            f"vec3 colour(vec2 uv) {{ {self.body} }}\n"
            "void main() { gl_FragColor = vec4(colour(isf_FragNormCoord), 1.0); }",
            "strobe.fs",
        )

    def film(
        self,
        size: tuple[int, int],
        times_s: npt.NDArray[np.float64],
        guard: bool = True,
        gains: Sequence[float] | None = None,
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """What is seen at each of `times_s`, (height, width, 3), with the flash guard or without it."""
        with Canvas(size) as canvas:
            program = canvas.compile(self.shader)
            last_s = times_s[0]
            for index, now_s in enumerate(times_s):
                frame = Frame(float(now_s), float(now_s - last_s), index, values={"hz": self.hz, "duty": self.duty})
                gain = gains[index] if gains else 1.0
                canvas.draw([Step(program, frame)], Finish(gain, guard=guard, delta_s=float(now_s - last_s)))
                last_s = now_s
                yield canvas.read()
            program.release()
