"""How long a process was ready to run and was not let: what a busy machine takes from it, and not its own doing.

Linux counts it for each thread, /proc/PID/task/TID/schedstat: nanoseconds run, nanoseconds waited, turns (the kernel's
Documentation/scheduler/sched-stats.rst). Elsewhere nothing is known, and nothing is allowed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def waited(process: int) -> dict[int, float]:
    """Seconds that each thread of `process`, by number, has waited to run since it began."""
    found: dict[int, float] = {}
    with suppress(OSError):  # not Linux, or it has ended
        for each in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError, ValueError, IndexError):
                found[int(each.name)] = int((each / "schedstat").read_text("ascii").split()[1]) / 1e9
    return found


def between(before: Mapping[int, float], now: Mapping[int, float]) -> float:
    """Seconds the thread that waited most has waited from `before` to `now`: the others may have waited for it."""
    return max((seconds - before.get(thread, 0.0) for thread, seconds in now.items()), default=0.0)
