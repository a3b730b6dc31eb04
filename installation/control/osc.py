"""OSC over UDP: a port that hears, obeys, answers and tells, and that no packet can stop.

`packet` reads what comes: python-osc's own reader hangs for ever on a bundle element of negative size, misaligns what
follows a character, and lets NaN and deep nesting through (its servers sleep on dated bundles besides). It is used
here for what it does well, building what is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from installation.commands import Control, Ping, Refused
from installation.control.router import Due, Subscribe, SubscribeFeatures, from_osc
from installation.control.telling import Telling
from installation.errors import ControlError
from installation.parameters import WHOLE, Parameter

RECEIVE_BYTES = 4 * 1024 * 1024
"""What the system may hold for us while the loop is busy."""
INBOX_AT_MOST = 4096
"""Commands waiting to be obeyed."""
TURN = 256
"""Commands obeyed before the loop's other work has its turn."""
LATER_AT_MOST = 1024
"""Commands of dated bundles waiting for their time."""
PEERS_AT_MOST = 32
REASONS_AT_MOST = 64

Address = tuple[Any, ...]
"""A socket's address as the system gives it: host, port, and for IPv6 two numbers more."""
NOBODY: Address = ("", 0)
"""The sender of what did not come by UDP: no host's, and none that can be answered."""
Obey = Callable[[Control], Refused | None]


class OscPort(asyncio.DatagramProtocol):
    """Hears OSC on a UDP port; each command goes to `obey`, on the loop it was opened on, in the order heard.

    `messages` counts what was asked, `refused` what was not obeyed, `dropped` what came faster than it could be
    obeyed; `reasons` has the refusals by reason. `parameters` may be replaced when the scene's model changes. `clock`
    is the wall clock in Unix seconds, which dated bundles speak of.
    """

    def __init__(self, parameters: Mapping[str, Parameter], obey: Obey, clock: Callable[[], float] = time.time) -> None:
        self.parameters = parameters
        self.messages = self.refused = self.dropped = 0
        self.reasons: dict[str, int] = {}
        self.port = 0
        self._obey = obey
        self._clock = clock
        self._inbox: deque[tuple[Due, Address]] = deque()
        self._awake = False
        self._later: set[asyncio.TimerHandle] = set()
        self._feedback: tuple[Address, ...] = ()
        self._leases: dict[Address, tuple[Address, float]] = {}
        self._always: tuple[tuple[Address, Telling], ...] = ()
        self._tellings: dict[Address, tuple[Telling, float]] = {}
        self._family = 0
        self._sender: Address | None = None
        self._socket: socket.socket | None = None
        self._transport: asyncio.BaseTransport | None = None

    async def open(self, host: str, port: int) -> None:
        """Hear on `port` of `host` (0: any free port, then in `self.port`), and tell those who ask. ControlError if it
        can't be had."""
        family, address = await _resolved(host, port)
        if family != self._family:  # leases are addresses of the family before
            self._leases.clear()
            self._tellings.clear()
        self._family, self._feedback, self._always = family, (), ()
        self._socket = _bound(family, address)
        self.port = int(self._socket.getsockname()[1])
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=self._socket)

    async def find(
        self, feedback: Iterable[tuple[str, int]] = (), features: Iterable[tuple[str, int, float, str]] = ()
    ) -> str | None:
        """Always tell the peers in `feedback` what is turned, and those in `features` what is heard: host, port, rate
        in Hz, pattern of names. Those that can't be found are left out: who, or None. The port is open."""
        lost: dict[str, None] = {}
        told: list[Address] = []
        heard: list[tuple[Address, Telling]] = []
        for host, port in feedback:
            told.extend(await self._found(host, port, lost))
        for host, port, rate_hz, wanted in features:
            heard.extend((peer, Telling(rate_hz, wanted)) for peer in await self._found(host, port, lost))
        self._feedback, self._always = tuple(told), tuple(heard)
        return "; ".join(lost) or None

    async def _found(self, host: str, port: int, lost: dict[str, None]) -> tuple[Address, ...]:
        try:
            return ((await _resolved(host, port, self._family))[1],)
        except ControlError as error:
            lost[str(error)] = None
            return ()

    def close(self) -> None:
        """Hear and tell no more."""
        for timer in self._later:
            timer.cancel()
        self._later.clear()
        self._inbox.clear()
        if self._transport:
            self._transport.close()
        self._transport = self._socket = None
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the port is open."""
        self._transport = transport

    def error_received(self, error: Exception) -> None:
        """asyncio's: a peer of ours is gone; its lease will end."""

    def datagram_received(self, data: bytes, sender: Address) -> None:
        """asyncio's: a packet came."""
        for due in from_osc(data, self.parameters, self._clock()):
            self.messages += 1
            if len(self._inbox) >= INBOX_AT_MOST:
                self.dropped += 1
            else:
                self._inbox.append((due, sender))
        self._wake()

    def tell(self, address: str, value: float) -> None:
        """Send the peers what a parameter is now; not to the one whose message is being obeyed."""
        parameter = self.parameters.get(address)
        whole = parameter is not None and parameter.curve in WHOLE
        content = message(address, int(value) if whole else float(value))
        for peer in self._listeners():
            self._send(content, peer)

    @property
    def tells_features(self) -> bool:
        """Whether anybody wants to know what is heard."""
        return bool(self._always or self._tellings)

    def tell_features(self, values: Mapping[str, float]) -> None:
        """Send whoever wants to know what is heard now, by name, each at its own rate."""
        now_s = asyncio.get_running_loop().time()
        self._tellings = {peer: lease for peer, lease in self._tellings.items() if lease[1] > now_s}
        leased = ((peer, telling) for peer, (telling, _) in self._tellings.items())
        for peer, telling in (*self._always, *leased):
            for packet in telling.packets(values, now_s):
                self._send(packet, peer)

    def _listeners(self) -> list[Address]:
        """Peers but the sender now obeyed: a subscriber is known by its socket, a peer of the scene by its host."""
        now_s = asyncio.get_running_loop().time()
        self._leases = {peer: lease for peer, lease in self._leases.items() if lease[1] > now_s}
        found = [peer for peer in self._feedback if self._sender is None or peer[0] != self._sender[0]]
        found.extend(peer for peer, (source, _) in self._leases.items() if source != self._sender)
        return found

    def _send(self, content: bytes, peer: Address) -> None:
        """Past asyncio's queue, which would grow: what the system does not take at once is dropped."""
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.sendto(content, peer)

    def _wake(self) -> None:
        if self._inbox and not self._awake:
            self._awake = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._awake = False
        try:
            for _ in range(min(TURN, len(self._inbox))):
                due, sender = self._inbox.popleft()
                if due.delay_s > 0.0:
                    self._put_off(due, sender)
                else:
                    self._take(due, sender)
        finally:  # one that fails must not leave the others lying
            self._wake()

    def _put_off(self, due: Due, sender: Address) -> None:
        if len(self._later) >= LATER_AT_MOST:
            self._refuse("too many dated messages")
            return

        def now() -> None:
            self._later.discard(timer)
            self._take(due, sender)

        timer = asyncio.get_running_loop().call_later(due.delay_s, now)
        self._later.add(timer)

    def _take(self, due: Due, sender: Address) -> None:
        command = due.command
        if isinstance(command, Refused):
            self._refuse(command.reason)
        elif sender == NOBODY and isinstance(command, Ping | Subscribe | SubscribeFeatures):
            self._refuse("/ping and /subscribe are answered by UDP: send them there")
        elif isinstance(command, Ping):
            self._send(message("/pong"), sender)
        elif isinstance(command, Subscribe):
            self._subscribe(command, sender)
        elif isinstance(command, SubscribeFeatures):
            self._subscribe_features(command, sender)
        else:
            self._obey_for(sender, command)

    def _obey_for(self, sender: Address, command: Control) -> None:
        self._sender = sender
        try:
            refused = self._obey(command)
        finally:
            self._sender = None
        if refused:
            self._refuse(refused.reason)

    def _subscribe(self, command: Subscribe, sender: Address) -> None:
        peer = (sender[0], command.port, *sender[2:])
        if command.seconds <= 0.0:
            self._leases.pop(peer, None)
        elif len(self._leases) >= PEERS_AT_MOST and peer not in self._leases:
            self._refuse("/subscribe: too many peers")
        else:
            self._leases[peer] = (sender, asyncio.get_running_loop().time() + command.seconds)

    def _subscribe_features(self, command: SubscribeFeatures, sender: Address) -> None:
        peer = (sender[0], command.port, *sender[2:])
        if command.seconds <= 0.0:
            self._tellings.pop(peer, None)
        elif len(self._tellings) >= PEERS_AT_MOST and peer not in self._tellings:
            self._refuse("/subscribe/features: too many peers")
        else:
            until_s = asyncio.get_running_loop().time() + command.seconds
            self._tellings[peer] = (Telling(command.rate_hz, command.wanted), until_s)

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        if reason not in self.reasons and len(self.reasons) >= REASONS_AT_MOST:
            reason = "others"
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


_TAGS: dict[type, str] = {int: "i", float: "f", str: "s"}


def message(address: str, *arguments: float | str | bool) -> bytes:
    """One OSC message: whole numbers as i, others as f, truth as T or F, text as s."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument, _TAGS.get(type(argument), "T" if argument else "F"))
    return bytes(builder.build().dgram)


async def _resolved(host: str, port: int, family: int = 0) -> tuple[int, Address]:
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # the latter of a name that can be none, as 10.0.0..5
        raise ControlError(f"osc: no such host {host!r}: {why(error)}") from error
    return found[0][0], found[0][4]


def _bound(family: int, address: Address) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_DGRAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        listener.setblocking(False)
        listener.bind(address)
    except (OSError, UnicodeError) as error:
        listener.close()
        raise ControlError(f"osc: {address[0]} port {address[1]}: {_advice(error)}") from error
    return listener


def why(error: Exception) -> str:
    """What a fault of the system, or of a name, says of itself."""
    return str(getattr(error, "strerror", None) or error)


def _advice(error: Exception) -> str:
    advice = {
        errno.EADDRINUSE: "taken by another program; end that one, or give osc.port of the scene another number",
        errno.EACCES: "not allowed; ports below 1024 are the system's, give osc.port of the scene a higher number",
        errno.EADDRNOTAVAIL: "not an address of this machine; give osc.host of the scene 127.0.0.1 or 0.0.0.0",
    }
    return advice.get(getattr(error, "errno", None) or 0, why(error))
