"""What every picture passes through last, inside the pass that makes it: gain and dither; and its ceiling, if any.

Written into the last pass of a shader rather than drawn as a pass of its own: on a software renderer one more
full-screen pass costs more than all of this. So does even a condition that does not hold, for it reckons both sides;
a ceiling, which few set, is therefore a pass. A uniform switches it all off for a picture that others go on with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ON, GAIN, DITHER, CEILING = "isf_finishing", "isf_gain", "isf_dither", "isf_ceiling"
"""Uniforms: whether light is finished; what it is multiplied by, 0..1; how far dither goes; the greatest light may be,
0..1."""

KNEE = 0.75
"""From this share of the ceiling on, light bends towards it."""
STEP = 1.0 / 255.0

R2 = (0.7548776662, 0.5698402910)
"""What the R2 sequence goes on by: the reciprocal powers of the plastic number."""

# Ordered noise along the R2 sequence against bands in dark gradients. Under half an 8-bit step, so that a value that is
# one of the 256 stays it; none on black.
NOISE = f"fract(dot(gl_FragCoord.xy, vec2{R2})) - 0.5"
GLSL = f"""
uniform int {ON};
uniform float {GAIN};
uniform float {DITHER};
vec4 isf_finished(vec4 light) {{
    if ({ON} == 0) return light;
    vec3 shown = clamp(light.rgb, 0.0, 1.0) * {GAIN};
    float noise = {NOISE};
    return vec4(shown + noise * {DITHER}, 1.0);
}}
"""

_PICTURE = """#version 330 core
in vec2 isf_FragNormCoord;
out vec4 colour;
uniform sampler2D picture;
"""
PROGRAM = f"""{_PICTURE}{GLSL}
void main() {{ colour = isf_finished(texture(picture, isf_FragNormCoord)); }}
"""
"""A picture as it is seen, for a shader whose last pass has a target."""

# A hyperbola from the knee on: as steep as the line it goes on from, and never at the ceiling.
BENT = f"""{_PICTURE}
uniform float {GAIN};
uniform float {CEILING};
uniform float {DITHER};
void main() {{
    vec3 shown = clamp(texture(picture, isf_FragNormCoord).rgb, 0.0, 1.0) * {GAIN};
    float most = max(shown.r, max(shown.g, shown.b)), knee = {KNEE} * {CEILING}, over = max(most - knee, 0.0);
    float room = {CEILING} - knee;
    shown *= (min(most, knee) + over * room / max(room + over, 1e-6)) / max(most, 1e-6);
    float noise = {NOISE};
    colour = vec4(shown + noise * {DITHER}, 1.0);
}}
"""
"""The same below a ceiling."""


@dataclass(frozen=True)
class Finish:
    """How a frame is finished: its gain (blackout, brightness), the ceiling of its light, whether the guard watches."""

    gain: float = 1.0
    ceiling: float = 1.0
    guard: bool = True
    delta_s: float = 0.0

    @property
    def bends(self) -> bool:
        """Whether light has a ceiling that is seen."""
        return self.ceiling < 1.0

    def uniforms(self) -> dict[str, Any]:
        """Values for `GLSL` and `BENT`."""
        dither = 0.7 * STEP if self.gain >= 0.5 * STEP else 0.0
        return {ON: 1, GAIN: self.gain, DITHER: dither, CEILING: self.ceiling}


RAW: dict[str, Any] = {ON: 0, GAIN: 1.0, DITHER: 0.0}
"""For a picture that others go on with: left as it is."""
