"""Messages to commands: each parameter by each way in, and no message that is obeyed by halves."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message_builder import OscMessageBuilder

from installation.commands import (
    Forget,
    More,
    Never,
    Next,
    Panic,
    Photograph,
    Pin,
    Ping,
    Ramp,
    Recall,
    Record,
    Refused,
    Reset,
    Restore,
    Revive,
    Set,
    Unpin,
)
from installation.control import router
from installation.control.controller import MidiMessage, from_midi
from installation.control.router import Subscribe, from_message, from_osc
from installation.controls import Midi
from installation.parameters import Parameter, Values, declared
from tests.test_packet import VALID, bundle, one

PARAMETERS = declared(16, (3,))
DEFAULTS = Values(PARAMETERS).as_dict()


WISHES = {
    "/evolution/more": More,
    "/evolution/never": Never,
    "/evolution/pin": Pin,
    "/evolution/unpin": Unpin,
}


def ask(address: str, *arguments: object) -> object:
    return from_message(address, arguments, PARAMETERS)  # type: ignore[arg-type]


def refusal(address: str, *arguments: object) -> str:
    refused = ask(address, *arguments)
    assert isinstance(refused, Refused), refused
    return refused.reason


def test_every_owner_is_obeyed_by_a_process() -> None:
    assert {parameter.owner for parameter in PARAMETERS.values()} == set(router.OWNERS)
    assert set().union(*router.OWNERS.values()) == {*router.BREEDERS, "voice", *router.STAGES}
    assert {address for address in PARAMETERS if address.startswith("/latent/3/")} == {
        f"/latent/3/{key}" for key in ("bias", "scale", "freeze", "evolve")
    }
    assert router.obeying(PARAMETERS["/latent/3/evolve"]) == ("breeder",)
    assert router.obeying(PARAMETERS["/part/2/latent/1/evolve"]) == ("breeder 2",)
    assert router.obeying(PARAMETERS["/part/2/latent/1/bias"]) == ("voice",)
    assert router.obeying(PARAMETERS["/latent/3/bias"]) == ("voice",)
    assert router.obeying(PARAMETERS["/master/mute"]) == ("voice", *router.STAGES)


def test_a_value_sets_and_a_value_with_seconds_ramps() -> None:
    assert ask("/voice/gain", -6) == (Set("/voice/gain", -6.0),)
    assert ask("/evolution/sigma", 0.8, 5.0) == (Ramp("/evolution/sigma", 0.8, 5.0),)
    assert ask("/evolution/sigma", 0.8, 0) == (Set("/evolution/sigma", 0.8),)


def test_the_unit_twin_is_the_travel_of_a_fader() -> None:
    assert ask("/unit/voice/gain", 0.5) == (Set("/voice/gain", -24.0),)
    assert ask("/unit/voice/hold", True) == (Set("/voice/hold", 1.0),)
    assert ask("/unit/voice/gain", 1.0, 2.0) == (Ramp("/voice/gain", 12.0, 2.0),)
    assert refusal("/unit/voice/gain", 1.5) == "/unit/voice/gain: 1.5 is outside 0..1"


def test_a_pattern_turns_all_it_matches_or_none() -> None:
    wanted = tuple(Set(f"/latent/{n}/bias", 0.5) for n in range(16))
    assert ask("/latent/*/bias", 0.5) == wanted
    assert ask("/unit/latent/?/freeze", 1) == tuple(Set(f"/latent/{n}/freeze", 1.0) for n in range(10))
    assert refusal("/latent/*/*", 3.0).endswith(": 3 is outside 0..1")
    assert refusal("/nothing/*", 1.0) == "/nothing/*: matches no parameter"
    assert refusal("/latent/[0/bias", 1.0).endswith("a bracket or brace is not closed")


def test_what_is_outside_its_range_is_refused_and_single_precision_is_not_outside() -> None:
    assert refusal("/evolution/mutation_rate", 1.7) == "/evolution/mutation_rate: 1.7 is outside 0..1"
    assert refusal("/evolution/neighbours", 2.5) == "/evolution/neighbours: 2.5 is not a whole number of 1..64"
    parameter = Parameter("/voice/odd", 0.7, 0.9, 0.8, "", "linear", "")
    for end in (0.7, 0.9):
        single = struct.unpack(">f", struct.pack(">f", end))[0]
        assert single != end
        assert from_message("/voice/odd", (single,), {"/voice/odd": parameter}) == (Set("/voice/odd", end),)


@pytest.mark.parametrize("value", ["0.5", "", b"\0", None, (1.0,)])
def test_what_is_no_number_is_refused(value: object) -> None:
    assert "allowed are numbers" in refusal("/voice/gain", value)


def test_true_and_false_are_one_and_nought() -> None:
    assert ask("/voice/hold", True) == (Set("/voice/hold", 1.0),)
    assert ask("/voice/hold", False) == (Set("/voice/hold", 0.0),)


def test_a_choice_is_made_by_name_or_number_and_never_ramped() -> None:
    parameter = PARAMETERS["/evolution/operator"]
    for place, name in enumerate(parameter.choices):
        wanted = (Set("/evolution/operator", float(place)),)
        assert ask("/evolution/operator", name) == ask("/evolution/operator", place) == wanted
        assert ask("/unit/evolution/operator", parameter.position(place)) == wanted
    assert refusal("/evolution/operator", "drfit") == (
        "/evolution/operator: 'drfit' is none of its names (did you mean drift?); allowed are step, span, drift, "
        "iso-line, replace, stretch, mixed"
    )
    assert refusal("/evolution/operator", 7).startswith("/evolution/operator: 7 is outside 0..6")
    assert refusal("/evolution/operator", "drift", 2.0).endswith("can't be ramped")
    assert refusal("/evolution/operator", "drift", "2").endswith("got text, allowed are numbers")
    assert refusal("/unit/evolution/operator", "drift").endswith("got text, allowed are numbers")
    assert refusal("/evolution/*", "drift").endswith("got text, allowed are numbers")
    assert len(refusal("/evolution/operator", "x" * 5000)) < 250


def test_too_many_or_no_values_and_endless_ramps_are_refused() -> None:
    assert "got 0 values" in refusal("/voice/gain")
    assert "got 3 values" in refusal("/voice/gain", 1, 2, 3)
    assert refusal("/voice/gain", 1.0, 4000.0).endswith("a ramp of 4000 s is outside 0..3600 s")
    assert refusal("/voice/gain", 1.0, -1.0).endswith("a ramp of -1 s is outside 0..3600 s")
    assert refusal("/voice/hold", 1, 2.0).endswith("can't be ramped")


def test_an_unknown_address_is_refused_with_the_nearest() -> None:
    assert refusal("/voice/gian", 1.0) == "/voice/gian: no such parameter (did you mean /voice/gain?)"
    assert len(refusal("/" + "x" * 250, 1.0)) < 100


def test_actions_need_no_value_and_a_release_is_no_press() -> None:
    actions = {"/scene/next": Next(), "/panic": Panic(), "/evolution/reset": Reset(), "/evolution/forget": Forget()}
    for address, command in (actions | {address: wish() for address, wish in WISHES.items()}).items():
        for pressed in ((), (1.0,), (True,), (None,), ("go",)):
            assert ask(address, *pressed) == (command,)
        for released in ((0,), (0.0,), (False,)):
            assert ask(address, *released) == ()
    assert ask("/ping") == (Ping(),)


@pytest.mark.parametrize("seconds", [2, 90.5, 86_400.0])
def test_recording_begins_and_ends_as_a_button_or_a_switch_says_or_lasts_so_long(seconds: float) -> None:
    for pressed in ((), (None,), (1,), (True,), (1.0,), (0.25,)):
        assert ask("/record", *pressed) == (Record(None),)
    for released in ((0,), (0.0,), (False,)):
        assert ask("/record", *released) == (Record(0.0),)
    assert ask("/record", seconds) == (Record(seconds),)


def test_recording_ends_by_a_button_of_its_own() -> None:
    assert ask("/record/stop") == ask("/record/stop", 1.0) == (Record(0.0),)
    assert ask("/record/stop", 0) == ()


@pytest.mark.parametrize("arguments", [(-1,), (86_401.0,), (float("nan"),), (float("inf"),), ("60",), (1, 2), (b"",)])
def test_what_is_no_time_to_record_is_refused(arguments: tuple[object, ...]) -> None:
    assert refusal("/record", *arguments).startswith("/record: ")


def test_a_snapshot_has_the_name_it_is_given_and_is_recalled_by_it() -> None:
    assert ask("/snapshot") == ask("/snapshot", 1) == ask("/snapshot", None) == (Photograph(),)
    assert ask("/snapshot", 0.0) == ask("/snapshot", False) == ()
    assert ask("/snapshot", "blue hour") == (Photograph("blue hour"),)
    assert ask("/snapshot/recall", "blue hour") == (Restore("blue hour"),)
    for name in ("", "../a", "/etc/passwd", "a" * 5000):
        assert len(refusal("/snapshot", name)) < 300
        assert "is no name of a snapshot" in refusal("/snapshot/recall", name)
    for arguments in ((), (1,), ("a", "b"), (b"a",)):
        assert refusal("/snapshot/recall", *arguments) == "/snapshot/recall: needs a snapshot's name"


def test_a_wish_is_for_what_sounds_or_for_an_identity_and_a_button_is_no_identity() -> None:
    for address, wish in WISHES.items():
        assert ask(address) == ask(address, 1.0) == ask(address, 0.5) == ask(address, True) == (wish(None),)
        for identity in (1, 2, 2**40):
            assert ask(address, identity) == (wish(identity),)
        for wrong in ((-1,), (17.0,), (1.5,), (3, 4), (3, "x")):
            assert refusal(address, *wrong).startswith(f"{address}: allowed is one trajectory's identity")


def test_what_is_recalled_must_be_named() -> None:
    assert ask("/evolution/recall", 12) == (Revive(12),)
    for wrong in ((), (0,), (-3,), (True,), (12.0,), ("12",), (None,), (1, 2)):
        assert refusal("/evolution/recall", *wrong).startswith(
            "/evolution/recall: allowed is one trajectory's identity"
        )


def test_a_scene_is_recalled_by_name_or_place() -> None:
    assert ask("/scene/recall", "nocturne") == (Recall("nocturne"),)
    assert ask("/scene/recall", 2) == (Recall("2"),)
    assert ask("/scene/recall", 2.0) == (Recall("2"),)
    for wrong in ((), (2.5,), ("",), (True,), (None,), ("a", "b"), ("x" * 201,)):
        assert refusal("/scene/recall", *wrong).startswith("/scene/recall: needs")


def test_feedback_is_asked_for_with_a_lease() -> None:
    assert ask("/subscribe", 9001, 60) == (Subscribe(9001, 60.0),)
    assert ask("/unsubscribe", 9001) == (Subscribe(9001, 0.0),)
    for wrong in ((), (9001,), (0, 60), (70000, 60), (9001, -1), (9001, 1e9), ("x", 60), (9001.5, 6)):
        assert refusal("/subscribe", *wrong).startswith("/subscribe: ")


def test_a_bundle_is_obeyed_in_order_message_by_message() -> None:
    due = from_osc(bundle(one("/scene/next"), one("/nothing"), one("/panic", ",F"), one("/panic")), PARAMETERS, 0.0)
    assert [type(each.command) for each in due] == [Next, Refused, Panic]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.binary(max_size=200), st.integers(0, len(VALID)).map(lambda cut: VALID[:cut])))
def test_no_packet_raises(data: bytes) -> None:
    assert isinstance(from_osc(data, PARAMETERS, 0.0), tuple)


def test_packets_full_of_unknown_addresses_or_patterns_cost_little() -> None:
    unknown = bundle(*[one(f"/voice/gai{n}", ",T") for n in range(1000)])
    patterns = bundle(*[one("/" + "*a" * 60 + "b", ",T")] * 8)
    begun_s = time.perf_counter()
    assert len(from_osc(unknown, PARAMETERS, 0.0)) == 1000
    assert len(from_osc(patterns, PARAMETERS, 0.0)) == 8
    assert time.perf_counter() - begun_s < 1.0
    flood = bundle(*[one("/*/*")] * 9)
    assert [due.command for due in from_osc(flood, PARAMETERS, 0.0)] == [Refused("too many patterns in a packet")]


def midi(**controls: str) -> tuple[Midi, ...]:
    return (Midi(device="nano", controls={key.replace("_", " "): value for key, value in controls.items()}),)


def said(kind: str, number: int, value: int, channel: int = 1, device: str = "nanoKONTROL2 20:0") -> MidiMessage:
    return MidiMessage(device, kind, channel, number, value)


def heard(message: MidiMessage, devices: tuple[Midi, ...], **values: float) -> object:
    return from_midi(message, devices, PARAMETERS, DEFAULTS | {f"/voice/{key}": value for key, value in values.items()})


def test_a_controller_gives_the_travel() -> None:
    devices = midi(cc_1="/voice/gain", cc_2="/voice/hold")
    assert heard(said("cc", 1, 0), devices) == (Set("/voice/gain", -60.0),)
    assert heard(said("cc", 1, 127), devices) == (Set("/voice/gain", 12.0),)
    assert heard(said("cc", 2, 63), devices) == (Set("/voice/hold", 0.0),)
    assert heard(said("cc", 2, 64), devices) == (Set("/voice/hold", 1.0),)


def test_other_devices_channels_kinds_and_numbers_are_not_heard() -> None:
    devices = midi(cc_1_channel_3="/voice/gain")
    assert heard(said("cc", 1, 127, channel=3), devices) == (Set("/voice/gain", 12.0),)
    for other in (
        said("cc", 1, 127, channel=4),
        said("note", 1, 127, channel=3),
        said("cc", 2, 127, channel=3),
        said("cc", 1, 127, channel=3, device="Launch Control"),
    ):
        assert heard(other, devices) == ()


def test_a_note_holds_a_switch_and_its_velocity_sets_the_rest() -> None:
    devices = midi(note_60="/voice/hold", note_61="/voice/gain")
    assert heard(said("note", 60, 1), devices) == (Set("/voice/hold", 1.0),)
    assert heard(said("note", 60, 0), devices) == (Set("/voice/hold", 0.0),)
    assert heard(said("note", 61, 127), devices) == (Set("/voice/gain", 12.0),)
    assert heard(said("note", 61, 0), devices) == ()


def test_a_toggle_turns_over_at_each_press() -> None:
    devices = midi(note_60="/voice/hold toggle", cc_41="/voice/hold toggle")
    for press, release in ((said("note", 60, 90), said("note", 60, 0)), (said("cc", 41, 127), said("cc", 41, 0))):
        assert heard(press, devices, hold=0.0) == (Set("/voice/hold", 1.0),)
        assert heard(press, devices, hold=1.0) == (Set("/voice/hold", 0.0),)
        assert heard(release, devices, hold=1.0) == ()


def test_notes_and_controllers_act_when_pressed_only() -> None:
    devices = midi(note_1="/scene/next", cc_2="/panic", note_3="/scene/recall slow bronze")
    assert heard(said("note", 1, 1), devices) == (Next(),)
    assert heard(said("note", 1, 0), devices) == ()
    assert heard(said("cc", 2, 127), devices) == (Panic(),)
    assert heard(said("cc", 2, 0), devices) == ()
    assert heard(said("note", 3, 64), devices) == (Recall("slow bronze"),)
    for address, wish in WISHES.items():
        for message in (said("note", 9, 80), said("cc", 9, 127)):
            assert heard(message, midi(note_9=address, cc_9=address)) == (wish(),)
        assert heard(said("note", 9, 0), midi(note_9=address)) == ()


def test_every_parameter_can_be_turned_by_osc_midi_and_their_travel() -> None:
    for address, parameter in PARAMETERS.items():
        for value in (parameter.minimum, parameter.maximum):
            builder = OscMessageBuilder(address)
            builder.add_arg(float(value), "f")
            (due,) = from_osc(builder.build().dgram, PARAMETERS, 0.0)
            assert due.command == Set(address, pytest.approx(value))
            (twin,) = ask(f"/unit{address}", parameter.position(value))  # type: ignore[misc]
            assert twin == Set(address, pytest.approx(value))
            devices = (Midi(device="n", controls={"cc 7": address}),)
            sent = round(127 * parameter.position(value))
            assert heard(said("cc", 7, sent), devices) == (Set(address, pytest.approx(value)),)
