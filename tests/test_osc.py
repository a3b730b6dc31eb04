"""The OSC port on real sockets: obeys, answers, tells, counts, and goes on after whatever it is sent."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest
from pythonosc.osc_message import OscMessage

from installation.commands import Control, More, Never, Next, Panic, Ramp, Refused, Set
from installation.control import osc
from installation.control.osc import OscPort, message
from installation.errors import ControlError
from installation.parameters import Values, declared
from tests.test_packet import HOSTILE, VALID, bundle, one, tag_at

pytestmark = pytest.mark.alone

PARAMETERS = declared(16)
PATIENCE_S = 5.0


class Desk:
    """What a conductor does with commands: obeys, remembers, and tells of changes."""

    def __init__(self, unix_s: float = 1_800_000_000.0) -> None:
        self.obeyed: list[Control] = []
        self.values = Values(PARAMETERS)
        self.port = OscPort(PARAMETERS, self.obey, lambda: unix_s)

    def obey(self, command: Control) -> Refused | None:
        if isinstance(command, Panic):
            return Refused("not now")
        self.obeyed.append(command)
        if isinstance(command, Set):
            self.values.set(command.address, command.value)
            self.port.tell(command.address, command.value)
        return None


class Peer:
    """A program on another port that speaks OSC."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = int(self.socket.getsockname()[1])

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes, desk: Desk) -> None:
        self.socket.sendto(data, ("127.0.0.1", desk.port.port))

    async def heard(self) -> tuple[str, list[object]]:
        loop = asyncio.get_running_loop()
        parsed = OscMessage(await asyncio.wait_for(loop.sock_recv(self.socket, 2048), PATIENCE_S))
        return parsed.address, list(parsed.params)

    async def hears_nothing(self) -> bool:
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 2048), 0.1)
        except TimeoutError:
            return True
        return False


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.002)


def played(scenario: Callable[[Desk, Peer], Awaitable[None]], feedback: tuple[tuple[str, int], ...] = ()) -> Desk:
    """Run `scenario` with an open port and a peer; any error the loop meets fails the test."""

    async def run() -> Desk:
        troubles: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        desk = Desk()
        await desk.port.open("127.0.0.1", 0)
        assert await desk.port.find(feedback) is None
        with closing(Peer()) as peer, closing(desk.port):
            await scenario(desk, peer)
        await asyncio.sleep(0)
        assert troubles == []
        return desk

    return asyncio.run(run())


def test_messages_are_obeyed_in_order() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        for number in range(100):
            peer.send(message("/voice/gain", -number / 2), desk)
        peer.send(bundle(one("/scene/next"), message("/evolution/sigma", 0.5, 5.0)), desk)
        await until(lambda: len(desk.obeyed) == 102)

    desk = played(scenario)
    assert desk.obeyed[:100] == [Set("/voice/gain", -number / 2) for number in range(100)]
    assert desk.obeyed[100:] == [Next(), Ramp("/evolution/sigma", 0.5, 5.0)]
    assert (desk.port.messages, desk.port.refused, desk.port.dropped) == (102, 0, 0)


def test_after_every_hostile_packet_and_noise_it_still_obeys() -> None:
    rng = random.Random(1)
    noise = [rng.randbytes(rng.randrange(200)) for _ in range(200)]
    noise += [VALID[: rng.randrange(len(VALID))] for _ in range(50)]

    async def scenario(desk: Desk, peer: Peer) -> None:
        for number, data in enumerate([*HOSTILE.values(), *noise]):
            peer.send(data, desk)
            if number % 20 == 0:
                await asyncio.sleep(0.001)
        peer.send(message("/voice/gain", -1.0), desk)
        await until(lambda: bool(desk.obeyed))

    desk = played(scenario)
    assert desk.obeyed == [Set("/voice/gain", -1.0)]
    assert desk.port.refused >= len(HOSTILE)
    assert sum(desk.port.reasons.values()) == desk.port.refused
    assert len(desk.port.reasons) <= osc.REASONS_AT_MOST + 1


def test_what_the_conductor_refuses_is_counted_with_its_reason() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        peer.send(one("/panic"), desk)
        await until(lambda: desk.port.refused == 1)

    assert played(scenario).port.reasons == {"not now": 1}


def test_reasons_are_kept_for_so_many_and_counted_for_all() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        for number in range(200):
            peer.send(one(f"/nothing/{number}"), desk)
        await until(lambda: desk.port.refused == 200)

    reasons = played(scenario).port.reasons
    assert len(reasons) == osc.REASONS_AT_MOST + 1
    assert reasons["others"] == 200 - osc.REASONS_AT_MOST


def test_a_ping_is_answered_to_its_sender() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        peer.send(one("/ping"), desk)
        assert await peer.heard() == ("/pong", [])

    assert played(scenario).obeyed == []


def test_a_flood_is_dropped_and_counted_and_the_loop_goes_on() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        flood = bundle(*[message("/voice/gain", -1.0)] * 1000)
        for _ in range(8):
            desk.port.datagram_received(flood, ("127.0.0.1", peer.port))
        assert desk.port.dropped == 8000 - osc.INBOX_AT_MOST
        await asyncio.sleep(0)
        assert len(desk.obeyed) <= osc.TURN
        await until(lambda: len(desk.obeyed) == osc.INBOX_AT_MOST)

    assert played(scenario).port.messages == 8000


def test_dated_bundles_wait_late_ones_do_not_and_far_ones_are_refused() -> None:
    now_s = 1_800_000_000.0

    async def scenario(desk: Desk, peer: Peer) -> None:
        peer.send(bundle(message("/voice/gain", -2.0), tag=tag_at(now_s + 0.15)), desk)
        peer.send(bundle(message("/voice/gain", -1.0), tag=tag_at(now_s - 50.0)), desk)
        peer.send(bundle(message("/voice/gain", -3.0), tag=tag_at(now_s + 3600.0)), desk)
        await until(lambda: len(desk.obeyed) == 1 and desk.port.refused == 1)
        begun_s = asyncio.get_running_loop().time()
        await until(lambda: len(desk.obeyed) == 2)
        assert asyncio.get_running_loop().time() - begun_s < 2.0

    desk = played(scenario)
    assert desk.obeyed == [Set("/voice/gain", -1.0), Set("/voice/gain", -2.0)]
    assert desk.port.reasons == {"dated too far ahead": 1}


def test_only_so_many_dated_commands_wait_and_none_survives_closing() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        ahead = bundle(*[message("/voice/gain", -1.0)] * 1000, tag=tag_at(1_800_000_000.0 + 0.3))
        for _ in range(3):
            desk.port.datagram_received(ahead, ("127.0.0.1", peer.port))
        await until(lambda: desk.port.refused == 3000 - osc.LATER_AT_MOST)
        desk.port.close()
        await asyncio.sleep(0.4)
        assert desk.obeyed == []

    played(scenario)


def test_subscribers_are_told_of_changes_but_not_of_their_own() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        with closing(Peer()) as other:
            for each in (peer, other):
                each.send(message("/subscribe", each.port, 60), desk)
            await until(lambda: desk.port.messages == 2)
            other.send(message("/voice/gain", -1.5), desk)
            assert await peer.heard() == ("/voice/gain", [-1.5])
            peer.send(message("/voice/hold", 1), desk)
            assert await other.heard() == ("/voice/hold", [1])
            peer.send(message("/evolution/operator", 2), desk)
            assert await other.heard() == ("/evolution/operator", [2])
            desk.port.tell("/voice/pan", 0.25)
            assert await peer.heard() == ("/voice/pan", [0.25])
            assert await other.heard() == ("/voice/pan", [0.25])
            other.send(message("/unsubscribe", other.port), desk)
            await until(lambda: desk.port.messages == 6)
            desk.port.tell("/voice/pan", 0.5)
            assert await peer.heard() == ("/voice/pan", [0.5])
            assert await other.hears_nothing()

    played(scenario)


def test_a_lease_ends_and_peers_are_only_so_many() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        peer.send(message("/subscribe", peer.port, 0.05), desk)
        await until(lambda: desk.port.messages == 1)
        await asyncio.sleep(0.1)
        desk.port.tell("/voice/pan", 0.5)
        assert await peer.hears_nothing()
        for number in range(osc.PEERS_AT_MOST + 5):
            peer.send(message("/subscribe", 20_000 + number, 60), desk)
        await until(lambda: desk.port.refused == 5)

    assert played(scenario).port.reasons == {"/subscribe: too many peers": 5}


def test_peers_of_the_scene_are_told_without_asking() -> None:
    with closing(Peer()) as always:

        async def scenario(desk: Desk, peer: Peer) -> None:
            desk.port.tell("/voice/gain", -6.0)
            assert await always.heard() == ("/voice/gain", [-6.0])

        played(scenario, feedback=(("127.0.0.1", always.port),))


@pytest.mark.skipif(shutil.which("oscsend") is None, reason="liblo-tools is not installed")
def test_a_foreign_sender_is_understood() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        for *arguments, count in (
            ("/voice/gain", "f", "-6.5", 1),
            ("/evolution/neighbours", "i", "9", 2),
            ("/voice/hold", "T", 3),
            ("/evolution/sigma", "dd", "0.75", "2.5", 4),
            ("/latent/{0,1}/bias", "h", "1", 6),
            ("/scene/next", "I", 7),
            ("/evolution/operator", "s", "drift", 8),
            ("/evolution/never", 9),
            ("/evolution/more", "i", "17", 10),
        ):
            subprocess.run(["oscsend", "127.0.0.1", str(desk.port.port), *map(str, arguments)], check=True)
            await until(lambda count=count: len(desk.obeyed) == count)  # type: ignore[misc]

    assert played(scenario).obeyed == [
        Set("/voice/gain", -6.5),
        Set("/evolution/neighbours", 9.0),
        Set("/voice/hold", 1.0),
        Ramp("/evolution/sigma", 0.75, 2.5),
        Set("/latent/0/bias", 1.0),
        Set("/latent/1/bias", 1.0),
        Next(),
        Set("/evolution/operator", 2.0),
        Never(),
        More(17),
    ]


def opened(host: str, port: int) -> None:
    async def run() -> None:
        found = OscPort(PARAMETERS, lambda command: None)
        try:
            await found.open(host, port)
        finally:
            found.close()

    asyncio.run(run())


def test_a_port_that_can_t_be_opened_says_what_to_do() -> None:
    with closing(Peer()) as taken, pytest.raises(ControlError, match=rf"port {taken.port}: taken by another program"):
        opened("127.0.0.1", taken.port)
    with pytest.raises(ControlError, match=r"203\.0\.113\.7 port 0: not an address of this machine"):
        opened("203.0.113.7", 0)
    for nowhere in ("nowhere.invalid", "10.0.0..5", ".local", "a" * 64):
        with pytest.raises(ControlError, match=f"no such host '{re.escape(nowhere)}': ."):
            opened(nowhere, 0)
