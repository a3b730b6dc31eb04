"""What a frame costs beyond the shader's own draw, and where that goes. One table:

    python -m bench.picture [--shaders embers,strata] [--sizes 640x360,1280x720] [--frames 200] [--all]

Every frame of a show is drawn on four rungs, one after the other, so that a busy machine is as busy for each:

    bare       a plain moderngl loop of the same GLSL into 8 bits: bind, draw, swap; all else is done before the clock
    finished   `Canvas.draw`: textures sent, uniforms set, gain, ceiling and dither, no flash guard
    guarded    the same with the flash guard
    whole      `Scenery.draw`: moments lived through, envelopes, textures made, and all of the above

`beyond` and `p99` are the median and the 99th percentile of `whole` less those of `bare`, `ratio` is the one by the
other; then the same of the processor's time, all threads, which other work on the machine hardly changes, though it
counts what two cores do side by side twice. `core` is the part of one core at 30 frames a second; `off` is how far the
picture of `finished` lies from that of `bare`, of 255, which dither alone would make 0.2: they draw the same. With
--noise the sound is another at every moment: pictures strobe, and the guard has to hold them, which costs more.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

from installation import preview
from installation.analysis.features import Analyser
from installation.picture import finishing
from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.frame import Frame
from installation.picture.program import PRECISIONS, SWIZZLES, defaults
from installation.picture.scenery import Drawing, Scenery
from installation.picture.shading import glsl, shaders
from installation.picture.shading.shader import Shader
from installation.track import Moments

SHADERS = Path(__file__).resolve().parent.parent / "shaders"
DEFAULT = "embers,strata,constellation"
FPS = 30.0
WARM = 20
"""Frames before the first that counts."""
RUNGS = ("bare", "finished", "guarded", "whole")
FINISHED = "isf_FragColor = isf_finished(isf_FragColor);"


def listened(seconds: float, noise: bool) -> Moments:
    """Moments of the sound that previews play; or of one that is another at every moment."""
    analyser = Analyser(preview.RATE_HZ, preview.CHANNELS)
    made = preview.moments(analyser.push(preview.sounding(0, int(seconds * preview.RATE_HZ))))
    if noise:
        rng = np.random.default_rng(1)
        for name in ("features", "spectrum", "mel"):
            made[name] = rng.random(made[name].shape)
        made["latent"] = rng.normal(size=made["latent"].shape)
    return made


class Watched(Canvas):
    """A canvas that remembers the frame it drew last."""

    shown: Frame

    def draw(self, steps: Sequence[Step], finish: Finish) -> None:
        self.shown = steps[-1].frame
        super().draw(steps, finish)


class Whole:
    """The stage without its process: moments in, a finished frame out."""

    def __init__(self, canvas: Watched, path: Path, heard: Moments) -> None:
        self._canvas, self._heard = canvas, heard
        self._scenery = Scenery(canvas, preview.LATENT_DIM)
        self._scenery.show(Drawing.of(path))
        self._sound = np.random.default_rng(2).uniform(-0.5, 0.5, (preview.RATE_HZ, 2)).astype(np.float32)
        self._now_s, self._number, self._frames = 0.0, 0, 0

    def frame(self) -> None:
        self._now_s += 1 / FPS
        self._frames += 1
        until = int(np.searchsorted(self._heard["time_s"], self._now_s, side="right"))
        first = self._frames * 7 % (preview.RATE_HZ // 2)
        sound = self._sound[first : first + self._scenery.samples_wanted]
        self._scenery.draw(self._now_s, self._heard[self._number : until], sound)
        self._number = until

    @property
    def shown(self) -> Frame:
        """The frame it drew last."""
        return self._canvas.shown

    def close(self) -> None:
        self._scenery.close()


class Ready:
    """Frames that are ready, drawn as `Canvas.draw` draws them."""

    def __init__(self, canvas: Canvas, shader: Shader, guard: bool) -> None:
        self._canvas, self._finish = canvas, Finish(guard=guard, delta_s=1 / FPS)
        self._program = canvas.compile(shader)
        self._steps: list[Step] = []

    def follow(self, frame: Frame) -> None:
        """Draw this one next."""
        self._steps = [Step(self._program, frame)]

    def frame(self) -> None:
        self._canvas.draw(self._steps, self._finish)

    def read(self) -> npt.NDArray[np.float32]:
        """What it drew last, (height, width, 3), 0..255, row 0 on top."""
        return self._canvas.read().astype(np.float32)

    def close(self) -> None:
        self._program.release()


class Bare:
    """The same GLSL without what finishes it, the same targets and textures, in a loop of nothing but bind, draw and
    swap."""

    def __init__(self, context: moderngl.Context, shader: Shader, size: tuple[int, int]) -> None:
        self._context = context
        self._held: list[Any] = []
        self._read: dict[str, Any] = {}
        self._uniforms: list[tuple[str, Any]] = []
        self._black = self._kept(context.texture((1, 1), 4, bytes(4)))
        self._targets: dict[str, list[tuple[Any, Any]]] = {}
        self._passes = [self._pass(shader, index, size) for index in range(len(shader.passes))]

    def _kept(self, made: Any) -> Any:
        self._held.append(made)
        return made

    def _texture(self, pixels: npt.NDArray[Any]) -> Any:
        channels = pixels.shape[2] if pixels.ndim == 3 else 1
        size, kind = (pixels.shape[1], pixels.shape[0]), PRECISIONS[pixels.dtype]
        made = self._kept(self._context.texture(size, channels, np.ascontiguousarray(pixels), alignment=1, dtype=kind))
        made.repeat_x = made.repeat_y = False
        made.swizzle = SWIZZLES[channels]
        return made

    def _target(self, size: tuple[int, int], kind: str, two: bool) -> list[tuple[Any, Any]]:
        made = []
        for _ in range(1 + two):
            texture = self._kept(self._context.texture(size, 4, dtype=kind))
            texture.repeat_x = texture.repeat_y = False
            buffer = self._kept(self._context.framebuffer([texture]))
            buffer.clear()
            made.append((texture, buffer))
        return made

    def _pass(self, shader: Shader, index: int, size: tuple[int, int]) -> Any:
        each = shader.passes[index]
        numbers = {name: float(value) for name, value in defaults(shader).items() if not isinstance(value, tuple)}
        numbers |= {"WIDTH": float(size[0]), "HEIGHT": float(size[1])}
        own = (max(1, int(each.width(numbers))), max(1, int(each.height(numbers)))) if each.target else size
        if each.target is None or each.target not in self._targets:
            kind = "f4" if each.floating else "f1"
            self._targets[each.target or ""] = self._target(own, kind, each.target is not None and each.persistent)
        target = self._targets[each.target or ""]
        text = glsl.fragment(shader, index).replace(finishing.GLSL, "").replace(FINISHED, "")
        assert "isf_finish" not in text, "the bare shader is to be bare"
        program = self._kept(self._context.program(vertex_shader=glsl.vertex(shader, index), fragment_shader=text))
        names = {glsl.RENAMED.get(name, name): name for name in (*defaults(shader), *glsl.BUILT_IN)}
        self._uniforms += [(names[each], program[each]) for each in program if each in names and each != "RENDERSIZE"]
        if "RENDERSIZE" in program:
            program["RENDERSIZE"].value = (float(own[0]), float(own[1]))
        images: list[str] = []
        for channel in shader.channels(index):
            if glsl.RENAMED.get(channel.name, channel.name) in program:
                program[glsl.RENAMED.get(channel.name, channel.name)].value = len(images)
                images.append(channel.image)
        mode, corners = (moderngl.TRIANGLES, 3) if shader.vertex is None else (moderngl.TRIANGLE_STRIP, 4)
        return target, self._kept(self._context.vertex_array(program, [])), images, mode, corners

    def follow(self, frame: Frame) -> None:
        """Draw this one next: all it needs is set and sent here, where nobody looks at the clock."""
        for name, pixels in frame.textures.items():
            if name not in self._read:
                self._read[name] = self._texture(pixels)
            self._read[name].write(np.ascontiguousarray(pixels), alignment=1)
        given = {**frame.values, "TIME": frame.time_s, "TIMEDELTA": frame.delta_s, "DATE": frame.date}
        given["FRAMEINDEX"] = frame.index
        for name, uniform in self._uniforms:
            uniform.value = given[name]

    def frame(self) -> None:
        for target, triangle, images, mode, corners in self._passes:
            for unit, name in enumerate(images):
                held = self._targets.get(name)
                (held[0][0] if held else self._read.get(name, self._black)).use(unit)
            target[-1][1].use()
            triangle.render(mode, vertices=corners)
            target.reverse()

    def read(self) -> npt.NDArray[np.float32]:
        """What it drew last, (height, width, 3), 0..255, row 0 on top."""
        texture = self._passes[-1][0][0][0]
        raw = np.frombuffer(texture.read(alignment=1), np.uint8 if texture.dtype == "f1" else np.float32)
        pixels = raw.reshape(texture.size[1], texture.size[0], 4)[::-1, :, :3].astype(np.float32)
        return pixels if texture.dtype == "f1" else 255.0 * pixels

    def close(self) -> None:
        for each in reversed(self._held):
            each.release()


Rung = tuple[Any, Bare | Ready | Whole]
"""A moderngl context and what draws in it."""


@contextmanager
def rungs(path: Path, size: tuple[int, int], heard: Moments) -> Iterator[dict[str, Rung]]:
    """Each rung by name. Those with a flash guard have a context of their own: to a guard that saw them all, their
    frames by turns would strobe."""
    shader = shaders.load(path)
    made: dict[str, Rung] = {}
    with ExitStack() as opened:
        for name in ("finished", "guarded", "whole"):
            canvas = Watched(size)
            opened.enter_context(canvas)
            drawn: list[tuple[str, Bare | Ready | Whole]] = []
            if name == "whole":
                drawn.append((name, Whole(canvas, path, heard)))
            else:
                drawn.append((name, Ready(canvas, shader, guard=name == "guarded")))
            if name == "finished":
                drawn.append(("bare", Bare(canvas.context, shader, size)))
            for each, one in drawn:
                made[each] = (canvas.context, one)
                opened.callback(one.close)
            opened.callback(canvas.context.__enter__)  # what is closed next is of this context
        yield made


def timed(rung: Rung, frame: Frame | None) -> tuple[float, float]:
    """Milliseconds one frame took: wall clock, and CPU of all threads. `frame` is what is to be drawn, but by the show,
    which knows."""
    context, drawn = rung
    context.__enter__()
    if not isinstance(drawn, Whole):
        assert frame is not None
        drawn.follow(frame)
    context.finish()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    drawn.frame()
    context.finish()
    return 1000.0 * (time.perf_counter() - wall_s), 1000.0 * (time.process_time() - cpu_s)


def measured(path: Path, size: tuple[int, int], frames: int, noise: bool) -> tuple[npt.NDArray[np.float64], float]:
    """(rungs, frames, 2) ms on the wall clock and in CPU, and how far `bare` and `finished` lie apart, of 255."""
    rng = np.random.default_rng(3)
    took = np.zeros((len(RUNGS), WARM + frames, 2))
    with rungs(path, size, listened((frames + WARM) / FPS + 1.0, noise)) as made:
        show = made["whole"][1]
        assert isinstance(show, Whole)
        for number in range(WARM + frames):
            took[-1, number] = timed(made["whole"], None)
            for place in rng.permutation(len(RUNGS) - 1):
                took[place, number] = timed(made[RUNGS[place]], show.shown)
        return took[:, WARM:], apart(made)


def apart(made: Mapping[str, Rung]) -> float:
    """Mean distance of the pictures of `bare` and `finished`, of 255."""
    context, bare = made["bare"]
    _, finished = made["finished"]
    context.__enter__()
    assert isinstance(bare, Bare) and isinstance(finished, Ready)
    return float(np.abs(bare.read() - finished.read()).mean())


def line(took: npt.NDArray[np.float64]) -> str:
    """The figures of one shader at one size."""
    wall_ms, cpu_ms = took[:, :, 0], np.median(took[:, :, 1], axis=1)
    medians, whole, bare = np.median(wall_ms, axis=1), wall_ms[-1], wall_ms[0]
    p99 = np.percentile(whole, 99) - np.percentile(bare, 99)
    rises = "".join(f"{each:>9.2f}" for each in medians)
    beyond = f"{medians[-1] - medians[0]:>8.2f}{p99:>8.2f}{medians[-1] / medians[0]:>7.2f}"
    return (
        f"{rises}{beyond}{cpu_ms[-1] - cpu_ms[0]:>7.2f}{cpu_ms[-1] / cpu_ms[0]:>6.2f}{cpu_ms[-1] * FPS / 1000.0:>6.2f}"
    )


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--sizes", default="640x360,1280x720")
    parser.add_argument("--shaders", default=DEFAULT, help="files in shaders/ without .fs")
    parser.add_argument("--all", action="store_true", help="every one of them")
    parser.add_argument(
        "--noise", action="store_true", help="a sound so wild that the flash guard has to hold pictures"
    )
    arguments = parser.parse_args()
    with Canvas((4, 4)) as canvas:
        print(f"{canvas.renderer}; {os.cpu_count()} cores; medians of {arguments.frames} frames, ms\n")
    heads = "".join(f"{each:>9}" for each in RUNGS)
    print(
        f"{'shader':<16}{'size':<10}{heads}{'beyond':>8}{'p99':>8}{'ratio':>7}{'cpu':>7}{'ratio':>6}{'core':>6}{'off':>6}{'load':>6}"
    )
    names = sorted(each.stem for each in SHADERS.glob("*.fs")) if arguments.all else arguments.shaders.split(",")
    for name in names:
        for written in arguments.sizes.split(","):
            width, height = (int(side) for side in written.split("x"))
            took, off = measured(SHADERS / f"{name}.fs", (width, height), arguments.frames, arguments.noise)
            print(f"{name:<16}{written:<10}{line(took)}{off:>6.2f}{os.getloadavg()[0]:>6.1f}", flush=True)


if __name__ == "__main__":
    main()
