"""OSCQuery over HTTP and WebSocket, on the conductor's loop: whoever is let in reads all, and turns what can be turned.

Only the machine itself is served unless the scene's `osc.host` says otherwise. Nobody can make it grow: connections,
what each listens to, what waits for a slow one and what a message may weigh are all bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from installation.control.osc import message
from installation.control.oscquery import Namespace, host_info
from installation.errors import ControlError

PEERS_AT_MOST = 16
LISTENED_AT_MOST = 512
WAITING_AT_MOST = 1024
"""Messages that wait for one that reads slowly; beyond it is let go."""
TEXT_AT_MOST = 4096
BINARY_AT_MOST = 65_507

Values = Callable[[], Mapping[str, float]]
"""Everything's value now, by address."""


class _Peer:
    """One WebSocket: what it listens to, and what waits to be sent."""

    def __init__(self) -> None:
        self.listened: set[str] = set()
        self.waiting: asyncio.Queue[bytes | str] = asyncio.Queue(WAITING_AT_MOST)
        self.slow = False

    def give(self, content: bytes | str) -> None:
        try:
            self.waiting.put_nowait(content)
        except asyncio.QueueFull:
            self.slow = True


class OscQueryServer:
    """`namespace` may be replaced; `values` gives what stands and is heard; `hear` takes OSC packets that come."""

    def __init__(self, name: str, namespace: Namespace, values: Values, hear: Callable[[bytes], None]) -> None:
        self.name, self._namespace = name, namespace
        self._values, self._hear = values, hear
        self._peers: set[_Peer] = set()
        self._server: Any = None
        self._serving: asyncio.Task[None] | None = None
        self.port = self._osc_port = 0
        self._host = "127.0.0.1"

    async def open(self, host: str, port: int, osc_port: int) -> None:
        """Serve on `port` of `host` (0: any free port, then in `self.port`); ControlError if it can't be had."""
        import socket

        import uvicorn

        self._host, self._osc_port = host, osc_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise ControlError(f"oscquery: {host} port {port}: {error.strerror}") from error
        self.port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            self._app(host),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws_max_size=BINARY_AT_MOST,
            limit_concurrency=4 * PEERS_AT_MOST,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None
        self._server.capture_signals = contextlib.nullcontext  # signals are the conductor's
        listener.listen(4 * PEERS_AT_MOST)  # who comes before the server has started waits
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
        """Another scene: other parameters; peers are told to look again."""
        self.name, self._namespace = name, namespace
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
            return JSONResponse(host_info(self.name, self._shown(request.url.hostname), self._osc_port, self.port))
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
        peer = _Peer()
        self._peers.add(peer)
        sending = asyncio.create_task(_send(socket, peer))
        try:
            while True:
                self._take(peer, await socket.receive())
        except (WebSocketDisconnect, RuntimeError):
            pass
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
        if not isinstance(address, str) or not self._namespace.readable(address):
            return
        if said.get("COMMAND") == "LISTEN" and len(peer.listened) < LISTENED_AT_MOST:
            peer.listened.add(address)
        elif said.get("COMMAND") == "IGNORE":
            peer.listened.discard(address)


async def _send(socket: Any, peer: _Peer) -> None:
    """Send what waits, until the peer is gone, or reads too slowly and is let go."""
    with contextlib.suppress(RuntimeError, OSError, asyncio.CancelledError):
        while not peer.slow:
            content = await peer.waiting.get()
            if isinstance(content, bytes):
                await socket.send_bytes(content)
            elif content:
                await socket.send_text(content)
        await socket.close(1008)


def _same_origin(socket: Any) -> bool:
    """A page of another site must not turn the show; a program sends no Origin."""
    origin = socket.headers.get("origin")
    return origin is None or origin.partition("://")[2] == socket.headers.get("host")
