"""The process that films: it takes pictures out of shared memory and sound out of the ring, and writes them to files.

It is started by `Filming` as `python -m installation.picture.films.encoding`, told in one line of JSON on its standard
input what to film, and tells on its standard output how far it is. When its input ends it ends what it writes, and
itself: so also when whoever started it was killed. Nobody waits for it, and it gives way to everybody.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
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


def film(order: Order, ended: threading.Event) -> None:
    """Until `ended`, or until it can't be gone on with, which is said."""
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
            _until(encoder, ended)
            encoder.finish()
        except (OSError, RenderError, ValueError) as error:
            _say({"sentence": f"can't be filmed any further: {error}; what was filmed until then is kept"})
            _say(encoder.figures())
            # To close a file that can't be written would rewrite its beginning alone: left as it is, it can be seen.
            os._exit(0)
        _say(encoder.figures())


def _until(encoder: Encoder, ended: threading.Event) -> None:
    told_s = looked_s = 0.0
    while not ended.is_set():
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
        if not worked:
            ended.wait(REST_S)


def main() -> None:
    """Film for whoever started this process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(max(0, NICE - os.getpriority(os.PRIO_PROCESS, 0)))
    order = Order(**json.loads(sys.stdin.readline()))
    ended = threading.Event()
    threading.Thread(target=_until_told, args=(ended,), daemon=True).start()
    film(order, ended)


def _until_told(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _say(what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more: what is filmed is still to be ended well
        print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
