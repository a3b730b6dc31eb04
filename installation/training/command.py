"""`installation models list · info · add · synthesise · train · export · import-vggish`."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from installation import model
from installation.errors import ModelError
from installation.training.adoption import Opener, add_add_command

BATCHES = (1, 4, 16)
RATE_HZ = 48_000
Importer = Callable[[str, Path], str]
"""Takes in VGGish's weights: where from, which folder to, their SHA-256."""
MOST_HEARD = 20
"""Recordings, spread over the training sound, from which an export's axes and ranges are taken."""


def add_models_commands(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    opener: Opener | None = None,
    importer: Importer | None = None,
) -> None:
    """Register `models` and its sub-commands. With an `opener` of decoders, `info` says how fast a model is; with an
    `importer` of VGGish's weights there is `import-vggish`."""
    models = subparsers.add_parser("models", help="list, describe, train and export models")
    commands = models.add_subparsers(dest="models_command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the models that lie in models/").set_defaults(run=_list)
    _add_info(commands, opener)
    add_add_command(commands, opener)
    _add_synthesise(commands)
    _add_train(commands)
    _add_export(commands)
    if importer is not None:
        _add_import_vggish(commands, importer)


def _add_info(commands: Any, opener: Opener | None) -> None:
    info = commands.add_parser("info", help="what a model is, whether its files are the ones its card says, how fast")
    info.add_argument("model", nargs="?", help="a name in models/, a model's folder, or a decoder file (default: all)")
    info.add_argument("--device", default="auto", help="auto, cpu or cuda")
    info.set_defaults(run=_info, opener=opener)


def _add_synthesise(commands: Any) -> None:
    synthesise = commands.add_parser("synthesise", help="write the bells, bowls and bars the default model learns")
    synthesise.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    synthesise.add_argument("--minutes", type=float, default=40.0)
    synthesise.add_argument("--seed", type=int, default=1)
    synthesise.set_defaults(run=_synthesise)


def _add_train(commands: Any) -> None:
    from installation.training.recipe import Recipe

    usual = Recipe()
    train = commands.add_parser("train", help="train a model on a folder of sound (hours; needs `make train-env`)")
    train.add_argument("name")
    train.add_argument("--sound", type=Path, required=True, metavar="FOLDER")
    train.add_argument("--out", type=Path, required=True, metavar="RUNS", help="where runs and checkpoints go")
    train.add_argument("--steps", type=int, default=usual.steps, help="both phases together")
    train.add_argument(
        "--phase-1", type=int, default=usual.phase_1_steps, metavar="STEPS", help="before the discriminators"
    )
    train.add_argument("--batch", type=int, default=usual.batch)
    train.add_argument("--capacity", type=int, default=usual.capacity)
    train.add_argument("--sample-rate", type=int, default=usual.sample_rate_hz, metavar="HZ")
    train.add_argument("--seed", type=int, default=usual.seed)
    train.add_argument("--threads", type=int, default=usual.threads)
    train.add_argument("--gpu", type=int, default=usual.gpu, help="number of a graphics processor; -1: none")
    train.add_argument("--resume", action="store_true", help="go on from the newest checkpoint of NAME")
    train.set_defaults(run=_train)


def _add_export(commands: Any) -> None:
    export = commands.add_parser("export", help="a run to a model's folder: files, held-out figures, pictures, card")
    export.add_argument("training_run", type=Path, metavar="RUN", help="folder of a run: the one with config.gin")
    export.add_argument("--out", type=Path, required=True, metavar="models/NAME")
    export.add_argument("--sound", type=Path, required=True, metavar="FOLDER", help="the training sound, WAV")
    export.add_argument("--held", type=Path, required=True, metavar="FOLDER", help="sound it never heard, WAV")
    export.add_argument(
        "--checkpoint",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="several are averaged; default: the newest",
    )
    export.add_argument("--training", type=Path, metavar="YAML", help="what the card says under `training`")
    export.set_defaults(run=_export)


def _add_import_vggish(commands: Any, importer: Importer) -> None:
    vggish = commands.add_parser("import-vggish", help="take in VGGish's published weights, to measure novelty on")
    vggish.add_argument("source", help="an https address on TensorFlow Hub, or a folder or file of weights")
    vggish.add_argument("--out", type=Path, default=model.MODELS / "vggish", metavar="FOLDER")
    vggish.set_defaults(run=_import_vggish, importer=importer)


def _list(arguments: argparse.Namespace) -> int:
    for name in model.names():
        found = model.load(name)
        print(f"{name:16} {found.latent_dim} latents of {1e3 * found.step_s:.1f} ms at {found.sample_rate_hz} Hz")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    if arguments.model is not None and Path(arguments.model).is_file():
        _print_speed(Path(arguments.model), arguments)
        return 0
    for name in [arguments.model] if arguments.model else model.names():
        found = model.load(name)
        print((found.folder / model.CARD).read_text("utf-8").rstrip())
        found.verify()
        print(f"files: all {len(found.files)} are what the card says")
        for file in (found.decoder, found.folder / str(found.card.get("torchscript", ""))):
            if file.is_file():
                _print_speed(file, arguments)
    return 0


def _print_speed(file: Path, arguments: argparse.Namespace) -> None:
    """Real-time factor: seconds of sound made in a second, for so many latents at once (rows of a batch, one step)."""
    if arguments.opener is None:
        return
    try:
        decoder = arguments.opener(file, arguments.device)
    except ImportError as error:
        print(f"{file.name}: not measured: {error}")
        return
    factors = [f"{_real_time_factor(decoder, batch):.0f} at {batch}" for batch in BATCHES]
    print(f"{file.name}: {decoder.latent_dim} latents of {decoder.ratio} samples at {decoder.sample_rate_hz} Hz; "
          f"times real time: {', '.join(factors)}")  # fmt: skip


def _real_time_factor(decoder: Any, batch: int, seconds: float = 0.5) -> float:
    import numpy as np

    latents, state = np.zeros((batch, 1, decoder.latent_dim), np.float32), decoder.start(batch)
    for _ in range(3):
        _, state = decoder.decode(latents, state)
    calls, begun_s = 0, time.perf_counter()
    while (spent_s := time.perf_counter() - begun_s) < seconds:
        _, state = decoder.decode(latents, state)
        calls += 1
    return float(calls * batch * decoder.ratio / decoder.sample_rate_hz / spent_s)


def _synthesise(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from installation.training import bronze

    paths = bronze.write(arguments.out, arguments.minutes, RATE_HZ, arguments.seed)
    for path in tqdm(paths, total=bronze.files(arguments.minutes), unit=" min", desc="synthesise"):
        tqdm.write(str(path))
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from installation.training.recipe import Recipe, train

    recipe = Recipe(
        sample_rate_hz=arguments.sample_rate, capacity=arguments.capacity, batch=arguments.batch,
        phase_1_steps=arguments.phase_1, steps=arguments.steps, seed=arguments.seed,
        threads=arguments.threads, gpu=arguments.gpu,
    )  # fmt: skip
    with tqdm(total=recipe.steps, unit=" steps", desc=arguments.name) as bar:

        def show(progress: dict[str, float]) -> None:
            step = int(progress.pop("step"))
            bar.set_postfix({name: f"{value:.3g}" for name, value in progress.items()}, refresh=False)
            bar.update(step - bar.n)

        run = train(recipe, arguments.name, arguments.sound, arguments.out, arguments.resume, show)
    print(run)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from installation.training import card, sounds
    from installation.training.reconstruction import Reconstruction

    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        trained, untrained = Path(folder) / "trained", Path(folder) / "untrained"
        few = _few(arguments.sound, Path(folder) / "few")
        chosen = ["--checkpoint", *map(str, arguments.checkpoint)] if arguments.checkpoint else []
        _make(arguments, few, trained, *chosen)
        _make(arguments, few, untrained, "--untrained")
        told = json.loads((trained / "export.json").read_text("utf-8"))
        for name in ("decoder.onnx", "encoder.onnx", f"{out.name}.ts"):
            shutil.copyfile(trained / name, out / name)
        held = sounds.recordings(arguments.held, told["sample_rate_hz"])
        ours = Reconstruction(out)
        print("judging on held-out sound", flush=True)
        judged = card.judge(ours, Reconstruction(untrained), held)
        latents = card.write_latents(out, ours, sounds.recordings(few, told["sample_rate_hz"]))
    pictures = card.draw_pictures(out, ours, held)
    made = card.compose(out, told, latents, judged, _training(arguments.training))
    card.write(out, made, pictures)
    print((out / model.CARD).read_text("utf-8").rstrip())
    return 0


def _import_vggish(arguments: argparse.Namespace) -> int:
    sha256 = arguments.importer(arguments.source, arguments.out)
    print(f"{arguments.out}: VGGish's weights, SHA-256 {sha256}")
    return 0


def _make(arguments: argparse.Namespace, sound: Path, out: Path, *more: str) -> None:
    """Run the exporter in the training environment; its files in `out`."""
    from installation.training.recipe import Recipe, run

    log = out.parent / f"{out.name}.log"
    print(f"exporting: {out.name}", flush=True)
    flags = [f"--out={out}", f"--name={arguments.out.name}", f"--sound={sound}", *more]
    try:
        for _ in run(["installation.training.export", str(arguments.training_run), *flags], Recipe(), log):
            pass
    except ModelError as error:
        raise ModelError(f"{error}\n{log.read_text('utf-8')[-2000:]}") from error


def _few(sound: Path, folder: Path) -> Path:
    """A folder of links to at most MOST_HEARD of the recordings in `sound`, spread evenly."""
    paths = sorted(sound.rglob("*.wav"))
    if not paths:
        raise ModelError(f"{sound}: no WAV files in it")
    folder.mkdir()
    stride = max(1, len(paths) // MOST_HEARD)
    for number, path in enumerate(paths[::stride][:MOST_HEARD]):
        (folder / f"{number:03d}.wav").symlink_to(path.resolve())
    return folder


def _training(path: Path | None) -> dict[str, Any]:
    """What the card is to say of the training: `sentence`, `commands`, `seed`, `notes`."""
    import yaml

    if path is None:
        return {}
    told = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(told, dict):
        raise ModelError(f"{path}: not a mapping of what to say of the training")
    return told
