"""The process that films: it takes pictures out of shared memory and sound out of the ring, and writes them to files.

It is started by `Filming` as `python -m installation.picture.films.encoding`, told in one line of JSON on its standard
input what to film, and tells on its standard output how far it is. When its input ends it ends what it writes, and
itself: so also when whoever started it was killed. Nobody waits for it, and it gives way to everybody.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from multiprocessing import resource_tracker
from typing import Any

from installation.errors import RenderError
from installation.link import SIGNALS
from installation.picture.films.encoder import REST_S, Encoder, Order
from installation.picture.films.film import prepare
from installation.picture.films.slots import Slots
from installation.ring import Ring

NICE = 7
"""After the picture, before the search."""
TELL_S = 0.25
LOOK_S = 1.0
"""How often the disk is looked at."""


def film(order: Order) -> None:
    """Until told to end, or until it can't be gone on with, which is said."""
    with ExitStack() as opened:
        try:
            ring = opened.enter_context(Ring.attach(order.ring))
            slots = opened.enter_context(contextlib.closing(Slots.attach(order.slots)))
        except OSError as error:
            _say({"sentence": f"can't be filmed: {error}"})
            return
        for shared in (ring, slots):  # they are not ours to remove (bpo-38119)
            resource_tracker.unregister(f"/{shared.name.lstrip('/')}", "shared_memory")
        prepare()
        _say({"ready": True})
        encoder = Encoder(order, slots, ring, _say, datetime.now)
        try:
            _until_told(encoder)
            encoder.finish()
        except (OSError, RenderError, ValueError) as error:
            _say({"sentence": f"can't be filmed any further: {error}; what was filmed until then is kept"})
            _say(encoder.figures())
            # To close a file that can't be written would rewrite its beginning alone: left as it is, it can be seen.
            os._exit(0)
        _say(encoder.figures())


def _until_told(encoder: Encoder) -> None:
    told_s = looked_s = 0.0
    while not _told(0.0):  # before each step: one that was held up goes on with nothing that came after the end
        worked = encoder.step()
        now_s = time.monotonic()
        if now_s - looked_s >= LOOK_S:
            looked_s, why = now_s, encoder.look()
            if why:
                _say({"sentence": why})
                return
        if now_s - told_s >= TELL_S:
            told_s = now_s
            _say(encoder.figures())
        if not worked and _told(REST_S):
            return


def _told(wait_s: float) -> bool:
    """Whether the standard input has ended; waits for that for so long."""
    return bool(select.select([sys.stdin], [], [], wait_s)[0])


def main() -> None:
    """Film for whoever started this process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(max(0, NICE - os.getpriority(os.PRIO_PROCESS, 0)))
    order = Order(**json.loads(sys.stdin.readline()))
    film(order)


def _say(what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more: what is filmed is still to be ended well
        print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
