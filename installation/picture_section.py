"""What a scene file may say of its picture: the drawing, its inputs, effects and transition, its outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping as Named
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from installation import features, parameters
from installation.errors import InstallationError
from installation.field import Section, Text, kind, knobs_of, limits, nothing_is, with_knobs, wrong
from installation.parameters import nearest
from installation.surroundings import SHADERS, Surroundings, find_shader
from installation.track import FEATURES

SOURCES = (*FEATURES, "sparseness", "age", "progress")
"""What a mapping may come from, all 0..1: what is heard, and of the trajectory now sounding its sparseness (against
what is usual, .5), its age (n of n + 10 generations) and its progress."""


def _source(name: str) -> str:
    if name not in SOURCES:
        raise wrong(f"{name!r} is not heard{nearest(name, SOURCES)}; allowed are {features.listed(SOURCES)}")
    return name


def _input(name: str, info: ValidationInfo) -> str:
    """An input of the shader, where the shader's inputs are known."""
    known = info.context.here.inputs if info.context else None
    if known is None or name in known:
        return name
    raise wrong(f"the shader has no input {name!r}{nearest(name, known)}; it has {', '.join(known) or 'none'}")


def _turnable(inputs: dict[str, tuple[float, ...]], info: ValidationInfo) -> dict[str, tuple[float, ...]]:
    """Each input as many numbers as it has, in their ranges, where the shader's inputs are known."""
    known = info.context.here.inputs if info.context else None
    for name, numbers in inputs.items():
        parts = known.get(name) if known is not None else None
        if parts is None:
            continue
        if len(parts) != len(numbers):
            has = f"{len(parts)} numbers" if parts else "none: it is filled, or a picture"
            raise wrong(f"{name}: got {len(numbers)} number{'s' * (len(numbers) > 1)}, it takes {has}")
        faults = (part.fault(number) for part, number in zip(parts, numbers, strict=True))
        fault = next((fault for fault in faults if fault), None)
        if fault:
            raise wrong(f"{name}: {fault}")
    return inputs


def _numbers(value: Any) -> tuple[float, ...]:
    """What an input is set to: a number, true or false, or a list of 2 or 4 numbers."""
    numbers = value if isinstance(value, list) else [value]
    if len(numbers) not in parameters.INPUT_PARTS or not all(isinstance(each, int | float) for each in numbers):
        raise wrong(f"got {kind(value)}, allowed is a number, true or false, or a list of 2 or 4 numbers")
    if not all(math.isfinite(each) for each in numbers):
        raise wrong("is not a finite number")
    return tuple(float(each) for each in numbers)


Inputs = Annotated[
    dict[Annotated[str, AfterValidator(_input)], Annotated[tuple[float, ...], BeforeValidator(_numbers)]],
    AfterValidator(_turnable),
    nothing_is({}),
]
INPUTS = "By the name of an input of the shader: a number, true or false, [x, y] or [red, green, blue, alpha]."


class Mapping(Section):
    """What is heard turns what is seen: `from` a feature `to` an input of the shader."""

    source: Annotated[str, AfterValidator(_source), Field(json_schema_extra={"enum": list(SOURCES)})] = Field(
        alias="from", description="What is heard."
    )
    target: Annotated[str, AfterValidator(_input)] = Field(alias="to", description="An input of the shader.")
    low: Annotated[float, limits(-1e6, 1e6)] = Field(default=0.0, description="The input at the feature's least.")
    high: Annotated[float, limits(-1e6, 1e6)] = Field(default=1.0, description="The input at the feature's most.")
    attack_ms: Annotated[float, limits(0, 60_000)] = Field(
        default=10.0, description="Time to rise to 1 - 1/e of a step."
    )
    release_ms: Annotated[float, limits(0, 60_000)] = Field(
        default=150.0, description="Time to fall by 1 - 1/e of a step."
    )


def _shader(written: str, info: ValidationInfo) -> str:
    return _found(written, info.context, effect=False)


def _effect(written: str, info: ValidationInfo) -> str:
    return _found(written, info.context, effect=True)


def _passage(written: str, info: ValidationInfo) -> str:
    """A transition's file: nothing of it can be turned."""
    around: Surroundings | None = info.context
    path = _file(written, around)
    if around is not None and around.inputs is not None:
        try:
            around.inputs(path, "")
        except InstallationError as error:
            raise wrong(str(error)) from error
    return str(path)


def _found(written: str, around: Surroundings | None, effect: bool) -> str:
    """The shader's file. What is read after it speaks of its inputs."""
    if around is not None:
        around.enter(None)
    path = _file(written, around)
    if around is not None:
        try:
            around.enter(path, effect)
        except InstallationError as error:
            raise wrong(str(error)) from error
    return str(path)


def _file(written: str, around: Surroundings | None) -> Path:
    if around is None:
        return SHADERS / written
    path = find_shader(written, around.folder, around.shaders)
    if path is None:
        known = tuple(sorted(path.relative_to(around.shaders).as_posix() for path in around.shaders.rglob("*.fs")))
        raise wrong(f"no shader {written!r} in {around.shaders} or beside the scene{nearest(written, known)}")
    return path


ShaderName = Annotated[Text, AfterValidator(_shader)]
Mappings = Annotated[tuple[Mapping, ...], nothing_is(())]


DISSOLVE = "transitions/dissolve.fs"


class Effect(Section):
    """A filter the picture goes through."""

    shader: Annotated[Text, AfterValidator(_effect)] = Field(
        description="A filter in shaders/effects/, or a path from the scene's folder."
    )
    inputs: Inputs = Field(default={}, description=INPUTS)
    mappings: Mappings = Field(default=(), description="What is heard turns it.")


class Transition(Section):
    """How the picture takes the place of the one before it."""

    shader: Annotated[Text, AfterValidator(_passage)] = Field(
        default=str(SHADERS / DISSOLVE),
        description="A transition in shaders/transitions/, or a path from the scene's folder.",
        json_schema_extra={"default": DISSOLVE},
    )
    seconds: Annotated[float, limits(0, 600)] = Field(default=2.0, description="How long it takes; 0 is a cut.")


Share = Annotated[float, limits(0, 1)]
Place = Annotated[float, limits(-1, 2)]


def _crop(value: tuple[float, ...]) -> tuple[float, ...]:
    left, top, width, height = value
    if width < 0.01 or height < 0.01 or left + width > 1.0 + 1e-6 or top + height > 1.0 + 1e-6:
        raise wrong("is not [left, top, width, height] of a part of the picture, as shares of it")
    return value


def _corners(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Corners a picture can be put between: of a convex figure, clockwise; else it turns inside out."""
    turns = []
    for number in range(4):
        (x0, y0), (x1, y1), (x2, y2) = (points[(number + step) % 4] for step in range(3))
        turns.append((x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1))
    if max(turns) <= -0.001:
        raise wrong("the corners go anticlockwise; write them clockwise from the top left, and mirror with flip")
    if min(turns) < 0.001:
        raise wrong("the corners cross over, or three lie on one line; write them clockwise from the top left")
    return points


def _display(value: Any) -> int | str:
    """A number from 0, or a name."""
    if isinstance(value, bool) or not isinstance(value, int | str) or len(str(value)) > 200 or not str(value).strip():
        raise wrong(f"got {kind(value)}, allowed is a display's number, or its name as `installation devices` lists it")
    if isinstance(value, int) and not 0 <= value <= 63:
        raise wrong(f"{value} is outside 0..63")
    return value


def _outputs(outputs: tuple[Output, ...], info: ValidationInfo) -> tuple[Output, ...]:
    """Each on a display of its own. What is read after them may turn their parameters."""
    shown = [each.display.lower() if isinstance(each.display, str) else each.display for each in outputs]
    for number, display in enumerate(shown, 1):
        first = shown.index(display) + 1
        if first < number:
            raise wrong(f"outputs {first} and {number} are on the same display, {outputs[number - 1].display!r}")
    if info.context:
        info.context.here.parameters.update(parameters.output_parameters(len(outputs)))
    return outputs


class Output(Section):
    """A display, and what of the picture it shows where."""

    display: Annotated[int | str, BeforeValidator(_display)] = Field(
        default=0, description="Its number, or its name as `installation devices` lists it."
    )
    crop: Annotated[tuple[Share, Share, Share, Share], AfterValidator(_crop)] = Field(
        default=(0.0, 0.0, 1.0, 1.0), description="[left, top, width, height] of the picture, as shares of it."
    )
    rotate: Literal[0, 90, 180, 270] = Field(default=0, description="Degrees, clockwise.")
    flip: Literal["none", "horizontal", "vertical"] = Field(default="none", description="For rear projection, mirrors.")
    corners: (
        Annotated[tuple[tuple[Place, Place], ...], Field(min_length=4, max_length=4), AfterValidator(_corners)] | None
    ) = Field(
        default=None,
        description="Where the corners are put, clockwise from the top left, as shares of the display; without: as "
        "large as fits.",
    )
    gamma: Annotated[float, limits(0.2, 5)] = Field(default=1.0, description="Above 1 the middle is darker.")


@with_knobs(knobs_of("picture"))
class Picture(Section):
    """What is seen."""

    shader: ShaderName = Field(
        "embers.fs", validate_default=True, description="A file in shaders/, or a path from the scene's folder."
    )
    width: Annotated[int, limits(16, 7680, "steps")] = Field(default=1280, description="Picture width in pixels.")
    height: Annotated[int, limits(16, 4320, "steps")] = Field(default=720, description="Picture height in pixels.")
    fps: Annotated[float, limits(1, 240)] = Field(default=60.0, description="Frames a second, at most.")
    fullscreen: Annotated[bool, Field(strict=True)] = Field(default=False, description="Fill the screen.")
    display_latency_ms: Annotated[float, limits(0, 500)] = Field(
        default=0.0, description="How long the display takes to show what it is sent."
    )
    least_resolution: Annotated[float, limits(0.25, 1)] = Field(
        default=0.5, description="How far width and height may be reduced to hold the frame rate; 1 is not at all."
    )
    inputs: Inputs = Field(default={}, description=INPUTS)
    mappings: Mappings = Field(default=(), description="What is heard turns it.")
    effects: Annotated[tuple[Effect, ...], Field(max_length=8), nothing_is(())] = Field(
        default=(), description="Filters it goes through, in this order."
    )
    outputs: Annotated[
        tuple[Output, ...], Field(max_length=parameters.OUTPUTS), AfterValidator(_outputs), nothing_is(())
    ] = Field(default=(), description="The displays it is shown on; without any: a window, or the whole screen.")
    span: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="One window over all outputs, instead of a process for each."
    )
    share: Annotated[tuple[Literal["syphon", "spout", "ndi"], ...], nothing_is(())] = Field(
        default=(), description="How it is given to other programs: syphon (macOS), spout (Windows), ndi (network)."
    )
    transition: Annotated[Transition, nothing_is({})] = Field(
        default=Transition(), description="How it takes the place of the picture before it."
    )

    def turned(self, prefix: str) -> dict[str, float]:
        """The parameters this section sets, those of its shaders among them."""
        values = super().turned(prefix) | _set(parameters.INPUT, self.inputs)
        for number, effect in enumerate(self.effects, 1):
            values.update(_set(f"{parameters.EFFECT}/{number}", effect.inputs))
        return values


def _set(prefix: str, inputs: Named[str, tuple[float, ...]]) -> dict[str, float]:
    """The parameters of a shader's inputs that are set, by address."""
    return {
        f"{prefix}/{name}{part}": number
        for name, numbers in inputs.items()
        for part, number in zip(parameters.INPUT_PARTS[len(numbers)], numbers, strict=True)
    }
