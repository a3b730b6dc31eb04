"""What is seen, kept: filmed for as long as one likes, or taken as a still. Never at the expense of the next frame."""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from installation.errors import RenderError
from installation.picture.films.filming import Clocked, Filming, Wanted, heard
from installation.picture.films.readback import CHANNELS, Readback
from installation.picture.films.slots import Pixels, upright

STILLS_AT_ONCE = 4
"""Stills on their way to the disk; what is asked for beyond is refused."""
STILL_FRAMES = 2
"""A still is fetched so many frames after it was asked for."""


class Source(Clocked, Protocol):
    """A `Ring`: the clock, and the sound by its name."""

    @property
    def name(self) -> str: ...


@dataclass
class Still:
    """A still for `path`: asked for by its frame, and fetched when `age` frames more were drawn."""

    path: Path
    readback: Readback | None = None
    age: int = 0


class Camera:
    """Films and takes stills in a moderngl `context`, with the sound of a `ring`."""

    def __init__(self, context: Any, ring: Source) -> None:
        self._context, self._ring = context, ring
        self._filming: Filming | None = None
        self._readback: Readback | None = None
        self._until_s: float | None = None
        self._leaving: list[Filming] = []
        self._stills: list[Still] = []
        self._writing: list[threading.Thread] = []
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._past = {"frames": 0, "seconds": 0.0, "dropped": 0}

    @property
    def rolling(self) -> bool:
        """Whether it films."""
        return self._filming is not None

    def roll(self, wanted: Wanted, until_s: float | None = None) -> None:
        """Film what is `wanted` from the next frame on, until then or until `cut`; what is filmed now ends first.
        RenderError where that can't begin."""
        self.cut()
        readback = Readback(self._context, wanted.size)
        try:
            self._filming = Filming(wanted, self._ring.name)
        except (OSError, RenderError) as error:
            readback.release()
            raise RenderError(f"filming: {error}") from error
        self._readback, self._until_s = readback, until_s

    def cut(self) -> None:
        """Film no more; the film is whole a moment later, and `poll` says so."""
        if self._filming and self._readback:
            while self._readback.pending is not None:
                self._hand_over(self._filming, self._readback, self._readback.pending)
            self._filming.stop()
            self._leaving.append(self._filming)
        self._put_away()

    def still(self, path: Path) -> None:
        """Write the next frame to `path`, a .png; RenderError when too many are on their way."""
        if len(self._stills) + len(self._writing) >= STILLS_AT_ONCE:
            raise RenderError(f"{path}: {STILLS_AT_ONCE} stills are still being written")
        self._stills.append(Still(path))

    def shoot(self, texture: Any, heard_s: float) -> None:
        """The frame that was drawn, for the sound heard at `heard_s` on the monotonic clock: keep it if that is wanted.
        A display's own lateness, which the show makes up for, is none of the film's."""
        if self._filming and self._readback:
            self._readback.ask(texture, heard(self._ring, heard_s))
            if self._readback.ready is not None:
                self._hand_over(self._filming, self._readback, self._readback.ready)
        for still in self._stills:
            if still.readback is None:
                still.readback = Readback(self._context, texture.size)
                still.readback.ask(texture, 0)
            else:
                still.age += 1
        self._develop(STILL_FRAMES)

    def poll(self, now_s: float) -> list[str]:
        """What is to be said; ends what was to end by `now_s`. Never waits."""
        if self._until_s is not None and now_s >= self._until_s:
            self.cut()
        sentences = []
        for filming in self._films():
            sentences += filming.poll()
            if filming.over:
                self._count(self._past, filming)
                self._leaving = [each for each in self._leaving if each is not filming]
                if filming is self._filming:
                    self._put_away()
        self._writing = [each for each in self._writing if each.is_alive()]
        while not self._said.empty():
            sentences.append(self._said.get())
        return sentences

    def close(self) -> list[str]:
        """End everything, waiting a little; what is to be said."""
        self.cut()
        self._develop(0)
        for still in self._stills:
            self._said.put(f"{still.path}: no frame was drawn any more")
        self._stills.clear()
        sentences = [sentence for filming in self._leaving for sentence in filming.close()]
        for thread in self._writing:
            thread.join()
        return sentences + self.poll(0.0)

    def figures(self) -> dict[str, Any]:
        """What was filmed, all films together: `frames`, `seconds`, and pictures `dropped` because the encoder was
        behind; `filming`: the file being written, or nothing."""
        totals = dict(self._past)
        for filming in self._films():
            self._count(totals, filming)
        return totals | {"filming": self._filming.figures()["file"] if self._filming else ""}

    def _films(self) -> list[Filming]:
        return [*self._leaving, *([self._filming] if self._filming else [])]

    def _put_away(self) -> None:
        if self._readback:
            self._readback.release()
        self._filming = self._readback = self._until_s = None

    @staticmethod
    def _hand_over(filming: Filming, readback: Readback, position: int) -> None:
        """The oldest picture to the encoder, straight from the graphics card's memory; or past it."""
        if not filming.shoot(position, readback.take):
            readback.skip()

    @staticmethod
    def _count(totals: dict[str, Any], filming: Filming) -> None:
        for name in totals:
            totals[name] += filming.figures()[name]

    def _develop(self, age: int) -> None:
        """Fetch the stills of so many frames ago, and write each on a thread of its own."""
        for still in tuple(self._stills):
            if still.readback is None or still.age < age:
                continue
            width, height = still.readback.size
            pixels = np.empty((height, width, CHANNELS), np.uint8)
            still.readback.take(pixels)
            still.readback.release()
            self._stills.remove(still)
            thread = threading.Thread(target=self._write, args=(pixels, still.path), name="still")
            thread.start()
            self._writing.append(thread)

    def _write(self, pixels: Pixels, path: Path) -> None:
        """On the thread: the file, moved to its name when it is whole."""
        from PIL import Image

        height, width = pixels.shape[:2]
        part = path.with_name(f"{path.stem}.part{path.suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(upright(pixels)[:height, :width, :3]).save(part, format="PNG")
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            self._said.put(f"{path}: can't be written: {error}")
        else:
            self._said.put(f"taken: {path}")
