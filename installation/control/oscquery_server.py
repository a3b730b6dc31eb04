"""OSCQuery over HTTP and WebSocket, on the conductor's loop: whoever is let in reads all, and turns what can be turned.

Only the machine itself is served unless the scene's `osc.host` says otherwise. Nobody can make it grow: connections,
what each listens to, what waits for a slow one and what a message may weigh are all bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from installation.control.osc import message, why
from installation.control.oscquery import Namespace, host_info
from installation.errors import ControlError

PEERS_AT_MOST = 16
CONNECTIONS_AT_MOST = 64
REQUEST_S = 10.0
"""A connection that has sent no whole request in this time is closed."""
GONE_S = 20.0
"""A connection that has taken nothing of what waits to be sent for so long is given up, where the system can."""
LISTENED_AT_MOST = 512
WAITING_AT_MOST = 1024
"""Messages that wait for one that reads slowly; one more, and it is let go."""
TEXT_AT_MOST = 4096
BINARY_AT_MOST = 65_507

Values = Callable[[], Mapping[str, float]]
"""Everything's value now, by address."""


class _Peer:
    """One WebSocket: what it listens to, and what waits to be sent. `talk` is the task that hears it, `transport` the
    connection below, if it can be had."""

    def __init__(self, talk: asyncio.Task[Any] | None, transport: asyncio.WriteTransport | None) -> None:
        self._talk, self._transport = talk, transport
        self.listened: set[str] = set()
        self.waiting: asyncio.Queue[bytes | str] = asyncio.Queue(WAITING_AT_MOST)
        self.slow = False

    def give(self, content: bytes | str) -> None:
        try:
            self.waiting.put_nowait(content)
        except asyncio.QueueFull:
            self._let_go()

    def _let_go(self) -> None:
        """At once: what is being sent may never be taken."""
        if self.slow:
            return
        self.slow = True
        if self._transport:
            self._transport.abort()
        if self._talk:
            self._talk.cancel()


class OscQueryServer:
    """`namespace` may be replaced; `values` gives what stands and is heard; `hear` takes OSC packets that come."""

    def __init__(self, name: str, namespace: Namespace, values: Values, hear: Callable[[bytes], None]) -> None:
        self.name, self._namespace = name, namespace
        self._values, self._hear = values, hear
        self._peers: set[_Peer] = set()
        self._server: Any = None
        self._serving: asyncio.Task[None] | None = None
        self.port = self.osc_port = 0
        self._host = "127.0.0.1"

    async def open(self, host: str, port: int, osc_port: int) -> None:
        """Serve on `port` of `host` (0: any free port, then in `self.port`); ControlError if it can't be had. OSC is
        heard at `osc_port`, which may be set anew."""
        import socket

        import uvicorn

        self._host, self.osc_port = host, osc_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if sys.platform == "linux":
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(GONE_S * 1000.0))
            listener.bind((host, port))
        except (OSError, UnicodeError, TypeError) as error:  # the latter two of names that can be none
            listener.close()
            raise ControlError(f"oscquery: {host} port {port}: {why(error)}") from error
        self.port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            self._app(host),
            http=_bounded_http(),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws_max_size=BINARY_AT_MOST,
            limit_concurrency=CONNECTIONS_AT_MOST + 1,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # signals are the conductor's
        listener.listen(CONNECTIONS_AT_MOST)  # who comes before the server has started waits
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(sockets=[listener]))

    async def close(self) -> None:
        """Serve no more."""
        if self._serving is None:
            return
        self._server.should_exit = True
        for peer in self._peers:
            peer.slow = True
            peer.give("")
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._serving, 3.0)
        self._serving = None

    def change(self, name: str, namespace: Namespace) -> None:
        """Another scene: other parameters; peers are told to look again, and listen to nothing that is gone."""
        self.name, self._namespace = name, namespace
        for peer in self._peers:
            peer.listened = set(filter(namespace.readable, peer.listened))
        self._shout(json.dumps({"COMMAND": "PATH_CHANGED", "DATA": "/"}))

    def tell(self, address: str, value: float) -> None:
        """Something is turned: those who listen to it are told."""
        for peer in self._peers:
            if address in peer.listened:
                peer.give(message(address, self._namespace.sent(address, value)))

    @property
    def serving(self) -> bool:
        """Whether it is open."""
        return self._serving is not None

    @property
    def listened(self) -> set[str]:
        """Every address somebody listens to."""
        return set().union(*(peer.listened for peer in self._peers))

    def _shout(self, content: str) -> None:
        for peer in self._peers:
            peer.give(content)

    # HTTP and WebSocket -----------------------------------------------------------------------------------------

    def _app(self, host: str) -> Any:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.routing import Route, WebSocketRoute

        local = host in ("127.0.0.1", "::1", "localhost")
        names = ["localhost", "127.0.0.1", "[::1]", "::1"] if local else ["*"]
        routes = [WebSocketRoute("/", self._talk), Route("/{path:path}", self._answer, methods=["GET"])]
        return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=names)])

    async def _answer(self, request: Any) -> Any:
        from starlette.responses import JSONResponse, Response

        query = request.url.query
        if query == "HOST_INFO":
            return JSONResponse(host_info(self.name, self._shown(request.url.hostname), self.osc_port, self.port))
        address = "/" + request.path_params["path"].strip("/")
        status, found = self._namespace.answer(address, query, self._values())
        return Response(status_code=status) if found is None else JSONResponse(found, status)

    def _shown(self, asked: str | None) -> str:
        """The address a client is to send to: the one it came by, where any is served."""
        return (asked or self._host) if self._host in ("0.0.0.0", "::") else self._host

    async def _talk(self, socket: Any) -> None:
        from starlette.websockets import WebSocketDisconnect

        if len(self._peers) >= PEERS_AT_MOST or not _same_origin(socket):
            await socket.close(1008)
            return
        await socket.accept()
        peer = _Peer(asyncio.current_task(), socket.scope.get("state", {}).get("transport"))
        self._peers.add(peer)
        sending = asyncio.create_task(_send(socket, peer))
        try:
            while True:
                self._take(peer, await socket.receive())
        except (WebSocketDisconnect, RuntimeError):
            pass
        except asyncio.CancelledError:
            if not peer.slow:
                raise
        finally:
            self._peers.discard(peer)
            sending.cancel()

    def _take(self, peer: _Peer, event: Any) -> None:
        """One message of a peer; WebSocketDisconnect when it has gone."""
        from starlette.websockets import WebSocketDisconnect

        if event["type"] != "websocket.receive":
            raise WebSocketDisconnect(event.get("code", 1000))
        if event.get("bytes") is not None:
            self._hear(event["bytes"])
        elif event.get("text") is not None:
            self._command(peer, event["text"])

    def _command(self, peer: _Peer, text: str) -> None:
        """LISTEN and IGNORE; what is not understood is passed over, as the proposal asks."""
        if len(text) > TEXT_AT_MOST:
            return
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        address = said.get("DATA") if isinstance(said, dict) else None
        if not isinstance(address, str):
            return
        if said.get("COMMAND") == "IGNORE":
            peer.listened.discard(address)
        known = self._namespace.readable(address) and len(peer.listened) < LISTENED_AT_MOST
        if known and said.get("COMMAND") == "LISTEN":
            peer.listened.add(address)


async def _send(socket: Any, peer: _Peer) -> None:
    """Send what waits, until the peer is gone, or reads too slowly and is let go."""
    from starlette.websockets import WebSocketDisconnect

    with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect, asyncio.CancelledError):
        while not peer.slow:
            content = await peer.waiting.get()
            if isinstance(content, bytes):
                await socket.send_bytes(content)
            elif content:
                await socket.send_text(content)
        await socket.close(1008)


def _bounded_http() -> type[asyncio.Protocol]:
    """uvicorn's HTTP, but nobody takes places by saying nothing: one that has sent no whole request is closed in
    REQUEST_S, and before if all places are taken and another comes. The places are one server's."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    waited_for: dict[H11Protocol, asyncio.TimerHandle] = {}  # the one that has been silent longest first

    class Bounded(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            if len(self.connections) >= CONNECTIONS_AT_MOST and waited_for:
                silent = next(iter(waited_for))
                silent.transport.abort()
                self._heard_of(silent)
                self.connections.discard(silent)
            if len(self.connections) >= CONNECTIONS_AT_MOST:
                self.transport = transport
                transport.abort()
                return
            super().connection_made(transport)
            self.app_state = {**self.app_state, "transport": transport}
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._heard_of(self)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._look()

        def _look(self) -> None:
            here = self.transport.get_protocol() is self and not self.transport.is_closing()  # else a WebSocket's now
            if here and self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
                self._wait()
            else:
                self._heard_of(self)

        def _wait(self) -> None:
            if self not in waited_for:
                waited_for[self] = self.loop.call_later(REQUEST_S, self.transport.abort)

        def _heard_of(self, other: H11Protocol) -> None:
            timer = waited_for.pop(other, None)
            if timer:
                timer.cancel()

    return Bounded


def _same_origin(socket: Any) -> bool:
    """A page of another site must not turn the show; a program sends no Origin."""
    origin = socket.headers.get("origin")
    return origin is None or origin.partition("://")[2] == socket.headers.get("host")
