"""All that people say to the show, and all they are told: OSC on a port that is kept open, OSCQuery beside it, MIDI
through pickups, counted together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from installation.actions import ACTIONS, RECALL, RESTORE, REVIVE
from installation.commands import Control, Refused
from installation.control.controller import MidiMessage, MidiPort
from installation.control.osc import NOBODY, OscPort
from installation.control.oscquery import Namespace, Reading
from installation.control.oscquery_server import OscQueryServer
from installation.control.pickup import Desk
from installation.control.telling import PREFIX
from installation.errors import ControlError
from installation.osc_section import Osc
from installation.parameters import Parameter
from installation.scene import Scene

RETRY_S = 10.0
LOOK_S = 0.2

Obey = Callable[[Control], Refused | None]


class Ears:
    """`obey` carries commands out, `log` takes sentences, `values` gives how every parameter stands. The scene says
    where to listen and what MIDI turns; `readings` are what can be heard."""

    def __init__(
        self,
        obey: Obey,
        log: Callable[[str], None],
        scene: Scene,
        parameters: Mapping[str, Parameter],
        readings: Iterable[Reading] = (),
        values: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self._obey, self._log = obey, log
        self._port = OscPort(parameters, obey)
        self._readings, self._values = tuple(readings), values
        self._heard: dict[str, float] = {}
        self._query = OscQueryServer(scene.name, self._namespace(parameters), self._all_values, self._hear_packet)
        self._midi_messages = self._midi_refused = 0
        self._wanted = scene.osc
        self._hears: Osc | None = None
        self.change(scene, parameters)

    def change(self, scene: Scene, parameters: Mapping[str, Parameter]) -> None:
        """Another scene. OSC is heard where it was if the scene says nothing of it: who recalls a scene by OSC must not
        be cut off by it."""
        self._desk = Desk(scene.midi, parameters)
        self._port.parameters = parameters
        self._query.change(scene.name, self._namespace(parameters))
        if "osc" in scene.model_fields_set:
            self._wanted = scene.osc

    async def listen(self) -> None:
        """Keep the port open where it is wanted; what can't be opened now is tried again."""
        await self._keep(self._open)

    async def serve(self) -> None:
        """Keep OSCQuery served where it is wanted, likewise."""
        try:
            await self._keep(self._open_query)
        finally:
            await self._query.close()

    async def _keep(self, open_: Callable[[Osc, str | None], Awaitable[str | None]]) -> None:
        tried: Osc | None = None
        refused: str | None = None
        again_s = 0.0
        now_s = asyncio.get_running_loop().time
        while True:
            if self._wanted != tried or (refused and now_s() >= again_s):
                tried = self._wanted
                refused = await open_(tried, refused)
                again_s = now_s() + RETRY_S
            await asyncio.sleep(LOOK_S)

    async def _open(self, osc: Osc, refused: str | None) -> str | None:
        """Why not, or which of its peers are missing while it hears, said once, or None."""
        if self._hears != osc:
            fault = await self._open_port(osc)
            self._query.osc_port = self._port.port or osc.port
            if fault:
                if fault != refused:
                    self._log(f"no OSC: {fault}")
                return fault
        feedback = tuple((peer.host, peer.port) for peer in osc.feedback)
        features = tuple((peer.host, peer.port, peer.rate_hz, peer.names) for peer in osc.features)
        lost = await self._port.find(feedback, features)
        if lost and lost != refused:
            self._log(f"OSC without some it is to tell: {lost}")
        return lost

    async def _open_port(self, osc: Osc) -> str | None:
        """Why not, or None."""
        self._port.close()
        self._hears = None
        try:
            await self._port.open(osc.host, osc.port)
        except ControlError as error:
            return str(error)
        self._hears = osc
        self._log(f"OSC on {osc.host}:{self._port.port}")
        return None

    async def _open_query(self, osc: Osc, refused: str | None) -> str | None:
        """Why not, said once, or None."""
        await self._query.close()
        if osc.query_port is None:
            return None
        try:
            await self._query.open(osc.host, osc.query_port, self._port.port or osc.port)
        except ControlError as error:
            if str(error) != refused:
                self._log(f"no OSCQuery: {error}")
            return str(error)
        self._log(f"OSCQuery on http://{osc.host}:{self._query.port}")
        return None

    def _namespace(self, parameters: Mapping[str, Parameter]) -> Namespace:
        return Namespace(parameters, (*ACTIONS, RECALL, RESTORE, REVIVE), self._readings)

    def _all_values(self) -> Mapping[str, float]:
        return {**self._values(), **self._heard}

    def hear(self, message: MidiMessage | MidiPort, values: Mapping[str, float], now_s: float) -> None:
        """What the reader of MIDI sends; `values` are the parameters' now."""
        if isinstance(message, MidiPort):
            self._desk.forget(message.device)
            return
        self._midi_messages += 1
        asked = self._desk.commands(message, values, now_s)
        refusals = [asked] if isinstance(asked, Refused) else [self._obey(command) for command in asked]
        self._midi_refused += sum(refusal is not None for refusal in refusals)

    def tell(self, address: str, value: float) -> None:
        """Whoever wants to know: a parameter is turned."""
        self._port.tell(address, value)
        self._query.tell(address, value)

    def _hear_packet(self, data: bytes) -> None:
        """An OSC packet that came by WebSocket."""
        self._port.datagram_received(data, NOBODY)

    @property
    def tells_features(self) -> bool:
        """Whether anybody wants to know what is heard."""
        return self._port.tells_features or self._query.serving

    def tell_features(self, values: Mapping[str, float]) -> None:
        """Whoever wants to know: this is heard now."""
        self._port.tell_features(values)
        before, self._heard = self._heard, {PREFIX + name: value for name, value in values.items()}
        for address in self._query.listened:
            if address in self._heard and self._heard[address] != before.get(address):
                self._query.tell(address, self._heard[address])

    def figures(self) -> dict[str, int]:
        """What control came to: the report's part."""
        return {
            "messages": self._midi_messages + self._port.messages,
            "refused": self._midi_refused + self._port.refused + self._port.dropped,
        }

    def close(self) -> None:
        """Hear nothing more."""
        self._port.close()
