"""The fields a scene is made of: numbers that refuse as parameters do, and sections that take their knobs from them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from installation.parameters import Curve, Parameter, section


def wrong(message: str) -> PydanticCustomError:
    """A fault in the author's words; braces in it are not pydantic's."""
    return PydanticCustomError("scene", "{message}", {"message": message})


@dataclass(frozen=True)
class Number:
    """A field that takes the numbers a parameter takes, and says so as the parameter does."""

    parameter: Parameter

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = source is int
        limits: dict[str, Any] = {"ge": self.parameter.minimum, "le": self.parameter.maximum}
        shown: CoreSchema = core_schema.float_schema(**limits)
        if self.parameter.curve == "switch":
            shown = core_schema.union_schema([core_schema.bool_schema(), core_schema.literal_schema([0, 1])])
        elif self.parameter.choices:
            names = core_schema.literal_schema(list(self.parameter.choices))
            shown = core_schema.union_schema([names, core_schema.int_schema(ge=0, le=int(limits["le"]))])
        elif self.parameter.curve == "steps":
            shown = core_schema.int_schema(ge=int(limits["ge"]), le=int(limits["le"]))

        def read(value: Any) -> float:
            return int(self.read(value)) if whole else self.read(value)

        return core_schema.no_info_plain_validator_function(read, json_schema_input_schema=shown)

    def read(self, value: Any) -> float:
        """`value` as a number in range, or the fault."""
        if self.parameter.choices and isinstance(value, str):
            return self._chosen(value)
        if isinstance(value, bool) and self.parameter.curve != "switch":
            raise wrong(f"{str(value).lower()} is not a number")
        if not isinstance(value, int | float):
            raise wrong(_not_a_number(value, self.parameter))
        fault = self.parameter.fault(value)
        if fault:
            raise wrong(fault)
        return float(value)

    def _chosen(self, name: str) -> float:
        value = self.parameter.named(name)
        if value is None:
            raise wrong(self.parameter.unnamed(name))
        return value


def _not_a_number(value: Any, parameter: Parameter) -> str:
    """Why `value` is not a number of `parameter`, and for what older YAML made of it, what to write instead."""
    allowed = f"allowed are {parameter.allowed}"
    if value is None:
        return f"is empty, {allowed}"
    if not isinstance(value, str):
        return f"got {kind(value)}, {allowed}"
    if parameter.curve == "switch" and value.lower() in _TRUTH:
        return f"{value!r} is text, write {_TRUTH[value.lower()]}"
    if re.fullmatch(r"\d+(:[0-5]?\d){1,2}", value):
        seconds = 0
        for digits in value.split(":"):
            seconds = seconds * 60 + int(digits)
        return f"{value!r} is text, not a number; for so many minutes and seconds write {seconds}"
    return f"{value!r} is text, not a number; {allowed}"


_TRUTH = {"yes": "true", "on": "true", "y": "true", "true": "true", "no": "false", "off": "false", "n": "false"}
_TRUTH["false"] = "false"


def kind(value: Any) -> str:
    """What a value read from YAML is, in words."""
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def limits(minimum: float, maximum: float, curve: Curve = "linear") -> Number:
    """The numbers `minimum`..`maximum`, for a field that is no knob."""
    return Number(Parameter("/scene/field", minimum, maximum, minimum, "", curve, ""))


Text = Annotated[str, Field(min_length=1, max_length=200)]
"""A name, a path: one line of text."""


def nothing_is(empty: Any) -> BeforeValidator:
    """A key with nothing after it, as is left when its lines are commented out, is as good as no key."""
    return BeforeValidator(lambda value: empty if value is None else value)


class Section(BaseModel):
    """A part of a scene. `knobs` are the parameters it may set, by the key they have in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    knobs: ClassVar[dict[str, Parameter]] = {}

    def turned(self, prefix: str) -> dict[str, float]:
        """The parameters this section sets, by address; `prefix` is what their addresses begin with."""
        return {f"{prefix}/{key}": float(getattr(self, key)) for key in self.knobs if key in self.model_fields_set}


def _explained(knob: Parameter) -> Any:
    """The field's default and description; in the JSON schema a choice's default is its name."""
    if not knob.choices:
        return Field(default=knob.default, description=f"{knob.sentence} ({knob.unit or '1'})")
    return Field(
        default=knob.default, description=knob.sentence, json_schema_extra={"default": knob.shown(knob.default)}
    )


AnySection = TypeVar("AnySection", bound=Section)


def knobs_of(owner: str) -> dict[str, Parameter]:
    """The fixed parameters of a section, by their key in it."""
    return {parameter.key: parameter for parameter in section(owner)}


def with_knobs(knobs: dict[str, Parameter]) -> Callable[[type[AnySection]], type[AnySection]]:
    """Give a section a field for each of `knobs`, with its range, default and sentence."""

    def widen(section: type[AnySection]) -> type[AnySection]:
        fields: dict[str, Any] = {
            key: (
                Annotated[float, Number(knob)],
                _explained(knob),
            )
            for key, knob in knobs.items()
        }
        wider = create_model(
            section.__name__, __base__=section, __module__=section.__module__, __doc__=section.__doc__, **fields
        )
        wider.knobs = knobs
        return wider

    return widen
