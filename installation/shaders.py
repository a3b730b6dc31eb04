"""`installation shaders check` and `show`: whether shaders are any good, file by file, and how one looks.

What is checked is parsed, compiled, linked and drawn three times, in a process of its own: one that hangs or takes the
driver with it is a fault like another, and the next file is drawn by a new process.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError, ShaderError
from installation.picture.admission.rehearsal import MOST_NOT_FINITE, let_through, not_finite
from installation.picture.canvas import Canvas
from installation.picture.finishing import RAW
from installation.picture.frame import Frame
from installation.picture.heard import Heard
from installation.picture.shading import shaders, shadertoy
from installation.picture.shading.shader import Shader
from installation.picture.target import Target
from installation.picture.uniforms import PROGRESS, Uniforms

SIZE = (320, 180)
FRAMES = 3
FPS = 30.0
DEADLINE_S = 30.0
"""How long one shader may take, compiler included, before it counts as one that hangs."""
OPENING_S = 60.0
"""How long the process that draws may take to begin."""

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Checked:
    """What came of one shader: `error` is None if it is good; `line` is the author's own, from 1, or None."""

    path: str
    ok: bool
    error: str | None = None
    line: int | None = None


def add_shaders_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `shaders check` and `shaders show`."""
    whole = commands.add_parser("shaders", help="check shaders, or look at one")
    several = whole.add_subparsers(dest="shaders", required=True, metavar="check | show")
    checking = several.add_parser("check", help="parse, compile, link and draw shaders: ISF (.fs) and Shadertoy")
    checking.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="files, or folders with all in them")
    checking.add_argument("--json", action="store_true", help="print what came of each as JSON")
    checking.set_defaults(run=_check)
    _add_show(several)


def _add_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    show = commands.add_parser("show", help="draw one shader to a test sound, as the show would")
    show.add_argument("file", type=Path, help="an ISF file, or a Shadertoy file or folder")
    show.add_argument("--seconds", type=float, help="how long (default: 5, in a window until it is closed)")
    show.add_argument("--out", type=Path, metavar="X.png|X.mp4", help="write the last frame or a film, not to a window")
    show.add_argument("--width", type=int, default=1280)
    show.add_argument("--height", type=int, default=720)
    show.add_argument("--fps", type=float, default=30.0)
    show.set_defaults(run=_show)


def _check(arguments: argparse.Namespace) -> int:
    paths = tuple(found(arguments.paths))
    if not paths:
        raise InstallationError(f"{', '.join(map(str, arguments.paths))}: no shaders: no .fs, .frag or .glsl file")
    results = []
    for result in check(paths):
        results.append(result)
        if not result.ok and not arguments.json:
            print(result.error, flush=True)
    passed = sum(each.ok for each in results)
    if arguments.json:
        print(json.dumps({"total": len(results), "passed": passed, "files": [asdict(each) for each in results]}))
    else:
        print(f"{passed} of {len(results)} shaders are good")
    return 0 if passed == len(results) else 1


def _show(arguments: argparse.Namespace) -> int:
    from installation.preview import Preview, show

    size = (arguments.width, arguments.height)
    show(Preview(arguments.file, size, arguments.fps, arguments.seconds, arguments.out))
    return 0


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """Every shader in `paths`: a file stands for itself, a folder for all in it, a Shadertoy folder for one."""
    for path in paths:
        if not path.is_dir() or _is_one(path):
            yield path
            continue
        for each in sorted(path.rglob("*")):
            inside = any(_is_one(parent) for parent in each.parents if parent.is_relative_to(path))
            wanted = _is_one(each) if each.is_dir() else each.suffix.lower() in (".fs", *shadertoy.SUFFIXES)
            if wanted and not inside:
                yield each


def _is_one(folder: Path) -> bool:
    """Whether `folder` is a shader of several passes."""
    return any((folder / (shadertoy.IMAGE + suffix)).is_file() for suffix in shadertoy.SUFFIXES)


def check(paths: Iterable[Path], deadline_s: float = DEADLINE_S) -> Iterator[Checked]:
    """What comes of each of `paths`, in order."""
    worker: _Worker | None = None
    try:
        for path in paths:
            worker = worker or _Worker()
            result = worker.check(path, deadline_s)
            if result is None:
                yield Checked(str(path), False, f"{path}: {worker.end(deadline_s)}")
                worker = None
            else:
                yield result
    finally:
        if worker:
            worker.end(0.0)


class _Worker:
    """A process that checks one shader after another. InstallationError if it can't begin."""

    def __init__(self) -> None:
        self._ours, theirs = _SPAWN.Pipe()
        self._process: BaseProcess = _SPAWN.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        opened = self._answer(OPENING_S)
        if opened is not True:
            self.end(0.0)
            raise InstallationError(f"shaders can't be checked: {opened or 'no OpenGL: its process ended or hangs'}")

    def check(self, path: Path, deadline_s: float) -> Checked | None:
        """What comes of `path`, or None if the process hangs or has ended."""
        try:
            self._ours.send(path)
        except OSError:
            return None
        result: Checked | None = self._answer(deadline_s)
        return result

    def end(self, deadline_s: float) -> str:
        """End the process; in words, why it did not answer."""
        self._process.join(0.2)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        self._ours.close()
        if code is None:
            return f"hangs: not drawn within {deadline_s:g} s"
        return f"ended the process that drew it ({f'signal {-code}' if code < 0 else f'exit code {code}'})"

    def _answer(self, within_s: float) -> Any:
        try:
            return self._ours.recv() if self._ours.poll(within_s) else None
        except (EOFError, OSError):
            return None


def _work(pipe: Connection) -> None:
    """The process: a True or what is wrong, then an answer to every path."""
    try:
        with Canvas(SIZE) as canvas:
            pipe.send(True)
            while True:
                path = pipe.recv()
                pipe.send(_checked(canvas, path))
    except InstallationError as error:
        pipe.send(str(error))
    except (EOFError, BrokenPipeError):
        pass
    os._exit(0)  # what a driver does at its end is no shader's fault


def _checked(canvas: Canvas, path: Path) -> Checked:
    try:
        shader = shaders.load(path)
        lost = _not_finite(canvas, shader)
    except ShaderError as error:
        # A fault in a folder of passes is called by the folder's name, too, which `path` may be a file of.
        inside = path.is_file() and "/" in error.file
        where = (path.parent.parent if inside else path.parent) / error.file
        said = f"{where}:{error.line}: {error.message}" if error.line else f"{where}: {error.message}"
        return Checked(str(path), False, said, error.line)
    if lost > MOST_NOT_FINITE:
        return Checked(str(path), False, f"{path}: {100 * lost:.0f} % of a frame are no numbers (NaN or infinite)")
    return Checked(str(path), True)


def _not_finite(canvas: Canvas, shader: Shader) -> float:
    """The share of the last frame that is no numbers when `shader` is drawn; ShaderError if it does not compile."""
    program = canvas.compile(let_through(shader))
    seen = Target(canvas.context, canvas.size, "f4", persistent=False)
    values = Uniforms({}, Heard(), shader).at({})
    textures = {each.name: picture(each.kind) for each in shader.inputs if each.is_image}
    try:
        for index in range(FRAMES):
            moved = {PROGRESS: index / (FRAMES - 1)} if shader.kind == "transition" else {}
            given, delta_s = {**values, **moved}, 1.0 / FPS if index else 0.0
            program.draw(Frame(index / FPS, delta_s, index, values=given, textures=textures), {}, seen, RAW)
            textures = {}
        return not_finite(seen)
    finally:
        seen.release()
        program.release()


def picture(kind: str) -> npt.NDArray[Any]:
    """What an input of `kind` is given to sample: a picture with edges and slopes, or a sound."""
    if kind == "audio":
        turns = np.linspace(0.0, 16.0 * np.pi, 512)
        return (0.5 + 0.4 * np.sin([turns, turns * 1.5])).astype(np.float16)
    if kind == "audioFFT":
        return np.exp(-np.linspace(0.0, 6.0, 512))[None].astype(np.float16)
    if kind != "image":
        return np.linspace(255.0, 0.0, 1024).reshape(2, 512).astype(np.uint8)
    down, across = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    board = (across // 16 + down // 16) % 2 * 255
    whole = np.full_like(across, 255)
    return np.stack([across * 255 // SIZE[0], down * 255 // SIZE[1], board, whole], axis=-1).astype(np.uint8)
