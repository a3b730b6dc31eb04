"""Parameters: travel and value are inverse, ranges hold, and a name is one parameter's only."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation import parameters
from installation.parameters import Parameter, Values, declared, nearest, section

PARAMETERS = declared(16)
EACH = st.sampled_from(sorted(PARAMETERS)).map(PARAMETERS.__getitem__)


def test_there_are_three_more_for_each_latent_and_the_rest_are_the_same() -> None:
    assert len(declared(5)) - len(declared(4)) == 3
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


def test_nearest_says_nothing_rather_than_nonsense() -> None:
    assert nearest("gian", ("gain", "pan")) == " (did you mean gain?)"
    assert nearest("zebra", ("gain", "pan")) == ""
