"""What every picture passes through last, inside the pass that makes it: gain, ceiling, dither.

Written into the last pass of a shader rather than drawn as a pass of its own: on a software renderer one more
full-screen pass costs more than all of this. A uniform switches it off for a picture that is not the last of its chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ON, GAIN, CEILING = "isf_finishing", "isf_gain", "isf_ceiling"
"""Uniforms: whether light is finished; what it is multiplied by, 0..1; the greatest it may be, 0..1."""

KNEE = 0.75
"""From this share of the ceiling on, light bends towards it."""

# Ordered noise along the R2 sequence (the reciprocal powers of the plastic number) against bands in dark gradients.
# Under half an 8-bit step, so that a value that is one of the 256 stays it; none on black.
GLSL = f"""
uniform int {ON};
uniform float {GAIN};
uniform float {CEILING};
vec4 isf_finished(vec4 light) {{
    if ({ON} == 0) return light;
    vec3 shown = clamp(light.rgb, 0.0, 1.0) * {GAIN};
    if ({CEILING} < 1.0) {{
        // A hyperbola from the knee on: as steep as the line it goes on from, and never at the ceiling.
        float most = max(shown.r, max(shown.g, shown.b)), knee = {KNEE} * {CEILING}, over = max(most - knee, 0.0);
        float room = {CEILING} - knee;
        shown *= (min(most, knee) + over * room / (room + over)) / max(most, 1e-6);
    }}
    float noise = fract(dot(gl_FragCoord.xy, vec2(0.7548776662, 0.5698402910))) - 0.5;
    return vec4(shown + noise * step(0.5 / 255.0, {GAIN}) * (0.7 / 255.0), 1.0);
}}
"""

PROGRAM = f"""#version 330 core
in vec2 isf_FragNormCoord;
out vec4 colour;
uniform sampler2D picture;
{GLSL}
void main() {{ colour = isf_finished(texture(picture, isf_FragNormCoord)); }}
"""
"""A picture as it is seen, for a chain whose last pass has a target."""


@dataclass(frozen=True)
class Finish:
    """How a frame is finished: its gain (blackout, brightness), the ceiling of its light, whether the guard watches."""

    gain: float = 1.0
    ceiling: float = 1.0
    guard: bool = True
    delta_s: float = 0.0

    def uniforms(self) -> dict[str, Any]:
        """Values for `GLSL`."""
        return {ON: 1, GAIN: self.gain, CEILING: self.ceiling}


RAW: dict[str, Any] = {ON: 0, GAIN: 1.0, CEILING: 1.0}
"""For a picture that others go on with: left as it is."""
