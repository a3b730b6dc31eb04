"""Parameters: travel and value are inverse, ranges hold, and a name is one parameter's only."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation import parameters
from installation.parameters import WHOLE, Parameter, Values, declared, nearest, section

PARAMETERS = declared(16)
EACH = st.sampled_from(sorted(PARAMETERS)).map(PARAMETERS.__getitem__)


def test_there_are_four_more_for_each_latent_and_the_rest_are_the_same() -> None:
    assert len(declared(5)) - len(declared(4)) == 4
    assert all(declared(2)[address] == PARAMETERS[address] for address in declared(2))


def test_addresses_are_keys_of_their_owner() -> None:
    for address, parameter in PARAMETERS.items():
        assert parameter.address == address == f"/{parameter.owner}/{parameter.key}"
    for owner in ("evolution", "voice", "picture", "master"):
        assert section(owner) and all(parameter in PARAMETERS.values() for parameter in section(owner))


def test_defaults_are_allowed_and_every_sentence_ends() -> None:
    for parameter in PARAMETERS.values():
        assert parameter.fault(parameter.default) is None
        assert parameter.minimum < parameter.maximum
        assert parameter.sentence.endswith(".")
        assert parameter.curve != "exponential" or parameter.minimum > 0


@settings(deadline=None, derandomize=True)
@given(EACH, st.floats(0.0, 1.0))
def test_all_of_the_travel_is_allowed_and_rises(parameter: Parameter, position: float) -> None:
    value = parameter.at(position)
    assert parameter.fault(min(max(value, parameter.minimum), parameter.maximum)) is None
    assert value == pytest.approx(min(max(value, parameter.minimum), parameter.maximum), rel=1e-12)
    assert parameter.at(0.0) == parameter.minimum
    assert parameter.at(1.0) == pytest.approx(parameter.maximum)
    assert parameter.at(position) >= parameter.at(position / 2)


@settings(deadline=None, derandomize=True)
@given(EACH, st.floats(0.0, 1.0))
def test_position_is_the_inverse_of_at(parameter: Parameter, position: float) -> None:
    value = parameter.at(position)
    assert parameter.at(parameter.position(value)) == pytest.approx(value, abs=1e-9)


@settings(deadline=None, derandomize=True)
@given(EACH, st.floats(0.0, 1.0))
def test_whole_numbers_stay_whole_over_all_of_the_travel(parameter: Parameter, position: float) -> None:
    if parameter.curve in WHOLE:
        assert parameter.at(position) == int(parameter.at(position))


def test_a_name_is_the_number_of_its_place_and_back() -> None:
    choices = [parameter for parameter in PARAMETERS.values() if parameter.choices]
    assert len(choices) >= 4
    for parameter in choices:
        assert parameter.curve == "choice" and len(set(parameter.choices)) == len(parameter.choices)
        for place, name in enumerate(parameter.choices):
            assert parameter.named(name) == place and parameter.shown(place) == name
            assert parameter.fault(place) is None
        assert parameter.named("nothing") is None and parameter.fault(len(parameter.choices)) is not None


def test_a_wrong_name_is_told_with_the_nearest_and_all_that_are_allowed() -> None:
    parameter = Parameter.of("/a/b", ("iso-line", "drift"), "drift", "")
    assert parameter.default == 1.0
    assert parameter.unnamed("isoline") == (
        "'isoline' is none of its names (did you mean iso-line?); allowed are iso-line, drift"
    )
    assert len(parameter.unnamed("x" * 10_000)) < 150
    assert parameter.fault(2) == "2 is outside 0..1: iso-line, drift"
    assert parameter.fault(0.5) == "0.5 is not a whole number of 0..1: iso-line, drift"


@pytest.mark.parametrize(("curve", "value"), [("linear", 2.0), ("linear", math.nan), ("steps", 0.5), ("switch", 0.3)])
def test_what_is_not_allowed_has_a_fault(curve: parameters.Curve, value: float) -> None:
    assert Parameter("/a/b", 0, 1, 0, "", curve, "").fault(value)


def test_values_take_only_what_is_allowed() -> None:
    values = Values(PARAMETERS, {"/voice/gain": -3.0, "/voice/nothing": 1.0})
    before = values.as_dict()
    assert before["/voice/gain"] == -3.0 and set(values) == set(PARAMETERS)
    assert values.set("/voice/gain", 99.0) == "/voice/gain: 99 is outside -60..12"
    assert values.set("/voice/gian", 1.0) == "/voice/gian: no such parameter (did you mean /voice/gain?)"
    assert values.as_dict() == before
    assert values.set("/voice/hold", True) is None and values["/voice/hold"] == 1.0
    assert values.name("/evolution/selection") == "nearest"
    assert values.set("/evolution/selection", 2) is None and values.name("/evolution/selection") == "dominated"


def test_nearest_says_nothing_rather_than_nonsense() -> None:
    assert nearest("gian", ("gain", "pan")) == " (did you mean gain?)"
    assert nearest("zebra", ("gain", "pan")) == ""
