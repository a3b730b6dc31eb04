"""What every picture passes through last, inside the pass that makes it: gain, ceiling, flash guard, dither.

Written into the last pass of a shader rather than drawn as a pass of its own: on a software renderer one more
full-screen pass costs more than all of this. A uniform switches it off for a picture that is not the last of its chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from installation.picture import flashguard

ON, GAIN, CEILING = "isf_finishing", "isf_gain", "isf_ceiling"
"""Uniforms: whether light is finished; what it is multiplied by, 0..1; the greatest it may be, 0..1."""

KNEE = 0.75
"""From this share of the ceiling on, light bends towards it."""

# Ordered noise along the R2 sequence (the reciprocal powers of the plastic number) against bands in dark gradients.
# Under half an 8-bit step, so that a value that is one of the 256 stays it; none on black, and none where the guard
# holds the picture, for there it would add up.
GLSL = f"""
uniform int {ON};
uniform float {GAIN};
uniform float {CEILING};
{flashguard.GLSL}
vec3 isf_bent(vec3 light) {{
    float most = max(light.r, max(light.g, light.b));
    float knee = {KNEE} * {CEILING};
    if ({CEILING} >= 1.0 || most <= knee) return light;
    float room = max({CEILING} - knee, 1e-6);
    return light * ((knee + room * (1.0 - exp((knee - most) / room))) / most);
}}
vec4 isf_finished(vec4 light) {{
    if ({ON} == 0) return light;
    vec3 wanted = isf_bent(clamp(light.rgb, 0.0, 1.0) * {GAIN});
    vec4 shown = isf_guarded(wanted);
    float noise = fract(dot(gl_FragCoord.xy, vec2(0.7548776662, 0.5698402910))) - 0.5;
    float calm = shown.rgb == wanted ? step(0.5 / 255.0, {GAIN}) : 0.0;
    return vec4(shown.rgb + noise * 0.7 / 255.0 * calm, shown.a);
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
        """Values for `GLSL`, but for the guard's own."""
        return {ON: 1, GAIN: self.gain, CEILING: self.ceiling}


RAW: dict[str, Any] = {ON: 0, GAIN: 1.0, CEILING: 1.0}
"""For a picture that others go on with: left as it is."""
