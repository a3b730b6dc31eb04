"""An ISF shader as GLSL: the built-ins of the format, its inputs as uniforms, and errors at the author's own line.

One program a pass: PASSINDEX is a constant, so a driver drops what a pass does not use (on a software renderer that is
most of the cost of a shader with several passes). `#line` makes compilers count the author's lines, header included.
"""

from __future__ import annotations

import re

from installation.errors import ShaderError
from installation.picture.isf import Shader

VERTEX = """#version 330 core
out vec2 isf_FragNormCoord;
void main() {
    // One triangle that covers the picture: (-1, -1), (3, -1), (-1, 3).
    vec2 corner = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    isf_FragNormCoord = corner;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""

BUILT_IN = ("TIME", "TIMEDELTA", "DATE", "FRAMEINDEX", "RENDERSIZE")
"""Uniforms every pass has. PASSINDEX is a constant."""

_PREFIX = """#version 330 core
#extension GL_ARB_shading_language_420pack : enable
#extension GL_ARB_gpu_shader5 : enable
{extensions}
out vec4 isf_FragColor;
in vec2 isf_FragNormCoord;
uniform float TIME;
uniform float TIMEDELTA;
uniform vec4 DATE;
uniform int FRAMEINDEX;
uniform vec2 RENDERSIZE;
#define PASSINDEX {index}
#define texture2D texture
#define IMG_SIZE(image) vec2(textureSize(image, 0))
#define IMG_NORM_PIXEL(image, at) texture(image, at)
#define IMG_PIXEL(image, at) texture(image, (at) / IMG_SIZE(image))
#define IMG_THIS_PIXEL(image) texture(image, isf_FragNormCoord)
#define IMG_THIS_NORM_PIXEL(image) texture(image, isf_FragNormCoord)
"""

# A persistent target that has caught one NaN would keep and spread it for ever: none leaves a pass.
_SUFFIX = """
#line 1 1
#undef main
void main() {
    isf_FragColor = vec4(0.0);
    isf_authorMain();
    if (any(isnan(isf_FragColor)) || any(isinf(isf_FragColor))) isf_FragColor = vec4(0.0);
    SEEN
}
"""

GAIN = "isf_gain"
"""Uniform of the pass that is seen: what its light is multiplied by."""

# Ordered noise along the R2 sequence (the reciprocal powers of the plastic number) against bands in dark gradients.
# Under half an 8-bit step, so that a value that is one of the 256 stays it; none on black.
_SEEN = f"""
uniform float {GAIN};
vec4 isf_seen(vec4 light) {{
    float noise = fract(dot(gl_FragCoord.xy, vec2(0.7548776662, 0.5698402910))) - 0.5;
    vec3 dimmed = clamp(light.rgb, 0.0, 1.0) * {GAIN};
    return vec4(dimmed + noise * 0.7 / 255.0 * step(0.5 / 255.0, {GAIN}), 1.0);
}}
"""

FINISH = f"""#version 330 core
in vec2 isf_FragNormCoord;
out vec4 colour;
uniform sampler2D picture;
{_SEEN}
void main() {{ colour = isf_seen(texture(picture, isf_FragNormCoord)); }}
"""
"""A target as it is seen, for a shader whose last pass has one."""

COPY = """#version 330 core
in vec2 isf_FragNormCoord;
out vec4 colour;
uniform sampler2D picture;
void main() { colour = texture(picture, isf_FragNormCoord); }
"""

RENAMED = {"centroid": "isf_centroid"}
"""Inputs whose name is a word of GLSL, and what the uniform is called instead; a macro hides it from the author."""

_TYPES = {"event": "bool", "bool": "bool", "long": "int", "float": "float", "point2D": "vec2", "color": "vec4"}

_VERSION = re.compile(r"^[ \t]*#[ \t]*version\b.*$", re.MULTILINE)
_EXTENSION = re.compile(r"^[ \t]*#[ \t]*extension\b.*$", re.MULTILINE)
_COLOUR = re.compile(r"\bgl_FragColor\b")

_COMPLAINTS = (
    re.compile(r"^(?P<string>\d+):(?P<line>\d+)\(\d+\):\s*(?:preprocessor )?error:?\s*(?P<message>.*)$", re.MULTILINE),
    re.compile(r"^(?P<string>\d+)\((?P<line>\d+)\)\s*:\s*error\s*(?P<message>.*)$", re.MULTILINE),
    re.compile(r"^ERROR:\s*(?P<string>\d+):(?P<line>\d+):\s*(?P<message>.*)$", re.MULTILINE),
)
"""How Mesa, NVIDIA, and AMD and Apple word an error."""


def fragment(shader: Shader, index: int) -> str:
    """GLSL of pass `index` of `shader`; the last one, if it has no target, through gain and dither."""
    seen = index == len(shader.passes) - 1 and shader.passes[index].target is None
    extensions = "\n".join(match[0].strip() for match in _EXTENSION.finditer(shader.source))
    body = _COLOUR.sub("isf_FragColor", _VERSION.sub("", _EXTENSION.sub("", shader.source)))
    return "".join(
        (
            _PREFIX.format(index=index, extensions=extensions),
            _SEEN if seen else "",
            _uniforms(shader),
            "#define main isf_authorMain\n#line 1 0\n",
            body,
            _SUFFIX.replace("SEEN", "isf_FragColor = isf_seen(isf_FragColor);" if seen else ""),
        )
    )


def _uniforms(shader: Shader) -> str:
    """The inputs and targets as uniforms, each counted as the author's line that names it."""
    kinds = {each.name: _TYPES.get(each.kind, "sampler2D") for each in shader.inputs}
    lines = [f"#define {name} {uniform}\n" for name, uniform in RENAMED.items() if name in kinds]
    lines += [f"#line {each.line} 0\nuniform {kinds[each.name]} {each.name};\n" for each in shader.inputs]
    targets = dict.fromkeys(each.target for each in shader.passes if each.target)
    lines.extend(f"uniform sampler2D {target};\n" for target in targets)
    return "".join(lines)


def complaint(shader: Shader, log: str) -> ShaderError:
    """What a compiler's or linker's `log` says of `shader`, at the author's line where it names one."""
    found = [match for pattern in _COMPLAINTS for match in pattern.finditer(log)]
    if found and "isf_authorMain" in found[0]["message"]:
        return ShaderError(shader.file, "there is no void main()")
    own = next((match for match in found if match["string"] == "0"), None)
    if own is not None:
        return ShaderError(shader.file, own["message"].strip(), int(own["line"]))
    words = " ".join(line.strip() for line in log.splitlines() if line.strip(" =\t"))
    return ShaderError(shader.file, words or "it does not compile, and the driver does not say why")
