"""The contract of every memory, against brute force and pyribs; and what the large one keeps, loses and finds."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import InstallationError, StoreError
from installation.evolution import memory as module
from installation.evolution.large import RECALL, Large, open_large
from installation.evolution.memory import MEMORIES, Exact, Memory
from installation.evolution.sparseness import sparseness

faiss = pytest.mark.skipif(importlib.util.find_spec("faiss") is None, reason="needs the extra [large]")
SIZE = 124
PLAIN = [pytest.param(name, marks=faiss) if name == "large" else name for name in MEMORIES]


@pytest.fixture(params=PLAIN)
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    made = MEMORIES[request.param](tmp_path / "memory", 1)
    yield made
    made.close()


@pytest.fixture(params=PLAIN)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def normal(count: int, seed: int = 0, size: int = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32)


def brute(points: np.ndarray, asked: np.ndarray, neighbours: int) -> np.ndarray:
    apart = [np.sort(np.linalg.norm(points.astype(float) - row, axis=1))[:neighbours] for row in asked.astype(float)]
    return np.array(apart).reshape(len(asked), min(neighbours, len(points)))


# ---- the contract, for every entry of MEMORIES


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize(("count", "asked", "neighbours"), [(500, 40, 15), (3, 7, 15), (5000, 3, 1), (300, 400, 50)])
def test_is_brute_force(memory: Memory, count: int, asked: int, neighbours: int, offset: float) -> None:
    points, others = normal(count) + np.float32(offset), normal(asked, 1) + np.float32(offset)
    memory.add(np.arange(count), points)
    found = memory.nearest(others, neighbours)
    assert found.dtype == np.float64
    assert np.allclose(found, brute(points, others, neighbours), rtol=1e-9)


def test_is_pyribs(memory: Memory) -> None:
    """Its novelty is the mean distance to the k nearest in the archive, here one that admits all and holds all."""
    ribs = pytest.importorskip("ribs.archives")
    points, asked = normal(300, size=8), normal(40, 1, size=8)
    archive = ribs.ProximityArchive(solution_dim=8, measure_dim=8, k_neighbors=15, novelty_threshold=0.0)
    archive.add(points.astype(np.float64), None, points.astype(np.float64))
    assert archive.stats.num_elites == 300
    memory.add(np.arange(300), points)
    novelty = archive.compute_novelty(asked.astype(np.float64))
    assert np.allclose(memory.nearest(asked, 15).mean(axis=1), novelty, atol=1e-5)


def test_near_duplicates_keep_their_distance(memory: Memory) -> None:
    """Twins a ten-thousandth apart among points a thousand apart, a million from the origin in doubles' reach."""
    points = (normal(200, size=16) * 1000).astype(np.float32)
    twins = points + (np.float32(1e-3) * normal(200, 1, size=16))
    memory.add(np.arange(200), points)
    expected = np.linalg.norm(points.astype(float) - twins.astype(float), axis=1)
    assert expected.max() < 0.01
    assert np.allclose(memory.nearest(twins, 1)[:, 0], expected, rtol=1e-6)


def test_two_tight_crowds_far_apart_are_told_apart(memory: Memory) -> None:
    """Seen from the middle all of one crowd are one point, in float32."""
    points = (normal(4000, size=16) * 1e-3).astype(np.float32)
    points[::2] += 100
    memory.add(np.arange(4000), points)
    asked = points[:20] + np.float32(1e-4)
    assert np.allclose(memory.nearest(asked, 15), brute(points, asked, 15), rtol=1e-6)


def test_duplicates_are_at_no_distance_each_counted(memory: Memory) -> None:
    memory.add(np.arange(6), np.array([[5, 5], [5, 5], [5, 5], [9, 5], [5, 8], [5, 5]], np.float32))
    assert memory.nearest(np.array([[5, 5]], np.float32), 9).tolist() == [[0, 0, 0, 0, 3, 4]]


def test_nobody_left_out_is_a_neighbour(memory: Memory) -> None:
    points = normal(60)
    memory.add(np.arange(100, 160), points)
    leave_out = np.array([103, 120, 7, 159])
    kept = np.delete(points, [3, 20, 59], axis=0)
    assert np.allclose(memory.nearest(points[:9], 64, leave_out), brute(kept, points[:9], 64))
    assert memory.nearest(points[:9], 5, np.arange(100, 160)).shape == (9, 0)


def test_its_mean_is_the_sparseness_of_who_is_in_it(memory: Memory) -> None:
    points = normal(80)
    memory.add(np.arange(80), points)
    alone = [memory.nearest(points[[row]], 15, np.array([row]))[0].mean() for row in range(80)]
    assert np.allclose(alone, sparseness(points, 15))


def test_a_point_has_the_same_distances_to_the_bit_in_any_company(memory: Memory) -> None:
    points, asked = normal(3000), normal(33, 1)
    memory.add(np.arange(3000), points)
    together = memory.nearest(asked, 15)
    alone = np.concatenate([memory.nearest(asked[[row]], 15) for row in range(33)])
    assert together.tobytes() == alone.tobytes()


def test_how_it_was_filled_changes_nothing_to_the_bit(kind: str, tmp_path: Path) -> None:
    points, asked = normal(2500), normal(20, 1)
    order = np.random.default_rng(2).permutation(2500)
    whole, pieces = (MEMORIES[kind](tmp_path / name, 1) for name in ("whole", "pieces"))
    whole.add(np.arange(2500), points)
    for part in np.array_split(order, 40):
        pieces.add(part, points[part])
        pieces.add(part + 10_000, points[part] + 1)
        pieces.remove(part + 10_000)
    assert whole.nearest(asked, 30).tobytes() == pieces.nearest(asked, 30).tobytes()
    whole.close()
    pieces.close()


def test_more_than_are_measured_at_once_is_the_same(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    points, asked = normal(5000, size=12), normal(70, 1, size=12)
    memory.add(np.arange(5000), points)
    for name, value in (("CELLS", 4000), ("PAIRS", 100), ("LEAST", 64)):
        monkeypatch.setattr(module, name, value)
    assert np.allclose(memory.nearest(asked, 25), brute(points, asked, 25), rtol=1e-9)


commands = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "clear"]), st.sets(st.integers(0, 30), max_size=12)), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(commands)
def test_it_is_a_dictionary_whatever_is_added_and_removed(done: list[tuple[str, set[int]]]) -> None:
    everyone = normal(31, size=3)
    memory, expected = Exact(), dict[int, np.ndarray]()
    for what, who in done:
        apply(memory, expected, everyone, what, who)
    check(memory, expected, everyone)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_a_dictionary_through_a_long_life(memory: Memory, seed: int) -> None:
    rng, everyone = np.random.default_rng(seed), normal(31, size=3)
    expected: dict[int, np.ndarray] = {}
    for what in rng.choice(["add", "remove", "clear"], 60, p=[0.55, 0.4, 0.05]):
        apply(memory, expected, everyone, what, set(rng.integers(0, 31, 6).tolist()))
        check(memory, expected, everyone)


def apply(memory: Memory, expected: dict[int, np.ndarray], everyone: np.ndarray, what: str, who: set[int]) -> None:
    if what == "clear":
        memory.clear()
        expected.clear()
    elif what == "remove":
        memory.remove(np.array(sorted(who), np.int64))
        for each in who:
            expected.pop(each, None)
    else:
        new = [each for each in who if each not in expected]
        memory.add(np.array(new, np.int64), everyone[new])
        expected |= {each: everyone[each] for each in new}


def check(memory: Memory, expected: dict[int, np.ndarray], everyone: np.ndarray) -> None:
    assert len(memory) == len(expected) and memory.identities.tolist() == list(expected)
    held = np.array(list(expected.values()), np.float32).reshape(-1, 3)
    assert np.array_equal(memory.points.reshape(-1, 3), held)
    assert np.allclose(memory.nearest(everyone, 4), brute(held, everyone, 4))


def test_what_is_refused_changes_nothing(memory: Memory) -> None:
    memory.add(np.arange(4), normal(4, size=3))
    for identities, points in (([3], normal(1, size=3)), ([5, 5], normal(2, size=3)), ([6], normal(2, size=3))):
        with pytest.raises(ValueError, match="memory: "):
            memory.add(np.array(identities), points)
    with pytest.raises(ValueError, match="allowed is size 3"):
        memory.add(np.array([9]), normal(1, size=4))
    with pytest.raises(ValueError, match="allowed is 3"):
        memory.nearest(normal(1, size=4), 2)
    with pytest.raises(ValueError, match="0 neighbours"):
        memory.nearest(normal(1, size=3), 0)
    assert memory.identities.tolist() == [0, 1, 2, 3]


def test_cleared_it_takes_points_of_another_size(memory: Memory) -> None:
    memory.add(np.arange(4), normal(4, size=3))
    memory.clear()
    assert memory.nearest(normal(2, size=7), 5).shape == (2, 0)
    memory.add(np.arange(2), normal(2, size=7))
    assert memory.points.shape == (2, 7)


# ---- the large one


def families(count: int, seed: int, size: int = SIZE) -> np.ndarray:
    """Points as sounds have them: families of unlike sizes, each varying in a few ways, and a little noise."""
    shape, rng = np.random.default_rng(99), np.random.default_rng(seed)
    centres, ways = shape.standard_normal((40, size)), 0.25 * shape.standard_normal((40, 6, size))
    share = shape.pareto(1.2, 40) + 0.1
    of = rng.choice(40, count, p=share / share.sum())
    vary = np.einsum("ij,ijk->ik", rng.standard_normal((count, 6)), ways[of])
    return (centres[of] + vary + 0.05 * rng.standard_normal((count, size))).astype(np.float32)


def small(folder: Path) -> Large:
    """One that trains early."""
    return Large(folder, 1, train_from=3000)


def recall(memory: Memory, points: np.ndarray, asked: np.ndarray, neighbours: int = 15) -> float:
    """The share of the nearest that is found, by distance."""
    true = brute(points, asked, neighbours)
    return float((memory.nearest(asked, neighbours) <= true[:, -1:] * (1 + 1e-9)).mean())


@faiss
def test_an_index_finds_nearly_all_and_never_says_nearer_than_it_is(tmp_path: Path) -> None:
    points, asked = families(12_000, 0), families(64, 1)
    with small(tmp_path) as memory:
        for part in np.array_split(np.arange(12_000), 60):
            memory.add(part, points[part])
        assert memory._index is not None and 0 < memory._probe < memory._index.nlist
        assert recall(memory, points, asked) >= RECALL - 0.03
        assert (memory.nearest(asked, 15) >= brute(points, asked, 15) * (1 - 1e-9)).all()


@faiss
def test_points_without_structure_are_all_looked_at(tmp_path: Path) -> None:
    points, asked = normal(4000), normal(20, 1)
    with small(tmp_path) as memory:
        memory.add(np.arange(4000), points)
        assert memory._index is None
        assert recall(memory, points, asked) == 1.0


@faiss
def test_those_just_added_are_found_and_those_removed_are_not(tmp_path: Path) -> None:
    points = families(8000, 0)
    with small(tmp_path) as memory:
        memory.add(np.arange(7990), points[:7990])
        memory.add(np.arange(7990, 8000), points[7990:])
        assert (memory.nearest(points[7990:], 1) == 0).all()
        memory.remove(np.arange(7000, 8000))
        assert (memory.nearest(points[7000:], 1) > 0).all()
        assert (memory.nearest(points[:50], 1, np.arange(50)) > 0).all()
        assert (memory.nearest(points[:50], 1) == 0).all()


@faiss
def test_it_survives_reopening_with_its_index(tmp_path: Path) -> None:
    points, asked = families(6000, 0), families(32, 1)
    with small(tmp_path) as memory:
        memory.add(np.arange(5000), points[:5000])
        memory.remove(np.arange(0, 5000, 7))
        memory.add(np.arange(5000, 6000), points[5000:])
        identities, before = memory.identities.copy(), memory.nearest(asked, 15)
    written = (tmp_path / "memory.index").stat().st_mtime_ns
    with small(tmp_path) as memory:
        assert memory.lost == 0 and memory._trained == 5000
        assert np.array_equal(memory.identities, identities) and np.array_equal(memory.points, points[identities])
        assert np.allclose(memory.nearest(asked, 15), before)
    assert (tmp_path / "memory.index").stat().st_mtime_ns == written


@faiss
def test_an_index_of_other_points_is_trained_anew(tmp_path: Path) -> None:
    first, second = families(5000, 0), families(5000, 1)
    for name, points in (("a", first), ("b", second)):
        with small(tmp_path / name) as memory:
            memory.add(np.arange(5000), points)
    for ending in ("index", "json"):
        (tmp_path / "b" / f"memory.{ending}").rename(tmp_path / "a" / f"memory.{ending}")
    with small(tmp_path / "a") as memory:
        assert recall(memory, first, families(64, 2)) >= RECALL - 0.03


@faiss
@pytest.mark.parametrize("harm", ["cut", "zeros", "flip", "index"])
def test_torn_files_are_noticed_and_what_is_added_heals_them(tmp_path: Path, harm: str) -> None:
    points, file = families(4000, 0), tmp_path / "memory.points"
    with small(tmp_path) as memory:
        memory.add(np.arange(4000), points)
    content = bytearray(file.read_bytes())
    record = 16 + 4 * SIZE
    whole = {"cut": 3999, "zeros": 3990, "flip": 1234, "index": 4000}[harm]
    if harm == "cut":
        file.write_bytes(content[:-100])
    elif harm == "zeros":
        content[-10 * record :] = bytes(10 * record)
        file.write_bytes(content)
    elif harm == "flip":
        content[16 + 4 * SIZE + 1234 * record + 77] ^= 1
        file.write_bytes(content)
    else:
        (tmp_path / "memory.index").write_bytes(b"torn")
    with small(tmp_path) as memory:
        assert memory.lost == 4000 - whole and len(memory) == whole
        assert np.array_equal(memory.points, points[:whole])
        memory.add(np.arange(whole, 4000), points[whole:])
        assert recall(memory, points, families(64, 2)) >= RECALL - 0.03
    with small(tmp_path) as memory:
        assert memory.lost == 0 and np.array_equal(memory.points, points)


@faiss
def test_what_a_killed_process_added_is_there(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, numpy as np; from pathlib import Path\n"
        "from installation.evolution.large import open_large\n"
        "memory = open_large(Path(sys.argv[1]), 1)\n"
        "memory.add(np.arange(50), np.arange(150, dtype=np.float32).reshape(50, 3))\n"
        "memory.remove(np.arange(5)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -9
    with Large(tmp_path) as memory:
        assert memory.identities.tolist() == list(range(5, 50)) and memory.points[0].tolist() == [15, 16, 17]


@faiss
def test_points_taken_out_before_a_clear_stay_what_they_were(tmp_path: Path) -> None:
    with Large(tmp_path) as memory:
        memory.add(np.arange(4), normal(4))
        taken = memory.points
        memory.clear()
        memory.add(np.arange(2), normal(2, 5))
        assert np.array_equal(taken, normal(4))


@faiss
def test_a_folder_in_use_or_of_something_else_is_refused(tmp_path: Path) -> None:
    with Large(tmp_path / "used"), pytest.raises(StoreError, match=r"memory\.points"):
        open_large(tmp_path / "used")
    (tmp_path / "memory.points").write_bytes(b"what someone else keeps here")
    with pytest.raises(StoreError, match="not a file of points"):
        open_large(tmp_path)
    assert (tmp_path / "memory.points").read_bytes() == b"what someone else keeps here"


def test_without_the_library_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InstallationError, match=r"pip install -c constraints.txt '.\[large\]'"):
        MEMORIES["large"](tmp_path, 1)
