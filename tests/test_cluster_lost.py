"""Ray clusters that go wrong: an actor that hangs, a cluster that dies, one too small, actors that can't be made."""

from __future__ import annotations

import functools
import importlib.util
import time
from pathlib import Path

import psutil
import pytest

from installation.errors import ClusterError
from installation.evolution.cluster import Cluster
from tests.test_cluster import Broken, Toy, actors, brood, here, same

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra [cluster]"),
    pytest.mark.alone,
    pytest.mark.long,
]


def test_a_batch_kept_too_long_is_handed_out_again(tmp_path: Path) -> None:
    lines: list[str] = []
    build = functools.partial(Toy, 0.1, tmp_path / "hung")
    with Cluster("local", build, "run", 1, actors=2, patience_s=4.0, log=lines.append) as opened:
        assert same(opened.evaluate(brood(9), 0), here(brood(9)))
    assert (tmp_path / "hung").exists() and any("longer than 4 s" in line for line in lines)


@pytest.mark.long
def test_a_cluster_that_died_is_told() -> None:
    with Cluster("local", Toy, "run", 1, actors=2, patience_s=2.0) as opened:
        opened.evaluate(brood(9), 0)
        raylets = [each for each in psutil.Process().children(recursive=True) if each.name() == "raylet"]
        for each in [*raylets, *actors()]:
            each.kill()
        began_s = time.monotonic()
        with pytest.raises(ClusterError, match="no actor came back"):
            opened.evaluate(brood(10), 1)
        assert time.monotonic() - began_s < 4 * opened.patience_s


@pytest.mark.long
def test_an_actor_too_many_is_told_not_waited_for() -> None:
    too_many = psutil.cpu_count() + 1
    crowded = Cluster("local", Toy, "run", 1, actors=too_many, patience_s=2.0)
    with pytest.raises(ClusterError, match=f"of {too_many} actors came in 2 s; it has"), crowded:
        pass
    assert not actors()


@pytest.mark.long
def test_actors_that_cannot_be_made_are_told() -> None:
    with pytest.raises(ClusterError, match="no such model"), Cluster("local", Broken, "run", 1, actors=1):
        pass
