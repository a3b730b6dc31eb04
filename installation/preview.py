"""One shader drawn through the whole chain, ear to flash guard, to a test sound of ours: `installation shaders show`.

The test sound is the same at the same sample, however it is cut: a pulse at 120 beats a minute, and a melody over it
that falls silent for a bar in every eight, so that a shader can show what it does then.
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from installation.analysis.features import Analyser, Hearing
from installation.errors import InstallationError, RenderError
from installation.picture.canvas import Canvas
from installation.picture.films.recorder import Recorder
from installation.picture.layer import LayerSetup
from installation.picture.scenery import Drawing, Scenery
from installation.picture.shading import shaders
from installation.picture.wall.window import Window, display_there
from installation.track import MOMENT, Moments

RATE_HZ = 48_000
CHANNELS = 2
SECONDS = 5.0
SIDE_AT_MOST = 8192
FPS_AT_MOST = 240.0
LATENT_DIM = 16
BEAT_S = 0.5
MELODY_HZ = (220.0, 261.63, 329.63, 392.0, 440.0, 392.0, 329.63, 293.66)
SILENT_BAR, BARS = 7, 8
CHANGE_S = 4.0
"""How long a transition takes in a window, where it goes to and fro."""

CARD = """/*{"DESCRIPTION": "What filters and transitions are shown with: rings and bars, turning slowly."}*/
void main() {
    vec2 at = (2.0 * gl_FragCoord.xy - RENDERSIZE) / RENDERSIZE.y;
    float rings = smoothstep(0.45, 0.55, 0.5 + 0.5 * sin(18.0 * length(at) - 0.6 * TIME));
    float bars = 0.5 + 0.5 * sin(4.0 * (at.x * cos(0.1 * TIME) + at.y * sin(0.1 * TIME)));
    vec3 light = mix(vec3(FROM), vec3(TO), bars);
    gl_FragColor = vec4(light * (0.35 + 0.65 * rings), 1.0);
}
"""
COLOURS = (("0.95, 0.55, 0.2", "0.25, 0.1, 0.35"), ("0.2, 0.7, 0.75", "0.05, 0.1, 0.3"))

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Preview:
    """What to show: the shader in `file` at `size` (width, height) px and `fps`, `seconds` long (None: SECONDS, or
    until the window is closed), into `out` (X.png, the last frame, or X.mp4) or a window."""

    file: Path
    size: tuple[int, int]
    fps: float
    seconds: float | None = None
    out: Path | None = None


def show(preview: Preview) -> None:
    """Write or show it. InstallationError where the shader is no good, or there is no window to be had."""
    if not all(1 <= side <= SIDE_AT_MOST for side in preview.size):
        raise RenderError(f"{preview.size[0]}x{preview.size[1]} px: each side is 1..{SIDE_AT_MOST}")
    if not 0.0 < preview.fps <= FPS_AT_MOST:
        raise RenderError(f"{preview.fps:g} frames a second: 0..{FPS_AT_MOST:g} are allowed")
    if preview.seconds is not None and not 0.0 < preview.seconds < 1e6:
        raise RenderError(f"{preview.seconds:g} seconds: more than 0 are wanted")
    with TemporaryDirectory() as folder:
        cards = tuple(_card(Path(folder), number) for number in range(len(COLOURS)))
        if preview.out is None:
            _watch(preview, cards)
        else:
            _write(preview, preview.out, cards)


def _write(preview: Preview, out: Path, cards: tuple[Path, ...]) -> None:
    if not out.parent.is_dir():
        raise RenderError(f"{out}: no folder {out.parent}")
    frames = max(1, round((preview.seconds or SECONDS) * preview.fps))
    still = out.suffix.lower() == ".png"
    with ExitStack() as opened:
        canvas = opened.enter_context(Canvas(preview.size))
        # A still of a transition is taken half way.
        screening = _Screening(canvas, preview, cards, frames / preview.fps * (2.0 if still else 1.0))
        recorder = opened.enter_context(Recorder(out, preview.size, preview.fps, RATE_HZ, CHANNELS))
        for number in tqdm(range(1, frames + 1), desc=out.name, unit="frame", disable=None):
            sound = screening.draw(number / preview.fps)
            if recorder.wants_sound:
                recorder.sound(sound)
            if recorder.wants_sound or number == frames:
                recorder.frame(canvas.read())


def _watch(preview: Preview, cards: tuple[Path, ...]) -> None:
    if not display_there():
        raise InstallationError("no window: there is no display; give --out X.png or X.mp4")
    with ExitStack() as opened:
        window = opened.enter_context(Window(preview.size, preview.file.name))
        canvas = opened.enter_context(Canvas(preview.size, "window"))
        screening = _Screening(canvas, preview, cards, CHANGE_S)
        began_s = time.monotonic()
        until_s = math.inf if preview.seconds is None else preview.seconds
        while not window.stop_asked and (now_s := time.monotonic() - began_s) < until_s:
            screening.draw(now_s)
            canvas.present(window.size)
            window.flip()
            time.sleep(max(0.0, now_s + 1.0 / preview.fps - (time.monotonic() - began_s)))


class _Screening:
    """The shader on a canvas with what it is shown with, and the ear that hears the test sound for it."""

    def __init__(self, canvas: Canvas, preview: Preview, cards: tuple[Path, ...], change_s: float) -> None:
        self._scenery = Scenery(canvas, LATENT_DIM, sample_rate_hz=RATE_HZ)
        self._analyser = Analyser(RATE_HZ, CHANNELS)
        self._position = 0
        setup = LayerSetup(str(preview.file))
        kind = shaders.load(preview.file).kind
        self._cards = cards if kind == "transition" else ()
        self._change, self._change_s = setup, change_s
        if kind == "generator":
            self._scenery.show(Drawing(setup))
        else:
            self._scenery.show(Drawing(LayerSetup(str(cards[0])), (setup,) if kind == "filter" else ()))
        self._changed = 0

    def draw(self, now_s: float) -> Samples:
        """The frame at `now_s`; the sound since the last one, (samples, channels)."""
        end = round(now_s * RATE_HZ)
        block = sounding(self._position, end - self._position)
        found = moments(self._analyser.push(block))
        self._position = end
        if self._cards:
            self._alternate(now_s)
        wanted = max(1, self._scenery.samples_wanted)
        self._scenery.draw(now_s, found, sounding(end - wanted, wanted))
        return block

    def _alternate(self, now_s: float) -> None:
        """From one card to the other, by the transition, each time a change is over."""
        if self._scenery.frames and now_s >= self._changed * self._change_s and not self._scenery.changing:
            self._changed += 1
            card = LayerSetup(str(self._cards[self._changed % len(self._cards)]))
            self._scenery.show(Drawing(card, (), self._change, self._change_s))


def sounding(begin: int, count: int) -> Samples:
    """The `count` samples from position `begin` on, (count, CHANNELS); silence before position 0."""
    time_s = np.arange(begin, begin + count) / RATE_HZ
    beat, bar = time_s // BEAT_S, time_s // (4 * BEAT_S)
    since_s = time_s % BEAT_S
    pulse = 0.5 * np.sin(2 * np.pi * (50.0 * since_s + 4.0 * (1.0 - np.exp(-30.0 * since_s)))) * np.exp(-9.0 * since_s)
    step = time_s // (BEAT_S / 2)
    note_s = time_s % (BEAT_S / 2)
    pitch_hz = np.asarray(MELODY_HZ)[(step % len(MELODY_HZ)).astype(int)]
    tone = sum(np.sin(2 * np.pi * part * pitch_hz * note_s) / part**2 for part in (1, 2, 3, 5))
    melody = 0.25 * tone * np.minimum(1.0, 200.0 * note_s) * np.exp(-6.0 * note_s) * (bar % BARS != SILENT_BAR)
    left = 0.5 + 0.4 * np.sin(0.7 * beat)
    sound = np.stack([pulse + 2.0 * left * melody, pulse + 2.0 * (1.0 - left) * melody], axis=1)
    return np.where(time_s[:, None] >= 0.0, sound, 0.0).astype(np.float32)


def moments(heard: list[Hearing]) -> Moments:
    """What was heard as moments, with latents that wander as a search's would."""
    found = np.zeros(len(heard), MOMENT)
    shared = [each.name for each in fields(Hearing) if each.name in (MOMENT.names or ())]
    for moment, each in zip(found, heard, strict=True):
        for name in shared:
            moment[name] = getattr(each, name)
    time_s = np.array([each.end for each in heard]) / RATE_HZ
    found["time_s"], found["sample"] = time_s, [each.end for each in heard]
    found["latent"][:, :LATENT_DIM] = np.sin(np.outer(time_s, 0.3 + 0.17 * np.arange(LATENT_DIM)))
    found["latent_dim"], found["steps"], found["step"] = LATENT_DIM, 64, (time_s * 16).astype(int) % 64
    found["trajectory"], found["sparseness"] = (time_s * 16).astype(int) // 64, 1.0 + 0.5 * np.sin(0.4 * time_s)
    return found


def _card(folder: Path, number: int) -> Path:
    """The file of one of the pictures that filters and transitions are shown with."""
    path = folder / f"card{number}.fs"
    path.write_text(CARD.replace("FROM", COLOURS[number][0]).replace("TO", COLOURS[number][1]), "utf-8")
    return path
