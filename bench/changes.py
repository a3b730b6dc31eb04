"""An hour of shader changes as fast as they go, and what of them stays behind: in OpenGL, and in memory.

    python -m bench.changes [--changes 3600] [--every 100] [--seed 1]

A show that changed its picture once a second for an hour would make 3,600 changes. Here they come in any order: cuts,
transitions, transitions cut short, effects, files saved again whole or broken, targets that change their size, pictures
of another size; a frame or several after each, drawn for real. Every so often the same drawing is hung at the same size
and OpenGL itself is asked, name by name, what it holds (glIs…): as much as the first time, to the object. Resident
memory is read then too.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil

from installation.errors import InstallationError
from installation.picture.canvas import Canvas
from installation.picture.layer import LayerSetup
from installation.picture.scenery import Drawing, Scenery
from installation.track import FEATURES, MOMENT

SIZE = (64, 36)
SIZES = (SIZE, (48, 27), (96, 54))
FPS = 30.0
LATENT_DIM = 16
WARM = 150
"""Changes before the first count: by then the longest chain was drawn, and the driver has what it keeps."""

GENERATOR = """/*{{"INPUTS": [{{"NAME": "wide", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.25, "MAX": 1.0}},
  {{"NAME": "onset", "TYPE": "float"}}, {{"NAME": "fft", "TYPE": "audioFFT"}}, {{"NAME": "wave", "TYPE": "audio"}},
  {{"NAME": "latentTrail", "TYPE": "image"}}, {{"NAME": "spectrogram", "TYPE": "image"}}],
  "PASSES": [{{"TARGET": "past", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH * $wide"}}, {{"TARGET": "now"}},
  {{}}]}}*/
void main() {{
    vec2 at = isf_FragNormCoord;
    vec4 seen = IMG_NORM_PIXEL(past, at) * 0.9 + IMG_NORM_PIXEL(fft, at) * {0} + IMG_NORM_PIXEL(wave, at) * 0.1;
    vec4 trail = IMG_NORM_PIXEL(latentTrail, at) + IMG_NORM_PIXEL(spectrogram, at);
    gl_FragColor = PASSINDEX == 2 ? IMG_NORM_PIXEL(now, at) + {0} * onset : seen + 0.01 * trail;
}}
"""
FILTER = """/*{{"INPUTS": [{{"NAME": "inputImage", "TYPE": "image"}}], "PASSES":
  [{{"TARGET": "half", "WIDTH": "$WIDTH / 2"}}, {{}}]}}*/
void main() {{
    vec4 given = IMG_NORM_PIXEL(inputImage, isf_FragNormCoord);
    gl_FragColor = PASSINDEX == 0 ? given : mix(given, IMG_NORM_PIXEL(half, isf_FragNormCoord), {0});
}}
"""
TRANSITION = """/*{{"INPUTS": [{{"NAME": "startImage", "TYPE": "image"}}, {{"NAME": "endImage", "TYPE": "image"}},
  {{"NAME": "progress", "TYPE": "float"}}]}}*/
void main() {{
    vec2 at = isf_FragNormCoord;
    gl_FragColor = mix(IMG_NORM_PIXEL(startImage, at), IMG_NORM_PIXEL(endImage, at), progress) * (1.0 - 0.01 * {0});
}}
"""
TEXTS = {"first": GENERATOR, "second": GENERATOR, "third": GENERATOR, "filter": FILTER, "change": TRANSITION}
GENERATORS = ("first", "second", "third")
BROKEN = "/*{}*/ void main() { gl_FragColor = nonsense; }"


class Kept:
    """What OpenGL holds in the context that is current, asked by name."""

    KINDS = ("Texture", "Framebuffer", "VertexArray", "Buffer", "Sampler", "Renderbuffer", "Query")

    def __init__(self) -> None:
        self._gl = ctypes.CDLL("libGL.so.1")

    def count(self) -> dict[str, int]:
        """Objects by kind; programs and shaders have their names in common."""
        found = {}
        for kind in self.KINDS:
            made = self._made(kind)
            is_one = getattr(self._gl, f"glIs{kind}")
            found[kind] = sum(1 for name in range(1, made) if is_one(name) & 0xFF)
        probe = self._gl.glCreateProgram()
        self._gl.glDeleteProgram(probe)
        found["Program"] = sum(1 for name in range(1, probe) if self._gl.glIsProgram(name) & 0xFF)
        found["Shader"] = sum(1 for name in range(1, probe) if self._gl.glIsShader(name) & 0xFF)
        return found

    def _made(self, kind: str) -> int:
        """A name beyond all that were given."""
        name = ctypes.c_uint()
        plural = "Queries" if kind == "Query" else f"{kind}s"
        getattr(self._gl, f"glGen{plural}")(1, ctypes.byref(name))
        getattr(self._gl, f"glDelete{plural}")(1, ctypes.byref(name))
        return max(name.value, 4096)


class Hour:
    """Changes of a scenery drawn on `canvas`, its shaders in `folder`."""

    def __init__(self, canvas: Canvas, folder: Path, seed: int) -> None:
        self._canvas, self._folder, self._rng = canvas, folder, np.random.default_rng(seed)
        self._scenery = Scenery(canvas, LATENT_DIM)
        self._kept = Kept()
        self._now_s, self._saves = 0.0, 0
        self.changes = self.refused = 0
        for name in TEXTS:
            self._save(name)
        self._kinds: tuple[Callable[[], None], ...] = (
            self._cut,
            self._fade,
            self._fade_cut_short,
            self._chain,
            self._saved,
            self._broken,
            self._broken_change,
            self._wider,
            self._resized,
        )

    def change(self) -> None:
        """One of any kind, and some frames."""
        self._kinds[int(self._rng.integers(len(self._kinds)))]()
        self.draw(int(self._rng.integers(1, 4)))
        self.changes += 1

    def draw(self, frames: int) -> None:
        """Frames of a sound that is always there."""
        for _ in range(frames):
            heard = np.zeros(2, MOMENT)
            self._now_s += 1 / FPS
            heard["time_s"] = self._now_s - np.array([0.02, 0.01])
            heard["features"] = self._rng.random((2, len(FEATURES)))
            heard["spectrum"] = self._rng.random(heard["spectrum"].shape)
            heard["latent_dim"], heard["steps"] = LATENT_DIM, 64
            sound = self._rng.uniform(-1.0, 1.0, (self._scenery.samples_wanted, 2)).astype(np.float32)
            self._scenery.draw(self._now_s, heard, sound)
        self._canvas.finish()

    def held(self) -> dict[str, int]:
        """What OpenGL holds while always the same hangs."""
        self._save("first")
        self._scenery.resize(SIZES[1])
        self._scenery.resize(SIZE)
        self._scenery.set("/picture/input/wide", 1.0)
        self._scenery.show(Drawing(self._setup("first")))
        self.draw(3)
        self._canvas.thumbnail()
        self._canvas.read()
        return self._kept.count()

    def close(self) -> None:
        self._scenery.close()

    def _save(self, name: str, text: str | None = None) -> None:
        """Write the file anew, as an editor would, at a time of its own."""
        path = self._folder / f"{name}.fs"
        path.write_text(text or TEXTS[name].format(f"{self._rng.uniform(0.1, 0.9):.6f}"), "utf-8")
        self._saves += 1
        os.utime(path, ns=(self._saves, self._saves))

    def _setup(self, name: str | None = None) -> LayerSetup:
        return LayerSetup(str(self._folder / f"{name or self._rng.choice(GENERATORS)}.fs"))

    def _show(self, effects: int = 0, seconds: float = 0.0) -> None:
        transition = self._setup("change") if seconds else None
        filters = tuple(self._setup("filter") for _ in range(effects))
        self._scenery.show(Drawing(self._setup(), filters, transition, seconds))

    def _cut(self) -> None:
        self._show()

    def _fade(self) -> None:
        self._show(effects=int(self._rng.integers(2)), seconds=3 / FPS)
        self.draw(5)

    def _fade_cut_short(self) -> None:
        self._show(seconds=10.0)
        self.draw(1)

    def _chain(self) -> None:
        self._show(effects=int(self._rng.integers(1, 4)))

    def _saved(self) -> None:
        for name in TEXTS:
            self._save(name)
        if self._scenery.news():
            self._scenery.reload()

    def _broken(self) -> None:
        """Every file is saved broken: reloading and showing are refused, what hangs stays."""
        for name in TEXTS:
            self._save(name, BROKEN)
        for doomed in (self._scenery.reload, self._cut):
            try:
                doomed()
            except InstallationError:
                self.refused += 1
            self.draw(1)
        for name in TEXTS:
            self._save(name)
        with suppress(InstallationError):
            self._scenery.reload()

    def _broken_change(self) -> None:
        """The new picture is sound, its transition is not: nothing changes."""
        self._save("change", BROKEN)
        try:
            self._show(effects=2, seconds=1.0)
        except InstallationError:
            self.refused += 1
        self._save("change")

    def _wider(self) -> None:
        self._scenery.set("/picture/input/wide", float(self._rng.uniform(0.25, 1.0)))

    def _resized(self) -> None:
        self._scenery.resize(SIZES[int(self._rng.integers(len(SIZES)))])


@contextmanager
def hour(seed: int) -> Iterator[Hour]:
    """One on a canvas and in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, Canvas(SIZE) as canvas:
        made = Hour(canvas, Path(folder), seed)
        yield made
        made.close()


def main() -> None:
    """What is held every so many changes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=3600)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    process, rows = psutil.Process(), []
    with hour(arguments.seed) as changing:
        began_s = time.monotonic()
        for _ in range(WARM):
            changing.change()
        first = changing.held()
        print(f"after {WARM} changes OpenGL holds {first}", flush=True)
        for number in range(arguments.changes + 1):
            if number % arguments.every == 0:
                held, rss_mb = changing.held(), process.memory_info().rss / 1e6
                grown = {kind: count - first[kind] for kind, count in held.items() if count != first[kind]}
                rows.append((number, sum(held.values()), rss_mb))
                print(
                    f"{number:>6} changes  {sum(held.values()):>5} objects  {rss_mb:>8.1f} MB  {grown or ''}",
                    flush=True,
                )
            changing.change()
        took_s, refused = time.monotonic() - began_s, changing.refused
    numbers, held_all, rss_mb_all = (np.array(column) for column in zip(*rows, strict=True))
    slope = np.polyfit(numbers, rss_mb_all, 1)[0] * 1000.0 if len(rows) > 1 else 0.0
    print(
        f"{arguments.changes} changes in {took_s:.0f} s, {refused} of broken shaders refused: "
        f"{int(held_all[-1] - held_all[0]):+d} objects, {rss_mb_all[-1] - rss_mb_all[0]:+.1f} MB "
        f"({slope:+.2f} MB a thousand changes by the line through all)"
    )


if __name__ == "__main__":
    main()
