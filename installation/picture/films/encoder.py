"""Films a show as it goes on: pictures out of their slots and sound out of the ring, into one file after the other."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.picture.films.film import LIVE, Film
from installation.picture.films.reel import Reel
from installation.picture.films.slots import Slots, upright
from installation.ring import Ring

REST_S = 0.01
LAST_SOUND_S = 1.0
"""Told to end, it waits at the most so long for the sound of the last pictures to be heard."""
PICTURES_AT_ONCE = 4
"""Pictures encoded before the sound is looked after again."""
ENDING = ".mp4"


@dataclass(frozen=True)
class Order:
    """What to film. `into` is a folder, or a file.mp4; `name` begins the names of the files in a folder. `slots` and
    `ring` are names of shared memory. A file becomes at most `longest_s` long, then the next one begins where it ended;
    with less than `floor_bytes` free on the disk it ends."""

    slots: str
    ring: str
    into: str
    name: str
    fps: float
    longest_s: float
    floor_bytes: float


def free_path(into: Path, name: str, now: datetime) -> Path:
    """A file that is not there yet: `into` itself if it is a film's name, else NAME-YYYYmmdd-HHMMSS.mp4 in that folder;
    where it is taken, with -2, -3 … at its end. Its folder is made, and the file, empty, so that it stays ours."""
    if into.suffix.lower() != ENDING:
        stem = re.sub(r"[^\w-]+", "-", name).strip("-") or "film"
        into = into / f"{stem}-{now:%Y%m%d-%H%M%S}{ENDING}"
    into.parent.mkdir(parents=True, exist_ok=True)
    path, number = into, 1
    while True:
        try:
            path.open("xb").close()
            return path
        except FileExistsError:
            number += 1
            path = into.with_name(f"{into.stem}-{number}{into.suffix}")


def even(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """`pixels`; where height or width is odd, which H.264 can't have, with the last row or column twice."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return pixels


@dataclass
class Open:
    """A film being written: its file, what writes it and what is laid on it."""

    path: Path
    film: Film
    reel: Reel


class Encoder:
    """Films `order`; `say` is given what is worth telling, by name. `now` names the files."""

    def __init__(
        self, order: Order, slots: Slots, ring: Ring, say: Callable[[dict[str, Any]], None], now: Callable[[], datetime]
    ) -> None:
        self._order, self._slots, self._ring = order, slots, ring
        self._say, self._now = say, now
        self._size = (slots.size[0] + slots.size[0] % 2, slots.size[1] + slots.size[1] % 2)
        self._rate_hz = 0
        self._open: list[Open] = []
        self._past: dict[str, float] = dict.fromkeys(("frames", "seconds", "repeated", "late", "lost"), 0)

    def step(self, ending: bool = False) -> bool:
        """Take in what has come, for a moment; whether there was anything. `ending`: nothing after the last picture."""
        came = 0
        while came < PICTURES_AT_ONCE and (found := self._slots.next()) is not None:
            pixels, position = even(upright(found[0])), found[1]
            self._slots.got()
            self._at(position).reel.picture(pixels, position)
            came += 1
        for each in tuple(self._open):
            each.reel.follow(self._ring, ending)
            if came < PICTURES_AT_ONCE and not ending:
                each.reel.stand(self._ring.taken)
            if each.reel.complete and each is not self._open[-1]:
                self._end(each)
        return came > 0

    def look(self) -> str | None:
        """Why to end, seen from the disk; a file that is gone makes way for the next."""
        for each in tuple(self._open):
            if not each.path.exists():
                self._say({"sentence": f"{each.path} is gone; what is filmed goes on in another file"})
                self._end(each)
        folder = self._open[-1].path.parent if self._open else _nearest(Path(self._order.into))
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes < self._order.floor_bytes:
            left, least = free_bytes / 1e9, self._order.floor_bytes / 1e9
            return f"{folder}: {left:.2f} GB free on the disk, {least:.2f} GB are to stay so; filming ends"
        return None

    def finish(self) -> None:
        """End what is being written: the pictures that have come, and the sound under them if it is still heard."""
        while self.step(ending=True):
            pass
        until_s = time.monotonic() + LAST_SOUND_S
        while any(each.reel.missing(self._ring) for each in self._open) and time.monotonic() < until_s:
            time.sleep(REST_S)
        for each in tuple(self._open):
            self._end(each)

    def figures(self) -> dict[str, Any]:
        """`frames` and `seconds` filmed, of the frames `repeated`, pictures that came too `late` for a frame of their
        own, samples `lost`, all files together; the `file` being written."""
        total = dict(self._past)
        for each in self._open:
            self._count(total, each.reel)
        return total | {"file": str(self._open[-1].path) if self._open else ""}

    def _at(self, position: int) -> Open:
        """The film a picture seen at `position` belongs in."""
        if self._open and self._rate_hz != self._ring.sample_rate_hz:  # the card opened anew, at another rate
            self._end(self._open[-1])
        if not self._open:
            self._begin(position)
        end = self._open[-1].reel.end
        if position >= end:
            self._begin(end if end >= self._ring.written - self._ring.capacity else position)
        return self._open[-1]

    def _begin(self, start: int) -> None:
        order, self._rate_hz = self._order, self._ring.sample_rate_hz
        path = free_path(Path(order.into), order.name, self._now())
        try:
            film = Film(path, self._size, order.fps, self._rate_hz, self._ring.channels, LIVE)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        reel = Reel(film, start, order.fps, self._rate_hz, max(1, round(order.longest_s * order.fps)))
        self._open.append(Open(path, film, reel))
        self._say({"sentence": f"filming {path}"})

    def _end(self, each: Open) -> None:
        each.reel.finish(self._ring)
        each.film.close()
        self._open.remove(each)
        self._count(self._past, each.reel)
        self._say({"sentence": f"filmed {each.reel.seconds:.1f} s: {each.path}"})

    @staticmethod
    def _count(total: dict[str, float], reel: Reel) -> None:
        counts = {"frames": reel.frames, "repeated": reel.repeated, "late": reel.dropped, "lost": reel.lost}
        for name, count in (counts | {"seconds": reel.seconds}).items():
            total[name] += count


def _nearest(path: Path) -> Path:
    """The folder that is there, of `path` and those it lies in."""
    return next(each for each in (path, *path.absolute().parents) if each.is_dir())
