"""How soon a knob is heard: OSC sent → the first changed sample that comes out of the sink.

    python -m bench.knob [--trials 60] [--busy 4] [--model bronze] [--ahead 200]

A private PulseAudio is the card; the show runs headless, breeder and stage and all. The path is held, so that the
sound of one latent repeats with the model's ratio; a latent is swung to and fro by OSC, and the first sample of the
sink's recording that differs from the one a ratio before is the answer. What lies between is OSC, two processes, the
ring and the card: the card's own share, from a sample being taken to its arrival in the recording, is measured in the
same run. With --busy as many processes count to no end meanwhile, at the usual priority; with --plain the show may not
raise its own above that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from bench.show import busy, conductor_of
from installation import model
from installation.control.osc import message
from tests.pulse import RATE_HZ, PrivatePulse, Recording, lag, private_pulse

SCENE = """
name: Knob
model: {name}
voice: {{device: pulse, ahead_ms: {ahead}}}
picture: {{shader: embers.fs, width: 320, height: 180, fps: 30}}
osc: {{port: 9139}}
"""
PORT = 9139
SETTLE_S = 5.0
CHANGED = 1e-3
"""A sample has changed if it differs by more from what it would have repeated."""

Samples = npt.NDArray[np.float32]


class Bench:
    """One run with a recording of its sink and a copy of its ring."""

    def __init__(self, folder: Path, name: str, ahead: float) -> None:
        self.report = folder / "report.json"
        self.conductor = conductor_of(folder, {"knob": SCENE.format(name=name, ahead=ahead)}, self.report)
        self.sent: list[float] = []
        self.taken: list[tuple[int, float]] = []
        self.copied: list[Samples] = []
        self.missed = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def run(self, pulse: PrivatePulse, trials: int) -> Recording:
        """Play, hold, swing, stop."""
        recording = pulse.record()
        playing = asyncio.ensure_future(self.conductor.run())
        watching = asyncio.ensure_future(self._watch())
        await asyncio.sleep(SETTLE_S)
        watching.cancel()
        self._send("/voice/hold", 1)
        self._send("/latent/0/bias", -1.0)
        await asyncio.sleep(2.0)
        ring = self.conductor.ring
        before = ring.missed if ring else 0
        for number in range(trials):
            self.sent.append(time.monotonic())
            self._send("/latent/0/bias", -1.0 if number % 2 else 1.0)
            await asyncio.sleep(0.9 + 0.0137 * (number % 9))
        self.missed = (ring.missed if ring else 0) - before
        self.conductor.stop()
        await playing
        return recording

    async def _watch(self) -> None:
        """When each part of the ring was taken, and what it was."""
        upto = 0
        while True:
            await asyncio.sleep(0.001)
            ring = self.conductor.ring
            if ring is None or ring.taken == upto:
                continue
            taken = ring.taken
            self.taken.append((taken, time.monotonic()))
            self.copied.append(ring.tap(taken, min(taken - upto, RATE_HZ) if upto else 0))
            upto = taken

    def _send(self, address: str, value: float) -> None:
        self._socket.sendto(message(address, value), ("127.0.0.1", PORT))


def first_change(heard: Samples, since: int, period: int) -> int | None:
    """The first sample from `since` on that differs from the one a `period` before."""
    line = heard[since : since + RATE_HZ // 2]
    differs = np.abs(line - heard[since - period : since - period + len(line)]).max(axis=1) > CHANGED
    return since + int(np.argmax(differs)) if differs.any() else None


def card_ms(bench: Bench, recording: Recording, heard: Samples) -> float:
    """Median time from a sample's being taken to its arrival in the recording."""
    copied = np.concatenate(bench.copied)
    first = bench.taken[-1][0] - len(copied)
    piece = copied[2 * RATE_HZ : 3 * RATE_HZ].sum(axis=1)  # before the path is held: then the sound repeats
    place, likeness = lag(piece, heard[: int((SETTLE_S + 1.0) * RATE_HZ)].sum(axis=1))
    if likeness < 0.9:
        return float("nan")
    shift = place - (first + 2 * RATE_HZ)
    waits = [recording.arrival_s(taken - 1 + shift) - at_s for taken, at_s in bench.taken[50:]]
    return 1000.0 * float(np.median(waits))


def without_privileges(words: list[str]) -> NoReturn:
    """Begin again as a process that may not raise any priority, whoever starts it (setpriv is of util-linux)."""
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    resource.setrlimit(resource.RLIMIT_NICE, (0, 0))
    dropped = [f"--{which}=-sys_nice" for which in ("bounding-set", "inh-caps")] if os.geteuid() == 0 else []
    os.execvp("setpriv", ["setpriv", *dropped, sys.executable, "-m", "bench.knob", *words])


def measure(trials: int, others: int, name: str, ahead: float) -> dict[str, Any]:
    """One run's figures."""
    period = model.load(name).ratio
    with tempfile.TemporaryDirectory() as folder, private_pulse() as pulse:
        bench = Bench(Path(folder), name, ahead)
        with busy(others):
            recording = asyncio.run(bench.run(pulse, trials))
        heard = recording.stop()
        report = json.loads(bench.report.read_text("utf-8"))
        delays_ms = []
        for sent_s in bench.sent:
            changed = first_change(heard, recording.sample_at(sent_s), period)
            if changed is not None:
                delays_ms.append(1000.0 * (recording.arrival_s(changed) - sent_s))
        own_ms = card_ms(bench, recording, heard)
    return {
        "busy_processes": others,
        "heard": f"{len(delays_ms)} of {trials}",
        "card_ms": round(own_ms, 1),
        "median_ms": round(float(np.median(delays_ms)), 1),
        "p99_ms": round(float(np.percentile(delays_ms, 99)), 1),
        "beyond_the_card_ms": {
            "median": round(float(np.median(delays_ms)) - own_ms, 1),
            "p99": round(float(np.percentile(delays_ms, 99)) - own_ms, 1),
        },
        "missed_samples": bench.missed,
        "card_underflows": report["sound"]["card_underflows"],
        "decode_ms": report["sound"]["decode_ms"],
        "all_ms": [round(each, 1) for each in delays_ms],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--model", default="bronze")
    parser.add_argument("--ahead", type=float, default=200.0, help="ms of sound held ready")
    parser.add_argument("--plain", action="store_true", help="without any privilege: no priority above the usual")
    arguments = parser.parse_args()
    if arguments.plain:
        without_privileges([word for word in sys.argv[1:] if word != "--plain"])
    print(json.dumps(measure(arguments.trials, arguments.busy, arguments.model, arguments.ahead), indent=2))


if __name__ == "__main__":
    main()
