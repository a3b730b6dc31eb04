"""What hangs on the wall: which drawing is shown, when a new one may take its place, and what is done when it fails.

A new drawing, and one whose file has changed, is tried in a throw-away process before anybody sees it (see
`admission.gate`); what is shown is looked at now and then, and replaced if it stays dark or stands still (`vigil`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from installation.errors import InstallationError
from installation.picture.admission import safe
from installation.picture.admission.gate import Admitted, Gate, Refused
from installation.picture.admission.quarantine import Quarantine
from installation.picture.admission.trials import Trials
from installation.picture.admission.verdict import COMPILES_NOT
from installation.picture.canvas import Canvas
from installation.picture.scenery import Drawing, Scenery
from installation.picture.vigil import Advice, Vigil

FILES_S = 0.25
"""How often files are looked at."""
THUMBNAIL_S = 1.0
SOUND_RMS = 0.003
"""From -50 dB on there is sound to be seen."""
FAINT = 0.25
"""Below this, as it is displayed, a picture may be black to the eye."""


class Hanging:
    """Hangs drawings in `scenery`, which draws on `canvas`. `state` is the folder evidence is kept in, or None; `say`
    takes sentences for the log."""

    def __init__(self, scenery: Scenery, canvas: Canvas, state: Path | None, say: Callable[[str], None]) -> None:
        self._scenery, self._canvas, self._say = scenery, canvas, say
        self._gate: Gate[Drawing] = Gate(Trials(canvas.size), Quarantine(state, time.time()))
        self._vigil = Vigil()
        self._moves = True
        self._files_s = self._thumbnail_s = 0.0
        self.restart_wanted = False

    def want(self, drawing: Drawing, now_s: float) -> None:
        """Hang `drawing` as soon as it may be. Where nothing hangs, at once, unless something speaks against it."""
        try:
            drawing.check()
        except InstallationError as error:
            self._say(str(error))
            return
        first = self._scenery.drawing is None
        self._thumbnail_s = now_s
        self._gate.ask(drawing, drawing.paths, now_s, time.time(), at_once=first)
        self.look(now_s, 0.0)
        if self._scenery.drawing is None:
            self._hang_safe()

    def look(self, now_s: float, rms: float) -> None:
        """Before each frame: what is new. Never waits for long. `rms` is what is heard, 0..1."""
        wall_s = time.time()
        answer = self._gate.poll(now_s, wall_s)
        if isinstance(answer, Admitted):
            self._hang(answer, now_s)
        elif isinstance(answer, Refused):
            self._say(answer.sentence)
        if now_s - self._files_s >= FILES_S:
            self._files_s = now_s
            if self._gate.idle and self._scenery.drawing is not None and self._scenery.news():
                self._gate.ask(self._scenery.drawing, self._scenery.drawing.paths, now_s, wall_s)
        self._gate.live(wall_s)
        for sentence in self._gate.sentences():
            self._say(sentence)
        if self._scenery.frames and now_s - self._thumbnail_s >= THUMBNAIL_S:
            self._thumbnail_s = now_s
            self._watch(now_s, rms)

    def close(self) -> None:
        """The show ends as it should."""
        self._gate.close()

    def figures(self) -> dict[str, Any]:
        """Its part of the report."""
        drawing = self._scenery.drawing
        shown = Path(drawing.source.shader).name if drawing else ""
        return {"shader": shown, "gate": self._gate.figures(time.time()), "vigil": self._vigil.figures()}

    def _hang(self, admitted: Admitted[Drawing], now_s: float) -> None:
        drawing = admitted.wish
        if admitted.sentence:
            self._say(admitted.sentence)
        try:
            if drawing == self._scenery.drawing:
                self._scenery.reload()
            else:
                self._scenery.show(drawing)
        except InstallationError as error:
            self._say(str(error))
            self._gate.blame(COMPILES_NOT, str(error), now_s, time.time())
            return
        self._moves = admitted.moves

    def _hang_safe(self) -> None:
        self._scenery.show(Drawing.of(safe.PATH))
        self._moves = True

    def _watch(self, now_s: float, rms: float) -> None:
        """Look at the picture as people see it, and act if it is dead."""
        lit = rms > SOUND_RMS and self._scenery.light > FAINT
        # What is held by the flash guard may stand still, and is not dead.
        moves = self._moves and not self._canvas.holding
        remark = self._vigil.push(self._canvas.thumbnail(), now_s, lit, moves)
        if remark is not None:
            self._say(remark.sentence)
            if remark.advice is not None:
                self._recover(remark.advice, remark.sentence, now_s)

    def _recover(self, advice: Advice, sentence: str, now_s: float) -> None:
        """Compile it again; then the safe picture, and it is held; then another process."""
        if advice == "restart":
            self.restart_wanted = True
        elif advice == "fall back":
            self._gate.blame("dead", sentence, now_s, time.time())
            self._hang_safe()
        elif self._scenery.drawing is not None:
            try:
                self._scenery.show(replace(self._scenery.drawing, transition=None))
            except InstallationError as error:
                self._say(str(error))
