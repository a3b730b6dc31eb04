"""What control may ask for besides turning parameters, by OSC address: scene files and protocols use these words."""

from __future__ import annotations

from installation.commands import Control, Forget, More, Never, Next, Panic, Photograph, Pin, Record, Reset, Unpin

ACTIONS: dict[str, Control] = {
    "/scene/next": Next(),
    "/evolution/more": More(),
    "/evolution/never": Never(),
    "/evolution/pin": Pin(),
    "/evolution/unpin": Unpin(),
    "/evolution/forget": Forget(),
    "/evolution/reset": Reset(),
    "/record": Record(),
    "/record/stop": Record(0.0),
    "/snapshot": Photograph(),
    "/panic": Panic(),
}
"""What control may ask for without a value."""
RECALL = "/scene/recall"
REVIVE = "/evolution/recall"
RECORD = "/record"
SNAPSHOT = "/snapshot"
RESTORE = "/snapshot/recall"
TOGGLE = " toggle"
