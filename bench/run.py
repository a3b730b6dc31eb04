"""The whole instrument against a real PortAudio device: what was missed, and what came out.

    python -m bench.run [--seconds 60]

A private PulseAudio is the card. The show runs headless at 640×360, 30 frames a second, breeder and all; what the
sink's monitor recorded is held against what the ring gave, second by second: the same sound (correlation), at the same
distance (no gap).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.show import conductor_of
from tests.pulse import RATE_HZ, PrivatePulse, Recording, lag, private_pulse

SCENE = """
name: Bench
model: bronze
voice: {device: pulse}
picture: {shader: embers.fs, width: 640, height: 360, fps: 30}
osc: {port: 9137}
"""
PORT = 9137

Samples = npt.NDArray[np.float32]


class Bench:
    """One run of the show with a recording of its sink and a copy of its ring."""

    def __init__(self, pulse: PrivatePulse, folder: Path, seconds: float) -> None:
        self.report = folder / "report.json"
        self.conductor = conductor_of(folder, {"bench": SCENE}, self.report)
        self.pulse, self.seconds = pulse, seconds
        self.copied: list[Samples] = []

    async def run(self) -> Recording:
        """Play, copy, stop."""
        recording = self.pulse.record()
        copying = asyncio.ensure_future(self._copy())
        playing = asyncio.ensure_future(self.conductor.run())
        await asyncio.sleep(self.seconds)
        copying.cancel()
        self.conductor.stop()
        await playing
        return recording

    async def _copy(self) -> None:
        """What the ring gave the card, as it goes."""
        upto = 0
        while True:
            await asyncio.sleep(0.2)
            ring = self.conductor.ring
            if ring is not None:
                taken = ring.taken
                self.copied.append(ring.tap(taken, taken - upto))
                upto = taken


def same(copied: Samples, heard: Samples) -> dict[str, Any]:
    """How far the recording lies behind the ring each second, looked for within a quarter of a second of where it lay
    before, and how like it is there. One distance: not a sample was lost or added between."""
    reach, distances, likenesses = RATE_HZ // 4, [], []
    for begin in range(RATE_HZ, len(copied) - RATE_HZ, RATE_HZ):
        piece = copied[begin : begin + RATE_HZ, 0]
        if np.abs(piece).max() < 1e-3:
            continue
        start = begin + distances[-1] - reach if distances else 0
        place, likeness = lag(piece, heard[start : start + RATE_HZ + 2 * reach if distances else None, 0])
        distances.append(start + place - begin)
        likenesses.append(likeness)
    return {
        "seconds_compared": len(distances),
        "seconds_at_distance_in_samples": dict(Counter(distances)),
        "least_correlation": round(min(likenesses, default=0.0), 6),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, private_pulse() as pulse:
        bench = Bench(pulse, Path(folder), arguments.seconds)
        recording = asyncio.run(bench.run())
        heard = recording.stop()
        found = {
            "report": json.loads(bench.report.read_text("utf-8")),
            "sink": same(np.concatenate(bench.copied), heard),
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
