"""Broods on a real Ray cluster of two actors: the same to the bit as here, whatever dies, hangs or comes late."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from installation.errors import ClusterError
from installation.evolution.cluster import Cluster
from installation.evolution.evaluation import BATCH, Evaluation, Evaluator, always, batches, joined

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra [cluster]"),
    pytest.mark.alone,
]
LATENTS = (3 * BATCH + 5, 6, 4)


class Toy:
    """Slow, and its answer depends on the company a row is evaluated in, so that a batch cut otherwise shows."""

    size = 5

    def __init__(self, took_s: float = 0.15, mark: Path | None = None) -> None:
        self.took_s = took_s
        self.mark = mark

    def evaluate(self, latents: np.ndarray, generation: int, go_on: Callable[[], bool] = always) -> Evaluation | None:
        if latents[0, 0, 0] > 1e6:
            raise ValueError("too loud to hear")
        if self.mark is not None:
            with contextlib.suppress(FileExistsError):
                self.mark.touch(exist_ok=False)
                time.sleep(600)
        time.sleep(self.took_s)
        points = np.tanh(latents.sum(axis=1) @ np.full((latents.shape[2], 5), 0.3, np.float32) + latents.mean())
        reasons = tuple("silent" if row.mean() > 0 else None for row in latents)
        return Evaluation(points.astype(np.float32), latents.std(axis=(1, 2)), reasons)


class Broken(Toy):
    """Can't be made."""

    def __init__(self) -> None:
        raise OSError("no such model")


def brood(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(LATENTS).astype(np.float32)


def here(latents: np.ndarray) -> Evaluation:
    found = [Toy(0.0).evaluate(part, 0) for part in batches(latents)]
    return joined([each for each in found if each is not None])


def same(first: Evaluation | None, second: Evaluation) -> bool:
    assert first is not None
    arrays = (first.embeddings, second.embeddings), (first.quality, second.quality)
    return all(a.tobytes() == b.tobytes() and a.dtype == b.dtype for a, b in arrays) and first.reasons == second.reasons


def actors() -> list[psutil.Process]:
    """The actors' processes, which Ray names after their class."""
    return [
        each
        for each in psutil.Process().children(recursive=True)
        if "ray::" in each.name() and "_Worker" in "".join(each.cmdline())
    ]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return []


@pytest.fixture(scope="module")
def cluster(lines: list[str]) -> Iterator[Cluster]:
    terminate = signal.getsignal(signal.SIGTERM)
    with Cluster("local", Toy, "run", 1, actors=2, patience_s=30.0, log=lines.append) as opened:
        yield opened
    assert signal.getsignal(signal.SIGTERM) is terminate
    assert not actors()


def test_a_brood_is_to_the_bit_what_it_is_here(cluster: Cluster) -> None:
    evaluator: Evaluator = cluster
    assert evaluator.size == Toy.size
    for seed in range(3):
        assert same(evaluator.evaluate(brood(seed), seed, always), here(brood(seed)))


def test_two_actors_share_the_work(cluster: Cluster) -> None:
    began_s = time.monotonic()
    cluster.evaluate(np.tile(brood(0), (4, 1, 1)), 1)
    assert time.monotonic() - began_s < 0.75 * 15 * 0.15
    assert len(actors()) == 2


def test_an_actor_killed_on_the_way_costs_nothing_but_seconds(cluster: Cluster, lines: list[str]) -> None:
    latents = np.concatenate([brood(seed) for seed in range(3)])
    victim = actors()[0]
    killing = threading.Timer(0.4, os.kill, (victim.pid, signal.SIGKILL))
    began_s = time.monotonic()
    killing.start()
    found = cluster.evaluate(latents, 2)
    assert not victim.is_running()
    assert same(found, here(latents)) and time.monotonic() - began_s < 10.0
    assert any("died" in line for line in lines)
    assert same(cluster.evaluate(brood(7), 3), here(brood(7)))


def test_a_brood_given_up_leaves_nothing_in_the_next_of_the_same_generation(cluster: Cluster) -> None:
    asked: list[float] = []

    def go_on() -> bool:
        asked.append(time.monotonic())
        return len(asked) < 2

    assert cluster.evaluate(brood(3), 4, go_on) is None
    assert same(cluster.evaluate(brood(4), 4), here(brood(4)))


def test_whether_to_go_on_is_asked_four_times_a_second_and_more(cluster: Cluster) -> None:
    asked = [time.monotonic()]

    def go_on() -> bool:
        asked.append(time.monotonic())
        return True

    cluster.evaluate(brood(5), 5, go_on)
    assert len(asked) > 3 and np.diff(asked).max() < 0.25


def test_what_an_evaluator_raises_is_told_and_the_cluster_lives_on(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="too loud to hear"):
        cluster.evaluate(np.full(LATENTS, 1e9, np.float32), 6)
    assert same(cluster.evaluate(brood(6), 7), here(brood(6)))


def test_only_this_machine_and_who_has_the_token_is_let_in(cluster: Cluster) -> None:
    token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
    assert stat.S_IMODE(token.stat().st_mode) == 0o600 and stat.S_IMODE(token.parent.stat().st_mode) == 0o700
    family = psutil.Process().children(recursive=True)
    listening = [place for each in family for place in each.net_connections("inet") if place.status == "LISTEN"]
    assert len(listening) > 3 and {place.laddr.ip.removeprefix("::ffff:") for place in listening} == {"127.0.0.1"}


def test_a_second_cluster_in_one_process_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="already"), Cluster("local", Toy, "other", 1):
        pass
    assert same(cluster.evaluate(brood(8), 8), here(brood(8)))


def test_an_address_that_does_not_answer_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "ab" * 32)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began_s = time.monotonic()
        nobody = Cluster(f"127.0.0.1:{silent.getsockname()[1]}", Toy, "run", 1, patience_s=1.5)
        with pytest.raises(ClusterError, match=r"no answer in 1.5 s"), nobody:
            pass
        assert time.monotonic() - began_s < 4.0


def test_without_a_token_no_cluster_is_joined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ClusterError, match="RAY_AUTH_TOKEN_PATH"), Cluster("10.0.0.7:6379", Toy, "run", 1):
        pass


@pytest.mark.parametrize("address", ["", "ray://there:10001", "there", "there:door"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ClusterError, match="allowed are local and host:port"), Cluster(address, Toy, "run", 1):
        pass
