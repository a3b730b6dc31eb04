"""OSCQuery: the tree of everything that can be turned, asked for and heard, as JSON (Vidvox OSCQuery Proposal).

Pure: declarations and values in, answers out. `oscquery_server` carries them over HTTP and WebSocket.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from installation.actions import RECALL, RESTORE, REVIVE
from installation.parameters import WHOLE, Parameter

READ, WRITE, BOTH = 1, 2, 3
ATTRIBUTES = ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "TYPE", "CONTENTS", "FULL_PATH")
EXTENSIONS = {"ACCESS": True, "VALUE": True, "RANGE": True, "DESCRIPTION": True, "UNIT": True, "LISTEN": True} | {
    "PATH_CHANGED": True
}

TAKEN = {RECALL: "s", RESTORE: "s", REVIVE: "i"}
"""What actions need, as OSC types: a scene's name, a snapshot's, a trajectory's identity. The others need nothing."""


@dataclass(frozen=True)
class Reading:
    """Something that is heard and can be read: its address, range, unit and sentence."""

    address: str
    minimum: float
    maximum: float
    unit: str
    sentence: str
    whole: bool = False


class Namespace:
    """Every address there is. `actions` are asked for, and have no value."""

    def __init__(
        self, parameters: Mapping[str, Parameter], actions: Iterable[str], readings: Iterable[Reading]
    ) -> None:
        self._parameters = parameters
        self._readings = {each.address: each for each in readings}
        self._actions = frozenset(actions)
        self._children: dict[str, list[str]] = {"/": []}
        for address in (*parameters, *self._actions, *self._readings):
            self._enter(address)

    def _enter(self, address: str) -> None:
        while address != "/":
            parent = address.rpartition("/")[0] or "/"
            siblings = self._children.setdefault(parent, [])
            if address in siblings:
                return
            siblings.append(address)
            address = parent

    def holds(self, address: str) -> bool:
        """Whether there is such a node."""
        return address in self._children or address in self._leaves()

    def readable(self, address: str) -> bool:
        """Whether it has a value that can be listened to."""
        return address in self._parameters or address in self._readings

    def node(self, address: str, values: Mapping[str, float]) -> dict[str, Any]:
        """The node at `address` with all below it; KeyError if there is none. `values` are by address."""
        found: dict[str, Any] = {"FULL_PATH": address, "ACCESS": 0}
        if address in self._parameters:
            found |= _parameter(self._parameters[address], values.get(address))
        elif address in self._readings:
            found |= _reading(self._readings[address], values.get(address))
        elif address in self._actions:
            found |= {"ACCESS": WRITE, "TYPE": TAKEN.get(address, "N")}
        elif address not in self._children:
            raise KeyError(address)
        below = self._children.get(address, [])
        if below:
            found["CONTENTS"] = {each.rpartition("/")[2]: self.node(each, values) for each in below}
        return found

    def answer(self, address: str, attribute: str, values: Mapping[str, float]) -> tuple[int, dict[str, Any] | None]:
        """HTTP status and JSON of one query; `attribute` may be empty."""
        if attribute and attribute not in ATTRIBUTES:
            return 400, None
        if not self.holds(address):
            return 404, None
        node = self.node(address, values)
        if not attribute:
            return 200, node
        return (200, {attribute: node[attribute]}) if attribute in node else (204, None)

    def sent(self, address: str, value: float) -> int | float | str | bool:
        """`value` as its node's TYPE says it is sent."""
        parameter = self._parameters.get(address)
        if parameter is None:
            return int(value) if self._readings[address].whole else float(value)
        if parameter.choices:
            return parameter.shown(value)
        if parameter.curve == "switch":
            return bool(value)
        return int(value) if parameter.curve in WHOLE else float(value)

    def _leaves(self) -> set[str]:
        return {*self._parameters, *self._actions, *self._readings}


def host_info(name: str, host: str, osc_port: int, web_port: int) -> dict[str, Any]:
    """HOST_INFO."""
    return {
        "NAME": name,
        "EXTENSIONS": EXTENSIONS,
        "OSC_IP": host,
        "OSC_PORT": osc_port,
        "OSC_TRANSPORT": "UDP",
        "WS_IP": host,
        "WS_PORT": web_port,
    }


def _parameter(parameter: Parameter, value: float | None) -> dict[str, Any]:
    at = parameter.default if value is None else value
    found: dict[str, Any] = {"ACCESS": BOTH, "DESCRIPTION": parameter.sentence}
    if parameter.unit:
        found["UNIT"] = [parameter.unit]
    if parameter.choices:
        return found | {"TYPE": "s", "VALUE": [parameter.shown(at)], "RANGE": [{"VALS": list(parameter.choices)}]}
    if parameter.curve == "switch":
        return found | {"TYPE": "T" if at else "F", "VALUE": [bool(at)]}
    whole = parameter.curve in WHOLE
    bounds = {"MIN": parameter.minimum, "MAX": parameter.maximum}
    return found | {"TYPE": "i" if whole else "f", "VALUE": [int(at) if whole else at], "RANGE": [bounds]}


def _reading(reading: Reading, value: float | None) -> dict[str, Any]:
    at = reading.minimum if value is None else value
    found: dict[str, Any] = {
        "ACCESS": READ,
        "DESCRIPTION": reading.sentence,
        "TYPE": "i" if reading.whole else "f",
        "VALUE": [int(at) if reading.whole else float(at)],
        "RANGE": [{"MIN": reading.minimum, "MAX": reading.maximum}],
    }
    return found | ({"UNIT": [reading.unit]} if reading.unit else {})
