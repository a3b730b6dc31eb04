"""The inputs of a scene's shaders as parameters: turned by the scene, OSC and MIDI like every other knob."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from installation.errors import InstallationError
from installation.parameters import EFFECT, INPUT, INPUT_PARTS, Curve, Parameter, output_parameters
from installation.picture.shading import shaders
from installation.picture.shading.isf import NUMBERS, Input
from installation.picture.uniforms import filled
from installation.picture_section import Picture
from installation.surroundings import Known

_CURVES: dict[str, Curve] = {"event": "switch", "bool": "switch", "long": "steps"}


def shader_inputs(path: Path, prefix: str = INPUT) -> Known:
    """The inputs of the shader in `path` and the parameters that turn each; none for pictures and what is filled.
    InstallationError if it is no shader. No GL is needed."""
    shader = shaders.load(path)
    return {
        each.name: _parameters(each, prefix, path.name) if _free(each, shader.kind) else () for each in shader.inputs
    }


def picture_parameters(picture: Picture) -> dict[str, Parameter]:
    """Every parameter of a picture's outputs, and of the inputs of its shader and its effects, by address. A shader
    that can't be read has none: the stage says what is wrong with it."""
    layers = [(picture.shader, INPUT), *((each.shader, f"{EFFECT}/{n}") for n, each in enumerate(picture.effects, 1))]
    found = output_parameters(len(picture.outputs))
    for written, prefix in layers:
        try:
            known = shader_inputs(Path(written), prefix)
        except InstallationError:
            continue
        found.update({each.address: each for parts in known.values() for each in parts})
    return found


def _free(each: Input, kind: str) -> bool:
    return not each.is_image and not filled(each, kind)


def _parameters(each: Input, prefix: str, file: str) -> tuple[Parameter, ...]:
    count = NUMBERS[each.kind]
    sentence = f"{each.label or each.name}: an input of {file}."
    curve = _CURVES.get(each.kind, "linear")
    lows, highs, standard = (_each(value, count) for value in (each.minimum, each.maximum, each.default))
    found = []
    for part, low, high, default in zip(INPUT_PARTS[count], lows, highs, standard, strict=True):
        value = 0.0 if default is None else default
        low, high = (0.0 if low is None else low), (1.0 if high is None else high)
        low, high = min(low, value), max(high, value)
        whole = Parameter(
            f"{prefix}/{each.name}{part}", low, high if high > low else low + 1.0, value, "", curve, sentence
        )
        found.append(replace(whole, minimum=0, maximum=1) if curve == "switch" else whole)
    return tuple(found)


def _each(value: float | tuple[float, ...] | None, count: int) -> Iterable[float | None]:
    return value if isinstance(value, tuple) else (value,) * count
