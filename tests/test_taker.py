"""The card in a process of its own: plays what the ring holds, says what it found, ends with whoever opened it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import psutil
import pytest

from installation.ring import Ring
from installation.sound.card import NullCard
from installation.sound.taker import RemoteCard, find_remote
from tests.processes import words
from tests.pulse import RATE_HZ, PrivatePulse, lag

pytestmark = [pytest.mark.card, pytest.mark.alone]


def until(happened: Callable[[], bool], seconds: float = 10.0) -> bool:
    end_s = time.monotonic() + seconds
    while not happened() and time.monotonic() < end_s:
        time.sleep(0.01)
    return happened()


def takers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if "installation.sound.taker" in words(each)]


def test_it_plays_what_the_ring_holds_and_tells_when_it_came(pulse: PrivatePulse) -> None:
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (RATE_HZ, 2)).astype(np.float32)
    recording = pulse.record()
    with Ring.create(1 << 17, 2, RATE_HZ) as ring:
        card, why = find_remote(RemoteCard("pulse", RATE_HZ, 2), RATE_HZ)
        assert why is None and card.name == "pulse" and card.sample_rate_hz == RATE_HZ
        ring.write(np.zeros((RATE_HZ // 2, 2), np.float32))
        ring.write(sound)
        card.open(ring)
        assert 0.0 < card.latency_s < 0.5
        assert until(lambda: ring.ahead == 0)
        assert ring.block > 0 and abs(time.monotonic() - ring.came_s) < 1.0
        assert ring.dac_time_s(ring.taken) > ring.came_s
        time.sleep(0.3)
        card.close()
        assert not takers()
        came = ring.callbacks
        time.sleep(0.1)
        assert ring.callbacks == came
    heard = recording.stop()
    assert lag(sound[4800:24000, 0], heard[:, 0])[1] > 0.999


def test_a_card_that_is_not_there_is_said_and_a_null_clock_keeps_time(pulse: PrivatePulse) -> None:
    card, why = find_remote(RemoteCard("no such card", RATE_HZ, 2), RATE_HZ)
    assert isinstance(card, NullCard) and why is not None and "no such card" in why
    assert not takers()


def own(ring: str, told: Connection) -> None:
    """Open a card on a ring of somebody else's, as a voice does, and stay."""
    with Ring.attach(ring) as attached:
        card, _ = find_remote(RemoteCard("pulse", RATE_HZ, 2), RATE_HZ)
        card.open(attached)
        told.send(psutil.Process().children()[-1].pid)
        time.sleep(60)


def test_it_leaves_the_ring_to_its_owner_and_ends_with_whoever_opened_it(pulse: PrivatePulse) -> None:
    context = multiprocessing.get_context("spawn")
    with Ring.create(1 << 17, 2, RATE_HZ) as ring:
        ours, theirs = context.Pipe()
        owner = context.Process(target=own, args=(ring.name, theirs))
        owner.start()
        taker = ours.recv()
        assert until(lambda: ring.callbacks > 3) and psutil.pid_exists(taker)
        owner.kill()
        owner.join()
        assert until(lambda: not psutil.pid_exists(taker))
        SharedMemory(name=ring.name).close()  # it is still there
