"""`installation evolve` killed with SIGKILL at random moments, resumed, and killed again: does every store open, is at
most the brood in flight lost, and is the end that of a run nobody touched?

    python -m bench.kills --kills 100
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from installation.evolution.store import read_header

SMALL = ("--container", "20", "--brood", "10", "--neighbours", "8", "--steps", "8", "--archive", "40")


def command(out: Path, generations: int, seed: int) -> list[str]:
    """A run that resumes if there is one."""
    resumed = ["--resume"] if read_header(out) is not None else []
    words = ["--out", str(out), "--generations", str(generations), "--seed", str(seed), *SMALL, *resumed]
    return [sys.executable, "-m", "installation", "evolve", *words]


def contents(path: Path) -> dict[str, list[Any]]:
    """Everything a store holds, after SQLite has found it sound."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables}
    finally:
        connection.close()


def reached(path: Path) -> int:
    """The last generation in the store, -1 before the first."""
    if not path.is_file():
        return -1
    held = contents(path).get("generations", [])
    return int(held[-1][0]) if held else -1


def kill(out: Path, generations: int, seed: int, delay_s: float) -> tuple[int, int]:
    """Start, wait until it breeds, wait `delay_s` more, kill; generations before and after."""
    before = reached(out)
    running = subprocess.Popen(command(out, generations, seed), stderr=subprocess.DEVNULL)
    until_s = time.monotonic() + delay_s
    while time.monotonic() < until_s and running.poll() is None:
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    return before, reached(out)


def measure(kills: int, generations: int, folder: Path, seed: int = 1) -> dict[str, Any]:
    """Kill `kills` runs; if one comes to its end before, begin another with the next seed."""
    rng, lost, whole, equal, done = np.random.default_rng(seed), 0, 0, 0, 0
    bar = tqdm(total=kills, unit="kill", leave=False, disable=None)
    while done < kills:
        out = folder / f"killed-{whole}.sqlite"
        while done < kills and reached(out) < generations:
            before, after = kill(out, generations, seed + whole, rng.uniform(0.6, 2.4))
            lost += after < before
            done += 1
            bar.update()
        subprocess.run(command(out, generations, seed + whole), check=True, stderr=subprocess.DEVNULL)
        untouched = folder / f"untouched-{whole}.sqlite"
        subprocess.run(command(untouched, generations, seed + whole), check=True, stderr=subprocess.DEVNULL)
        equal += contents(out) == contents(untouched)
        whole += 1
    return {"kills": done, "stores_that_lost_a_generation": lost, "runs": whole, "runs_equal_to_untouched": equal}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--generations", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(given.kills, given.generations, Path(folder)), indent=2))


if __name__ == "__main__":
    main()
