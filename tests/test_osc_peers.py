"""Whom the OSC port tells: the scene's peers, those who lease, those who can't be found; and what WebSocket brings."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import Any

import pytest
from pydantic import ValidationError

from installation.commands import Control, Ramp, Refused, Set
from installation.control import ears as ears_module
from installation.control.ears import Ears
from installation.control.osc import NOBODY, OscPort, message
from installation.osc_section import FeaturePeer
from installation.parameters import declared
from installation.scene import Scene
from tests.test_osc import PARAMETERS, Desk, Peer, played, until
from tests.test_packet import bundle
from tests.test_telling import heard

pytestmark = pytest.mark.alone


def features(peer: Peer) -> dict[str, float]:
    """What of the features has reached it."""
    found: dict[str, float] = {}
    with suppress(BlockingIOError):
        while True:
            found |= heard([peer.socket.recv(65_536)])
    return found


def test_a_lease_neither_changes_nor_ends_what_the_scene_s_own_peer_is_told() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        await desk.port.find((), (("127.0.0.1", peer.port, 120.0, "rms"),))
        for number, asked in enumerate(((peer.port, 60, 120.0, "onset"), (peer.port, 0)), 1):
            peer.send(message("/subscribe/features", *asked), desk)
            await until(lambda number=number: desk.port.messages == number)  # type: ignore[misc]
            await asyncio.sleep(0.02)
            desk.port.tell_features({"rms": 0.5 / number, "onset": 0.25})
            await asyncio.sleep(0.02)
            assert features(peer) == {"rms": 0.5 / number} | ({"onset": 0.25} if number == 1 else {})
        assert desk.port.tells_features

    played(scenario)


def test_what_came_by_websocket_is_told_to_a_peer_on_this_machine_but_answered_to_nobody() -> None:
    async def scenario(desk: Desk, peer: Peer) -> None:
        await desk.port.find((("127.0.0.1", peer.port),))
        desk.port.datagram_received(message("/voice/gain", -6.0), NOBODY)
        assert await peer.heard() == ("/voice/gain", [-6.0])
        asked = [("/ping",), ("/subscribe", peer.port, 60), ("/subscribe/features", peer.port, 60)]
        for each in asked:
            desk.port.datagram_received(message(*each), NOBODY)  # type: ignore[arg-type]
        await until(lambda: desk.port.refused == 3)
        assert await peer.hears_nothing() and not desk.port.tells_features

    played(scenario)


def test_a_command_that_fails_leaves_no_other_lying() -> None:
    obeyed: list[Control] = []
    troubles: list[dict[str, Any]] = []

    def obey(command: Control) -> Refused | None:
        if isinstance(command, Ramp):
            raise KeyError(command.address)
        obeyed.append(command)
        return None

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        port = OscPort(PARAMETERS, obey)
        packet = bundle(message("/voice/gain", -1.0, 5.0), message("/voice/gain", -2.0))
        port.datagram_received(packet, ("127.0.0.1", 1))
        await until(lambda: bool(obeyed))

    asyncio.run(run())
    assert obeyed == [Set("/voice/gain", -2.0)] and len(troubles) == 1


def listening(scene: dict[str, Any], scenario: Callable[[Ears, list[str]], Awaitable[None]]) -> None:
    """Run `scenario` while ears are open as the scene says; the list is what they log."""

    async def run() -> None:
        said: list[str] = []
        parameters = declared(4)
        ears = Ears(lambda command: None, said.append, Scene.model_validate({"name": "x", "osc": scene}), parameters)
        tasks = [asyncio.create_task(each) for each in (ears.listen(), ears.serve())]
        try:
            await scenario(ears, said)
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            ears.close()

    asyncio.run(run())


@pytest.mark.parametrize("nowhere", ["nowhere.invalid", "10.0.0..5", ".local", "a" * 64])
def test_a_peer_that_can_t_be_found_is_said_once_and_tried_again_while_the_port_hears(
    nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears_module, "RETRY_S", 0.05)
    monkeypatch.setattr(ears_module, "LOOK_S", 0.01)
    tried: list[int] = []
    find = OscPort.find

    async def counted(self: OscPort, *peers: Any) -> str | None:
        tried.append(self.port)
        return await find(self, *peers)

    monkeypatch.setattr(OscPort, "find", counted)
    with closing(Peer()) as peer:
        feedback = [{"host": nowhere, "port": 9001}, {"host": "127.0.0.1", "port": peer.port}]

        async def scenario(ears: Ears, said: list[str]) -> None:
            await until(lambda: len(tried) >= 4)
            assert len(set(tried)) == 1, "the port stays open"
            assert sum("no such host" in each for each in said) == 1
            peer.socket.sendto(message("/ping"), ("127.0.0.1", ears._port.port))
            assert (await peer.heard())[0] == "/pong"
            ears.tell("/voice/gain", -3.0)
            assert await peer.heard() == ("/voice/gain", [-3.0])

        listening({"port": 0, "query_port": None, "feedback": feedback}, scenario)


@pytest.mark.parametrize("host", ["10.0.0..5", ".local"])
def test_a_host_that_can_be_none_ends_neither_ear(host: str) -> None:
    async def scenario(ears: Ears, said: list[str]) -> None:
        await until(lambda: len(said) == 2)
        assert sorted(each[:11] for each in said) == ["no OSC: osc", "no OSCQuery"]

    listening({"host": host, "port": 0, "query_port": 0}, scenario)


def test_websocket_s_packets_are_nobody_s() -> None:
    async def scenario(ears: Ears, said: list[str]) -> None:
        await until(lambda: len(said) == 1)
        ears._hear_packet(message("/voice/gain", -3.0))
        ears._hear_packet(message("/ping"))
        await until(lambda: ears.figures() == {"messages": 2, "refused": 1})

    listening({"port": 0, "query_port": None}, scenario)


def test_host_info_says_the_port_that_is_open() -> None:
    async def scenario(ears: Ears, said: list[str]) -> None:
        await until(lambda: len(said) == 2)
        assert ears._port.port and ears._query.osc_port == ears._port.port
        url = f"http://127.0.0.1:{ears._query.port}/?HOST_INFO"
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5.0).read())
        assert json.loads(answer)["OSC_PORT"] == ears._port.port

    listening({"port": 0, "query_port": 0}, scenario)


@pytest.mark.parametrize("names", ["a]b[", "}a{", "[a", "a}", "{a[b}]", "a/b"])
def test_a_pattern_of_features_whose_brackets_close_nothing_is_refused(names: str) -> None:
    with pytest.raises(ValidationError, match="is no pattern of names"):
        FeaturePeer(host="127.0.0.1", port=9001, names=names)


@pytest.mark.parametrize("names", ["*", "band[0-3]", "{rms,onset,beat*}", "[!a]*"])
def test_a_pattern_of_features_is_taken(names: str) -> None:
    assert FeaturePeer(host="127.0.0.1", port=9001, names=names).names == names
