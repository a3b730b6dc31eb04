"""Trials: what an author can write wrong ends in a verdict, in time, in another process; and in nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from installation.picture.admission import trial as module
from installation.picture.admission.trial import Trial
from installation.picture.admission.trials import Outcome, Trials
from installation.picture.admission.verdict import COMPILES_NOT, CRASHES, HANGS, NOT_FINITE, PASSED, UNTRIED, Verdict
from tests.processes import words

pytestmark = pytest.mark.alone

SIZE = (160, 90)
HEADER = "/*{}*/\n"
MOVES = HEADER + "void main() { gl_FragColor = vec4(0.5 + 0.5 * sin(TIME), isf_FragNormCoord, 1.0); }"
STILL = HEADER + "void main() { gl_FragColor = vec4(isf_FragNormCoord, 0.5, 1.0); }"
FOREVER = """void main() {
    float x = 0.0;
    for (int i = 0; i < 2; i += int(TIME < -1.0))
        for (int j = 0; j < 2; j += int(TIME < -2.0)) x += sin(x + isf_FragNormCoord.x);
    gl_FragColor = vec4(x);
}"""
"""A loop in a loop: a software renderer stops the inner one after a while, and runs it again."""
ENDLESS = """void main() {
    float x = 0.0;
    for (int i = 0; i < 2; i += int(TIME < -1.0)) x += sin(x + isf_FragNormCoord.x);
    gl_FragColor = vec4(x);
}"""
SLOW = """void main() {
    float x = isf_FragNormCoord.x;
    for (int i = 0; i < %s; i++) x = sin(x * 3.1 + TIME + isf_FragNormCoord.y);
    gl_FragColor = vec4(x);
}"""


@pytest.fixture(autouse=True)
def software(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mesa's software renderer: an endless loop is not for the card of whoever runs the tests, and slow is slow."""
    monkeypatch.setenv("LIBGL_ALWAYS_SOFTWARE", "1")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "a.fs") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Trials run this Python instead of drawing; `say(**what)` says a line, `path` is the shader."""
    head = "import json, os, sys, time\nfrom pathlib import Path\npath = Path(sys.argv[6])\n"
    head += "def say(**what): os.write(1, b'\\n' + json.dumps(what).encode() + b'\\n')\n"
    return lambda code: monkeypatch.setattr(module, "ORDER", ("-c", head + code))


def processes() -> list[psutil.Process]:
    """Trials of this process that are still at work."""
    return [each for each in psutil.Process().children() if any(word.endswith(".fs") for word in words(each))]


def judged(trial: Trial, within_s: float = 60.0) -> Verdict:
    """The verdict; asking for it never waits."""
    until_s = time.monotonic() + within_s
    try:
        while time.monotonic() < until_s:
            begun_s = time.monotonic()
            verdict = trial.poll(begun_s)
            assert time.monotonic() - begun_s < 0.5
            if verdict is not None:
                assert trial.poll(begun_s) is verdict
                return verdict
            time.sleep(0.01)
        raise AssertionError(f"no verdict in {within_s} s")
    finally:
        trial.close()
        assert trial.gone


def tried(path: Path, deadline_s: float = 30.0, frame_s: float = 1.5, size: tuple[int, int] = SIZE) -> Verdict:
    return judged(Trial(path, size, time.monotonic(), deadline_s, frame_s))


# What authors write


@pytest.mark.gl
@pytest.mark.parametrize(("text", "moves"), [(MOVES, True), (STILL, False)], ids=["moves", "still"])
def test_a_good_shader_passes_and_whether_it_moves_is_known(write: Callable[..., Path], text: str, moves: bool) -> None:
    verdict = tried(write(text))
    assert (verdict.cause, verdict.sentence, verdict.line) == (PASSED, "", None)
    assert verdict.ok and verdict.moves == moves and verdict.renderer


@pytest.mark.gl
def test_what_does_not_compile_is_said_at_the_authors_line(write: Callable[..., Path]) -> None:
    verdict = tried(write(HEADER + "void main() {\n    gl_FragColor = vec4(nothing);\n}"))
    assert (verdict.cause, verdict.line) == (COMPILES_NOT, 3)
    assert "a.fs" in verdict.sentence and "nothing" in verdict.sentence and not verdict.ok


@pytest.mark.gl
def test_a_file_that_is_not_there_does_not_compile(tmp_path: Path) -> None:
    assert tried(tmp_path / "gone.fs").cause == COMPILES_NOT


@pytest.mark.gl
def test_a_picture_of_no_numbers_is_refused_and_a_point_of_them_is_not(write: Callable[..., Path]) -> None:
    lost = tried(write(HEADER + "void main() { gl_FragColor = vec4(sqrt(-1.0 - isf_FragNormCoord.x)); }"))
    assert lost.cause == NOT_FINITE and "100 %" in lost.sentence
    point = "void main() { float r = isf_FragNormCoord.x; gl_FragColor = vec4(sqrt(r - 0.05), 0.0, sin(TIME), 1.0); }"
    assert tried(write(HEADER + point)).cause == PASSED


@pytest.mark.gl
@pytest.mark.parametrize("text", [ENDLESS, FOREVER], ids=["endless", "for ever"])
def test_an_endless_loop_hangs(write: Callable[..., Path], text: str) -> None:
    begun_s = time.monotonic()
    verdict = tried(write(HEADER + text), deadline_s=4.0, frame_s=0.2, size=(640, 360))
    assert verdict.cause == HANGS and "a.fs" in verdict.sentence
    assert time.monotonic() - begun_s < module.OPENING_S + module.BUSY * 4.0 + 1.0


@pytest.mark.gl
def test_a_frame_that_takes_too_long_hangs_before_the_deadline_does(write: Callable[..., Path]) -> None:
    verdict = tried(write(HEADER + SLOW % 10_000), deadline_s=120.0, frame_s=0.3, size=(320, 180))
    assert verdict.cause == HANGS and "one frame" in verdict.sentence


@pytest.mark.gl
def test_a_shader_that_grows_slower_with_time_is_found_out(write: Callable[..., Path]) -> None:
    text = HEADER + SLOW % "int(TIME * TIME) / 1000"
    verdict = tried(write(text), deadline_s=120.0, frame_s=0.1)
    assert verdict.cause == HANGS


@pytest.mark.gl
def test_filters_and_transitions_are_tried_on_a_picture(write: Callable[..., Path]) -> None:
    """Without it both would be black, and so no numbers."""
    name = '{"NAME": "%s", "TYPE": "image"}'
    look = "void main() { vec4 c = IMG_THIS_PIXEL(%s); gl_FragColor = c / c.b * %s; }"
    one = f'/*{{"INPUTS": [{name % "inputImage"}]}}*/\n' + look % ("inputImage", "0.5")
    inputs = ", ".join([name % "startImage", name % "endImage", '{"NAME": "progress", "TYPE": "float"}'])
    other = f'/*{{"INPUTS": [{inputs}]}}*/\n' + look % ("endImage", "progress")
    for text in (one, other):
        verdict = tried(write(text))
        assert (verdict.cause, verdict.moves) == (PASSED, False), verdict.sentence


# What happens to processes


@pytest.mark.parametrize(("begins", "cause"), [(True, CRASHES), (False, UNTRIED)])
def test_a_process_killed_from_outside_crashed_once_it_had_begun(
    write: Callable[..., Path], fake: Callable[[str], None], begins: bool, cause: str
) -> None:
    fake("say(opened='x'); time.sleep(60)" if begins else "time.sleep(60)")
    trial, until_s = Trial(write(MOVES), SIZE, time.monotonic()), time.monotonic() + 20.0
    while begins and trial._renderer is None and time.monotonic() < until_s:
        assert trial.poll(time.monotonic()) is None
        time.sleep(0.01)
    (process,) = processes()
    process.send_signal(signal.SIGKILL)
    verdict = judged(trial, 5.0)
    assert verdict.cause == cause and "SIGKILL" in verdict.sentence
    assert verdict.ok == (not begins)


@pytest.mark.gl
def test_a_trial_ends_with_the_stage_even_when_it_hangs(write: Callable[..., Path]) -> None:
    path = write(HEADER + FOREVER)
    code = f"""
import time
from pathlib import Path
from installation.picture.admission.trial import Trial
trial = Trial(Path({str(path)!r}), (640, 360), 0.0, 100.0, 100.0)
while trial._renderer is None:
    trial.poll(0.0)
    time.sleep(0.01)
print(trial._process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as stage:
        assert stage.stdout
        child = psutil.Process(int(stage.stdout.readline()))
        time.sleep(0.5)
        assert child.is_running() and child.status() != psutil.STATUS_ZOMBIE
        stage.kill()
        gone, _ = psutil.wait_procs([child], timeout=5.0)
        assert gone


def test_it_is_nicer_than_its_parent(write: Callable[..., Path], fake: Callable[[str], None]) -> None:
    fake("say(opened='x'); time.sleep(0.2); say(cause='passed', sentence=str(os.nice(0)))")
    assert int(tried(write(MOVES)).sentence) == min(19, os.nice(0) + module.NICER)


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        ("say(opened='x'); sys.exit(7)", CRASHES, "exit code 7"),
        ("say(opened='x'); print('a driver speaks', file=sys.stderr); os.abort()", CRASHES, "a driver speaks"),
        ("sys.exit(7)", UNTRIED, "exit code 7"),
        ("say(cause='untried', sentence='picture: no OpenGL')", UNTRIED, "no OpenGL"),
        ("say(opened='x')\nwhile True: os.write(1, b'x' * 4096)", CRASHES, "bytes"),
        ("say(opened='x')\nwhile True: os.write(1, b'x\\n' * 4096)", CRASHES, "bytes"),
        (
            "os.write(1, b'{\\n{}\\n[]\\n' + b'[' * 5000 + b'\\n\\xff\\n{\"cause\": []}\\n'); say(cause='passed')",
            PASSED,
            "",
        ),
        ("os.write(1, b'half of a dri'); say(cause='compiles not', sentence='no', line='x')", COMPILES_NOT, "no"),
        ("say(opened='x'); time.sleep(60)", HANGS, "2 s"),
        ("say(opened='x'); import signal; signal.alarm(1); time.sleep(60)", HANGS, "2 s"),
    ],
)
def test_whatever_a_process_says_or_does_there_is_one_verdict(
    write: Callable[..., Path], fake: Callable[[str], None], code: str, cause: str, words: str
) -> None:
    fake(code)
    verdict = tried(write(MOVES), deadline_s=2.0)
    assert verdict.cause == cause and words in verdict.sentence
    assert len(verdict.sentence) < 1000


def test_no_process_to_be_had_is_not_the_shaders_fault(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    verdict = tried(write(MOVES))
    assert verdict.cause == UNTRIED and verdict.ok and "/nonexistent/python" in verdict.sentence


# One after another


@pytest.fixture
def pool() -> Iterator[Trials]:
    trials = Trials(SIZE, deadline_s=3.0)
    yield trials
    trials.close()
    assert processes() == []


def outcome(trials: Trials, within_s: float = 20.0) -> Outcome:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        found = trials.poll(time.monotonic())
        assert len(processes()) <= 1
        if found is not None:
            assert not trials.busy and trials.poll(time.monotonic()) is None
            return found
        time.sleep(0.01)
    raise AssertionError(f"no outcome in {within_s} s")


SAYS = "say(opened='x'); say(cause=path.read_text().split()[0], moves='moves' in path.read_text())"


def test_all_of_a_picture_is_tried_and_what_passed_is_not_tried_again(
    write: Callable[..., Path], fake: Callable[[str], None], pool: Trials
) -> None:
    fake(SAYS)
    paths = [write("passed", "a.fs"), write("passed moves", "b.fs"), write("passed", "a.fs")]
    pool.ask(paths, time.monotonic())
    assert pool.busy
    found = outcome(pool)
    assert found.ok and found.moves and len(found.verdicts) == 2 and pool.begun == 2
    pool.ask(paths[:1], time.monotonic())
    again = pool.poll(time.monotonic())
    assert again is not None and again.ok and not again.moves and pool.begun == 2
    write("passed  ", "a.fs")
    pool.ask(paths[:1], time.monotonic())
    assert outcome(pool).ok and pool.begun == 3


def test_the_first_failure_ends_it_and_is_tried_again_when_asked_again(
    write: Callable[..., Path], fake: Callable[[str], None], pool: Trials
) -> None:
    fake(SAYS)
    paths = [write("passed", "a.fs"), write("hangs", "b.fs"), write("passed", "c.fs")]
    for times in (1, 2):
        pool.ask(paths, time.monotonic())
        found = outcome(pool)
        assert not found.ok and [(suspect.shader, verdict.cause) for suspect, verdict in found.verdicts] == [
            (str(paths[1]), HANGS)
        ]
        assert pool.begun == 1 + times


def test_the_newest_wish_wins_and_there_is_never_more_than_one_process(
    write: Callable[..., Path], fake: Callable[[str], None], pool: Trials
) -> None:
    fake("say(opened='x'); time.sleep(60 if path.stem == 'slow' else 0); say(cause='passed')")
    for number in range(10):
        pool.ask([write(f"{number}", "slow.fs")], time.monotonic())
        until_s = time.monotonic() + 0.1
        while time.monotonic() < until_s:
            assert pool.poll(time.monotonic()) is None and len(processes()) <= 1
    last = write("last", "last.fs")
    pool.ask([last], time.monotonic())
    found = outcome(pool)
    assert [suspect.shader for suspect, _ in found.verdicts] == [str(last)]


def test_asking_for_the_same_again_does_not_begin_again(
    write: Callable[..., Path], fake: Callable[[str], None], pool: Trials
) -> None:
    fake("say(opened='x'); time.sleep(0.5); say(cause='passed')")
    path = write("a")
    for _ in range(20):
        pool.ask([path], time.monotonic())
        assert pool.poll(time.monotonic()) is None
        time.sleep(0.01)
    assert outcome(pool).ok and pool.begun == 1


def test_a_file_that_changed_meanwhile_is_tried_as_it_is_now(
    write: Callable[..., Path], fake: Callable[[str], None], pool: Trials
) -> None:
    fake("say(opened='x'); text = path.read_text(); time.sleep(0.5); say(cause=text)")
    path = write("hangs")
    pool.ask([path], time.monotonic())
    until_s = time.monotonic() + 0.4
    while time.monotonic() < until_s:
        pool.poll(time.monotonic())
    write("passed")
    assert outcome(pool).ok and pool.begun == 2


def test_what_could_not_be_tried_may_be_shown_and_is_tried_next_time(
    write: Callable[..., Path], fake: Callable[[str], None], pool: Trials
) -> None:
    fake("sys.exit(1)")
    path = write("a")
    for times in (1, 2):
        pool.ask([path], time.monotonic())
        found = outcome(pool)
        assert found.ok and found.verdicts[0][1].cause == UNTRIED and pool.begun == times


def test_nothing_asked_nothing_said(pool: Trials) -> None:
    assert pool.poll(0.0) is None and not pool.busy
    pool.ask([], 0.0)
    found = pool.poll(0.0)
    assert found is not None and found.ok
