"""Filming a show while it goes on, from where it is drawn: pictures are handed over, and nothing is ever waited for.

What encodes is a process of its own (see `encoding`), fed by shared memory; the sound it takes from the ring itself.
If it falls behind pictures are left out, and counted; if it dies the show goes on and what was filmed is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from installation.picture.films.encoder import Order
from installation.picture.films.slots import Pixels, Slots

PATIENCE_S = 2.0
"""Told to end, the encoder is waited for so long by `close`; it ends what it writes even if nobody waits."""
LONGEST_S = 3600.0
FLOOR_BYTES = 1e9


class Clocked(Protocol):
    """A `Ring`, as a clock."""

    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def written(self) -> int: ...
    def dac_time_s(self, position: int) -> float: ...


def heard(ring: Clocked, time_s: float) -> int:
    """The position in the ring that is heard at `time_s`, monotonic: of what is written the nearest."""
    position = round((time_s - ring.dac_time_s(0)) * ring.sample_rate_hz)
    return min(max(position, 0), ring.written)


@dataclass(frozen=True)
class Wanted:
    """What is filmed: pictures of `size` (width, height) px at `fps`, into a folder or a file.mp4; `name` begins the
    names in a folder. A file of `longest_s` is followed by another; `floor_bytes` of the disk stay free."""

    into: Path
    name: str
    size: tuple[int, int]
    fps: float
    longest_s: float = LONGEST_S
    floor_bytes: float = FLOOR_BYTES


class Filming:
    """Films what is `wanted` with the sound of the ring of this name, from the first picture on that comes when the
    encoder is ready. RenderError where that can't begin; later faults are sentences of `poll`."""

    def __init__(self, wanted: Wanted, ring: str) -> None:
        self.wanted = wanted
        self._slots = Slots.create(wanted.size)
        self._named = True
        order = Order(
            self._slots.name,
            ring,
            str(wanted.into.absolute()),
            wanted.name,
            wanted.fps,
            wanted.longest_s,
            wanted.floor_bytes,
        )
        words = [sys.executable, "-m", "installation.picture.films.encoding"]
        try:
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError:
            self._slots.remove()
            self._slots.close()
            raise
        assert self._process.stdin is not None and self._process.stdout is not None
        self._ears, self._words = self._process.stdin, self._process.stdout
        os.set_blocking(self._words.fileno(), False)
        self._heard = b""
        self._figures: dict[str, Any] = {"frames": 0, "seconds": 0.0, "file": ""}
        self._dropped = 0
        self._asked_to_end = False
        self.over = False
        """Whether the encoder has ended, by itself or as told."""
        with contextlib.suppress(OSError):  # it died at once: `poll` will find out
            self._ears.write(json.dumps(asdict(order)).encode() + b"\n")
            self._ears.flush()

    def shoot(self, position: int, fill: Callable[[Pixels], None]) -> bool:
        """One picture more, seen when `position` is heard: `fill` writes it, as `Slots` have it, where it is wanted.
        False, and not filled, when the encoder is not ready or, counted, when it is behind."""
        if self._named or self.over or self._asked_to_end:
            return False
        slot = self._slots.free()
        if slot is None:
            self._dropped += 1
            return False
        fill(slot)
        self._slots.put(position)
        return True

    def frame(self, pixels: Pixels, position: int) -> bool:
        """The same with a picture that is there, (height, width, 3 or 4), row 0 on top."""

        def fill(slot: Pixels) -> None:
            slot[..., : pixels.shape[2]] = pixels[::-1]

        return self.shoot(position, fill)

    def poll(self) -> list[str]:
        """What is to be said; asked at every frame, or so. Never waits."""
        sentences = self._listen()
        code = None if self.over else self._process.poll()
        if code is not None:
            sentences += self._listen()
            self._leave()
            if code:
                cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
                kept = f"what was filmed is kept in {self._figures['file']}" if self._figures["file"] else "nothing yet"
                sentences.append(f"filming ended: the encoder died ({cause}); {kept}")
        return sentences

    def stop(self) -> None:
        """End the film; it is whole when `over`."""
        if not self._asked_to_end:
            self._asked_to_end = True
            with contextlib.suppress(OSError):
                self._ears.close()

    def close(self) -> list[str]:
        """End the film, and wait a little until it is whole; what is to be said."""
        self.stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)
        sentences = self.poll()
        self._leave()
        return sentences

    def figures(self) -> dict[str, Any]:
        """`frames`, `seconds` and the `file` filmed, and what the encoder counts besides; `dropped`: pictures it was
        too far behind to take."""
        return self._figures | {"dropped": self._dropped}

    def _listen(self) -> list[str]:
        if self.over:
            return []
        self._heard += self._words.read() or b""
        *lines, self._heard = self._heard.split(b"\n")
        sentences = []
        for line in lines:
            said = json.loads(line)
            if "sentence" in said:
                sentences.append(str(said["sentence"]))
            elif "ready" in said:
                self._unname()
            else:
                self._figures = said | {"file": said["file"] or self._figures["file"]}
        return sentences

    def _unname(self) -> None:
        """The encoder is ready, or will never be: nobody needs the slots' name any more."""
        if self._named:
            self._named = False
            self._slots.remove()

    def _leave(self) -> None:
        if not self.over:
            self.over = True
            self._unname()
            self._slots.close()
            self._words.close()
            with contextlib.suppress(OSError):
                self._ears.close()
