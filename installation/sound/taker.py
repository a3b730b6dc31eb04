"""The card in a process of its own, which does nothing else: whoever makes the sound may compute as hard as it likes,
and its lock on Python never keeps the card waiting.

`RemoteCard` is a `Card` to whoever opens it; what plays is `python -m installation.sound.taker`, told by its standard
input which device and which ring, telling by its standard output what it found. It ends when its input does, also when
PortAudio hangs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from multiprocessing import resource_tracker
from typing import Any

from installation.errors import CardError
from installation.ring import Ring
from installation.sound.card import LATENCY_S, Card, NullCard, find
from installation.urgency import take_slice

PATIENCE_S = 1.0
"""A process told to end that has not after so long is killed."""


class RemoteCard:
    """An output device of PortAudio, by (part of its) name, played on by another process. Opening it may hang as
    PortAudio does; closing it does not."""

    def __init__(self, wanted: str | None, sample_rate_hz: int, channels: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "installation.sound.taker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._tell({"wanted": wanted, "rate_hz": sample_rate_hz, "channels": channels})
        self._found: dict[str, Any] | None = None
        self.latency_s = LATENCY_S

    @property
    def name(self) -> str:
        return str(self._what_it_found()["name"])

    @property
    def sample_rate_hz(self) -> int:
        return int(self._what_it_found()["rate_hz"])

    def why_not(self) -> str | None:
        """Why there is no card, or None; waits until that is known."""
        return self._what_it_found().get("fault")

    def open(self, ring: Ring) -> None:
        """Begin to take; CardError when the device refuses."""
        self._what_it_found()
        self._tell({"ring": ring.name})
        said = self._hear()
        if "fault" in said:
            raise CardError(str(said["fault"]))
        self.latency_s = float(said["latency_s"])

    def close(self) -> None:
        """End the process, whatever it hangs in."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _what_it_found(self) -> dict[str, Any]:
        if self._found is None:
            self._found = self._hear()
        return self._found

    def _tell(self, what: dict[str, Any]) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.write(json.dumps(what) + "\n")
                self._process.stdin.flush()
            except (BrokenPipeError, ValueError) as error:
                raise CardError(f"the card's process has ended: {error}") from error

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        return dict(json.loads(line)) if line else {"fault": "the card's process ended without a word"}


def find_remote(remote: RemoteCard, sample_rate_hz: int) -> tuple[Card, str | None]:
    """`remote`, or the null clock and why."""
    why = remote.why_not()
    if why is None:
        return remote, None
    remote.close()
    return NullCard(sample_rate_hz), why


def main() -> None:
    """Be the card of whoever started this process."""
    take_slice()
    inbox = _Inbox()
    asked = inbox.next()
    card, why = find(asked["wanted"], asked["rate_hz"], asked["channels"])
    if why is not None:
        _say({"fault": why})
        return
    _say({"name": card.name, "rate_hz": card.sample_rate_hz})
    ring = Ring.attach(inbox.next()["ring"])
    resource_tracker.unregister(f"/{ring.name.lstrip('/')}", "shared_memory")  # it is not ours to remove (bpo-38119)
    try:
        card.open(ring)
    except CardError as error:
        _say({"fault": str(error)})
        return
    _say({"latency_s": card.latency_s})
    inbox.ended.wait()


class _Inbox:
    """Lines of JSON from standard input, read by a thread that ends the process with them."""

    def __init__(self) -> None:
        self._lines: list[dict[str, Any]] = []
        self._came = threading.Condition()
        self.ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            with self._came:
                self._lines.append(json.loads(line))
                self._came.notify()
        os._exit(0)

    def next(self) -> dict[str, Any]:
        """The next line; waits for it."""
        with self._came:
            self._came.wait_for(lambda: bool(self._lines))
            return self._lines.pop(0)


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
