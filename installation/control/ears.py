"""All that people say to the show: OSC on a port that is kept open, MIDI through pickups, counted together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from installation.commands import Control, Refused
from installation.control.controller import MidiMessage, MidiPort
from installation.control.osc import OscPort
from installation.control.pickup import Desk
from installation.errors import ControlError
from installation.parameters import Parameter
from installation.scene import Osc, Scene

RETRY_S = 10.0
LOOK_S = 0.2

Obey = Callable[[Control], Refused | None]


class Ears:
    """`obey` carries commands out, `log` takes sentences. The scene says where to listen and what MIDI turns."""

    def __init__(
        self, obey: Obey, log: Callable[[str], None], scene: Scene, parameters: Mapping[str, Parameter]
    ) -> None:
        self._obey, self._log = obey, log
        self._port = OscPort(parameters, obey)
        self._midi_messages = self._midi_refused = 0
        self._wanted = scene.osc
        self.change(scene, parameters)

    def change(self, scene: Scene, parameters: Mapping[str, Parameter]) -> None:
        """Another scene. OSC is heard where it was if the scene says nothing of it: who recalls a scene by OSC must not
        be cut off by it."""
        self._desk = Desk(scene.midi, parameters)
        self._port.parameters = parameters
        if "osc" in scene.model_fields_set:
            self._wanted = scene.osc

    async def listen(self) -> None:
        """Keep the port open where it is wanted; what can't be opened now is tried again."""
        opened: Osc | None = None
        refused: str | None = None
        while True:
            if self._wanted != opened:
                wanted = self._wanted
                refused = await self._open(wanted, refused)
                opened = None if refused else wanted
            await asyncio.sleep(RETRY_S if refused else LOOK_S)

    async def _open(self, osc: Osc, refused: str | None) -> str | None:
        """Why not, said once, or None."""
        self._port.close()
        try:
            await self._port.open(osc.host, osc.port, tuple((peer.host, peer.port) for peer in osc.feedback))
        except ControlError as error:
            if str(error) != refused:
                self._log(f"no OSC: {error}")
            return str(error)
        self._log(f"OSC on {osc.host}:{self._port.port}")
        return None

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

    def figures(self) -> dict[str, int]:
        """What control came to: the report's part."""
        return {
            "messages": self._midi_messages + self._port.messages,
            "refused": self._midi_refused + self._port.refused + self._port.dropped,
        }

    def close(self) -> None:
        """Hear nothing more."""
        self._port.close()
