"""OSCQuery: the tree by the proposal, and the server against clients that are not ours."""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage

from installation.actions import ACTIONS, RECALL, RESTORE, REVIVE
from installation.commands import Refused
from installation.control import packet, router
from installation.control.oscquery import Namespace, Reading
from installation.control.oscquery_server import PEERS_AT_MOST, WAITING_AT_MOST, OscQueryServer
from installation.errors import ControlError
from installation.parameters import Values, declared

pytestmark = pytest.mark.alone

PARAMETERS = declared(4)
READINGS = (Reading("/feature/rms", 0.0, 1.0, "", "Loudness."), Reading("/feature/beats", 0, 1e9, "", "Beats.", True))
TREE = Namespace(PARAMETERS, ACTIONS, READINGS)
STANDING = Values(PARAMETERS).as_dict() | {"/feature/rms": 0.25, "/feature/beats": 3.0}


def leaves(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {} if node["ACCESS"] == 0 else {node["FULL_PATH"]: node}
    for below in node.get("CONTENTS", {}).values():
        found |= leaves(below)
    return found


# The tree


def test_every_parameter_action_and_feature_is_in_the_tree_once_with_its_type_and_range() -> None:
    found = leaves(TREE.node("/", STANDING))
    assert set(found) == {*PARAMETERS, *ACTIONS, "/feature/rms", "/feature/beats"}
    gain, hold, choice = found["/voice/gain"], found["/voice/hold"], found["/evolution/selection"]
    assert (gain["TYPE"], gain["ACCESS"], gain["RANGE"], gain["UNIT"]) == (
        "f",
        3,
        [{"MIN": -60.0, "MAX": 12.0}],
        ["dB"],
    )
    assert (hold["TYPE"], hold["VALUE"]) == ("F", [False])
    assert (choice["TYPE"], choice["VALUE"], choice["RANGE"][0]["VALS"][0]) == ("s", ["nearest"], "nearest")
    assert (found["/feature/rms"]["ACCESS"], found["/feature/rms"]["VALUE"]) == (1, [0.25])
    assert (found["/feature/beats"]["TYPE"], found["/feature/beats"]["VALUE"]) == ("i", [3])
    assert found["/panic"]["ACCESS"] == 2
    assert json.loads(json.dumps(TREE.node("/", STANDING)))["FULL_PATH"] == "/"


def test_a_node_that_has_a_value_and_children_has_both() -> None:
    tree = Namespace(PARAMETERS, ("/evolution/recall", "/evolution"), ())
    node = tree.node("/evolution", {})
    assert node["ACCESS"] == 2 and "sigma" in node["CONTENTS"]


def test_an_action_says_what_it_needs_and_that_is_understood() -> None:
    tree = Namespace(PARAMETERS, (*ACTIONS, RECALL, RESTORE, REVIVE), ())
    sent = {"N": (), "s": ("blue hour",), "i": (7,)}
    for address in (*ACTIONS, RECALL, RESTORE, REVIVE):
        types = tree.node(address, {})["TYPE"]
        assert not isinstance(router.from_message(address, sent[types], PARAMETERS), Refused), address


@pytest.mark.parametrize(
    ("address", "attribute", "status"),
    [
        ("/voice/gain", "VALUE", 200),
        ("/voice/gain", "CONTENTS", 204),
        ("/voice", "VALUE", 204),
        ("/voice/gain", "NONSENSE", 400),
        ("/voice/gone", "VALUE", 404),
        ("/", "", 200),
    ],
)
def test_queries_are_answered_as_the_proposal_says(address: str, attribute: str, status: int) -> None:
    assert TREE.answer(address, attribute, STANDING)[0] == status


# The server


class Served:
    """A server on a free port, and what it was sent."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.values = dict(STANDING)
        self.server = OscQueryServer("Slow Bronze", TREE, lambda: self.values, self.heard.append)

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return await asyncio.to_thread(self._get, path, headers)

    def _get(self, path: str, headers: dict[str, str]) -> tuple[int, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5.0) as answer:
                body = answer.read()
                return answer.status, json.loads(body) if body else None
        except urllib.error.HTTPError as error:
            return error.code, None

    def talk(self, **options: Any) -> Any:
        return websockets.connect(f"ws://127.0.0.1:{self.server.port}/", **options)


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    here = Served()
    await here.server.open("127.0.0.1", 0, 9000)
    try:
        yield here
    finally:
        await here.server.close()


def run(test: Callable[[Served], Awaitable[None]]) -> None:
    async def within() -> None:
        async with served() as here:
            await test(here)

    asyncio.run(asyncio.wait_for(within(), 30.0))


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(500):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in 5 s")


def test_a_client_asks_as_chataigne_does_listens_and_turns() -> None:
    async def test(here: Served) -> None:
        status, info = await here.get("/?HOST_INFO")
        assert status == 200 and info["NAME"] == "Slow Bronze" and info["OSC_PORT"] == 9000
        assert info["EXTENSIONS"]["LISTEN"] is True and info["WS_PORT"] == here.server.port
        status, root = await here.get("/")
        assert status == 200 and "gain" in root["CONTENTS"]["voice"]["CONTENTS"]
        assert await here.get("/voice/gain?VALUE") == (200, {"VALUE": [0.0]})
        assert (await here.get("/nowhere"))[0] == 404
        async with here.talk() as socket:
            for address in ("/voice/gain", "/feature/rms", "/evolution/selection"):
                await socket.send(json.dumps({"COMMAND": "LISTEN", "DATA": address}))
            await until(lambda: len(here.server.listened) == 3)
            here.server.tell("/voice/gain", -6.0)
            here.server.tell("/voice/pan", 1.0)
            here.server.tell("/evolution/selection", 1.0)
            told = [OscMessage(await socket.recv()) for _ in range(2)]
            assert [(each.address, each.params) for each in told] == [
                ("/voice/gain", [-6.0]),
                ("/evolution/selection", ["farthest"]),
            ]
            await socket.send(json.dumps({"COMMAND": "IGNORE", "DATA": "/voice/gain"}))
            await socket.send(b"/voice/gain\0,f\0\0\xc0\xc0\0\0")
            await until(lambda: bool(here.heard))
            (message,) = packet.read(here.heard[0], 0.0)
            assert message.address == "/voice/gain" and message.arguments == (-6.0,)
            assert here.server.listened == {"/feature/rms", "/evolution/selection"}
            here.server.change("Another", TREE)
            assert json.loads(await socket.recv()) == {"COMMAND": "PATH_CHANGED", "DATA": "/"}
        await until(lambda: not here.server.listened)

    run(test)


def test_who_is_not_let_in_is_turned_away() -> None:
    async def test(here: Served) -> None:
        assert (await here.get("/", Host="evil.example"))[0] == 400
        with pytest.raises(websockets.exceptions.InvalidStatus):
            async with here.talk(origin="http://evil.example"):
                pass
        sockets = [await here.talk() for _ in range(PEERS_AT_MOST)]
        with pytest.raises(websockets.exceptions.InvalidStatus):
            async with here.talk():
                pass
        for socket in sockets:
            await socket.close()

    run(test)


def test_one_for_which_too_much_waits_is_let_go_and_the_others_are_served() -> None:
    async def test(here: Served) -> None:
        async with here.talk() as slow, here.talk() as quick:
            await slow.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/voice/gain"}))
            await quick.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/voice/pan"}))
            await until(lambda: len(here.server.listened) == 2)
            for number in range(WAITING_AT_MOST + 1):
                here.server.tell("/voice/gain", float(number % 10))
            await until(lambda: len(here.server._peers) == 1)
            here.server.tell("/voice/pan", 0.5)
            assert OscMessage(await quick.recv()).params == [0.5]

    run(test)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=200), st.binary(max_size=200)), max_size=10))
def test_nothing_it_is_sent_stops_it(sent: list[str | bytes]) -> None:
    async def test(here: Served) -> None:
        async with here.talk() as socket:
            for each in (*sent, "[" * 3000, '{"COMMAND": "LISTEN", "DATA": {"a": 1}}', '{"COMMAND": 3}', "null"):
                await socket.send(each)
            await socket.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/voice/gain"}))
            await until(lambda: here.server.listened == {"/voice/gain"})

    run(test)


def test_what_is_gone_with_a_scene_is_listened_to_no_more_and_anything_can_be_ignored() -> None:
    async def test(here: Served) -> None:
        async with here.talk() as socket:
            for address in ("/voice/gain", "/latent/3/bias"):
                await socket.send(json.dumps({"COMMAND": "LISTEN", "DATA": address}))
            await until(lambda: len(here.server.listened) == 2)
            here.server.change("Smaller", Namespace(declared(2), ACTIONS, READINGS))
            assert here.server.listened == {"/voice/gain"}
            (peer,) = here.server._peers
            peer.listened.add("/gone")
            await socket.send(json.dumps({"COMMAND": "IGNORE", "DATA": "/gone"}))
            await until(lambda: here.server.listened == {"/voice/gain"})

    run(test)


def test_signals_stay_the_conductor_s() -> None:
    async def test(here: Served) -> None:
        await here.get("/voice/gain")
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before

    def handler(*_: object) -> None:
        pass

    kept = {each: signal.signal(each, handler) for each in (signal.SIGINT, signal.SIGTERM)}
    before = [handler, handler]
    try:
        run(test)
    finally:
        for number, each in kept.items():
            signal.signal(number, each)


def test_a_host_that_can_be_none_is_said() -> None:
    for host in ("10.0.0..5", ".local", "ä" * 64):
        with pytest.raises(ControlError, match=r"oscquery: .* port 0: ."):
            asyncio.run(OscQueryServer("x", TREE, dict, print).open(host, 0, 9000))


def test_a_port_that_is_taken_is_said() -> None:
    async def test(here: Served) -> None:
        other = OscQueryServer("x", TREE, dict, here.heard.append)
        with pytest.raises(ControlError, match="in use"):
            await other.open("127.0.0.1", here.server.port, 9000)

    run(test)
