"""Trials of all that a picture is made of, one after another; the newest wish wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from installation.picture.admission import quarantine
from installation.picture.admission.probation import Suspect
from installation.picture.admission.trial import DEADLINE_S, FRAME_S, Trial
from installation.picture.admission.verdict import UNTRIED, Verdict

GONE_S = 10.0
"""One that is killed and still there after so long hangs in the driver: it is waited for no more."""
REMEMBERED = 256


@dataclass(frozen=True)
class Outcome:
    """What came out for all shaders of a picture that were asked for: the verdicts in order, to the first that is not
    ok."""

    verdicts: tuple[tuple[Suspect, Verdict], ...]

    @property
    def ok(self) -> bool:
        """Whether they all may be shown."""
        return all(verdict.ok for _, verdict in self.verdicts)

    @property
    def moves(self) -> bool:
        """Whether any of them moves: a picture that does not is no frozen one."""
        return any(verdict.moves for _, verdict in self.verdicts)


class Trials:
    """Trials one after another, never two at a time; the newest wish wins. What passed is not tried again until its
    content changes. `size` is the show's, `deadline_s` and `frame_s` as in Trial."""

    def __init__(self, size: tuple[int, int], deadline_s: float = DEADLINE_S, frame_s: float = FRAME_S) -> None:
        self._size, self._limits_s = size, (deadline_s, frame_s)
        self._passed: dict[Suspect, Verdict] = {}
        self._wanted: tuple[Path, ...] | None = None
        self._trial: Trial | None = None
        self._suspect: Suspect | None = None
        self._leaving: list[tuple[Trial, float]] = []
        self.begun = 0

    @property
    def busy(self) -> bool:
        """Whether something was asked that has no outcome yet."""
        return self._wanted is not None

    def ask(self, paths: Iterable[Path], now_s: float) -> None:
        """Try the shaders in `paths`; what was asked before is forgotten, unless it is the same."""
        self._wanted = tuple(dict.fromkeys(paths))
        if self._trial is not None and self._suspect not in [quarantine.suspect(path) for path in self._wanted]:
            self._drop(now_s)

    def poll(self, now_s: float) -> Outcome | None:
        """The outcome of what was asked last, once; never waits."""
        self._leaving = [(each, at_s) for each, at_s in self._leaving if not _left(each, at_s, now_s)]
        if self._wanted is None:
            return None
        said = self._said(now_s)
        if said is not None and not said[1].ok:
            return self._done((said,))
        if self._trial is not None or self._leaving:
            return None
        verdicts = []
        for path in self._wanted:
            suspect = quarantine.suspect(path)
            if suspect not in self._passed:
                self._trial, self._suspect = Trial(path, self._size, now_s, *self._limits_s), suspect
                self.begun += 1
                return None
            verdicts.append((suspect, self._passed[suspect]))
        return self._done(tuple(verdicts))

    def close(self) -> None:
        """End what runs."""
        for each in (*(each for each, _ in self._leaving), *([self._trial] if self._trial else [])):
            each.close()
        self._leaving, self._trial, self._wanted = [], None, None

    def _said(self, now_s: float) -> tuple[Suspect, Verdict] | None:
        """What the trial under way has come to, if it is over and its shader still the one that was read."""
        if self._trial is None or self._suspect is None or (verdict := self._trial.poll(now_s)) is None:
            return None
        suspect, path = self._suspect, self._trial.path
        self._drop(now_s)
        if quarantine.suspect(path) != suspect:
            return None
        if verdict.ok:
            self._passed[suspect] = verdict
            while len(self._passed) > REMEMBERED:
                del self._passed[next(iter(self._passed))]
        return suspect, verdict

    def _drop(self, now_s: float) -> None:
        if self._trial is not None:
            self._trial.kill()
            self._leaving.append((self._trial, now_s))
        self._trial = self._suspect = None

    def _done(self, verdicts: tuple[tuple[Suspect, Verdict], ...]) -> Outcome:
        self._wanted = None
        for suspect, verdict in verdicts:
            if verdict.cause == UNTRIED:  # next time it may be possible
                self._passed.pop(suspect, None)
        return Outcome(verdicts)


def _left(trial: Trial, since_s: float, now_s: float) -> bool:
    """Whether a killed trial need not be waited for any more; lets go of it then."""
    if not trial.gone and now_s - since_s <= GONE_S:
        return False
    trial.close(0.0)
    return True
