"""The board: a knob that is turned is told to those who obey it, one on its way arrives, and a refused one stays."""

from __future__ import annotations

from typing import Any

import pytest

from installation.board import Board
from installation.commands import Refused, Set
from installation.control.router import BREEDERS, STAGES
from installation.parameters import declared

Sent = list[tuple[str, Any]]


@pytest.fixture
def sent() -> Sent:
    return []


@pytest.fixture
def board(sent: Sent) -> Board:
    made = Board(
        lambda process, message: sent.append((process, message)), lambda address, value: sent.append(("", address))
    )
    made.take(declared(2, (3,)), {"/voice/gain": -3.0})
    return made


def test_a_scene_s_knobs_stand_as_it_says_and_nobody_is_told(board: Board, sent: Sent) -> None:
    assert board.values["/voice/gain"] == -3.0 and board.values["/voice/rate"] == 1.0 and not sent
    board.tell_all()
    assert {address for process, address in sent if not process} == set(board.parameters)


def test_a_knob_is_told_to_those_who_obey_it_in_their_own_words(board: Board, sent: Sent) -> None:
    assert board.turn("/master/mute", 1.0) is None
    assert [process for process, _ in sent] == ["voice", *STAGES, ""]
    sent.clear()
    board.turn("/part/2/latent/1/evolve", 0.0)
    assert sent[0] == (BREEDERS[1], Set("/latent/1/evolve", 0.0))
    sent.clear()
    board.turn("/part/2/gain", -6.0)
    assert sent[0] == ("voice", Set("/part/2/gain", -6.0))
    sent.clear()
    board.turn("/evolution/sigma", 1.0)
    assert [process for process, _ in sent] == [*BREEDERS, ""]


def test_what_is_refused_is_told_to_nobody(board: Board, sent: Sent) -> None:
    assert isinstance(board.turn("/voice/gain", 99.0), Refused) and isinstance(board.turn("/voice/gian", 0.0), Refused)
    assert board.values["/voice/gain"] == -3.0 and not sent


def test_a_ramp_arrives_and_a_hand_stops_it(board: Board, sent: Sent) -> None:
    board.ramp("/voice/gain", 3.0, 2.0, 10.0)
    board.advance(11.0)
    assert board.values["/voice/gain"] == pytest.approx(0.0)
    board.advance(13.0)
    assert board.values["/voice/gain"] == 3.0
    sent.clear()
    board.advance(14.0)
    assert not sent
    board.ramp("/voice/gain", -3.0, 2.0, 20.0)
    board.turn("/voice/gain", 1.0)
    board.advance(21.0)
    assert board.values["/voice/gain"] == 1.0


def test_a_ramp_of_what_is_no_more_or_too_far_is_refused_as_a_turn_is(board: Board, sent: Sent) -> None:
    for address, value in (("/voice/gian", 0.0), ("/part/2/latent/9/bias", 0.0), ("/voice/gain", 99.0)):
        refused = board.ramp(address, value, 2.0, 10.0)
        assert isinstance(refused, Refused) and refused == board.set(address, value)
    board.advance(13.0)
    assert not sent
    assert board.ramp("/voice/gain", 3.0, 2.0, 10.0) is None


def test_a_reset_turns_back_only_what_was_turned(board: Board, sent: Sent) -> None:
    board.turn("/voice/pan", 0.5)
    board.ramp("/voice/rate", 2.0, 5.0, 0.0)
    sent.clear()
    board.reset({"/voice/gain": -3.0})
    board.advance(9.0)
    assert sent == [("voice", Set("/voice/pan", 0.0)), ("", "/voice/pan")] and board.values["/voice/rate"] == 1.0
