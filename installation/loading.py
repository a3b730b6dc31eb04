"""Models brought to a performance while it plays: each is loaded in a thread of its own, one after another, with more
sound held ready meanwhile, for loading may hold everything else up for a moment."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from installation.errors import InstallationError, ModelError
from installation.model import load
from installation.part import Part, PartSetup
from installation.performance import BRACE_S, Performance
from installation.sound.decoder import Decoder, file_for, open_decoder
from installation.sound.encoder import open_encoder_stream

PATIENCE_S = 2.0
"""If the machine can't hold so much ready in so long, loading begins all the same."""


def bring_encoder(part: Part, say: Callable[[str], None]) -> None:
    """Give `part` its model's encoder, an instance of its own, where an input is to be played; or say why it can't."""
    path = part.model.encoder
    if not part.setup.hears:
        return
    try:
        if path is None:
            raise ModelError(f"{part.model.folder}: has no encoder")
        part.encoder = open_encoder_stream(path, part.setup.backend)
    except (InstallationError, ImportError) as error:
        say(f"{error}: the input is not played")


class Loading:
    """Whom `performance` awaits, and the one being loaded; `say` tells why one can't be had."""

    def __init__(self, performance: Performance, say: Callable[[str], None]) -> None:
        self._performance, self._say = performance, say
        self._waiting: deque[Part] = deque()
        self._thread: threading.Thread | None = None
        self._part: Part | None = None
        self._found: Decoder | None = None
        self._fault: str | None = None
        self._since_s: float | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is loading or waits to be."""
        return self._part is not None or bool(self._waiting)

    def want(self, setups: Iterable[PartSetup]) -> None:
        """Load these instead of those that still wait."""
        self._waiting.clear()
        for setup in setups:
            try:
                self._waiting.append(self._performance.await_part(setup, load(setup.model)))
            except InstallationError as error:
                self._say(f"part {setup.number}: {error}; what plays there plays on")
        self._performance.brace(self.busy)

    def go_on(self, now_s: float) -> None:
        """Bring what is loaded; begin to load the next as soon as enough is held ready. Never waits."""
        if self._thread is not None and not self._thread.is_alive():
            self._arrive()
        if self._thread is None and self._waiting:
            self._since_s = now_s if self._since_s is None else self._since_s
            if self._performance.held_s >= 0.9 * BRACE_S or now_s - self._since_s > PATIENCE_S:
                self._begin(self._waiting.popleft())

    def _begin(self, part: Part) -> None:
        self._part, self._found, self._fault = part, None, None
        self._thread = threading.Thread(target=self._load, args=(part,), name="loading", daemon=True)
        self._thread.start()

    def _load(self, part: Part) -> None:
        try:
            bring_encoder(part, self._say)
            self._found = open_decoder(file_for(part.model, part.setup.backend), part.setup.backend)
        except (InstallationError, ImportError) as error:
            self._fault = str(error)

    def _arrive(self) -> None:
        part, found = self._part, self._found
        self._thread = self._part = self._since_s = None
        if part is not None and found is not None:
            self._performance.enter(part, found)
            self._say(f"part {part.number} plays {part.model.name}")
        elif part is not None:
            self._performance.give_up(part)
            self._say(f"part {part.number}: {self._fault}; what plays there plays on")
        self._performance.brace(self.busy)
