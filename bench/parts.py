"""Several models at once, and models that change places: what was missed meanwhile.

    python -m bench.parts [--seconds 300] [--busy 0]

Two runs against a private PulseAudio, breeders, stage and all. `orchestra`: four parts for so long. `swap`: a scene
with another model is recalled every ten seconds. What the sink's monitor recorded is searched for gaps: runs of exact
silence of 2 ms and more, which no model makes while it sounds; what the ring missed and the card's own underflows are
counted by the show itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.show import busy, conductor_of
from installation import model
from installation.conductor import Conductor
from installation.control.osc import message
from tests.pulse import RATE_HZ, private_pulse

PORT = 9141
COMMON = """
voice: {{device: pulse, ahead_ms: 200, gain: -6, crossfade_s: 2}}
picture: {{shader: embers.fs, width: 320, height: 180, fps: 30}}
osc: {{port: {port}}}
"""
CHANGE_S = 10.0
BEGUN_S = 6.0
"""By then all parts sound."""
SHORTEST_GAP = RATE_HZ // 500

Samples = npt.NDArray[np.float32]


def orchestra(names: list[str]) -> dict[str, str]:
    """One scene, by stem."""
    first, *others = (names * 4)[:4]
    parts = "".join(
        f"  - {{model: {name}, gain: -9, pan: {pan}, rate: {rate}, detune: {detune}}}\n"
        for name, pan, rate, detune in zip(others, (-0.7, 0.7, 0.0), (0.5, 1.0, 1.5), (-7, 5, -1200), strict=True)
    )
    return {"orchestra": f"name: Orchestra\nmodel: {first}\norchestra:\n{parts}" + COMMON.format(port=PORT)}


def swap(names: list[str]) -> dict[str, str]:
    """A scene for each model, by stem."""
    return {f"swap-{name}": f"name: Swap {name}\nmodel: {name}\n" + COMMON.format(port=PORT) for name in names}


async def play(conductor: Conductor, seconds: float, stems: list[str]) -> None:
    """Run it; change from scene to scene if there are several."""
    playing = asyncio.ensure_future(conductor.run())
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end_s, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end_s:
        await asyncio.sleep(min(CHANGE_S, max(0.0, end_s - time.monotonic())))
        turn += 1
        if len(stems) > 1:
            sender.sendto(message("/scene/recall", turn % len(stems)), ("127.0.0.1", PORT))  # by its place
    conductor.stop()
    await playing


def gaps(heard: Samples) -> list[int]:
    """Lengths in samples of the runs of exact silence within the sound."""
    silent = np.concatenate([[0], (np.abs(heard).max(axis=1) == 0.0).astype(np.int8), [0]])
    begins, ends = np.flatnonzero(np.diff(silent) == 1), np.flatnonzero(np.diff(silent) == -1)
    return [int(end - begin) for begin, end in zip(begins, ends, strict=True) if end - begin >= SHORTEST_GAP]


def measure(scenes: dict[str, str], seconds: float, others: int) -> dict[str, Any]:
    """One run's figures."""
    with tempfile.TemporaryDirectory() as folder, private_pulse() as pulse:
        report = Path(folder) / "report.json"
        conductor = conductor_of(Path(folder), scenes, report)
        recording = pulse.record()
        with busy(others):
            asyncio.run(play(conductor, seconds, list(scenes)))
        heard = recording.stop()
        told = json.loads(report.read_text("utf-8"))
    within = heard[int(BEGUN_S * RATE_HZ) : -2 * RATE_HZ]
    sound = told["sound"]
    return {
        "seconds": seconds,
        "models": sound["models"],
        "missed_samples": sound["missed_samples"],
        "card_underflows": sound["card_underflows"],
        "gaps_in_recording": gaps(within),
        "decode_ms": sound["decode_ms"],
        "decode_budget_ms": sound["decode_budget_ms"],
        "rms_db": sound["rms_db"],
        "restarts": {name: each["restarts"] for name, each in told["processes"].items() if each["restarts"]},
        "rss_mb": {name: each["rss_mb"] for name, each in told["processes"].items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="of each run")
    parser.add_argument("--busy", type=int, default=0, help="processes that count to no end meanwhile")
    parser.add_argument("--only", choices=("orchestra", "swap"))
    arguments = parser.parse_args()
    names = list(model.names())
    for name, scenes in (("orchestra", orchestra(names)), ("swap", swap(names))):
        if arguments.only not in (None, name):
            continue
        print(json.dumps({name: measure(scenes, arguments.seconds, arguments.busy)}, indent=2), flush=True)


if __name__ == "__main__":
    main()
