"""Pickup: a parameter never jumps to where a fader happens to stand."""

from __future__ import annotations

import random

from installation.commands import Set
from installation.control.controller import MidiMessage
from installation.control.pickup import NEAR, Desk, Pickup
from installation.controls import Midi
from installation.parameters import Values, declared


def follow(positions: list[float], current: float, step_s: float = 0.01) -> list[bool]:
    pickup, taken = Pickup(), []
    for number, position in enumerate(positions):
        taken.append(pickup.take(position, current, number * step_s))
        current = position if taken[-1] else current
    return taken


def test_the_first_position_is_only_noted_even_where_the_parameter_is() -> None:
    assert follow([0.5], 0.5) == [False]


def test_a_far_fader_is_ignored_until_it_comes_near_and_then_followed() -> None:
    assert follow([0.1, 0.2, 0.3, 0.49, 0.9, 0.1], 0.5) == [False, False, False, True, True, True]


def test_a_quick_sweep_across_is_taken_and_a_late_crossing_is_not() -> None:
    assert follow([0.1, 0.9], 0.5, step_s=0.01) == [False, True]
    assert follow([0.1, 0.9], 0.5, step_s=1.0) == [False, False]


def test_something_else_turning_the_parameter_lets_the_fader_go() -> None:
    pickup = Pickup()
    assert [pickup.take(0.5, 0.5, 0.0), pickup.take(0.5, 0.5, 0.1)] == [False, True]
    assert not pickup.take(0.52, 0.9, 0.2)
    assert not pickup.take(0.54, 0.9, 0.3)
    assert pickup.take(0.89, 0.9, 0.4)


def test_a_parameter_jumps_only_by_a_quick_sweep() -> None:
    rng = random.Random(5)
    for _ in range(50):
        pickup, current, before = Pickup(), rng.random(), None
        for number in range(40):
            position = rng.random()
            if pickup.take(position, current, float(number)):
                held = before is not None and before == current
                assert held or abs(position - current) <= NEAR
                current = position
            before = current if pickup._given is not None else None


DEVICES = (
    Midi(device="nano", controls={"cc 1": "/voice/pan", "cc 2": "/voice/hold", "cc 3": "/evolution/neighbours"}),
)


def desk() -> tuple[Desk, Values]:
    parameters = declared(16)
    return Desk(DEVICES, parameters), Values(parameters)


def turn(desk: Desk, values: Values, number: int, value: int, now_s: float) -> int:
    commands = desk.commands(MidiMessage("nanoKONTROL2", "cc", 1, number, value), values.as_dict(), now_s)
    assert isinstance(commands, tuple)
    for command in commands:
        assert isinstance(command, Set)
        assert values.set(command.address, command.value) is None
    return len(commands)


def test_a_desk_holds_faders_back_and_switches_not() -> None:
    board, values = desk()
    assert turn(board, values, 2, 127, 0.0) == 1
    assert [turn(board, values, 1, value, 0.0) for value in (10, 30, 62, 66, 127)] == [0, 0, 1, 1, 1]
    assert values["/voice/pan"] == 1.0


def test_a_desk_keeps_hold_of_whole_numbers_through_their_rounding() -> None:
    board, values = desk()
    sweep = [turn(board, values, 3, value, 0.1) for value in range(127)]
    first = sweep.index(1)
    assert 0 < first < 40 and all(sweep[first:])
    assert values["/evolution/neighbours"] == 64.0


def test_a_device_that_comes_back_is_picked_up_anew() -> None:
    board, values = desk()
    assert [turn(board, values, 1, value, 0.0) for value in (64, 64)] == [0, 1]
    board.forget("nanoKONTROL2")
    assert turn(board, values, 1, 100, 0.1) == 0
