"""The command line: run · render · check · devices · models. Each command imports what it needs when it runs."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # inherited: no matrix product takes another's core
    os.environ.setdefault(_library, "1")

if TYPE_CHECKING:
    from installation.scene import Scene
    from installation.show import Show

STARTED_S = time.monotonic()
DEFAULT_SCENE = "slow-bronze"


def command_line() -> argparse.ArgumentParser:
    """Every command with its options."""
    from installation import __version__
    from installation.evolution.embedding.vggish_import import import_vggish
    from installation.evolve_command import add_evolve_command
    from installation.generate import add_generate_command
    from installation.inputs import shader_inputs
    from installation.retrospect import add_retrospect_commands
    from installation.schema import add_check_command
    from installation.shaders import add_shaders_command
    from installation.sound.decoder import open_decoder
    from installation.sound.files import read_channels
    from installation.training.command import add_models_commands
    from installation.transfer import add_transfer_command

    parser = argparse.ArgumentParser(
        prog="installation", description="An instrument that composes itself and draws what it hears."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_render(commands)
    _add_devices(commands)
    add_check_command(commands, inputs=shader_inputs)
    add_models_commands(commands, open_decoder, import_vggish, read_channels, convert)
    add_generate_command(commands)
    add_transfer_command(commands)
    add_evolve_command(commands)
    add_retrospect_commands(commands)
    add_shaders_command(commands)
    return parser


def convert(file: Path, out: Path) -> Any:
    """A TorchScript export as ONNX; see `sound.conversion`."""
    from installation.sound.conversion.conversion import convert as converted

    return converted(file, out)


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser("run", help="play a scene until stopped (Ctrl-C)")
    run.add_argument(
        "scene", nargs="?", default=DEFAULT_SCENE, help=f"a name in scenes/ or a file (default: {DEFAULT_SCENE})"
    )
    run.add_argument("--headless", action="store_true", help="draw without a window")
    run.add_argument("--seconds", type=_seconds, help="stop after so long")
    run.add_argument("--seed", type=int, help="where chance begins (default: the scene's)")
    run.add_argument("--device", help="sound card by (part of its) name")
    run.add_argument("--report", type=Path, metavar="FILE", help="write the run's figures as JSON")
    run.add_argument(
        "--state", type=Path, metavar="FOLDER", help="where what was bred is kept (default: the user's state folder)"
    )
    run.add_argument("--record", type=Path, metavar="FILE", help="film the show into this .mp4, or this folder")
    run.set_defaults(run=_run)


def _add_render(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    render = commands.add_parser("render", help="write a scene's sound and picture to a file, as fast as it goes")
    render.add_argument("scene", help="a name in scenes/ or a file")
    render.add_argument("--seconds", type=_seconds, default=30.0)
    render.add_argument("--seed", type=int, help="where chance begins (default: the scene's)")
    render.add_argument("--out", type=Path, required=True, help="X.mp4, X.wav or X.png (the last frame)")
    render.set_defaults(run=_render)


def _add_devices(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    devices = commands.add_parser("devices", help="list sound cards, inputs, displays and MIDI inputs")
    devices.add_argument("--probe", metavar="NAME", help="exit 0 if this card (empty: any) can be played on, else 1")
    devices.add_argument(
        "--display",
        nargs="*",
        metavar="NAME",
        help="exit 0 if there is a display, one of these if any are named, else 1",
    )
    devices.set_defaults(run=_devices)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 < seconds < 1e8:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def state_folder() -> Path:
    """Where stores are kept unless told otherwise: XDG Base Directory specification, $XDG_STATE_HOME."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "installation"


def open_show(scene: str) -> Show:
    """The show that begins with `scene`, a name in scenes/ or a file; its other scenes are those beside it."""
    from installation import model, trust
    from installation.errors import Fault, InstallationError, ModelError, SceneError
    from installation.inputs import shader_inputs
    from installation.parameters import nearest
    from installation.schema import load, scene_files
    from installation.show import Show
    from installation.surroundings import SCENES

    path = Path(scene)
    if path.suffix not in (".yaml", ".yml"):
        path = SCENES / f"{scene}.yaml"
    stems = {each.stem: each for each in scene_files(path.parent)}
    if path.stem not in stems:
        raise InstallationError(f"{path}: no such scene{nearest(path.stem, stems)}; there are: {', '.join(stems)}")

    def read(stem: str) -> Scene:
        """The scene, its models' files being those their cards speak of, and fit to be loaded."""
        scene = load(stems[stem], inputs=shader_inputs)
        faults = []
        for name in (scene.model, *(part.model for part in scene.orchestra)):
            try:
                found = model.load(name)
                found.verify()
                trust.check(found.decoder)
            except ModelError as error:
                faults.append(Fault(str(stems[stem]), 1, 1, "model", str(error)))
        if faults:
            raise SceneError(tuple(faults))
        return scene

    return Show(tuple(stems), read, path.stem)


def _run(arguments: argparse.Namespace) -> int:
    import asyncio

    from installation.conductor import Conductor, Options
    from installation.errors import InstallationError

    state = arguments.state or state_folder()
    state.mkdir(parents=True, exist_ok=True)
    if arguments.report and not arguments.report.absolute().parent.is_dir():
        raise InstallationError(f"{arguments.report}: no folder {arguments.report.parent} to write the report to")
    show = open_show(arguments.scene)
    options = Options(
        state=state,
        headless=arguments.headless,
        seconds=arguments.seconds,
        seed=arguments.seed,
        device=arguments.device,
        report=arguments.report,
        record=arguments.record,
    )
    return 0 if asyncio.run(Conductor(show, options, STARTED_S).run()) else 1


def _render(arguments: argparse.Namespace) -> int:
    from installation.render import Rendering, render

    scene = open_show(arguments.scene).scene
    seed = scene.seed if arguments.seed is None else arguments.seed
    print(json.dumps(render(Rendering(scene, arguments.seconds, seed, arguments.out)), indent=2))
    return 0


def _devices(arguments: argparse.Namespace) -> int:
    from installation.control.midi import RtPorts
    from installation.errors import CardError
    from installation.picture.wall import window
    from installation.probe import limit
    from installation.sound import card, line

    if arguments.probe is not None:
        limit()
        return 0 if card.plays(arguments.probe or None) else 1
    if arguments.display is not None:
        limit()
        wanted = (int(each) if each.isdecimal() else each for each in arguments.display)
        return 0 if window.display_there(*wanted) else 1
    for title, side, there in (("sound cards", "output", card.devices), ("inputs", "input", line.inputs)):
        print(f"{title} (* the default):")
        try:
            for each in there():
                chosen = "*" if each.chosen else " "
                print(f"  {chosen} {each.name}  ({each.channels} channels, {each.sample_rate_hz} Hz)")
            if not there():
                print(f"    none: PortAudio lists no {side} device")
        except CardError as error:
            print(f"    none: {error}")
    print("displays:")
    for display in window.all_displays():
        place = f"{display.width} x {display.height} at {display.left}, {display.top}"
        print(f"    {display.number}  {display.name}  ({place})")
    print("MIDI inputs:")
    try:
        for name in RtPorts().names() or ["none"]:
            print(f"    {name}")
    except OSError as error:
        print(f"    none: {error}")
    return 0


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    from installation.errors import InstallationError

    arguments = command_line().parse_args(words)
    try:
        return int(arguments.run(arguments))
    except InstallationError as error:
        print(f"installation: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
