"""A shader drawn before the public sees it, in a process of its own that may hang or crash: `trial` starts it and reads
what it says, a line of JSON each.

    python -m installation.picture.admission.rehearsal PARENT WIDTH HEIGHT DEADLINE_S FRAME_S SHADER

It draws as the show does, through the same canvas and layers: first small, then at the show's size; at the beginning
of TIME and late, in silence and in noise. What takes too long takes it twice, for the first time may be the compiler's.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import resource
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from installation.errors import InstallationError, ShaderError
from installation.picture.admission import waiting
from installation.picture.admission.verdict import COMPILES_NOT, HANGS, NOT_FINITE, PASSED, UNTRIED, Verdict
from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import RAW, Finish
from installation.picture.frame import Frame, Pixels
from installation.picture.heard import Heard
from installation.picture.layer import Layer, LayerSetup, Moment
from installation.picture.program import Program
from installation.picture.shading import isf
from installation.picture.shading.shader import Shader, Text
from installation.picture.target import Target
from installation.picture.textures import RESERVED, Samples, Textures
from installation.picture.uniforms import PROGRESS
from installation.track import MOMENT, Moments

OPENING_S = 30.0
"""How long Python and OpenGL may take to start."""
SMALL_PX = 64
TIMES_S = (0.0, 1 / 30, 2 / 30, 10.0, 600.0, 7200.0)
"""When frames are drawn: some shaders loop once for every second of TIME."""
LOUD_S = 1.0
"""Frames from this time on are drawn with all that can be heard."""
RATE_HZ, LATENT_DIM, MOMENTS = 48_000, 16, 8
MOST_NOT_FINITE = 0.95
"""Share of a frame. Good public shaders have half a frame of what is no number: it is drawn black, and part of it."""
WORDS_AT_MOST = 600
DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG (linux/prctl.h): which signal a process gets when its parent ends."""

CARD = """/*{"DESCRIPTION": "What a filter is tried on: bars over a gradient, quite still."}*/
void main() {
    vec2 at = isf_FragNormCoord;
    float bars = 0.5 + 0.5 * sin(40.0 * at.x);
    gl_FragColor = vec4(at * bars, 1.0 - 0.8 * at.y, 1.0);
}
"""

# A pass makes black of what is no number, so that feedback does not keep it: in the last one it is let through, to be
# counted. Written after the author's text, before what the pass is closed with.
LET_THROUGH = """
#define isnan(x) bvec4(false)
#define isinf(x) bvec4(false)
"""


def main() -> None:
    """The process: one verdict, said on the standard output, or none if it is ended before."""
    parent, width, height = (int(word) for word in sys.argv[1:4])
    deadline_s, frame_s = (float(word) for word in sys.argv[4:6])
    _limit(parent)
    try:
        with Canvas((width, height)) as canvas:
            say({"opened": canvas.renderer})
            signal.alarm(math.ceil(deadline_s) + 2)
            verdict = rehearse(canvas, Path(sys.argv[6]), frame_s)
    except InstallationError as error:
        verdict = Verdict(UNTRIED, str(error))
    except Exception:
        traceback.print_exc()
        os._exit(2)
    say({"cause": verdict.cause, "sentence": verdict.sentence, "line": verdict.line, "moves": verdict.moves})
    os._exit(0)  # what a driver does at the end of a process is not the shader's


def say(message: dict[str, Any]) -> None:
    """One line for whoever started this, whole whatever a driver prints between."""
    if isinstance(message.get("sentence"), str):
        message["sentence"] = message["sentence"][:WORDS_AT_MOST]
    os.write(1, b"\n" + json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def rehearse(canvas: Canvas, path: Path, frame_s: float) -> Verdict:
    """What comes out when the shader in `path` is drawn on `canvas`, at the size it has."""
    size, heard, textures = canvas.size, Heard(), Textures(LATENT_DIM, RATE_HZ)
    canvas.resize(_small(size))
    try:
        layer = Layer(canvas, LayerSetup(str(path)), heard, textures, {})
        run = _Run(canvas, layer, heard, textures, frame_s)
        shown = [run.drawn(number) for number in range(len(TIMES_S))]
        lost = run.not_finite()
        if lost > MOST_NOT_FINITE:
            return Verdict(
                NOT_FINITE, f"{path.name}: {100 * lost:.0f} % of the picture are no numbers (NaN or infinite)"
            )
        run.resize(size)
        for number in (0, len(TIMES_S) - 1):
            run.drawn(number)
    except ShaderError as error:
        return Verdict(COMPILES_NOT, str(error), error.line)
    except _SlowError as error:
        return Verdict(HANGS, f"{path.name}: {error}")
    moves = layer.shader.kind != "transition" and any(not np.array_equal(shown[0], each) for each in shown)
    return Verdict(PASSED, moves=moves)


class _SlowError(Exception):
    """A frame took too long, twice."""


class _Run:
    """A layer drawn at one time after another, over the test card if it samples pictures."""

    def __init__(self, canvas: Canvas, layer: Layer, heard: Heard, textures: Textures, frame_s: float) -> None:
        self._canvas, self._layer, self._heard, self._textures = canvas, layer, heard, textures
        self._frame_s = frame_s
        self._card = canvas.compile(isf.read(CARD, "card"))
        images = [each.name for each in layer.shader.inputs if each.kind == "image" and each.name not in RESERVED]
        self._pictures = dict.fromkeys(images, 0)
        self._frames: list[Frame] = []

    def resize(self, size: tuple[int, int]) -> None:
        """Draw pictures of `size` from now on."""
        self._canvas.resize(size)
        for program in (self._card, self._layer.program):
            program.resize(size)

    def drawn(self, number: int) -> Pixels:
        """The frame at TIMES_S[number] as it is seen, (height, width, 3)."""
        frame = self._frame(number)
        self._frames.append(frame)
        if self._cost_s(frame) > self._frame_s and (seconds := self._cost_s(frame)) > self._frame_s:
            width, height = self._canvas.size
            raise _SlowError(f"one frame of {width}×{height} took {seconds:.1f} s; {self._frame_s:g} s are allowed")
        return self._canvas.read()

    def not_finite(self) -> float:
        """When all frames so far are drawn again: the greatest share that is no numbers of one in which there is sound;
        in silence, and before there is a frame to look back at, a picture may be nothing."""
        context, size = self._canvas.context, self._canvas.size
        program = Program(context, let_through(self._layer.shader), size)
        seen, card = (Target(context, size, precision, persistent=False) for precision in ("f4", "f2"))
        shares = [0.0]
        for frame in self._frames:
            self._card.draw(Frame(frame.time_s), {}, card, RAW)
            program.draw(frame, dict.fromkeys(self._pictures, card.texture), seen, RAW)
            if frame.time_s >= LOUD_S:
                shares.append(not_finite(seen))
        for each in (program, seen, card):
            each.release()
        return max(shares)

    def _frame(self, number: int) -> Frame:
        time_s = TIMES_S[number]
        moments, sound = _heard_at(time_s)
        self._heard.push(moments)
        self._textures.push(moments)
        self._heard.advance(time_s)
        frame = self._layer.frame(Moment(time_s, datetime(2000, 1, 1), sound, self._textures.numbers(time_s)))
        if self._layer.shader.kind != "transition":
            return frame
        return replace(frame, values={**frame.values, PROGRESS: number / (len(TIMES_S) - 1)})

    def _cost_s(self, frame: Frame) -> float:
        """How long `frame` took to draw, but for the time in which nothing was let run."""
        begun_s, before = time.perf_counter(), waiting.waited(os.getpid())
        steps = [Step(self._card, Frame(frame.time_s)), Step(self._layer.program, frame, self._pictures)]
        self._canvas.draw(steps if self._pictures else steps[1:], Finish(guard=False, delta_s=1 / 30))
        self._canvas.finish()
        return time.perf_counter() - begun_s - waiting.between(before, waiting.waited(os.getpid()))


def not_finite(target: Target) -> float:
    """The share, 0..1, of what is in a target of precision "f4" that is no numbers."""
    pixels = np.frombuffer(target.texture.read(alignment=1), np.float32).reshape(-1, 4)
    return float(np.mean(~np.isfinite(pixels[:, :3]).all(axis=1)))


def let_through(shader: Shader) -> Shader:
    """`shader`, but what is no number leaves its last pass as it is."""
    last = shader.passes[-1]
    passes = (*shader.passes[:-1], replace(last, texts=(*last.texts, len(shader.texts))))
    return replace(shader, passes=passes, others=(*shader.others, Text("", LET_THROUGH)))


def _small(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, SMALL_PX / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _heard_at(time_s: float) -> tuple[Moments, Samples]:
    """The MOMENTS until `time_s` and the sound (samples, channels) before it: silence at first, then noise, and
    everything heard at its greatest."""
    level = 1.0 if time_s >= LOUD_S else 0.0
    rng = np.random.default_rng(int(time_s))
    moments = np.zeros(MOMENTS, MOMENT)
    moments["time_s"] = time_s - np.arange(MOMENTS)[::-1] / 100.0
    moments["features"], moments["spectrum"] = level, level * rng.random(moments["spectrum"].shape)
    moments["latent"], moments["latent_dim"] = level * rng.normal(size=moments["latent"].shape), LATENT_DIM
    moments["steps"], moments["step"], moments["sparseness"] = MOMENTS, np.arange(MOMENTS), level
    return moments, (level * rng.uniform(-1.0, 1.0, (RATE_HZ // 10, 2))).astype(np.float32)


def _limit(parent: int) -> None:
    """End with `parent`, and after OPENING_S whatever this hangs in; be the first to go when memory ends, and leave no
    core file. Signals do this, not threads: in a call that never returns no thread gets its turn."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(OPENING_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", "utf-8")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(3)


if __name__ == "__main__":
    main()
