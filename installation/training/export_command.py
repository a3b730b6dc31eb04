"""`installation models export RUN --out models/NAME`: a run becomes a model: files, figures, pictures, card.

Everything is made beside the model's folder, which is exchanged when all of it is there; interrupted, or refused, an
export leaves what was there before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from installation import model
from installation.errors import ModelError
from installation.training import course, manifest, recipe, sounds

MOST_HEARD = 20
"""Recordings, spread over the training sound, from which an export's axes and ranges are taken."""

LICENCE = (
    "Whoever owns the sound this was trained on says what may be done with it; until then, nothing. Trained with "
    "acids-rave 2.3.1, which is CC BY-NC 4.0; none of its code is in these files (installation/training/network.py)."
)
"""Of a model of somebody's own sound, unless they say otherwise."""


def add_export_command(commands: Any) -> None:
    """Register `models export`."""
    export = commands.add_parser("export", help="a run to a model's folder: files, held-out figures, pictures, card")
    export.add_argument("training_run", type=Path, metavar="RUN", help="folder of a run: the one with config.gin")
    export.add_argument("--out", type=Path, required=True, metavar="models/NAME")
    export.add_argument(
        "--sound", type=Path, metavar="FOLDER", help="the training sound (default: what it was trained on)"
    )
    export.add_argument("--held", type=Path, metavar="FOLDER", help="sound it never heard, WAV (default: as prepared)")
    export.add_argument(
        "--checkpoint", type=Path, nargs="+", metavar="FILE", help="several are averaged; default: the newest"
    )
    export.add_argument("--latents", type=int, metavar="COUNT", help="keep those that carry most (default: all)")
    export.add_argument("--no-ts", action="store_true", help="ONNX only, no streaming .ts for nn~ and its like")
    export.add_argument("--training", type=Path, metavar="YAML", help="what the card says under `training`")
    export.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    run: Path = arguments.training_run
    if not (run / "config.gin").is_file():
        raise ModelError(f"{run}: no run: there is no config.gin in it; a run is a folder NAME_… in RUNS")
    for path in arguments.checkpoint or [recipe.newest_checkpoint(run)]:
        if not path.is_file():
            raise ModelError(f"{path}: no such checkpoint")
    known = course.remembered(run.name.rpartition("_")[0], run.parent)
    sound, held = _sounds(arguments, known)
    training = _training(arguments.training, known)
    out: Path = arguments.out
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".exporting-") as unfinished:
        made = Path(unfinished) / out.name
        made.mkdir()
        _make_model(arguments, sound, held, training, made)
        exchange(made, out)
    print((out / model.CARD).read_text("utf-8").rstrip())
    return 0


def _make_model(
    arguments: argparse.Namespace, sound: Path, held_folder: Path, training: dict[str, Any], made: Path
) -> None:
    """Fill the folder `made` with the model."""
    from installation.training import card
    from installation.training.reconstruction import Reconstruction

    with tempfile.TemporaryDirectory() as folder:
        trained, untrained = Path(folder) / "trained", Path(folder) / "untrained"
        few = sounds.few(sound, Path(folder) / "few", MOST_HEARD)
        chosen = ["--checkpoint", *map(str, arguments.checkpoint)] if arguments.checkpoint else []
        kept = [] if arguments.latents is None else [f"--latents={arguments.latents}"]
        _run_exporter(arguments.training_run, made.name, few, trained, *kept, *chosen)
        _run_exporter(arguments.training_run, made.name, few, untrained, *kept, "--untrained")
        told = json.loads((trained / "export.json").read_text("utf-8"))
        script = [] if arguments.no_ts else [f"{made.name}.ts"]
        for name in ("decoder.onnx", "encoder.onnx", *script):
            shutil.copyfile(trained / name, made / name)
        held = sounds.recordings(held_folder, told["sample_rate_hz"])
        ours = Reconstruction(made)
        print("judging on held-out sound", flush=True)
        judged = card.judge(ours, Reconstruction(untrained), held)
        heard = sounds.recordings(few, told["sample_rate_hz"])
    latents = card.write_latents(made, ours, heard)
    pictures = card.draw_pictures(made, ours, held)
    level, licence = card.level_db(heard, told["sample_rate_hz"]), training.pop("licence", None)
    composed = card.compose(made, told, latents, judged, training, level)
    card.write(made, composed if licence is None else {**composed, "licence": licence}, pictures)


def exchange(made: Path, out: Path) -> None:
    """Put the folder `made` in the place of `out`. Files there that are none of its card's come along."""
    if not out.exists():
        made.rename(out)
        return
    if not (out / model.CARD).is_file() and any(out.iterdir()):
        raise ModelError(f"{out}: there is something that is no model; choose another --out")
    before = made.with_name(f"{made.name}.before")
    ours = {model.CARD, *model.load(str(out)).files} if (out / model.CARD).is_file() else {model.CARD}
    for path in out.iterdir():
        if path.name not in ours and not (made / path.name).exists():
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, made / path.name)
    out.rename(before)
    try:
        made.rename(out)
    except BaseException:
        before.rename(out)
        raise


def _sounds(arguments: argparse.Namespace, known: dict[str, Any]) -> tuple[Path, Path]:
    """The folders of training and held-out sound, given, prepared or remembered; ModelError with what is missing."""
    sound = arguments.sound or (Path(known["sound"]) if known else None)
    held = arguments.held or (Path(known["held"]) if known.get("held") else None)
    if sound is not None and manifest.prepared(sound) is not None:
        held = held or sound / manifest.HELD
        sound = sound / manifest.TRAIN
    missing = []
    for option, folder in (("--sound", sound), ("--held", held)):
        if folder is None:
            missing.append(f"{option} FOLDER is needed: {arguments.training_run} does not tell")
        elif not any(folder.rglob("*.wav")):
            missing.append(f"{option} {folder}: no WAV files in it")
    if missing or sound is None or held is None:
        raise ModelError("\n".join(missing))
    return sound, held


def _run_exporter(run: Path, name: str, sound: Path, out: Path, *more: str) -> None:
    """Run the exporter in the training environment; its files in `out`."""
    log = out.parent / f"{out.name}.log"
    print(f"exporting: {out.name}", flush=True)
    flags = [f"--out={out}", f"--name={name}", f"--sound={sound}", *more]
    try:
        for _ in recipe.run(["installation.training.export", str(run.resolve()), *flags], recipe.Recipe(), log):
            pass
    except ModelError as error:
        raise ModelError(f"{error}\n{log.read_text('utf-8')[-2000:]}") from error


def _training(path: Path | None, known: dict[str, Any]) -> dict[str, Any]:
    """What the card is to say of the training: `sentence`, `commands`, `seed`, `notes`, and `licence` instead of the
    shipped models'; without a file, what is known of how the run was begun."""
    import yaml

    if path is None:
        return {**_remembered(known), "licence": LICENCE}
    told = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(told, dict):
        raise ModelError(f"{path}: not a mapping of what to say of the training")
    return told


def _remembered(known: dict[str, Any]) -> dict[str, Any]:
    if not known:
        return {}
    made: recipe.Recipe = known["recipe"]
    parent, sound = (known.get("from") or {}).get("parent"), Path(known["sound"])
    learnt = sound.parent.name if sound.name == manifest.TRAIN else sound.name
    return {
        "sentence": f"A RAVE model of {learnt}, trained with `models train`.",
        "seed": made.seed,
        "notes": f"{'Begun from ' + Path(parent).name + '. ' if parent else ''}Settings: "
        + ", ".join(f"{name} {value}" for name, value in vars(made).items()),
    }
