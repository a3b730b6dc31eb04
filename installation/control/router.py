"""What a message of OSC asks for: (address, arguments) → commands, or why not. Pure: no socket, no clock.

    /voice/gain -6            the parameter, in its own unit
    /evolution/sigma 0.8 5    there in 5 seconds
    /unit/voice/gain 0.5      the same parameter by its travel, 0..1, as a fader gives it
    /latent/*/bias 0          every parameter the pattern matches
    /evolution/operator drift a choice by its name, or its place among them (from 0)
    /scene/recall nocturne    a scene by its file's stem, its name, or its place in the show (from 0)
    /scene/next /evolution/forget /evolution/reset /panic /ping
    /evolution/more           more like what is sounding; also never, pin, unpin
    /evolution/more 1234      more like the trajectory of this identity
    /evolution/recall 1234    that one, back from the store
    /record 60                film what is seen and heard for 60 seconds; /record 1 until /record 0 or /record/stop
    /snapshot "blue hour"     keep the picture and every parameter by this name, or by scene and time without one
    /snapshot/recall "blue hour"   every parameter back to where it was then
    /subscribe 9001 60        send me, at port 9001, what others change in the next 60 seconds
    /subscribe/features 9001 60 30 band*   and what is heard: so many times a second, those that match

Numbers may come as any of OSC's number types; true and false are 1 and 0; text is never a number. A value outside its
range is refused, not clipped. What needs no value obeys any but 0 and false, so that a button's release does nothing.
An identity must be a whole number by its type, i or h: 1.0 is a button pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from installation import snapshot
from installation.actions import ACTIONS, RECALL, RECORD, RESTORE, REVIVE, SNAPSHOT
from installation.commands import (
    Control,
    Photograph,
    Ping,
    Ramp,
    Recall,
    Record,
    Refused,
    Restore,
    Revive,
    Set,
    Wish,
)
from installation.control import packet, pattern
from installation.control.packet import Argument
from installation.control.telling import RATE_AT_MOST_HZ
from installation.parameters import OUTPUTS, PARTS, WHOLE, Parameter, nearest, part_of

BREEDERS = ("breeder", *(f"breeder {number}" for number in range(2, PARTS + 1)))
"""The processes that search, by the part they search for."""
STAGES = ("stage", *(f"stage {number}" for number in range(2, OUTPUTS + 1)))
"""The processes that draw, by the output they draw for."""
OWNERS: dict[str, tuple[str, ...]] = {
    "evolution": BREEDERS,
    "latent": ("voice",),
    "voice": ("voice",),
    "input": ("voice",),
    "part": ("voice",),
    "picture": STAGES,
    "master": ("voice", *STAGES),
}
"""The processes that obey the parameters of each owner, the first word of an address; but see `obeying`."""
EVOLVE = "/evolve"


def obeying(parameter: Parameter) -> tuple[str, ...]:
    """The processes that obey `parameter`: its owner's, but whether a latent may evolve is the search's affair."""
    if parameter.address.endswith(EVOLVE):
        return (BREEDERS[part_of(parameter.address)[0] - 1],)
    return OWNERS[parameter.owner]


UNIT = "/unit"
SUBSCRIBE = "/subscribe"
UNSUBSCRIBE = "/unsubscribe"
SUBSCRIBE_FEATURES = "/subscribe/features"
RATE_HZ = 60.0
"""How often features are told where nothing else is asked for."""
RAMP_AT_MOST_S = 3600.0
RECORD_AT_MOST_S = 86_400.0
LEASE_AT_MOST_S = 3600.0
PATTERNS_AT_MOST = 8
"""Patterns in one packet: each is matched against every parameter."""
HINTS_AT_MOST = 2
"""Unknown addresses in one packet for which the nearest known one is looked for, which takes a millisecond or so."""
_SINGLE_PRECISION = 1e-6


@dataclass(frozen=True)
class Subscribe:
    """Send the sender, at `port` of its host, what others change in the next `seconds`; 0 seconds ends it."""

    port: int
    seconds: float


@dataclass(frozen=True)
class SubscribeFeatures:
    """Send the sender, at `port` of its host, what is heard in the next `seconds`, `rate_hz` times a second, of the
    features whose names `wanted` matches; 0 seconds ends it."""

    port: int
    seconds: float
    rate_hz: float = RATE_HZ
    wanted: str = "*"


Asked = Control | Subscribe | SubscribeFeatures


class Due(NamedTuple):
    """A command of a packet, or why there is none, and how long after now it is asked for."""

    command: Asked | Refused
    delay_s: float


def from_osc(data: bytes, parameters: Mapping[str, Parameter], unix_s: float) -> tuple[Due, ...]:
    """What one packet asks for, in order. A packet that is malformed is refused whole; else each message for itself."""
    messages = packet.read(data, unix_s)
    if isinstance(messages, Refused):
        return (Due(messages, 0.0),)
    if sum(pattern.is_pattern(message.address) for message in messages) > PATTERNS_AT_MOST:
        return (Due(Refused("too many patterns in a packet"), 0.0),)
    due: list[Due] = []
    hints = HINTS_AT_MOST
    for message in messages:
        commands = from_message(message.address, message.arguments, parameters, hint=hints > 0)
        hints -= isinstance(commands, Refused)
        each = (commands,) if isinstance(commands, Refused) else commands
        due.extend(Due(command, message.delay_s) for command in each)
    return tuple(due)


def from_message(
    address: str, arguments: tuple[Argument, ...], parameters: Mapping[str, Parameter], hint: bool = True
) -> tuple[Asked, ...] | Refused:
    """The commands one message stands for: none for a button's release, several for a pattern. With `hint` a refusal
    names the nearest known address."""
    if address in _WORDS:
        return _WORDS[address](arguments)
    if address in ACTIONS:
        return _action(address, arguments)
    twin = address.startswith(UNIT + "/")
    wanted = address.removeprefix(UNIT) if twin else address
    if wanted in parameters:
        return _turn((parameters[wanted],), arguments, twin)
    if not pattern.is_pattern(wanted):
        near = nearest(wanted, parameters) if hint and len(wanted) <= 64 else ""
        return Refused(f"{_shown(address)}: no such parameter{near}")
    read = pattern.read(wanted)
    if read is None:
        return Refused(f"{_shown(address)}: a bracket or brace is not closed")
    chosen = read.select(parameters)
    if not chosen:
        return Refused(f"{_shown(address)}: matches no parameter")
    return _turn(tuple(parameters[each] for each in chosen), arguments, twin)


def _turn(
    chosen: tuple[Parameter, ...], arguments: tuple[Argument, ...], twin: bool
) -> tuple[Set | Ramp, ...] | Refused:
    """`arguments` are a value, or a value and seconds, for every one of `chosen`; all are turned or none."""
    commands = []
    for parameter in chosen:
        numbers = _numbers(arguments, None if twin else parameter)
        if isinstance(numbers, Refused):
            return Refused(f"{parameter.address}: {numbers.reason}")
        if len(numbers) not in (1, 2):
            got = f"got {len(numbers)} values"
            return Refused(f"{parameter.address}: {got}, allowed are a value, or a value and seconds")
        command = _turn_one(parameter, *numbers, twin=twin)
        if isinstance(command, Refused):
            return command
        commands.append(command)
    return tuple(commands)


def _turn_one(parameter: Parameter, given: float, seconds: float = 0.0, *, twin: bool) -> Set | Ramp | Refused:
    if twin and not 0.0 <= given <= 1.0:
        return Refused(f"{UNIT}{parameter.address}: {given:g} is outside 0..1")
    value = snapped(parameter, parameter.at(given) if twin else given)
    fault = parameter.fault(value)
    if fault:
        return Refused(f"{parameter.address}: {fault}")
    if not 0.0 <= seconds <= RAMP_AT_MOST_S:
        return Refused(f"{parameter.address}: a ramp of {seconds:g} s is outside 0..{RAMP_AT_MOST_S:g} s")
    if seconds and parameter.curve in WHOLE:
        return Refused(f"{parameter.address}: takes whole numbers and can't be ramped")
    return Ramp(parameter.address, value, seconds) if seconds else Set(parameter.address, value)


def snapped(parameter: Parameter, value: float) -> float:
    """`value`, or the end of the range it only misses by rounding: OSC's floats have 24 bits."""
    for end in (parameter.minimum, parameter.maximum):
        if abs(value - end) <= _SINGLE_PRECISION * max(1.0, abs(end)):
            return float(end)
    return float(value)


def _numbers(arguments: tuple[Argument, ...], of: Parameter | None = None) -> tuple[float, ...] | Refused:
    """`arguments` as numbers; the first may be a name, if `of` is a choice."""
    numbers: list[float] = []
    for argument in arguments:
        if of and of.choices and isinstance(argument, str) and not numbers:
            value = of.named(argument)
            if value is None:
                return Refused(of.unnamed(argument))
            argument = value
        if not isinstance(argument, int | float):
            return Refused(f"got {_kind(argument)}, allowed are numbers")
        numbers.append(float(argument))
    return tuple(numbers)


def _kind(argument: Argument) -> str:
    names: dict[type, str] = {str: "text", bytes: "bytes", tuple: "an array"}
    return names.get(type(argument), "nothing")


def _shown(address: str) -> str:
    """An address a stranger sent, short enough for a log."""
    return address if len(address) <= 64 else address[:61] + "..."


def _action(address: str, arguments: tuple[Argument, ...]) -> tuple[Control, ...] | Refused:
    command = ACTIONS[address]
    released = bool(arguments) and arguments[0] is not None and arguments[0] in (0, 0.0, False)
    if released:
        return ()
    if not isinstance(command, Wish) or not arguments or _is_press(arguments[0]):
        return (command,)
    identity = _identity(address, arguments)
    return identity if isinstance(identity, Refused) else (replace(command, identity=identity),)


def _is_press(argument: Argument) -> bool:
    """What a button sends when it is pressed; a whole number is an identity, and any other number neither."""
    number = isinstance(argument, int | float) and not isinstance(argument, bool)
    return not number or (isinstance(argument, float) and 0.0 < argument <= 1.0)


def _identity(address: str, arguments: tuple[Argument, ...]) -> int | Refused:
    first = arguments[0] if len(arguments) == 1 else None
    if isinstance(first, bool) or not isinstance(first, int) or first < 1:
        return Refused(f"{address}: allowed is one trajectory's identity, a whole number (OSC's i or h) from 1")
    return first


def _revive(arguments: tuple[Argument, ...]) -> tuple[Revive, ...] | Refused:
    identity = _identity(REVIVE, arguments)
    return identity if isinstance(identity, Refused) else (Revive(identity),)


def _recall(arguments: tuple[Argument, ...]) -> tuple[Recall, ...] | Refused:
    if len(arguments) != 1 or isinstance(arguments[0], bool):
        return Refused(f"{RECALL}: needs one value, a scene's name or its place in the show")
    scene = arguments[0]
    if isinstance(scene, str) and 0 < len(scene) <= 200:
        return (Recall(scene),)
    if isinstance(scene, int | float) and scene == int(scene):
        return (Recall(str(int(scene))),)
    return Refused(f"{RECALL}: needs a scene's name or its place in the show")


def _record(arguments: tuple[Argument, ...]) -> tuple[Record, ...] | Refused:
    """As a button or a switch: 0 and false end it, what is up to 1 begins it; more is seconds."""
    numbers = _numbers(tuple(argument for argument in arguments if argument is not None))
    if isinstance(numbers, Refused) or len(numbers) > 1:
        return Refused(f"{RECORD}: needs 0, 1 or seconds")
    seconds = numbers[0] if numbers else 1.0
    if not 0.0 <= seconds <= RECORD_AT_MOST_S:
        return Refused(f"{RECORD}: {seconds:g} s is outside 0..{RECORD_AT_MOST_S:g}")
    return (Record(None if 0.0 < seconds <= 1.0 else seconds),)


def _photograph(arguments: tuple[Argument, ...]) -> tuple[Control, ...] | Refused:
    if len(arguments) == 1 and isinstance(arguments[0], str):
        why = snapshot.fault(arguments[0])
        return Refused(f"{SNAPSHOT}: {why}") if why else (Photograph(arguments[0]),)
    return _action(SNAPSHOT, arguments)


def _restore(arguments: tuple[Argument, ...]) -> tuple[Restore, ...] | Refused:
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        return Refused(f"{RESTORE}: needs a snapshot's name")
    why = snapshot.fault(arguments[0])
    return Refused(f"{RESTORE}: {why}") if why else (Restore(arguments[0]),)


def _subscribe(arguments: tuple[Argument, ...]) -> tuple[Subscribe, ...] | Refused:
    numbers = _numbers(arguments)
    if isinstance(numbers, Refused) or len(numbers) != 2:
        return Refused(f"{SUBSCRIBE}: needs a port and seconds")
    port, seconds = numbers
    if port != int(port) or not 1 <= port <= 65535 or not 0.0 <= seconds <= LEASE_AT_MOST_S:
        return Refused(f"{SUBSCRIBE}: allowed are a port 1..65535 and 0..{LEASE_AT_MOST_S:g} seconds")
    return (Subscribe(int(port), seconds),)


def _subscribe_features(arguments: tuple[Argument, ...]) -> tuple[SubscribeFeatures, ...] | Refused:
    wanted = arguments[-1] if arguments and isinstance(arguments[-1], str) else None
    numbers = _numbers(arguments if wanted is None else arguments[:-1])
    if isinstance(numbers, Refused) or len(numbers) not in (2, 3):
        return Refused(f"{SUBSCRIBE_FEATURES}: needs a port and seconds, and may have a rate and a pattern")
    lease = _subscribe(numbers[:2])
    if isinstance(lease, Refused):
        return Refused(lease.reason.replace(SUBSCRIBE, SUBSCRIBE_FEATURES, 1))
    rate_hz = numbers[2] if len(numbers) == 3 else RATE_HZ
    if not 1.0 <= rate_hz <= RATE_AT_MOST_HZ:
        return Refused(f"{SUBSCRIBE_FEATURES}: a rate of {rate_hz:g} is outside 1..{RATE_AT_MOST_HZ:g} Hz")
    if wanted is not None and (len(wanted) > 64 or "/" in wanted or pattern.read("/" + wanted) is None):
        return Refused(f"{SUBSCRIBE_FEATURES}: {_shown(wanted)!r} is no pattern of names")
    return (SubscribeFeatures(lease[0].port, lease[0].seconds, rate_hz, "*" if wanted is None else wanted),)


def _unsubscribe(arguments: tuple[Argument, ...]) -> tuple[Subscribe, ...] | Refused:
    return _subscribe((*arguments, 0))


def _ping(arguments: tuple[Argument, ...]) -> tuple[Ping, ...]:
    return (Ping(),)


_WORDS: dict[str, Callable[[tuple[Argument, ...]], tuple[Asked, ...] | Refused]] = {
    "/ping": _ping,
    RECALL: _recall,
    RECORD: _record,
    RESTORE: _restore,
    REVIVE: _revive,
    SNAPSHOT: _photograph,
    SUBSCRIBE: _subscribe,
    SUBSCRIBE_FEATURES: _subscribe_features,
    UNSUBSCRIBE: _unsubscribe,
}
