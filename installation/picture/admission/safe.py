"""The picture of last resort: shown where the shader a scene asks for must not be. It needs no file and can't fail."""

from __future__ import annotations

from pathlib import Path

from installation.picture.shading import isf
from installation.picture.shading.shader import Shader

PATH = Path("installation:safe")
"""What stands for it where a shader's path is expected."""

# Dark and slow, so that a room may stand in it for hours: a horizon of deep blue light that breathes with the sound.
# Rates of TIME are multiples of 1/2048, so that they go on without a seam when TIME starts again.
SOURCE = """/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A low light under a dark sky, breathing with the sound.",
  "CATEGORIES": ["Generator", "Audio Reactive"],
  "INPUTS": [
    {"NAME": "brightness", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "rms", "TYPE": "float", "ATTACK_MS": 500, "RELEASE_MS": 2500}
  ]
}*/

void main() {
    vec2 at = isf_FragNormCoord * 2.0 - 1.0;
    // Loudness as it is felt: 0 at -54 dB, 1 at -14 dB.
    float loud = clamp(1.35 + 0.217 * log(max(rms, 1e-6)), 0.0, 1.0);
    float slow = TIME * 0.0625;
    float horizon = -0.35 + 0.10 * sin(slow) + 0.05 * sin(at.x * 1.3 + slow * 2.0);
    float above = at.y - horizon;
    float breath = 0.35 + 0.10 * sin(TIME * 0.25) + 0.55 * loud;
    float glow = breath * exp(-abs(above) * (above > 0.0 ? 2.2 : 4.5)) * (1.0 - 0.35 * at.x * at.x);
    vec3 night = mix(vec3(0.020, 0.028, 0.055), vec3(0.010, 0.013, 0.030), clamp(above, 0.0, 1.0));
    vec3 dusk = mix(vec3(0.08, 0.27, 0.46), vec3(0.54, 0.29, 0.30), 0.5 + 0.5 * sin(slow * 0.5 + at.x * 0.8));
    gl_FragColor = vec4((night + dusk * glow) * brightness, 1.0);
}
"""


def shader() -> Shader:
    """The safe picture's shader."""
    return isf.read(SOURCE, str(PATH))
