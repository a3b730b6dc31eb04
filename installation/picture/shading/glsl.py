"""A shader as GLSL: the built-ins of ISF, its inputs as uniforms, and errors at the author's own line.

One program a pass: PASSINDEX is a constant, so a driver drops what a pass does not use (on a software renderer that is
most of the cost of a shader with several passes). `#line` makes compilers count the author's lines, header included.
Which text a line is in is told by its number too, for Mesa forgets the number of the text (`#line`'s second) in most of
its errors: those of text 1 are counted from LINES on, of text 2 from 2 * LINES, and those written here from OURS on.
"""

from __future__ import annotations

import re

from installation.errors import ShaderError
from installation.picture import finishing
from installation.picture.shading.shader import Shader
from installation.picture.shading.words import BARRED, WORDS

VERTEX = """#version 330 core
out vec2 isf_FragNormCoord;
void main() {
    // One triangle that covers the picture: (-1, -1), (3, -1), (-1, 3).
    vec2 corner = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    isf_FragNormCoord = corner;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""
"""Of a shader without a vertex shader of its own."""

BUILT_IN = ("TIME", "TIMEDELTA", "DATE", "FRAMEINDEX", "RENDERSIZE")
"""Uniforms every pass has. PASSINDEX is a constant."""

LINES = 1_000_000
OURS = 99 * LINES
"""How lines are counted that are not the first text's."""

_PREFIX = """#version 330 core
#line {ours} 0
#extension GL_ARB_shading_language_420pack : enable
#extension GL_ARB_gpu_shader5 : enable
{extensions}
uniform float TIME;
uniform float TIMEDELTA;
uniform vec4 DATE;
uniform int FRAMEINDEX;
uniform vec2 RENDERSIZE;
#define PASSINDEX {index}
#define vv_FragNormCoord isf_FragNormCoord
#define vv_vertShaderInit isf_vertShaderInit
#define texture1D texture
#define texture2D texture
#define texture2DLod textureLod
#define texture2DProj textureProj
#define texture2DRect(image, at) texture(image, (at) / IMG_SIZE(image))
#define texture2DRectProj(image, at) texture(image, (at).xy / (at).z / IMG_SIZE(image))
#define IMG_SIZE(image) vec2(textureSize(image, 0))
#define IMG_NORM_PIXEL(image, at) texture(image, at)
#define IMG_PIXEL(image, at) texture(image, (at) / IMG_SIZE(image))
#define IMG_THIS_PIXEL(image) texture(image, isf_FragNormCoord)
#define IMG_THIS_NORM_PIXEL(image) texture(image, isf_FragNormCoord)
"""

_FRAGMENT = """out vec4 isf_FragColor;
in vec2 isf_FragNormCoord;
#define varying in
#define main isf_authorMain
"""

# A persistent target that has caught one NaN would keep and spread it for ever: none leaves a pass.
_SUFFIX = """
#line {ours} 0
#undef main
void main() {{
    isf_FragColor = vec4(0.0);
    isf_authorMain();
    if (any(isnan(isf_FragColor)) || any(isinf(isf_FragColor))) isf_FragColor = vec4(0.0);
    {finished}
}}
"""

# Drawn as a strip of the picture's four corners, for the author's shader may turn or bend it.
_OWN_VERTEX = """out vec2 isf_FragNormCoord;
#define varying out
#define attribute in
void isf_vertShaderInit() {
    isf_FragNormCoord = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
    gl_Position = vec4(isf_FragNormCoord * 2.0 - 1.0, 0.0, 1.0);
}
"""

# Sizes under the names by which some public shaders know them.
_RECTANGLE = """#define _{name}_imgSize IMG_SIZE({uniform})
#define _{name}_imgRect vec4(vec2(0.0), IMG_SIZE({uniform}))
"""

COPY = """#version 330 core
in vec2 isf_FragNormCoord;
out vec4 colour;
uniform sampler2D picture;
void main() { colour = texture(picture, isf_FragNormCoord); }
"""

RENAMED = {word: f"isf_{word}" for word in sorted(WORDS)}
"""Names that are words of GLSL, and what they are called instead: those of inputs and images wherever the author's text
does not call them as a function, and those that are barred as names in any text."""

_TYPES = {"event": "bool", "bool": "bool", "long": "int", "float": "float", "point2D": "vec2", "color": "vec4"}

_VERSION = re.compile(r"^[ \t]*#[ \t]*version\b.*$", re.MULTILINE)
_EXTENSION = re.compile(r"^[ \t]*#[ \t]*extension[ \t]+(\w+)[ \t]*:[ \t]*(\w+).*$", re.MULTILINE)
_COLOUR = re.compile(r"\bgl_FragColor\b|\bgl_FragData[ \t]*\[[ \t]*0[ \t]*\]")
_BARRED = re.compile(rf"\b(?:{'|'.join(sorted(BARRED))})\b")
_DISCARD = re.compile(r"\bdiscard\b")

_COMPLAINTS = (
    re.compile(r"^(?:\d+):(?P<line>\d+)\(\d+\):\s*(?:preprocessor )?error:?\s*(?P<message>.*)$", re.MULTILINE),
    re.compile(r"^(?:\d+)\((?P<line>\d+)\)\s*:\s*error\s*(?P<message>.*)$", re.MULTILINE),
    re.compile(r"^ERROR:\s*(?:\d+):(?P<line>\d+):\s*(?P<message>.*)$", re.MULTILINE),
)
"""How Mesa, NVIDIA, and AMD and Apple word an error."""

_QUOTED = re.compile(r"[`'\"]([A-Za-z_]\w*)['\"]")
_OWN_NAME = re.compile(r"\bisf_(\w+)")


def fragment(shader: Shader, index: int) -> str:
    """The fragment shader of pass `index`; the last one's light is finished, unless that is done apart."""
    seen = index == len(shader.passes) - 1 and not finished_apart(shader)
    texts = shader.passes[index].texts
    return "".join(
        (
            _prefix(shader, index, texts),
            finishing.GLSL if seen else "",
            _uniforms(shader, index),
            _FRAGMENT,
            *(_body(shader, number) for number in texts),
            _SUFFIX.format(ours=OURS, finished="isf_FragColor = isf_finished(isf_FragColor);" if seen else ""),
        )
    )


def vertex(shader: Shader, index: int) -> str:
    """The vertex shader of pass `index`: the author's, or one that covers the picture."""
    if shader.vertex is None:
        return VERTEX
    parts = (
        _prefix(shader, index, (shader.vertex,)),
        _uniforms(shader, index),
        _OWN_VERTEX,
        _body(shader, shader.vertex),
    )
    return "".join(parts)


def finished_apart(shader: Shader) -> bool:
    """Whether what the last pass draws is finished by a draw of its own: where it has a target, which is kept raw."""
    return shader.passes[-1].target is not None


def leaves_out(shader: Shader, index: int) -> bool:
    """Whether pass `index` may leave pixels undrawn."""
    texts = (shader.texts[number].source for number in shader.passes[index].texts)
    return shader.vertex is not None or any(_DISCARD.search(each) for each in texts)


def _prefix(shader: Shader, index: int, texts: tuple[int, ...]) -> str:
    """What comes before all else. An extension that is required is only asked for: a driver may have it unnamed."""
    found = (match for number in texts for match in _EXTENSION.finditer(shader.texts[number].source))
    wanted = dict.fromkeys(f"#extension {match[1]} : {match[2].replace('require', 'enable')}" for match in found)
    return _PREFIX.format(ours=OURS, index=index, extensions="\n".join(wanted))


def _uniforms(shader: Shader, index: int) -> str:
    """The inputs as uniforms, each counted as the author's line that names it, and what pass `index` samples."""
    numbers = [(each, _TYPES[each.kind]) for each in shader.inputs if not each.is_image]
    lines = [f"#line {each.line} 0\nuniform {kind} {_uniform(each.name)};\n" for each, kind in numbers]
    named = {each.name: each.line for each in shader.inputs} | {each.name: each.line for each in shader.imported}
    for channel in shader.channels(index):
        lines.append(f"#line {named.get(channel.name, 1)} 0\nuniform sampler2D {_uniform(channel.name)};\n")
        if any(f"_{channel.name}_img" in text.source for text in shader.texts):
            lines.append(_RECTANGLE.format(name=channel.name, uniform=_uniform(channel.name)))
    return "".join([*lines, f"#line {OURS} 0\n"])


def _body(shader: Shader, number: int) -> str:
    """The author's text `number`, each line where it was."""
    body = _COLOUR.sub("isf_FragColor", _VERSION.sub("", _EXTENSION.sub("", shader.texts[number].source)))
    body = _BARRED.sub(lambda match: RENAMED[match[0]], body)
    names = {each.name for each in shader.inputs} | {*shader.images}
    for name in sorted(names & RENAMED.keys() - BARRED):
        body = re.sub(rf"\b{name}\b(?!\s*\()", RENAMED[name], body)
    first = 1 + number * LINES if shader.texts[number].file else OURS
    return f"#line {first} 0\n{body}\n"


def _uniform(name: str) -> str:
    return RENAMED.get(name, name)


def complaint(shader: Shader, log: str) -> ShaderError:
    """What a compiler's or linker's `log` says of `shader`, in the file and at the line where it is the author's."""
    found = [match for pattern in _COMPLAINTS for match in pattern.finditer(log)]
    if found and "isf_authorMain" in found[0]["message"]:
        return ShaderError(shader.file, "there is no void main()")
    for match in found:
        number, line = divmod(int(match["line"]), LINES)
        message = _OWN_NAME.sub(_written, match["message"].strip())
        if number < len(shader.texts):
            return ShaderError(shader.texts[number].file, message, line)
        if "end of file" in message:
            last = shader.texts[shader.passes[0].texts[-1]]
            return ShaderError(last.file or shader.file, message, last.source.count("\n") + 1)
    words = " ".join(line.strip() for line in log.splitlines() if line.strip(" =\t"))
    words = _OWN_NAME.sub(_written, words) or "it does not compile, and the driver does not say why"
    file, found_line = _place(shader, words)
    return ShaderError(file, words, found_line)


def _written(match: re.Match[str]) -> str:
    """A name as the author wrote it."""
    return match[1] if match[1] in RENAMED else match[0]


def _place(shader: Shader, words: str) -> tuple[str, int | None]:
    """Where the first name that a linker quotes stands in the author's texts."""
    for name in _QUOTED.findall(words):
        for text in shader.texts:
            match = re.search(rf"\b{name}\b", text.source) if text.file else None
            if match:
                return text.file, text.source.count("\n", 0, match.start()) + 1
    return shader.file, None
