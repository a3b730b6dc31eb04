"""The whole show as its user starts it: `installation run` in a process of its own, with real children."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pulse import PrivatePulse

pytestmark = pytest.mark.alone

SCENE = """
name: Small
model: bronze
evolution: {{container: 8, brood: 4, interval: 0.3}}
picture: {{shader: embers.fs, width: 160, height: 90, fps: 20}}
osc: {{port: {port}}}
"""


@dataclass
class Running:
    """A show under way, its log and its report."""

    process: subprocess.Popen[str]
    log: Path
    report: Path
    port: int
    state: Path

    def lines(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines()

    def until(self, happened: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait until; how long it took."""
        began_s = time.monotonic()
        while not happened():
            assert time.monotonic() - began_s < seconds, f"{what} not in {seconds} s:\n" + "\n".join(self.lines()[-30:])
            assert self.process.poll() is None, "the show ended:\n" + "\n".join(self.lines()[-30:])
            time.sleep(0.02)
        return time.monotonic() - began_s

    def pids(self, name: str) -> list[int]:
        """Every process this role has had, in order."""
        return [
            int(found[1]) for line in self.lines() if (found := re.search(rf" {name}: started, process (\d+)", line))
        ]

    def says(self, text: str) -> bool:
        return any(text in line for line in self.lines())

    def sounding(self) -> None:
        self.until(lambda: self.says("first sound after"), 30.0, "first sound")

    def complete(self) -> None:
        """Until all three live."""
        self.sounding()
        self.until(lambda: all(self.pids(name) for name in ("stage", "breeder")), 30.0, "all processes")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> dict[str, Any]:
        self.process.send_signal(how)
        assert self.process.wait(20.0) == 0, "\n".join(self.lines()[-30:])
        return dict(json.loads(self.report.read_text("utf-8")))


@contextlib.contextmanager
def running(
    folder: Path, port: int, *words: str, headless: bool = True, log_to: str | None = None
) -> Iterator[Running]:
    scene = folder / "small.yaml"
    scene.write_text(SCENE.format(port=port), "utf-8")
    log, report = folder / "log.txt", folder / "report.json"
    order = [sys.executable, "-m", "installation", "run", str(scene), "--report", str(report)]
    order += ["--state", str(folder / "state"), *(["--headless"] if headless else []), *words]
    log.touch()
    with Path(log_to or log).open("w") as sink:
        process = subprocess.Popen(order, stderr=sink, stdout=sink, text=True)
    show = Running(process, log, report, port, folder / "state")
    try:
        yield show
    finally:
        children = []
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(process.pid).children(recursive=True)
        if process.poll() is None:
            process.kill()
            process.wait()
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()


def free_port() -> int:
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def oscsend(port: int, address: str, types: str, *values: str) -> None:
    subprocess.run(["oscsend", "127.0.0.1", str(port), address, types, *values], check=True, timeout=10)


@pytest.mark.gl
def test_with_neither_card_nor_display_it_says_so_and_runs(tmp_path: Path, no_card: None) -> None:
    with running(tmp_path, 9151, "--seconds", "7") as show:
        assert show.process.wait(60.0) == 0, show.lines()
        report = json.loads(show.report.read_text("utf-8"))
        assert show.says("null clock keeps time")
        sound, picture, evolution = report["sound"], report["picture"], report["evolution"]
        assert sound["sample_rate_hz"] == 48_000 and sound["samples"] > 3 * 48_000
        assert sound["missed_samples"] == 0
        assert sound["first_sound_s"] < 8.0
        assert -70.0 < sound["rms_db"] < 0.0 and sound["peak_db"] <= 0.0
        assert {"p50", "p99", "max"} <= sound["decode_ms"].keys()
        assert picture["frames"] > 20 and picture["renderer"]
        assert evolution["generations"] > 0 and evolution["evaluations"] >= 8 and evolution["mean_sparseness"] > 0.0
        assert evolution["trajectories_played"] >= 1
        assert report["control"] == {"messages": 0, "refused": 0}
        assert {"voice", "stage", "breeder"} <= report["processes"].keys()
        assert all(each["restarts"] == 0 for each in report["processes"].values())
        assert report["processes"]["voice"]["rss_mb"] < 150.0


def stored(state: Path) -> set[int]:
    """Identities of all individuals in the store, which must be whole."""
    with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not store.execute("SELECT 1 FROM sqlite_master WHERE name = 'individuals'").fetchone():
            return set()  # just being made
        return {row[0] for row in store.execute("SELECT identity FROM individuals")}


@pytest.mark.gl
def test_each_process_may_die_and_the_others_go_on(tmp_path: Path, no_card: None) -> None:
    with running(tmp_path, 9152) as show:
        show.complete()
        store = show.state / "small.sqlite"
        show.until(store.exists, 30.0, "a store")
        show.until(lambda: len(stored(store)) >= 4, 30.0, "individuals")
        for name in ("breeder", "stage", "voice"):
            others = {other: show.pids(other)[-1] for other in ("voice", "stage", "breeder") if other != name}
            count, kept = len(show.pids(name)), stored(store)
            os.kill(show.pids(name)[-1], signal.SIGKILL)
            show.until(lambda name=name, count=count: len(show.pids(name)) > count, 5.0, f"{name} again")
            time.sleep(2.5)
            assert all(psutil.pid_exists(pid) for pid in others.values())
            assert kept <= stored(store)
        report = show.stop()
    processes = {name: report["processes"][name] for name in ("voice", "stage", "breeder")}
    assert {name: each["restarts"] for name, each in processes.items()} == {"voice": 1, "stage": 1, "breeder": 1}
    # Back means working again, not only started: the time without progress, measured by the conductor.
    assert all(0.0 < each["down_s"] < 2.0 for each in processes.values()), processes
    assert report["sound"]["samples"] > 4 * 48_000
    assert report["sound"]["first_sound_s"] < 8.0
    assert report["evolution"]["generations"] > 0


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def shared_by(pid: int) -> set[Path]:
    """The shared memory a process has mapped."""
    lines = Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines()
    return {Path(found[0]) for line in lines if (found := re.search(r"/dev/shm/psm_\w+", line))}


@pytest.mark.gl
@pytest.mark.parametrize(
    "how",
    [
        signal.SIGTERM,
        signal.SIGKILL,
        *(pytest.param(each, marks=pytest.mark.long) for each in (signal.SIGINT, signal.SIGHUP)),
    ],
)
def test_when_it_ends_nothing_of_it_is_left(tmp_path: Path, no_card: None, how: signal.Signals) -> None:
    with running(tmp_path, 9153) as show:
        show.complete()
        pids = [show.pids(name)[-1] for name in ("voice", "stage", "breeder")]
        ours = shared_by(show.process.pid)
        assert len(ours) == 2
        if how == signal.SIGKILL:
            show.process.kill()
            show.process.wait()
        else:
            show.stop(how)
        deadline_s = time.monotonic() + 6.0
        # Shared memory goes last: its tracker tidies up when the last that knew of it has gone.
        while (alive(pids) or any(path.exists() for path in ours)) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert alive(pids) == []
        assert not [path for path in ours if path.exists()]


@pytest.mark.gl
def test_osc_turns_knobs_changes_scenes_and_is_counted(tmp_path: Path, no_card: None) -> None:
    (tmp_path / "other.yaml").write_text(
        "name: Other\nmodel: bronze\nevolution: {container: 8, brood: 4}\n"
        "picture: {shader: embers.fs, width: 160, height: 90, fps: 20}\n",
        "utf-8",
    )
    with running(tmp_path, 9154) as show:
        show.complete()
        oscsend(9154, "/evolution/mutation_rate", "f", "0.9")
        oscsend(9154, "/latent/3/bias", "f", "1.5")
        oscsend(9154, "/latent/3/bias", "f", "99")
        oscsend(9154, "/no/such/thing", "f", "1")
        oscsend(9154, "/scene/recall", "s", "other")
        show.until(lambda: show.says("scene other: Other"), 5.0, "the other scene")
        oscsend(9154, "/panic", "i", "1")
        show.until(lambda: show.says("panic"), 5.0, "panic")
        show.until(lambda: (show.state / "other.sqlite").exists(), 30.0, "the other scene's store")
        report = show.stop()
        assert report["control"] == {"messages": 6, "refused": 2}
        assert report["sound"]["missed_samples"] == 0
        assert report["sound"]["knob_rewrites"] >= 1


@pytest.mark.gl
def test_what_is_sounding_is_pinned_and_what_is_never_wanted_again_is_left(tmp_path: Path, no_card: None) -> None:
    def wished(show: Running, wish: str) -> list[int]:
        """The identities the show was asked for, in order."""
        return [int(found[1]) for line in show.lines() if (found := re.search(rf"conductor: {wish} (\d+)$", line))]

    def ask(show: Running, wish: str, enough: Callable[[], bool], seconds: float) -> None:
        """Ask for what is sounding, again and again, until."""

        def asked() -> bool:
            oscsend(9162, f"/evolution/{wish}", "f", "1.0")
            time.sleep(0.15)
            return enough()

        show.until(asked, seconds, wish)

    with running(tmp_path, 9162) as show:
        show.complete()
        ask(show, "more", lambda: bool(wished(show, "more")), 30.0)
        oscsend(9162, "/voice/rate", "f", "0.05")  # a trajectory of 64 steps would now sound for 55 s
        oscsend(9162, "/evolution/operator", "s", "drift")
        oscsend(9162, "/evolution/never", "T")
        show.until(lambda: len(wished(show, "never")) == 1, 5.0, "never")
        (never,) = wished(show, "never")
        ask(show, "pin", lambda: wished(show, "pin")[-1:] not in ([], [never]), 5.0)
        pinned = wished(show, "pin")[-1]
        oscsend(9162, "/evolution/recall", "i", "999999")
        show.until(lambda: show.says("revive 999999: the search knows none such"), 5.0, "what is not known")
        oscsend(9162, "/evolution/operator", "s", "drfit")
        report = show.stop()
    assert pinned in report["evolution"]["pinned"]
    assert report["evolution"]["budget"] in ("free", "yielding", "paused")
    assert 0 < report["control"]["refused"] < report["control"]["messages"]
    assert report["processes"]["breeder"]["restarts"] == 0


@pytest.mark.gl
def test_the_next_start_goes_on_from_the_store(tmp_path: Path, no_card: None) -> None:
    generations = []
    for _ in range(2):
        with running(tmp_path, 9155, "--seconds", "5") as show:
            assert show.process.wait(60.0) == 0
            generations.append(json.loads(show.report.read_text("utf-8"))["evolution"]["generations"])
    assert 0 < generations[0] < generations[1]


@pytest.mark.card
@pytest.mark.gl
def test_what_the_card_plays_is_recorded_without_a_gap(tmp_path: Path, pulse: PrivatePulse) -> None:
    recording = pulse.record()
    with running(tmp_path, 9156, "--device", "pulse", "--seconds", "7") as show:
        assert show.process.wait(60.0) == 0
        report = json.loads(show.report.read_text("utf-8"))
    heard = recording.stop()
    assert report["sound"]["card"] == "pulse"
    assert report["sound"]["missed_samples"] == 0
    loud = abs(heard[:, 0]) > 1e-4
    assert loud.sum() > 48_000
    first, last = loud.argmax(), len(loud) - loud[::-1].argmax()
    silent = (abs(heard[first:last, 0]) == 0.0).astype(int)
    # Exact zeros never last a millisecond inside the sound: the sink was never without samples.
    runs = "".join(map(str, silent)).split("0")
    assert max(map(len, runs)) < 48


@pytest.mark.card
@pytest.mark.gl
def test_a_sound_server_that_dies_and_comes_back(tmp_path: Path, own_pulse: PrivatePulse) -> None:
    with running(tmp_path, 9157, "--device", "pulse") as show:
        show.complete()
        own_pulse.kill()
        show.until(lambda: show.says("null clock keeps time"), 15.0, "the null clock")
        own_pulse.start()
        show.until(
            lambda: sum("first sound after" in line and "on pulse" in line for line in show.lines()) == 2,
            40.0,
            "the card again",
        )
        report = show.stop()
        assert report["processes"]["stage"]["restarts"] == 0


@pytest.mark.card
@pytest.mark.gl
@pytest.mark.long
def test_a_sound_server_that_hangs_leaves_the_null_clock_and_comes_back(
    tmp_path: Path, own_pulse: PrivatePulse
) -> None:
    with running(tmp_path, 9159, "--device", "pulse") as show:
        show.complete()
        time.sleep(5.0)
        own_pulse.freeze()
        show.until(lambda: show.says("on null clock"), 20.0, "the null clock")
        voices = len(show.pids("voice"))
        time.sleep(4.0)
        assert len(show.pids("voice")) == voices
        own_pulse.thaw()
        show.until(lambda: len(show.pids("voice")) > voices, 40.0, "the card again")
        show.until(
            lambda: "on pulse" in [line for line in show.lines() if "first sound" in line][-1], 20.0, "its sound"
        )
        show.stop()


@pytest.mark.gl
def test_scenes_in_a_hurry_leave_one_process_of_each_and_no_wait(tmp_path: Path, no_card: None) -> None:
    for name in ("b", "c"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nevolution: {{container: 8, brood: 4}}\n", "utf-8")
    with running(tmp_path, 9160) as show:
        show.until(lambda: show.says("OSC on"), 20.0, "OSC")
        for _ in range(20):
            oscsend(9160, "/scene/next", "i", "1")
        show.complete()
        time.sleep(1.0)
        children = psutil.Process(show.process.pid).children()
        began_s = time.monotonic()
        show.stop()
        assert time.monotonic() - began_s < 12.0
        assert len(children) <= 5  # voice, breeder, stage, the tracker of shared memory, and one being changed
        deadline_s = time.monotonic() + 5.0
        while alive([child.pid for child in children]) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert alive([child.pid for child in children]) == []


@pytest.mark.gl
def test_a_log_nobody_reads_does_not_end_the_show(tmp_path: Path, no_card: None) -> None:
    with running(tmp_path, 9161, log_to="/dev/full") as show:
        time.sleep(5.0)
        voice = next(
            child for child in psutil.Process(show.process.pid).children() if "spawn_main" in child.cmdline()[-2]
        )
        voice.kill()
        time.sleep(2.0)
        assert show.process.poll() is None
        report = show.stop()
        assert sum(each["restarts"] for each in report["processes"].values()) == 1


@contextlib.contextmanager
def virtual_display() -> Iterator[str]:
    """A private X server; its display."""
    read, write = os.pipe()
    order = ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "+extension", "GLX", "-nolisten", "tcp"]
    server = subprocess.Popen(order, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as said:
            yield f":{said.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10.0)


@pytest.mark.card
@pytest.mark.gl
def test_with_a_card_and_a_display_it_opens_both(
    tmp_path: Path, pulse: PrivatePulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with virtual_display() as display:
        monkeypatch.setenv("DISPLAY", display)
        with running(tmp_path, 9158, "--seconds", "6", "--device", "pulse", headless=False) as show:
            assert show.process.wait(60.0) == 0
            report = json.loads(show.report.read_text("utf-8"))
    assert report["picture"]["window"] is True
    assert report["picture"]["frames"] > 20
    assert report["sound"]["card"] == "pulse"
    assert report["sound"]["samples"] > 48_000
