"""How soon a thread runs once it has something to do, among others that are busy: real-time priority where the system
allows it, and without any privilege a short time slice.

Linux schedules by earliest eligible virtual deadline (EEVDF, from 6.6 on; Stoica and Abdel-Wahab, 1995): a task that
asks for a shorter slice has an earlier deadline whenever it wakes, and runs before tasks that compute without end, its
share of the processor being what it was. From 6.12 on any task may choose its slice (sched_setattr(2), the field
sched_runtime of SCHED_OTHER); where it can't, nothing happens.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct

SHORT_S = 0.0005
"""The slice of who must answer at once: the kernel allows 0.1 to 100 ms."""
PRIORITY = 20
"""Of a card's thread among those of SCHED_FIFO, 1 to 99: above the show, below the sound server's own."""
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""The system call's number, by machine."""
_SIZE = 48


def take_slice(seconds: float = SHORT_S) -> bool:
    """Ask for slices of so long for the calling thread, at its nice value; whether the system took it."""
    number = SCHED_SETATTR.get(platform.machine())
    if number is None or platform.system() != "Linux":
        return False
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = struct.pack("IIQiIQQQ", _SIZE, os.SCHED_OTHER, 0, niceness, 0, int(seconds * 1e9), 0, 0)
    call = ctypes.CDLL(None, use_errno=True).syscall
    return bool(call(number, 0, ctypes.c_char_p(attributes), 0) == 0)


def come_before(niceness: int) -> None:
    """Stand before the others by so much, where the system allows it, and take short slices."""
    with contextlib.suppress(PermissionError):
        os.nice(niceness)
    take_slice()


def come_first() -> None:
    """Let the calling thread, which sleeps mostly, run before all others: by SCHED_FIFO where the system allows it,
    else with short slices."""
    take_slice()
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
