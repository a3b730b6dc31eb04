"""What a run has learnt so far, as pictures: its losses, and held-out sound above what a checkpoint makes of it.

    python -m installation.training.glimpse RUN --checkpoint FILE --name NAME --out FOLDER --losses FILE --phase-1 STEPS
        [--sound FOLDER --held FOLDER]

Runs in a process of its own, at the lowest priority, beside the training that it must neither delay nor end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from installation.errors import InstallationError
from installation.training import curves, pictures, recipe, sounds
from installation.training.reconstruction import Reconstruction

HEARD = 2
"""Recordings that the latents' axes are taken from."""
SHOWN = 2
"""Held-out recordings drawn."""
SHOWN_S = 8.0


def reconstruct(run: Path, checkpoint: Path, sound: Path, held: Path, out: Path, title: str, log: Path) -> None:
    """Write a PNG of held-out recordings, each above its reconstruction by `checkpoint`."""
    with tempfile.TemporaryDirectory() as folder:
        few = sounds.few(sound, Path(folder) / "few", HEARD)
        flags = [f"--out={folder}/made", "--name=glimpse", f"--sound={few}", f"--checkpoint={checkpoint}"]
        for _ in recipe.run(["installation.training.export", str(run), *flags], recipe.Recipe(), log):
            pass
        made = Reconstruction(Path(folder) / "made")
        panels: dict[str, sounds.Samples] = {}
        paths = sorted(held.rglob("*.wav"))
        for number, path in enumerate(paths[:: max(1, len(paths) // SHOWN)][:SHOWN], 1):
            excerpt = sounds.read(path, made.sample_rate_hz)[: int(SHOWN_S * made.sample_rate_hz)]
            panels |= {f"held out {number}": excerpt, f"reconstruction {number}": made(excerpt)}
    pictures.draw_panels(out, title, panels, made.sample_rate_hz)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="glimpse", description="What a run has learnt so far, as pictures.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--step", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--losses", type=Path, required=True)
    parser.add_argument("--phase-1", type=int, required=True)
    parser.add_argument("--sound", type=Path)
    parser.add_argument("--held", type=Path)
    options = parser.parse_args(arguments)
    os.nice(19)
    options.out.mkdir(parents=True, exist_ok=True)
    curves.draw(options.out / "losses.png", options.name, curves.Ledger(options.losses).read(), options.phase_1)
    if options.sound is None or options.held is None:
        return
    picture = options.out / f"step-{options.step:07d}.png"
    title = f"{options.name} after {options.step:,} steps: sound it never heard"
    log = options.out / "export.log"
    try:
        reconstruct(options.run, options.checkpoint, options.sound, options.held, picture, title, log)
    except InstallationError as error:
        raise SystemExit(f"glimpse: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
