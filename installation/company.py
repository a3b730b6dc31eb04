"""The show's processes together: the order they start, change and end in, the watch on them and on what they share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from installation.child import Child
from installation.control.router import STAGES

WATCH_S = 0.2
SHARED = Path("/dev/shm")
FIRST = ("voice",)
"""A change of scene starts these again before all others: the voice before trajectories of its models come."""
LAST = ("voice", *STAGES)
"""These end after all others."""


class Company:
    """`children` by role; `shared` are the names of the shared memory they can't do without."""

    def __init__(self, children: Mapping[str, Child], shared: tuple[str, ...], wanted: Callable[[str], bool]) -> None:
        self.children = dict(children)
        self._shared = shared
        self._wanted = wanted
        self._to_renew: set[str] = set()
        self._asked = asyncio.Event()

    def send(self, name: str, message: Any) -> None:
        """Tell one of them; one that is not there hears nothing, and knows all it must when it starts."""
        self.children[name].send(message)

    def start(self, names: Iterable[str]) -> None:
        """Start those of them that the scene wants and that are not there yet."""
        for name in names:
            if self._wanted(name):
                self.children[name].start()

    def renew(self, names: Iterable[str]) -> None:
        """Start these again, as soon as those asked for before are."""
        self._to_renew.update(names)
        self._asked.set()

    def old(self, name: str) -> bool:
        """Whether one still does what was wanted before, and is to be started again."""
        return name in self._to_renew

    async def keep_new(self) -> None:
        """Carry out what `renew` asks for; asked ten times meanwhile, it is done once."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            for name in sorted(self._to_renew, key=lambda name: (name not in FIRST, name)):
                await self.children[name].stop()
                self._to_renew.discard(name)
                if self._wanted(name):
                    self.children[name].reopen()

    async def watch(self) -> str:
        """Kill what is stuck, until what is shared is gone: then why nothing can be started any more."""
        while True:
            await asyncio.sleep(WATCH_S)
            now_s = time.monotonic()
            for child in self.children.values():
                child.watch(now_s)
            if SHARED.is_dir() and not all((SHARED / name.lstrip("/")).exists() for name in self._shared):
                return "the shared memory is gone (systemd's RemoveIPC?): nothing can be started again"

    async def stop(self) -> None:
        """End them all, one after another."""
        for name in sorted(self.children, key=lambda name: (name in LAST, LAST.index(name) if name in LAST else 0)):
            await self.children[name].stop()
