"""What a run came to, as numbers: the JSON of `--report` and the sentence the log says now and then."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from installation.child import Child


def compose(children: Mapping[str, Child], control: Mapping[str, int], first_sound_s: float | None) -> dict[str, Any]:
    """The report: sound, picture, evolution, control, processes. A part that never ran is empty."""
    sound = dict(children["voice"].figures)
    if sound:
        sound["first_sound_s"] = first_sound_s
    evolution = dict(children["breeder"].figures)
    evolution["trajectories_played"] = sound.pop("trajectories_played", 0)
    return {
        "sound": sound,
        "picture": dict(children["stage"].figures),
        "evolution": evolution,
        "control": dict(control),
        "processes": {
            name: {"rss_mb": round(child.rss_mb, 1), "restarts": child.restarts, "down_s": round(child.down_s, 2)}
            for name, child in children.items()
            if child.rss_mb
        },
    }


def write(path: Path, children: Mapping[str, Child], control: Mapping[str, int], first_sound_s: float | None) -> None:
    """The report as a JSON file, whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(compose(children, control, first_sound_s), indent=2) + "\n", "utf-8")
    beside.replace(path)


def sentence(children: Mapping[str, Child]) -> str:
    """How the show goes, for the log."""
    sound, picture = children["voice"].figures, children["stage"].figures
    evolution = children["breeder"].figures
    return (
        f"{sound.get('samples', 0) / max(1, sound.get('sample_rate_hz', 1)):.0f} s of sound at "
        f"{sound.get('rms_db', -120.0)} dB, {sound.get('missed_samples', 0)} samples missed; "
        f"{picture.get('frames', 0)} frames; generation {evolution.get('generations', 0)}, "
        f"mean sparseness {evolution.get('mean_sparseness', 0.0):.3f}, "
        f"{evolution.get('evaluations_a_second', 0.0):g} evaluated a second"
    )
