"""What a busy machine takes from a process is known, and is not held against it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from installation.picture.admission import trial as module
from installation.picture.admission import waiting
from installation.picture.admission.trial import Trial
from installation.picture.admission.verdict import HANGS, PASSED

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts it"), pytest.mark.alone]

SPIN = "while True: pass"


@pytest.fixture
def crowded() -> Iterator[int]:
    """A processor on which two processes are always at work."""
    place = min(os.sched_getaffinity(0))
    with subprocess.Popen([sys.executable, "-c", SPIN]) as one, subprocess.Popen([sys.executable, "-c", SPIN]) as two:
        for each in (one, two):
            os.sched_setaffinity(each.pid, {place})
        yield place
        for each in (one, two):
            each.kill()


def verdict(code: str, place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    head = "import json, os, time\ndef say(**what): os.write(1, b'\\n' + json.dumps(what).encode() + b'\\n')\n"
    head += (
        f"os.sched_setaffinity(0, {{{place}}}); os.write(1, b'\\n' + json.dumps({{'opened': 'x'}}).encode() + b'\\n')\n"
    )
    monkeypatch.setattr(module, "ORDER", ("-c", head + code))
    monkeypatch.setattr(module, "NICER", 0)
    trial = Trial(tmp_path / "a.fs", (160, 90), time.monotonic(), deadline_s=0.6)
    try:
        while (found := trial.poll(time.monotonic())) is None:
            time.sleep(0.01)
    finally:
        trial.close()
    return found.cause


def test_what_works_for_less_than_its_deadline_passes_on_a_crowded_machine(
    crowded: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """.35 s of work take more than the .6 s that are allowed where three share one processor."""
    monkeypatch.setattr(module, "BUSY", 60.0)
    code = "begun_s = time.monotonic()\nwhile time.process_time() < 0.35: pass\n"
    code += "say(cause='passed' if time.monotonic() - begun_s > 0.6 else 'crashes')"
    assert verdict(code, crowded, tmp_path, monkeypatch) == PASSED


@pytest.mark.parametrize("code", [SPIN, "time.sleep(60)"])
def test_what_works_or_sleeps_for_ever_hangs_there_as_well(
    crowded: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_s = time.monotonic()
    assert verdict(code, crowded, tmp_path, monkeypatch) == HANGS
    assert time.monotonic() - begun_s < module.OPENING_S + module.BUSY


def test_a_process_alone_waits_little_and_one_in_a_crowd_much(crowded: int) -> None:
    before = waiting.waited(os.getpid())
    time.sleep(0.2)
    assert 0.0 <= waiting.between(before, waiting.waited(os.getpid())) < 0.2
    with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
        os.sched_setaffinity(process.pid, {crowded})
        before = waiting.waited(process.pid)
        time.sleep(1.0)
        share = waiting.between(before, waiting.waited(process.pid))
        process.kill()
    assert 0.3 < share < 1.1


def test_a_process_that_is_gone_has_waited_for_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        assert waiting.waited(process.pid) == {}
    assert waiting.between({}, {}) == 0.0 and waiting.between({1: 2.0}, {1: 2.5, 2: 0.25}) == 0.5
