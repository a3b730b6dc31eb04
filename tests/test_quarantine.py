"""Quarantine: held, returned, held for longer; remembered across restarts and deaths; unharmed by what lies on disk."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from installation.picture.admission import evidence, probation, quarantine
from installation.picture.admission.evidence import Evidence
from installation.picture.admission.probation import FIRST_S, LONGEST_S, PROBATION_S, Entry, Suspect
from installation.picture.admission.quarantine import Quarantine
from installation.picture.admission.verdict import COMPILES_NOT, CRASHES, HANGS, Verdict

FAILED = Verdict(COMPILES_NOT, "a.fs:3: 'x' is not declared", 3, 0.5, "llvmpipe")
T0 = 1_900_000_000.0


def shader(folder: Path, name: str = "a.fs", text: str = "/*{}*/ void main() {}") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def settled(kept: Quarantine) -> None:
    """Wait until all is on disk, as a process does not that is killed later."""
    assert kept._evidence.flush(5.0)


# Held and returned


def test_a_failure_holds_a_shader_and_each_more_for_twice_as_long_up_to_a_day(tmp_path: Path) -> None:
    kept, suspect, now_s = Quarantine(None, T0), quarantine.suspect(shader(tmp_path)), T0
    periods = []
    for times in range(1, 13):
        assert kept.holds(suspect, now_s) is None
        entry = kept.put(suspect, FAILED, now_s)
        assert (entry.times, entry.first_s, entry.last_s) == (times, T0, now_s)
        assert kept.holds(suspect, now_s + entry.period_s - 1.0) == entry
        periods.append(entry.period_s)
        now_s += entry.period_s
    assert periods == [min(LONGEST_S, FIRST_S * 2**n) for n in range(12)]


def test_new_content_is_a_new_shader_and_the_old_one_stays_held(tmp_path: Path) -> None:
    kept, path = Quarantine(None, T0), shader(tmp_path)
    old = quarantine.suspect(path)
    kept.put(old, FAILED, T0)
    shader(tmp_path, text="/*{}*/ void main() { gl_FragColor = vec4(1.0); }")
    new = quarantine.suspect(path)
    assert new != old
    assert kept.holds(new, T0 + 1.0) is None and kept.holds(old, T0 + 1.0) is not None


def test_the_digest_is_of_every_file_and_of_nothing_else(tmp_path: Path) -> None:
    path = shader(tmp_path)
    digests = {quarantine.suspect(path).digest}
    os.utime(path, (0, 0))
    assert quarantine.suspect(path).digest in digests
    shader(tmp_path, "a.vs", "void main() {}")
    digests.add(quarantine.suspect(path).digest)
    shader(tmp_path, "a.vs", "void main() { }")
    digests.add(quarantine.suspect(path).digest)
    assert len(digests) == 3
    assert quarantine.suspect(tmp_path / "gone.fs").digest  # no file, no error
    os.mkfifo(tmp_path / "pipe.fs")
    assert quarantine.suspect(tmp_path / "pipe.fs").digest  # and no waiting for one that writes


def test_a_clock_set_back_lets_go_sooner_than_it_holds_for_ever(tmp_path: Path) -> None:
    kept, suspect = Quarantine(None, T0), quarantine.suspect(shader(tmp_path))
    kept.put(suspect, FAILED, T0)
    assert kept.holds(suspect, 0.0) is None


# On disk


def test_evidence_survives_with_its_source(tmp_path: Path) -> None:
    path = shader(tmp_path, text="/*{}*/ void main() { ünïcode }")
    shader(tmp_path, "a.vs", "void main() {}")
    kept, suspect = Quarantine(tmp_path / "kept", T0), quarantine.suspect(path)
    entry = kept.put(suspect, FAILED, T0)
    kept.close()
    (file,) = (tmp_path / "kept").glob("*.json")
    said = json.loads(file.read_text("utf-8"))
    assert said["sources"] == {"a.fs": "/*{}*/ void main() { ünïcode }", "a.vs": "void main() {}"}
    assert (said["sha256"], said["line"], said["times"]) == (suspect.digest, 3, 1)
    again = Quarantine(tmp_path / "kept", T0 + 1.0)
    assert again.holds(suspect, T0 + 1.0) == entry
    assert again.sentences() == []
    assert again.figures(T0)["held"] == 1 and again.figures(T0 + LONGEST_S)["held"] == 0


def test_a_source_that_changed_since_the_trial_is_not_shown_as_the_one_that_failed(tmp_path: Path) -> None:
    path = shader(tmp_path)
    kept, suspect = Quarantine(tmp_path / "kept", T0), quarantine.suspect(path)
    shader(tmp_path, text="something else")
    kept.put(suspect, FAILED, T0)
    kept.close()
    (file,) = (tmp_path / "kept").glob("*.json")
    assert json.loads(file.read_text("utf-8"))["sources"] == {}


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"shader": "a"}',
        b'{"shader":"a","sha256":"00","cause":"c","sentence":"","line":1,"renderer":"","first_s":0,"last_s":0,"times":1}',
        b" " * (evidence.BYTES_AT_MOST + 1),
    ],
)
@pytest.mark.parametrize("name", ["a.json", evidence.PROBATION])
def test_what_is_broken_is_said_passed_over_and_left(tmp_path: Path, broken: bytes, name: str) -> None:
    suspect = quarantine.suspect(shader(tmp_path))
    kept = Quarantine(tmp_path / "kept", T0)
    kept.put(suspect, FAILED, T0)
    kept.close()
    (tmp_path / "kept" / name).write_bytes(broken)
    again = Quarantine(tmp_path / "kept", T0)
    assert again.holds(suspect, T0) is not None
    sentences = again.sentences()
    understood = name == evidence.PROBATION and broken.startswith(b"{")  # an object that says nothing of a probation
    assert len(sentences) == (0 if understood else 1), sentences
    assert all(name in sentence and len(sentence) < 1000 for sentence in sentences)
    assert (tmp_path / "kept" / name).read_bytes() == broken


@pytest.mark.parametrize(
    ("key", "value"),
    [("times", 0), ("times", True), ("times", 1.5), ("line", 0), ("line", "3"), ("last_s", None), ("cause", 5),
     ("last_s", float("nan")), ("first_s", float("inf")), ("sentence", "x" * 10_000), ("sha256", "Z" * 64)],
)  # fmt: skip
def test_an_entry_with_one_impossible_value_is_passed_over(tmp_path: Path, key: str, value: object) -> None:
    kept, suspect = Quarantine(tmp_path / "kept", T0), quarantine.suspect(shader(tmp_path))
    kept.put(suspect, FAILED, T0)
    kept.close()
    (file,) = (tmp_path / "kept").glob("*.json")
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {key: value}), "utf-8")
    again = Quarantine(tmp_path / "kept", T0)
    assert again.holds(suspect, T0) is None
    assert key in again.sentences()[0]


def test_a_thousand_strange_files_cost_a_few_sentences_and_hide_no_probation(tmp_path: Path) -> None:
    for number in range(1200):
        (tmp_path / f"{number:04}.json").write_text("{", "utf-8")
    one = Evidence(tmp_path)
    one.keep_probation(probation.Probation(((Suspect("a.fs", "0" * 64), 1.0),)))
    assert one.flush(5.0)
    _, read, sentences = Evidence(tmp_path).read()
    assert len(read.standing) == 1
    assert len(sentences) == evidence.SENTENCES_AT_MOST + 1


def test_only_so_many_are_kept_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probation, "ENTRIES_AT_MOST", 5)
    path, kept = shader(tmp_path), Quarantine(tmp_path / "kept", T0)
    suspects = [Suspect(f"{path}{number}", f"{number:064x}") for number in range(8)]
    for number, suspect in enumerate(suspects):
        kept.put(suspect, FAILED, T0 + number)
    kept.close()
    assert len(list((tmp_path / "kept").iterdir())) == 5
    again = Quarantine(tmp_path / "kept", T0)
    assert [again.holds(suspect, T0 + 10.0) is not None for suspect in suspects] == [False] * 3 + [True] * 5


def test_a_folder_that_can_not_be_is_said_once_and_nothing_else_suffers(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file", "utf-8")
    kept = Quarantine(tmp_path / "kept", T0)
    suspect = quarantine.suspect(shader(tmp_path))
    for _ in range(3):
        kept.put(suspect, FAILED, T0)
    kept.mark([suspect], T0)
    settled(kept)
    assert len(kept.sentences()) == 1 and kept.sentences() == []
    assert kept.holds(suspect, T0) is not None
    kept.close()


def test_a_file_is_whole_or_not_there_at_any_moment(tmp_path: Path) -> None:
    """What is read while it is being written, again and again, is always an entry."""
    kept, suspect = Quarantine(tmp_path / "kept", T0), quarantine.suspect(shader(tmp_path))
    kept.put(suspect, FAILED, T0)
    settled(kept)
    for number in range(60):
        kept.put(suspect, Verdict(HANGS, "x" * (number * 17 % 1900)), T0 + number)
        entries, _, sentences = Evidence(tmp_path / "kept").read()
        assert len(entries) == 1 and sentences == []
    kept.close()
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".json"]


# Probation


def test_two_deaths_soon_after_a_switch_are_evidence_and_one_is_a_suspicion(tmp_path: Path) -> None:
    folder, suspect = tmp_path / "kept", quarantine.suspect(shader(tmp_path))
    kept = Quarantine(folder, T0)
    kept.mark([suspect], T0)  # and the process is killed
    kept = Quarantine(folder, T0 + 10.0)
    assert kept.suspected(suspect) and kept.holds(suspect, T0 + 10.0) is None
    assert "died" in kept.sentences()[0]
    kept.mark([suspect], T0 + 20.0)  # and again
    kept = Quarantine(folder, T0 + 30.0)
    entry = kept.holds(suspect, T0 + 30.0)
    assert entry is not None and entry.cause == CRASHES
    assert not kept.suspected(suspect)
    assert any("held" in sentence for sentence in kept.sentences())
    kept.close()
    assert Quarantine(folder, T0 + 30.0).sentences() == []


def test_a_clean_end_and_a_good_while_speak_against_nobody(tmp_path: Path) -> None:
    folder, suspect = tmp_path / "kept", quarantine.suspect(shader(tmp_path))
    for _ in range(3):
        kept = Quarantine(folder, T0)
        kept.mark([suspect], T0)
        kept.close()
    kept = Quarantine(folder, T0)
    assert kept.sentences() == []
    kept.mark([suspect], T0)  # killed once
    kept = Quarantine(folder, T0)
    kept.mark([suspect], T0)
    for tenth in range(int(PROBATION_S * 10) + 2):
        kept.live(T0 + tenth / 10.0)
    settled(kept)  # killed later, with the probation over: the first death is forgotten too
    kept = Quarantine(folder, T0 + 100.0)
    assert not kept.suspected(suspect) and kept.sentences() == []


def test_who_was_shown_well_is_not_suspected_of_a_later_death_until_it_fails(tmp_path: Path) -> None:
    folder, suspect, kept = tmp_path / "kept", quarantine.suspect(shader(tmp_path)), Quarantine(tmp_path / "kept", T0)
    for fails in (False, True):
        kept.mark([suspect], T0)
        for second in range(int(PROBATION_S) + 1):
            kept.live(T0 + second)
        if fails:
            kept.put(suspect, FAILED, T0)
        kept.mark([suspect], T0)
        settled(kept)
        assert Quarantine(folder, T0).suspected(suspect) == fails


def test_a_frame_that_hung_is_no_good_time(tmp_path: Path) -> None:
    folder, suspect = tmp_path / "kept", quarantine.suspect(shader(tmp_path))
    kept = Quarantine(folder, T0)
    kept.mark([suspect], T0)
    kept.live(T0 + 3600.0)
    settled(kept)
    assert Quarantine(folder, T0 + 3601.0).suspected(suspect)


def test_deaths_long_apart_are_not_added_up() -> None:
    suspect = Suspect("a.fs", "0" * 64)
    once, guilty = probation.died(probation.begun(probation.Probation(), [suspect]), T0)
    assert guilty == ()
    twice, guilty = probation.died(probation.begun(once, [suspect]), T0 + probation.DEATHS_WITHIN_S + 1.0)
    assert guilty == () and len(twice.deaths) == 1


class Life(RuleBasedStateMachine):
    """A quarantine that fails, returns, dies, ends and starts again, held against a plain model: for each shader the
    times it failed and when last, and in a row how often the process died while it was on probation."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.now_s = T0
        self.kept = Quarantine(Path(self.folder.name), self.now_s)
        self.suspects = [Suspect(f"/nowhere/{name}.fs", f"{number:064x}") for number, name in enumerate("abc")]
        self.failures: dict[Suspect, tuple[int, float]] = {}
        self.standing: dict[Suspect, float] = {}
        self.proven: set[Suspect] = set()
        self.deaths: dict[Suspect, list[float]] = {suspect: [] for suspect in self.suspects}

    def fail(self, suspect: Suspect) -> None:
        times, last_s = self.failures.get(suspect, (0, self.now_s))
        period_s = min(LONGEST_S, FIRST_S * 2 ** (times - 1)) if times else 0.0
        if self.now_s - last_s > period_s + probation.FORGIVEN_S:
            times = 0
        self.failures[suspect] = (times + 1, self.now_s)
        self.proven.discard(suspect)

    @rule(which=st.integers(0, 2))
    def put(self, which: int) -> None:
        self.kept.put(self.suspects[which], FAILED, self.now_s)
        self.fail(self.suspects[which])

    @rule(which=st.sets(st.integers(0, 2), min_size=1))
    def mark(self, which: set[int]) -> None:
        self.kept.mark([self.suspects[number] for number in sorted(which)], self.now_s)
        for number in {number for number in which if self.suspects[number] not in self.proven}:
            self.standing.setdefault(self.suspects[number], 0.0)
        self.waited = False

    @rule(frames=st.integers(1, 30))
    def live(self, frames: int) -> None:
        """Frames a second apart: the first of them after however long."""
        self.kept.live(self.now_s)
        began_s = self.now_s
        self.now_s += frames
        for frame in range(frames):
            self.kept.live(began_s + frame + 1.0)
        gap_s = 1.0 if self.waited else 0.0
        self.waited = False
        for suspect in list(self.standing):
            self.standing[suspect] += frames + gap_s
            if self.standing[suspect] >= PROBATION_S:
                del self.standing[suspect]
                self.deaths[suspect] = []
                self.proven.add(suspect)

    waited = False

    @rule(hours=st.sampled_from([0.05, 0.2, 1.0, 5.0, 30.0, 300.0]))
    def wait(self, hours: float) -> None:
        self.now_s += hours * 3600.0
        self.waited = True

    @rule()
    def end_and_start(self) -> None:
        self.kept.close()
        self.kept = Quarantine(Path(self.folder.name), self.now_s)
        assert self.kept.sentences() == []
        self.standing, self.proven, self.waited = {}, set(), False

    @rule()
    def die_and_start(self) -> None:
        settled(self.kept)
        self.kept = Quarantine(Path(self.folder.name), self.now_s)
        if self.standing:
            for suspect in self.suspects:
                dead = [when_s for when_s in self.deaths[suspect] if self.now_s - when_s < probation.DEATHS_WITHIN_S]
                self.deaths[suspect] = dead + [self.now_s] * (suspect in self.standing)
                if len(self.deaths[suspect]) >= probation.DEATHS:
                    self.fail(suspect)
                    self.deaths[suspect] = []
        self.standing, self.proven, self.waited = {}, set(), False

    @invariant()
    def is_as_the_model_says(self) -> None:
        for suspect in self.suspects:
            times, last_s = self.failures.get(suspect, (0, 0.0))
            held = bool(times) and self.now_s - last_s < min(LONGEST_S, FIRST_S * 2 ** (times - 1))
            entry = self.kept.holds(suspect, self.now_s)
            assert (entry is not None) == held
            if entry is not None:
                assert isinstance(entry, Entry) and (entry.times, entry.last_s) == (times, last_s)
            assert self.kept.suspected(suspect) == bool(self.deaths[suspect])

    def teardown(self) -> None:
        if hasattr(self, "kept"):
            self.kept.close()
            self.folder.cleanup()


Life.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase
