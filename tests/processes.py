"""Other processes, as tests see them."""

from __future__ import annotations

import psutil


def words(process: psutil.Process) -> list[str]:
    """The command line it was started with; none of one that has ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
