"""The gate: nothing untried is admitted, what is refused comes back of itself, and every wish is answered once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from installation.picture.admission import quarantine, trial
from installation.picture.admission.gate import LOOK_S, Admitted, Gate, Refused
from installation.picture.admission.probation import FIRST_S
from installation.picture.admission.quarantine import Quarantine
from installation.picture.admission.trials import Trials

pytestmark = pytest.mark.alone

T0 = 1_900_000_000.0
SAYS = """
import json, os, sys
from pathlib import Path
def say(**what): os.write(1, b"\\n" + json.dumps(what).encode() + b"\\n")
say(opened="x")
cause, _, rest = Path(sys.argv[6]).read_text().partition(":")
say(cause=cause, sentence=rest)
"""
"""A trial that says what stands in the file: `passed`, or `hangs:a sentence`."""

Answer = Admitted[str] | Refused[str]


@pytest.fixture(autouse=True)
def says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "ORDER", ("-c", SAYS))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "a.fs") -> Path:
        (tmp_path / name).write_text(text, "utf-8")
        return tmp_path / name

    return write


class Clock:
    """Both clocks, for one gate that is asked again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.later_s = 0.0
        self.gate = self.opened()

    def opened(self) -> Gate[str]:
        return Gate(Trials((160, 90)), Quarantine(self.folder, self.wall_s))

    @property
    def now_s(self) -> float:
        return time.monotonic() + self.later_s

    @property
    def wall_s(self) -> float:
        return T0 + self.now_s

    def ask(self, wish: str, *paths: Path, at_once: bool = False) -> None:
        self.gate.ask(wish, paths, self.now_s, self.wall_s, at_once)

    def answer(self, within_s: float = 10.0) -> Answer:
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            if (found := self.gate.poll(self.now_s, self.wall_s)) is not None:
                return found
            time.sleep(0.005)
        raise AssertionError("no answer")

    def silence(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            assert self.gate.poll(self.now_s, self.wall_s) is None
            time.sleep(0.005)


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    clock = Clock(tmp_path / "kept")
    yield clock
    clock.gate.close()


def test_what_passes_is_admitted_once(clock: Clock, write: Callable[..., Path]) -> None:
    assert clock.gate.idle
    clock.ask("one", write("passed"))
    assert not clock.gate.idle
    assert clock.answer() == Admitted("one")
    assert clock.gate.idle
    clock.silence(0.3)


def test_what_fails_is_refused_once_and_kept(clock: Clock, write: Callable[..., Path]) -> None:
    path = write("hangs:a.fs: it hangs")
    clock.ask("one", write("passed", "b.fs"), path)
    refused = clock.answer()
    assert isinstance(refused, Refused) and "a.fs: it hangs" in refused.sentence and "10 min" in refused.sentence
    clock.silence(2.5 * LOOK_S)
    clock.ask("two", path)
    again = clock.answer(0.1)
    assert isinstance(again, Refused) and "in quarantine" in again.sentence
    assert clock.gate.figures(clock.wall_s)["trials"] == 2


def test_when_the_author_mends_it_it_is_admitted_of_itself(clock: Clock, write: Callable[..., Path]) -> None:
    clock.ask("one", write("compiles not:a.fs:3: no"))
    assert isinstance(clock.answer(), Refused)
    write("hangs:a.fs: worse")
    worse = clock.answer()
    assert isinstance(worse, Refused) and "worse" in worse.sentence
    write("passed")
    assert clock.answer() == Admitted("one")


def test_when_its_time_is_up_it_is_tried_again_and_held_for_longer(clock: Clock, write: Callable[..., Path]) -> None:
    clock.ask("one", write("hangs:a.fs: no"))
    for minutes in (10, 20, 40):
        refused = clock.answer()
        assert isinstance(refused, Refused) and f"{minutes} min" in refused.sentence
        clock.later_s += minutes * 60.0 - 5.0
        clock.silence(0.2)
        clock.later_s += 6.0


def test_the_newest_wish_is_answered_and_the_refused_one_forgotten(clock: Clock, write: Callable[..., Path]) -> None:
    bad, good = write("hangs:no"), write("passed", "b.fs")
    clock.ask("bad", bad)
    assert isinstance(clock.answer(), Refused)
    for number in range(5):
        clock.ask(f"{number}", good)
    assert clock.answer() == Admitted("4")
    write("passed ")
    clock.later_s += FIRST_S
    clock.silence(2.0 * LOOK_S)


def test_at_once_is_without_a_trial_unless_the_stage_died_of_it(clock: Clock, write: Callable[..., Path]) -> None:
    path = write("passed")
    clock.ask("one", path, at_once=True)
    assert clock.answer(0.1) == Admitted("one")
    assert clock.gate.figures(clock.wall_s)["trials"] == 0
    clock.gate = clock.opened()  # the stage died, and is started again
    assert any("died" in sentence for sentence in clock.gate.sentences())
    clock.ask("one", path, at_once=True)
    assert clock.answer() == Admitted("one")
    assert clock.gate.figures(clock.wall_s)["trials"] == 1
    clock.gate = clock.opened()  # and died again
    clock.ask("one", path, at_once=True)
    refused = clock.answer(0.1)
    assert isinstance(refused, Refused) and "2 times" in refused.sentence


def test_what_turns_out_bad_is_blamed_and_comes_back_when_its_time_is_up(
    clock: Clock, write: Callable[..., Path]
) -> None:
    path = write("passed")
    clock.ask("one", path)
    assert isinstance(clock.answer(), Admitted)
    clock.gate.blame("black", "a.fs: has been black", clock.now_s, clock.wall_s)
    clock.silence(1.5 * LOOK_S)
    assert quarantine.suspect(path).shader in str(clock.gate.figures(clock.wall_s)["quarantine"])
    clock.later_s += FIRST_S
    assert clock.answer() == Admitted("one")
    clock.ask("two", write("passed", "b.fs"))
    clock.gate.blame("frozen", "a.fs: has not moved", clock.now_s, clock.wall_s)
    assert clock.answer() == Admitted("two")


def test_a_trial_that_can_not_be_had_admits_with_a_sentence(clock: Clock, write: Callable[..., Path]) -> None:
    clock.ask("one", write("untried:a.fs: no OpenGL"))
    assert clock.answer() == Admitted("one", True, "a.fs: no OpenGL")


def test_a_picture_without_files_needs_no_trial(clock: Clock) -> None:
    clock.ask("safe")
    assert clock.answer(0.5) == Admitted("safe")
