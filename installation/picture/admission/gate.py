"""Which pictures may be shown: none that is in quarantine, none that was not tried; and what was refused comes again.

A wish is whatever the stage wants to show, with the files of its shaders. It is answered once: admitted after a trial,
or refused with a sentence. A refused wish stays: when its shaders change, or their time in quarantine is up, they are
tried again, and then it may be admitted after all. The newest wish takes the place of the one before.

Two clocks are arguments: `now_s` only goes forward, `wall_s` is the wall's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from installation.picture.admission import quarantine
from installation.picture.admission.probation import Entry, Suspect
from installation.picture.admission.quarantine import Quarantine
from installation.picture.admission.trials import Outcome, Trials
from installation.picture.admission.verdict import UNTRIED, Verdict

LOOK_S = 1.0
"""How often a refused wish is looked at again."""

Wish = TypeVar("Wish")


@dataclass(frozen=True)
class Admitted(Generic[Wish]):
    """It may be shown, now. `moves`: it is not a picture that stands still when all is well; `sentence` is to be said
    if there is one."""

    wish: Wish
    moves: bool = True
    sentence: str = ""


@dataclass(frozen=True)
class Refused(Generic[Wish]):
    """It must not be shown, for now."""

    wish: Wish
    sentence: str


class Gate(Generic[Wish]):
    """Lets pictures through to the show: trials by `trials`, what they come to in `kept`."""

    def __init__(self, trials: Trials, kept: Quarantine) -> None:
        self._trials, self._kept = trials, kept
        self._wish: tuple[Wish, tuple[Path, ...]] | None = None
        self._shown: tuple[Wish, tuple[Path, ...]] | None = None
        self._answer: Admitted[Wish] | Refused[Wish] | None = None
        self._refused = False
        self._looked_s = 0.0
        self._counts = {"admitted": 0, "refused": 0}

    @property
    def idle(self) -> bool:
        """Whether nothing is asked and nothing refused: what is shown is what was wished for."""
        return self._answer is None and self._wish is None

    def ask(self, wish: Wish, paths: Iterable[Path], now_s: float, wall_s: float, at_once: bool = False) -> None:
        """Whether `wish`, made of the shaders in `paths`, may be shown; `poll` answers. `at_once`: without a trial,
        because there is nothing to be seen meanwhile, unless something speaks against one of them."""
        self._wish, self._answer, self._refused = (wish, tuple(paths)), None, False
        suspects = [quarantine.suspect(path) for path in self._wish[1]]
        held = self._held(suspects, wall_s)
        if held is not None:
            self._refuse(f"{held.suspect.shader}: in quarantine: {held.sentence}", now_s)
        elif at_once and not any(self._kept.suspected(each) for each in suspects):
            self._admit(suspects, wall_s)
        else:
            self._trials.ask(self._wish[1], now_s)

    def poll(self, now_s: float, wall_s: float) -> Admitted[Wish] | Refused[Wish] | None:
        """The answer to what was asked last, or asked again of itself; never waits."""
        outcome = self._trials.poll(now_s)
        if self._answer is None and self._wish is not None:
            if outcome is not None and not self._refused:
                self._judge(outcome, now_s, wall_s)
            elif self._refused and now_s - self._looked_s >= LOOK_S:
                self._look(now_s, wall_s)
        answer, self._answer = self._answer, None
        return answer

    def blame(self, cause: str, sentence: str, now_s: float, wall_s: float) -> None:
        """What is shown has turned out bad, `cause` in a word or two: it is refused until it changes or its time is up.
        A wish that is newer than it stays."""
        if self._shown is None:
            return
        for path in self._shown[1]:
            self._kept.put(quarantine.suspect(path), Verdict(cause, sentence), wall_s)
        if self.idle:
            self._wish, self._refused, self._looked_s = self._shown, True, now_s
        self._shown = None

    def live(self, wall_s: float) -> None:
        """A frame was shown."""
        self._kept.live(wall_s)

    def sentences(self) -> list[str]:
        """What should be said since this was last asked."""
        return self._kept.sentences()

    def figures(self, wall_s: float) -> dict[str, Any]:
        """Its part of the report."""
        return {**self._counts, "trials": self._trials.begun, "quarantine": self._kept.figures(wall_s)}

    def close(self) -> None:
        """The show ends as it should."""
        self._trials.close()
        self._kept.close()

    def _held(self, suspects: Iterable[Suspect], wall_s: float) -> Entry | None:
        return next((entry for each in suspects if (entry := self._kept.holds(each, wall_s)) is not None), None)

    def _judge(self, outcome: Outcome, now_s: float, wall_s: float) -> None:
        failed = [(suspect, verdict) for suspect, verdict in outcome.verdicts if not verdict.ok]
        for suspect, verdict in failed:
            entry = self._kept.put(suspect, verdict, wall_s)
            again = f"tried again when it changes, or in {entry.period_s / 60.0:.0f} min"
            self._refuse(f"{verdict.sentence or verdict.cause}; {again}", now_s)
        if not failed:
            untried = [verdict.sentence for _, verdict in outcome.verdicts if verdict.cause == UNTRIED]
            suspects = [suspect for suspect, _ in outcome.verdicts]
            self._admit(suspects, wall_s, outcome.moves or not suspects, "; ".join(untried))

    def _admit(self, suspects: Iterable[Suspect], wall_s: float, moves: bool = True, sentence: str = "") -> None:
        if self._wish is not None:
            self._kept.mark(suspects, wall_s)
            self._answer = Admitted(self._wish[0], moves, sentence)
            self._shown, self._wish = self._wish, None
            self._counts["admitted"] += 1

    def _refuse(self, sentence: str, now_s: float) -> None:
        if self._wish is not None:
            self._answer, self._refused, self._looked_s = Refused(self._wish[0], sentence), True, now_s
            self._counts["refused"] += 1

    def _look(self, now_s: float, wall_s: float) -> None:
        """Ask again for what was refused, if nothing speaks against it any more."""
        self._looked_s = now_s
        if self._wish is not None:
            suspects = [quarantine.suspect(path) for path in self._wish[1]]
            if self._held(suspects, wall_s) is None:
                self._refused = False
                self._trials.ask(self._wish[1], now_s)
