"""The probe: asks again and again, waits for nothing, and is not held up by what hangs."""

from __future__ import annotations

import sys
import time

import pytest

from installation import probe
from installation.probe import Probe

pytestmark = pytest.mark.alone


def asked(code: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a probe that runs `code` finds, within `seconds`."""
    looking = Probe((), time.monotonic())
    monkeypatch.setattr(looking, "_order", [sys.executable, "-c", code])
    until_s, found = time.monotonic() + seconds, False
    while not found and time.monotonic() < until_s:
        began_s = time.monotonic()
        found = looking.found(time.monotonic())
        assert time.monotonic() - began_s < 0.5
        time.sleep(0.01)
    looking.close()
    return found


def test_what_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("", 10.0, monkeypatch)


def test_what_is_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not asked("raise SystemExit(1)", 2.0, monkeypatch)


def test_what_hangs_is_ended_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    flag = tmp_path_factory.mktemp("probe") / "asked"
    monkeypatch.setattr(probe, "DEADLINE_S", -1.7)
    code = (
        f"import pathlib, time; p = pathlib.Path({str(flag)!r}); there = p.exists(); p.touch(); there or time.sleep(60)"
    )
    assert asked(code, 15.0, monkeypatch)
