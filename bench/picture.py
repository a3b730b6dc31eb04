"""What a frame costs: every shader we ship, drawn by the stage's own classes, against a bare moderngl loop of the same
programs with nothing around them. One table:

    python bench/picture.py [--frames N] [--sizes 640x360,1280x720]

`ours` and `bare` are medians over rounds taken by turns, so that a busy machine is as busy for both. `core` is the part
of one processor core (CPU time of all threads, at 30 frames a second) that ours takes: with a software
renderer, all of it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import moderngl
import numpy as np

from installation.picture import glsl, isf
from installation.picture.canvas import Canvas
from installation.picture.scenery import Scenery
from installation.picture.textures import TRAIL_MOMENTS
from installation.track import FEATURES, MOMENT, SPECTRUM_BINS, Moments

SHADERS = Path(__file__).resolve().parent.parent / "shaders"
LATENT_DIM = 16
HOP_S = 512 / 48_000
FPS = 30.0


def sounding(seconds: float) -> Moments:
    """Moments of a sound that is always there."""
    rng = np.random.default_rng(1)
    made = np.zeros(int(seconds / HOP_S), MOMENT)
    made["time_s"] = HOP_S * np.arange(1, len(made) + 1)
    made["features"] = rng.random((len(made), len(FEATURES)))
    made["spectrum"] = rng.random((len(made), SPECTRUM_BINS))
    made["latent"] = rng.normal(size=made["latent"].shape)
    made["latent_dim"], made["steps"], made["sparseness"] = LATENT_DIM, 64, 1.0
    return made


class Ours:
    """The stage without its process: moments in, a finished frame out."""

    def __init__(self, canvas: Canvas, path: Path, heard: Moments) -> None:
        self._canvas, self._heard = canvas, heard
        self._scenery = Scenery(canvas, LATENT_DIM)
        self._scenery.show(path)
        self._now_s, self._number = 0.0, 0

    def frame(self) -> None:
        self._now_s += 1 / FPS
        until = int(np.searchsorted(self._heard["time_s"], self._now_s, side="right"))
        self._scenery.draw(self._now_s, self._heard[self._number : until])
        self._number = until
        self._canvas.finish()


class Bare:
    """The same programs, targets and textures: bind, draw, nothing else. No uniform changes, nothing is uploaded."""

    def __init__(self, context: moderngl.Context, path: Path, size: tuple[int, int]) -> None:
        self._context = context
        shader = isf.load(path)
        names = {name: unit for unit, name in enumerate(shader.images)}
        rng = np.random.default_rng(1)
        images = {
            "latentTrail": rng.normal(size=(TRAIL_MOMENTS, LATENT_DIM)).astype(np.float32),
            "spectrumTrail": rng.random((TRAIL_MOMENTS, SPECTRUM_BINS)).astype(np.float16),
        }
        self._read: dict[str, moderngl.Texture] = {}
        for name in names.keys() & images.keys():
            pixels = images[name]
            kind = "f2" if pixels.dtype == np.float16 else "f4"
            self._read[name] = context.texture(pixels.shape[::-1], 1, pixels.tobytes(), dtype=kind)
        self._passes = [self._pass(shader, index, size, names) for index in range(len(shader.passes))]
        self._names = names

    def _pass(
        self, shader: isf.Shader, index: int, size: tuple[int, int], names: dict[str, int]
    ) -> tuple[moderngl.Framebuffer, moderngl.VertexArray, str | None, moderngl.Texture]:
        each = shader.passes[index]
        values = {"WIDTH": float(size[0]), "HEIGHT": float(size[1])}
        own = (int(each.width(values)), int(each.height(values)))
        kind = "f4" if each.floating and each.target else "f1"
        drawn = self._context.texture(own, 4, dtype=kind)
        if each.target and each.persistent:
            self._read[each.target] = self._context.texture(own, 4, dtype=kind)
        elif each.target:
            self._read[each.target] = drawn
        program = self._context.program(vertex_shader=glsl.VERTEX, fragment_shader=glsl.fragment(shader, index))
        given = {each.name: each.default for each in shader.inputs if not each.is_image}
        given |= {"RENDERSIZE": (float(own[0]), float(own[1])), "TIME": 10.0, "TIMEDELTA": 1 / FPS}
        given |= dict.fromkeys(FEATURES, 0.5) | {"isf_centroid": 0.5, "sparseness": 0.5, "progress": 0.5}
        for name in program:
            if name in names:
                program[name].value = names[name]
            elif name in given:
                program[name].value = given[name]
        return self._context.framebuffer([drawn]), self._context.vertex_array(program, []), each.target, drawn

    def frame(self) -> None:
        for target, triangle, _, _ in self._passes:
            for name, unit in self._names.items():
                self._read[name].use(unit)
            target.use()
            triangle.render(moderngl.TRIANGLES, vertices=3)
        self._context.finish()


def timed(frame: Callable[[], None], frames: int) -> tuple[float, float]:
    """Milliseconds a frame: wall clock, and CPU of all threads."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for _ in range(frames):
        frame()
    return (time.perf_counter() - wall_s) * 1000 / frames, (time.process_time() - cpu_s) * 1000 / frames


def measured(path: Path, size: tuple[int, int], frames: int, rounds: int) -> tuple[float, float, float]:
    """Median ms of ours and of bare on the wall clock, and ours in CPU."""
    with Canvas(size) as canvas:
        ours = Ours(canvas, path, sounding((rounds + 1) * frames / FPS + 1.0))
        timed(ours.frame, frames // 2)
        bare = Bare(canvas.context, path, size)
        timed(bare.frame, frames // 2)
        pairs = [(timed(ours.frame, frames), timed(bare.frame, frames)) for _ in range(rounds)]
    return (
        statistics.median(pair[0][0] for pair in pairs),
        statistics.median(pair[1][0] for pair in pairs),
        statistics.median(pair[0][1] for pair in pairs),
    )


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=40, help="frames a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="640x360,1280x720")
    arguments = parser.parse_args()
    with Canvas((4, 4)) as canvas:
        print(f"{canvas.renderer}; {arguments.rounds} rounds of {arguments.frames} frames, medians\n")
    print(f"{'shader':<16}{'size':<12}{'ours ms':>9}{'bare ms':>9}{'ratio':>7}{'fps':>7}{'core':>7}")
    for path in sorted(SHADERS.glob("*.fs")):
        for written in arguments.sizes.split(","):
            width, height = (int(side) for side in written.split("x"))
            ours_ms, bare_ms, cpu_ms = measured(path, (width, height), arguments.frames, arguments.rounds)
            ratio, core = ours_ms / bare_ms, cpu_ms * FPS / 1000
            line = f"{ours_ms:>9.2f}{bare_ms:>9.2f}{ratio:>7.2f}{1000 / ours_ms:>7.0f}{core:>7.2f}"
            print(f"{path.stem:<16}{written:<12}{line}", flush=True)


if __name__ == "__main__":
    main()
