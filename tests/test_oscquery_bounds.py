"""OSCQuery's bounds on real sockets: who says nothing or reads nothing takes nobody's place."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import ExitStack, closing

import pytest

from installation.control import oscquery_server
from installation.control.oscquery_server import CONNECTIONS_AT_MOST
from tests.test_oscquery import Served, run, until

pytestmark = pytest.mark.alone


async def connected(here: Served, said: bytes = b"") -> socket.socket:
    """A client that has said so much, and is silent."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", here.server.port))
    client.sendall(said)
    return client


def connections(here: Served) -> int:
    return len(here.server._server.server_state.connections)


def closed(client: socket.socket) -> bool:
    """Whether the server has let it go; what it sent before is read."""
    try:
        while client.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n"], ids=["nothing", "half a request"])
def test_seventy_who_are_silent_keep_nobody_from_being_answered(said: bytes) -> None:
    async def test(here: Served) -> None:
        with ExitStack() as opened:
            silent = [opened.enter_context(closing(await connected(here, said))) for _ in range(70)]
            await until(lambda: connections(here) == CONNECTIONS_AT_MOST)
            for _ in range(5):
                assert await here.get("/voice/gain?VALUE") == (200, {"VALUE": [0.0]})
            assert connections(here) <= CONNECTIONS_AT_MOST
            assert [closed(each) for each in silent[:6]] == [True] * 6, "who was silent longest makes room"

    run(test)


def test_who_talks_by_websocket_is_not_put_out_by_the_silent() -> None:
    async def test(here: Served) -> None:
        async with here.talk() as talking:
            with ExitStack() as opened:
                for _ in range(2 * CONNECTIONS_AT_MOST):
                    opened.enter_context(closing(await connected(here)))
                await asyncio.sleep(0.1)
                await talking.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/voice/gain"}))
                await until(lambda: here.server.listened == {"/voice/gain"})

    run(test)


def test_a_silent_connection_is_closed_in_time_and_one_that_talks_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oscquery_server, "REQUEST_S", 0.2)
    whole = b"GET /?HOST_INFO HTTP/1.1\r\nHost: localhost\r\n"

    async def test(here: Served) -> None:
        said = (b"", whole, whole + b"\r\nGET", whole + b"Content-Length: 9\r\n\r\n")
        async with here.talk() as talking:
            with ExitStack() as opened:
                silent = [opened.enter_context(closing(await connected(here, each))) for each in said]
                for each in silent:
                    await until(lambda each=each: closed(each))  # type: ignore[misc]
            await asyncio.sleep(0.3)
            await talking.send(json.dumps({"COMMAND": "LISTEN", "DATA": "/voice/gain"}))
            await until(lambda: here.server.listened == {"/voice/gain"})
            assert connections(here) == 1

    run(test)


def masked(text: str) -> bytes:
    """A frame of text as a client sends it, of less than 126 bytes."""
    return struct.pack("!BBI", 0x81, 0x80 | len(text), 0) + text.encode()


def test_a_client_that_stops_reading_is_gone_with_its_connection() -> None:
    key = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    async def test(here: Served) -> None:
        troubles: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        with closing(await connected(here, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + key)) as client:
            await until(lambda: len(here.server._peers) == 1)
            client.sendall(masked(json.dumps({"COMMAND": "LISTEN", "DATA": "/voice/gain"})))
            await until(lambda: here.server.listened == {"/voice/gain"})
            for _ in range(500):
                here.server._shout("x" * 50_000)
                await asyncio.sleep(0)
            assert len(here.server._peers) == 1, "its messages wait, and one is stuck on its way"
            for number in range(oscquery_server.WAITING_AT_MOST):
                here.server.tell("/voice/gain", float(number % 10))
            await until(lambda: not here.server._peers and connections(here) == 0)
        async with here.talk():
            await until(lambda: len(here.server._peers) == 1)
        assert troubles == []

    run(test)
