"""How long the nearest of many points take: the large memory against the exact one. JSON.

    python -m bench.large [--count 1000000] [--points families|gaussian] [--threads 2]

64 points ask for their 15 and their 50 nearest, as one brood does; milliseconds are median and 95th percentile of 20
asks. `recall` is the share of the true nearest that is found. `families` are points as sounds have them: families of
unlike sizes, each varying in a dozen ways, and a little noise. `gaussian` points are the worst case: the large memory
does without an index there. `build_s` is adding them, in parts of 50,000; `training_s` the longest of those, and
`reopen_s` what opening it again takes. `rss_mb` is the process's memory before it held any point, and after.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from tqdm import tqdm

from installation.evolution.large import Large, open_large
from installation.evolution.memory import Exact, Memory

Floats = npt.NDArray[np.float32]
SIZE, ASKED, NEIGHBOURS, TIMES, PART = 124, 64, (15, 50), 20, 50_000
FAMILIES, WAYS = 300, 12


def families(count: int, rng: np.random.Generator) -> Floats:
    """`count` points of the same families, whatever `rng`, (count, SIZE)."""
    shape = np.random.default_rng(1)
    centres = shape.standard_normal((FAMILIES, SIZE), np.float32)
    ways = np.float32(0.25) * shape.standard_normal((FAMILIES, WAYS, SIZE), np.float32)
    share = shape.pareto(1.2, FAMILIES) + 0.1
    of = rng.choice(FAMILIES, count, p=share / share.sum())
    points = centres[of] + np.float32(0.05) * rng.standard_normal((count, SIZE), np.float32)
    for family in range(FAMILIES):
        among = np.flatnonzero(of == family)
        points[among] += rng.standard_normal((len(among), WAYS), np.float32) @ ways[family]
    return points


def gaussian(count: int, rng: np.random.Generator) -> Floats:
    """`count` points without structure, (count, SIZE)."""
    return rng.standard_normal((count, SIZE), np.float32)


KINDS = {"families": families, "gaussian": gaussian}


def parts(kind: str, count: int) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
    """Identities and points, the same each time."""
    for start in range(0, count, PART):
        few = min(PART, count - start)
        yield np.arange(start, start + few), KINDS[kind](few, np.random.default_rng([start, 2]))


def rss_mb() -> int:
    return round(psutil.Process().memory_info().rss / 2**20)


def filled(memory: Memory, kind: str, count: int) -> dict[str, Any]:
    """Fill it; seconds by what they were for."""
    spent = []
    for identities, points in tqdm(parts(kind, count), total=-(-count // PART), unit="part", leave=False):
        began_s = time.perf_counter()
        memory.add(identities, points)
        spent.append(time.perf_counter() - began_s)
    return {"build_s": round(sum(spent), 2), "training_s": round(max(spent), 2)}


def asked(memory: Memory, points: Floats, neighbours: int) -> dict[str, float]:
    """Milliseconds of an ask."""
    memory.nearest(points, neighbours)
    spent_ms = []
    for _ in range(TIMES):
        began_s = time.perf_counter()
        memory.nearest(points, neighbours)
        spent_ms.append(1e3 * (time.perf_counter() - began_s))
    median, late = np.percentile(spent_ms, (50, 95))
    return {"median": round(median, 1), "p95": round(late, 1)}


def measured(memory: Memory, kind: str, count: int, before_mb: int) -> dict[str, Any]:
    """Fill and ask."""
    points = KINDS[kind](ASKED, np.random.default_rng(3))
    built = filled(memory, kind, count)
    query_ms = {f"k{neighbours}": asked(memory, points, neighbours) for neighbours in NEIGHBOURS}
    return built | {"query_ms": query_ms, "rss_mb": [before_mb, rss_mb()]}


def recall(found: Memory, true: Memory, kind: str) -> dict[str, float]:
    """The share of the nearest that is found, by distance."""
    points, shares = KINDS[kind](ASKED, np.random.default_rng(3)), {}
    for neighbours in NEIGHBOURS:
        farthest = true.nearest(points, neighbours)[:, -1:]
        shares[f"k{neighbours}"] = round(float((found.nearest(points, neighbours) <= farthest).mean()), 4)
    return shares


def reopened(folder: Path, threads: int) -> tuple[float, Large]:
    """Open it again: seconds, and it."""
    began_s = time.perf_counter()
    memory = open_large(folder, threads)
    return round(time.perf_counter() - began_s, 2), memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--points", choices=KINDS, default="families")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with open_large(Path(folder), arguments.threads) as large:
            figures = measured(large, arguments.points, arguments.count, rss_mb())
        figures["reopen_s"], large = reopened(Path(folder), arguments.threads)
        exact = Exact()
        figures_exact = measured(exact, arguments.points, arguments.count, rss_mb())
        figures["recall"] = recall(large, exact, arguments.points)
        large.close()
    print(json.dumps({**vars(arguments), "size": SIZE, "large": figures, "exact": figures_exact}, indent=2))


if __name__ == "__main__":
    main()
