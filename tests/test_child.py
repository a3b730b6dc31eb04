"""A child as the conductor sees it, with small real processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from installation.child import Child, Role
from installation.commands import Play, Said, Trajectory
from installation.link import Link, follow_parent

pytestmark = pytest.mark.alone


def diligent(connection: Connection, setup: Any) -> None:
    """Beats, says what it was started with and what it is told."""
    follow_parent()
    link = Link(connection, "diligent")
    link.say(f"setup {setup}")
    turns = 0
    while not link.stopped:
        for command in link.drain():
            if isinstance(command, Play):
                link.say(f"told {len(command.trajectories)}")
        turns += 1
        link.pulse(time.monotonic(), turns, lambda: {"samples": 7})
        link.wait(0.02)


def stuck(connection: Connection, setup: Any) -> None:
    """Shows life once, then never again, and hears nothing."""
    follow_parent()
    Link(connection, "stuck").pulse(time.monotonic(), 1, dict, at_once=True)
    time.sleep(60.0)


def mortal(connection: Connection, setup: Any) -> None:
    """Dies at once, without reading what it is sent."""
    os._exit(9)


class Seen:
    """What the conductor would see."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.logged: list[str] = []

    def heard(self, message: Any) -> None:
        if isinstance(message, Said):
            self.said.append(message.sentence)

    def log(self, process: str, sentence: str) -> None:
        self.logged.append(sentence)


async def until(happened: Callable[[], bool], seconds: float = 15.0) -> None:
    began_s = time.monotonic()
    while not happened():
        assert time.monotonic() - began_s < seconds
        await asyncio.sleep(0.01)


def large() -> tuple[Play]:
    """Far more than a pipe holds."""
    return (Play(tuple(Trajectory(n, np.zeros((64, 128), np.float32)) for n in range(128))),)


def test_it_is_started_greeted_told_and_stopped() -> None:
    async def story() -> None:
        seen = Seen()
        child = Child(Role("diligent", diligent, 3.0), lambda: "small", seen.heard, seen.log, large)
        child.start()
        child.start()  # there is one already
        await until(lambda: "told 128" in seen.said and child.figures.get("samples") == 7)
        assert seen.said[0] == "setup small"
        assert len([line for line in seen.logged if "started" in line]) == 1
        await child.stop()
        child.reopen()
        await until(lambda: seen.said.count("told 128") == 2)
        await until(lambda: child.figures.get("samples") == 14)
        await child.stop()
        assert not child.alive and child.restarts == 0

    asyncio.run(story())


def test_a_stuck_one_is_killed_and_started_again() -> None:
    async def story() -> None:
        seen = Seen()
        child = Child(Role("stuck", stuck, 0.3), lambda: None, seen.heard, seen.log)
        child.start()
        while child.restarts < 1:
            child.watch(time.monotonic())
            await asyncio.sleep(0.02)
        assert any("no progress for 0.3 s: killed" in line for line in seen.logged)
        await child.stop()

    asyncio.run(story())


def test_one_that_dies_at_once_neither_blocks_the_loop_nor_is_started_in_a_storm() -> None:
    async def story() -> None:
        seen = Seen()
        child = Child(Role("mortal", mortal, 3.0), lambda: None, seen.heard, seen.log, large)
        child.start()
        began_s, longest_s = time.monotonic(), 0.0
        while time.monotonic() - began_s < 3.0:
            slept_s = time.monotonic()
            await asyncio.sleep(0.01)
            longest_s = max(longest_s, time.monotonic() - slept_s)
        assert 2 <= child.restarts <= 6
        assert longest_s < 1.0
        await child.stop()

    asyncio.run(story())


def test_a_system_that_refuses_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        seen = Seen()
        child = Child(Role("diligent", diligent, 3.0), lambda: "small", seen.heard, seen.log)
        spawn, refusals = child._spawn, [OSError(12, "Cannot allocate memory")]

        def reluctant() -> None:
            if refusals:
                raise refusals.pop()
            spawn()

        monkeypatch.setattr(child, "_spawn", reluctant)
        child.start()
        await until(lambda: child.alive and "setup small" in seen.said)
        assert "can't be started" in seen.logged[0]
        await child.stop()

    asyncio.run(story())
