"""What is heard, told by OSC: who subscribes is told the features at its own rate."""

from __future__ import annotations

import asyncio
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.commands import Refused
from installation.control import packet, router
from installation.control.router import SubscribeFeatures
from installation.control.telling import ALL_S, PACKET_AT_MOST, Telling, bundles
from tests.test_osc import Desk, Peer

pytestmark = pytest.mark.alone

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=20)


def heard(packets: list[bytes]) -> dict[str, float]:
    """What a peer that reads OSC understands of them."""
    found: dict[str, float] = {}
    for each in packets:
        messages = packet.read(each, 0.0)
        assert not isinstance(messages, Refused)
        for message in messages:
            (value,) = message.arguments
            assert isinstance(value, int | float)
            found[message.address.removeprefix("/feature/")] = value
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        NAMES,
        st.one_of(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 2**31 - 1)),
        max_size=120,
    )
)
def test_what_is_bundled_is_read_back_and_no_packet_is_torn(values: dict[str, float]) -> None:
    packets = bundles(values)
    assert all(len(each) <= PACKET_AT_MOST for each in packets)
    assert heard(packets) == pytest.approx(values, nan_ok=False)


def test_only_what_changed_is_told_and_all_of_it_now_and_then() -> None:
    telling = Telling(100.0)
    values = {"rms": 0.5, "onset": 0.1, "beats": 3}
    assert heard(telling.packets(values, 0.0)) == pytest.approx(values)
    assert telling.packets(values, 0.02) == []
    assert heard(telling.packets(values | {"onset": 0.2}, 0.04)) == pytest.approx({"onset": 0.2})
    assert heard(telling.packets(values, ALL_S + 0.01)) == pytest.approx(values)


def test_each_change_of_a_number_counted_is_told_however_high_it_stands() -> None:
    telling = Telling(100.0)
    for step, beats in enumerate((2_000_000, 2_000_001, 2_000_002)):
        assert heard(telling.packets({"beats": beats, "rms": 0.5}, step * 0.02))["beats"] == beats
    assert telling.packets({"beats": 2_000_002, "rms": 0.5}, 0.06) == []


def test_a_clock_that_has_run_for_hours_is_told_as_often_as_a_young_one() -> None:
    for begun_s in (0.0, 5000.0, 12_000.0):
        telling = Telling(60.0)
        told = [telling.packets({"time3": begun_s + tick / 60.0}, tick / 60.0) for tick in range(50)]
        assert sum(map(bool, told)) >= 49
    assert telling.packets({"time3": begun_s + 49 / 60.0}, 0.9) == []


def test_a_peer_is_told_no_more_often_than_it_asked_for() -> None:
    telling, told = Telling(30.0), 0
    for tick in range(1200):
        told += bool(telling.packets({"rms": float(tick)}, tick / 120.0))
    assert told == pytest.approx(300, abs=2)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("*", {"rms", "band0", "band1", "onset"}),
        ("band*", {"band0", "band1"}),
        ("{rms,onset}", {"rms", "onset"}),
        ("nothing", set()),
    ],
)
def test_a_pattern_chooses_among_the_names(wanted: str, chosen: set[str]) -> None:
    values = dict.fromkeys(("rms", "band0", "band1", "onset"), 0.5)
    assert set(heard(Telling(60.0, wanted).packets(values, 0.0))) == chosen


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((9001, 60), SubscribeFeatures(9001, 60.0)),
        ((9001, 60.0, 30), SubscribeFeatures(9001, 60.0, 30.0)),
        ((9001, 60, 30.0, "band*"), SubscribeFeatures(9001, 60.0, 30.0, "band*")),
        ((9001, 60, "beat*"), SubscribeFeatures(9001, 60.0, wanted="beat*")),
        ((9001,), "needs a port and seconds"),
        ((0, 60), "allowed are a port"),
        ((9001, 1e9), "allowed are a port"),
        ((9001, 60, 1000), "outside 1..120"),
        ((9001, 60, 30, "a/b"), "no pattern"),
        ((9001, 60, 30, "[a"), "no pattern"),
        (("9001", 60), "needs a port"),
    ],
)
def test_what_is_asked_for_is_understood_or_refused(arguments: tuple, wanted: SubscribeFeatures | str) -> None:
    asked = router.from_message(router.SUBSCRIBE_FEATURES, arguments, {})
    if isinstance(wanted, str):
        assert isinstance(asked, Refused) and wanted in asked.reason
        assert asked.reason.startswith("/subscribe/features: ")
    else:
        assert asked == (wanted,)


def test_a_foreign_program_subscribes_and_is_told() -> None:
    if shutil.which("oscsend") is None:
        pytest.fail("liblo's tools are missing: `make setup-test` installs them")

    async def told() -> dict[str, object]:
        desk, peer = Desk(), Peer()
        await desk.port.open("127.0.0.1", 0)
        assert not desk.port.tells_features
        words = ["localhost", str(desk.port.port), "/subscribe/features", "iifs", str(peer.port), "60", "100", "b*"]
        await asyncio.to_thread(subprocess.run, ["oscsend", *words], check=True)
        found: dict[str, object] = {}
        for _ in range(200):
            await asyncio.sleep(0.01)
            desk.port.tell_features({"rms": 0.25, "band0": 0.5, "beats": 7})
            try:
                found.update(heard([peer.socket.recv(65_536)]))
                break
            except BlockingIOError:
                continue
        desk.port.close()
        peer.close()
        return found

    assert asyncio.run(told()) == {"band0": 0.5, "beats": 7}
