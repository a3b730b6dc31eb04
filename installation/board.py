"""Every knob of the show as it stands: turned, on its way, and told to the processes that obey it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from installation.commands import Refused, Set
from installation.control import router
from installation.parameters import Parameter, Values, nearest, part_of
from installation.ramps import Ramp, Ramps

Send = Callable[[str, Any], None]
"""Gives a process, by name, a message."""


class Board:
    """The `values` of `parameters`, the owner of both. `send` reaches the processes, `tell` whoever wants to know."""

    def __init__(self, send: Send, tell: Callable[[str, float], None]) -> None:
        self._send, self._tell = send, tell
        self._ramps = Ramps()
        self.parameters: Mapping[str, Parameter] = {}
        self.values = Values({})

    def take(self, parameters: Mapping[str, Parameter], values: Mapping[str, float]) -> None:
        """Another scene's knobs, standing as it says; nothing is on its way any more, and nobody is told yet."""
        self._ramps.clear()
        self.parameters, self.values = parameters, Values(parameters, values)

    def set(self, address: str, value: float) -> Refused | None:
        """Turn one, and tell; why it was refused, or None."""
        fault = self.values.set(address, value)
        if fault:
            return Refused(fault)
        self._forward(address, value)
        return None

    def turn(self, address: str, value: float) -> Refused | None:
        """Turn one by hand: it stays there."""
        self._ramps.drop(address)
        return self.set(address, value)

    def ramp(self, address: str, value: float, seconds: float, now_s: float) -> Refused | None:
        """Send one on its way; why it was refused, or None. What was asked for of the scene before may be no more."""
        parameter = self.parameters.get(address)
        if parameter is None:
            return Refused(f"{address}: no such parameter{nearest(address, self.parameters)}")
        fault = parameter.fault(value)
        if fault:
            return Refused(f"{address}: {fault}")
        self._ramps.begin(address, Ramp(self.values[address], value, now_s, seconds))
        return None

    def advance(self, now_s: float) -> None:
        """Turn those that are on their way to where they are now."""
        for address, value in self._ramps.at(now_s).items():
            self.set(address, value)

    def reset(self, values: Mapping[str, float]) -> None:
        """Everything stands still, as a scene says it."""
        self._ramps.clear()
        for address, value in Values(self.parameters, values).as_dict().items():
            if self.values[address] != value:
                self.set(address, value)

    def tell_all(self) -> None:
        """Tell everybody how everything stands."""
        for address, value in self.values.as_dict().items():
            self._forward(address, value)

    def _forward(self, address: str, value: float) -> None:
        """Tell the processes that obey this parameter, and whoever wants to know."""
        for process in router.obeying(self.parameters[address]):
            own = part_of(address)[1] if process in router.BREEDERS else address
            self._send(process, Set(own, value))
        self._tell(address, value)
