"""What a scene file may say of OSC and OSCQuery: where it is heard, and who is told what."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from installation.field import Section, Text, limits, nothing_is, wrong


class Peer(Section):
    """Where feedback is sent."""

    host: Text = Field(description="A name or an address.")
    port: Annotated[int, limits(1, 65535, "steps")] = Field(description="Its UDP port.")


_CLOSED = re.compile(r"(?:[^][{}]|\[[^]]*\]|\{[^}]*\})*")
"""What `control.pattern` reads: a bracket or brace is closed by the next of its kind, and none closes nothing."""


def _names(written: str) -> str:
    """A pattern that means a feature: no part of an address, its brackets closed."""
    if len(written) > 64 or "/" in written or not _CLOSED.fullmatch(written):
        raise wrong(f"{written!r} is no pattern of names, as band* or {{rms,onset}} are")
    return written


class FeaturePeer(Peer):
    """Where what is heard is sent."""

    rate_hz: Annotated[float, limits(1, 120)] = Field(default=60.0, description="How many times a second, at the most.")
    names: Annotated[Text, AfterValidator(_names)] = Field(
        default="*", description="Which features, as an OSC pattern: band*, {rms,onset,beat*}."
    )


class Osc(Section):
    """Where OSC is heard, over UDP. Only this machine is heard unless another address is given."""

    host: Text = Field(default="127.0.0.1", description="0.0.0.0 hears every network.")
    port: Annotated[int, limits(0, 65535, "steps")] = Field(default=9000, description="0 takes any free port.")
    query_port: Annotated[int, limits(0, 65535, "steps")] | None = Field(
        default=9080, description="OSCQuery's TCP port, over HTTP and WebSocket; 0 takes any free one, null is none."
    )
    feedback: Annotated[tuple[Peer, ...], nothing_is(())] = Field(
        default=(), description="Who is told of every change."
    )
    features: Annotated[tuple[FeaturePeer, ...], nothing_is(())] = Field(
        default=(), description="Who is told what is heard, as /feature/NAME."
    )
