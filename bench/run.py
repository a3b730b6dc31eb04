"""The whole instrument against a real PortAudio device: what was missed, what came out, how soon a knob is heard.

    python -m bench.run [--seconds 60] [--knobs 20]

A private PulseAudio is the card. The show runs headless at 640×360, 30 frames a second, breeder and all; what the
sink's monitor recorded is held against what the ring gave, second by second: the same sound (correlation), at the same
distance (no gap). Then a knob is turned twenty times by OSC and looked for in the recording.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.conductor import Conductor, Options
from installation.control.osc import message
from installation.schema import load
from installation.show import Show
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

    def __init__(self, pulse: PrivatePulse, folder: Path, seconds: float, knobs: int) -> None:
        scene = folder / "bench.yaml"
        scene.write_text(SCENE, "utf-8")
        self.report = folder / "report.json"
        options = Options(state=folder, headless=True, device="pulse", report=self.report)
        self.conductor = Conductor(Show(("bench",), lambda _: load(scene)), options, time.monotonic())
        self.pulse, self.seconds, self.knobs = pulse, seconds, knobs
        self.copied: list[Samples] = []
        self.turned_s: list[float] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def run(self) -> Recording:
        """Play, copy, turn, stop."""
        recording = self.pulse.record()
        copying = asyncio.ensure_future(self._copy())
        playing = asyncio.ensure_future(self.conductor.run())
        await asyncio.sleep(self.seconds)
        copying.cancel()
        await self._turn()
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

    async def _turn(self) -> None:
        """Hold the path, let it settle, then swing the first latent to and fro."""
        self._send("/voice/hold", 1)
        self._send("/latent/0/bias", -3.0)
        await asyncio.sleep(1.5)
        for number in range(self.knobs):
            self.turned_s.append(time.monotonic())
            self._send("/latent/0/bias", -3.0 if number % 2 else 1.5)
            await asyncio.sleep(0.9 + 0.013 * number)

    def _send(self, address: str, value: float) -> None:
        self._socket.sendto(message(address, value), ("127.0.0.1", PORT))


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


def first_change(heard: Samples, sample: int) -> int:
    """Samples from `sample` to where the sound leaves what the half second before it was like: the first 2.7 ms window
    whose spectrum lies further from that half second's than any of its own did, and stays so for three windows."""
    size = 128
    window = np.hanning(512)
    before = max(0, sample - RATE_HZ // 2)
    line = heard[before : sample + RATE_HZ // 2, 0]
    frames = np.stack([line[at : at + 512] * window for at in range(0, len(line) - 512, size)])
    spectra = np.log(np.abs(np.fft.rfft(frames)) + 1e-3)
    count = (sample - before - 512) // size
    middle = np.median(spectra[:count], axis=0)
    distance = np.abs(spectra - middle).mean(axis=1)
    limit = 1.3 * distance[:count].max()
    for index in range(count, len(distance) - 3):
        if (distance[index : index + 3] > limit).all():
            return before + index * size + 512 - sample
    return RATE_HZ // 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--knobs", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, private_pulse() as pulse:
        bench = Bench(pulse, Path(folder), arguments.seconds, arguments.knobs)
        recording = asyncio.run(bench.run())
        heard = recording.stop()
        delays_ms = []
        for turned_s in bench.turned_s:
            sample = recording.sample_at(turned_s)
            changed = sample + first_change(heard, sample)
            delays_ms.append(1000.0 * (recording.arrival_s(changed) - turned_s))
        found = {
            "report": json.loads(bench.report.read_text("utf-8")),
            "sink": same(np.concatenate(bench.copied), heard),
            "knob_to_sound_ms": {
                "median": round(float(np.median(delays_ms)), 1),
                "p95": round(float(np.percentile(delays_ms, 95)), 1),
                "all": [round(each, 1) for each in delays_ms],
            },
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
