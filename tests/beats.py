"""Music whose beats are known: a small band plays from patterns, in time or nearly so, and writes down where it counts.

A track is a style (what is played), a form (what becomes of it: a breakdown, another tempo, a fade), a tempo and a
seed (key, chords, melody, density, the players' errors of up to 8 ms, slow drift of the tempo). Where the beats lie is
the style's own count, as a musician would tap it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tests.beat_styles import HELD_OUT, KITS, TRAINING, Part, Style
from tests.beat_voices import VOICES

Doubles = npt.NDArray[np.float64]

STEPS = 4
"""Steps of a pattern in a beat."""
JITTER_S = 0.008
MIX_DB = 4.0
"""How much louder or softer than its level a part may be mixed."""
SCALES = ((0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 9, 10))


@dataclass(frozen=True, eq=False)
class Track:
    """`samples` (count,), mono, within ±1, and the times of its `beats_s`; `bpm` is its tempo at the end."""

    name: str
    samples: Doubles = field(repr=False)
    sample_rate_hz: int
    beats_s: Doubles = field(repr=False)
    bpm: float


FORMS = ("even", "breakdown", "other tempo", "fade in", "noise floor", "late start")


def retuned(sound: Doubles, factor: float) -> Doubles:
    """A sound played `factor` times as fast: a smaller drum, or a larger."""
    if factor == 1.0:
        return sound
    return np.interp(np.arange(0, len(sound), factor), np.arange(len(sound)), sound)


class Band:
    """Plays one track. Where a beat falls is settled first; then every part plays to it with errors of its own."""

    def __init__(self, style: Style, form: str, bpm: float, seed: int, sample_rate_hz: int, seconds: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.style, self.form, self.rate_hz, self.seconds = style, form, sample_rate_hz, seconds
        self.start_s = 4.0 if form == "late start" else float(self.rng.uniform(0.0, 0.6))
        self.beats_s = self.counted(bpm)
        self.key = int(self.rng.integers(-5, 7))
        self.scale = SCALES[int(self.rng.integers(len(SCALES)))]
        degrees = self.rng.choice([3, 4, 5, 2], 3)
        self.chords = [0, *(int(each) for each in degrees)]
        self.out: Doubles = np.zeros(int((seconds + 4) * sample_rate_hz))

    def counted(self, bpm: float) -> Doubles:
        """Times of the beats, from the start to the end: the tempo drifts by up to 1 %, or changes in the middle."""
        drift, period_s = self.rng.uniform(0, 0.01), self.rng.uniform(8, 30)
        changes = (1.1, 1.19) if bpm < 110 else (0.84, 0.9)
        change = float(self.rng.choice(changes)) if self.form == "other tempo" else 1.0
        times, now_s = [], self.start_s
        while now_s < self.seconds:
            times.append(now_s)
            share = 1 + drift * np.sin(2 * np.pi * now_s / period_s)
            share *= change if now_s > self.seconds / 2 else 1.0
            now_s += 60 / (bpm * share)
        return np.array(times)

    def when_s(self, step: int) -> float:
        """When a step is due, swung."""
        beat, within = divmod(step, STEPS)
        share = within / STEPS
        bent = share * (1 + 2 * self.style.swing) if share < 0.5 else 1 - (1 - share) * (1 - 2 * self.style.swing)
        beat = min(beat, len(self.beats_s) - 2)
        return float(self.beats_s[beat] + bent * (self.beats_s[beat + 1] - self.beats_s[beat]))

    def hz(self, degree: int, octave: int) -> float:
        """A degree of the scale, counted on over octaves, as a frequency."""
        octaves, within = divmod(degree, len(self.scale))
        return float(440 * 2 ** ((self.key + self.scale[within] + 12 * (octave + octaves) - 57) / 12))

    def silent(self, part: Part, beat: int) -> bool:
        """Whether a part is out now: in a breakdown the drums are, for two bars and more."""
        if self.form != "breakdown" or part.notes:
            return False
        return 0.4 < self.beats_s[min(beat, len(self.beats_s) - 1)] / self.seconds < 0.6

    def play(self, part: Part) -> None:
        """All of one part."""
        pattern = part.patterns[int(self.rng.integers(len(part.patterns)))]
        bar = STEPS * self.style.meter
        last = STEPS * (len(self.beats_s) - 1)
        struck = [step for step in range(last) if self.strikes(pattern[step % len(pattern)])]
        degree, kept = 0, {}
        voice = VOICES[str(self.rng.choice(KITS.get(part.voice, (part.voice,))))]
        tuned = 1.0 if part.notes else float(2 ** self.rng.uniform(-0.4, 0.4))
        loud = part.level * 10 ** (self.rng.uniform(-MIX_DB, MIX_DB) / 20)
        for step, after in zip(struck, [*struck, last][1:], strict=True):
            chord = self.chords[(step // bar) % len(self.chords)]
            degree = int(np.clip(degree + self.rng.integers(-2, 3), -3, 5))
            if self.silent(part, step // STEPS):
                continue
            length_s = part.held * min(self.when_s(after) - self.when_s(step), 4.0)
            soft = 0.4 if pattern[step % len(pattern)] == "o" else 1.0
            level = loud * soft * self.rng.uniform(0.8, 1.0)
            late_s = float(np.clip(self.rng.normal(0, JITTER_S / 2), -JITTER_S, JITTER_S))
            for pitch in self.pitches(part, chord, degree, step, bar):
                key = (round(pitch, 1), round(length_s, 1), int(self.rng.integers(3)))
                if key not in kept:
                    kept[key] = retuned(voice(pitch, length_s, self.rate_hz, self.rng), tuned)
                self.add(kept[key] * level, max(0.0, self.when_s(step) + late_s))

    def strikes(self, mark: str) -> bool:
        """Whether a mark of the pattern is played this time."""
        return mark in "xo" or (mark == "?" and bool(self.rng.random() < 0.5))

    def pitches(self, part: Part, chord: int, degree: int, step: int, bar: int) -> Sequence[float]:
        """The frequencies of a note, or of all of a chord's, in Hz."""
        match part.notes:
            case "root":
                return [self.hz(chord, part.octave)]
            case "walk":
                return [self.hz(chord + (0 if step % bar == 0 else degree), part.octave)]
            case "chord":
                return [self.hz(chord + third, part.octave) for third in (0, 2, 4)]
            case "arpeggio":
                return [self.hz(chord + (0, 2, 4, 7)[step // 2 % 4], part.octave)]
            case "melody":
                return [self.hz(chord + degree, part.octave)]
            case _:
                return [0.0]

    def add(self, sound: Doubles, at_s: float) -> None:
        """Lay a note where it belongs."""
        at = int(at_s * self.rate_hz)
        room = self.out[at : at + len(sound)]
        room += sound[: len(room)]

    def toned(self, sound: Doubles) -> Doubles:
        """A duller or a brighter recording: up to 2 dB an octave about 800 Hz."""
        bins = np.fft.rfft(sound)
        octaves = np.log2(np.fft.rfftfreq(len(sound), 1 / self.rate_hz).clip(20) / 800)
        return np.fft.irfft(bins * 10 ** (self.rng.uniform(-2, 2) * octaves / 20), len(sound))

    def finished(self) -> Doubles:
        """All parts, in a room, at the level and with the noise of the form, (samples,)."""
        for part in self.style.parts:
            self.play(part)
        self.out = self.toned(self.out)
        tail = np.arange(int(0.5 * self.rate_hz)) / self.rate_hz
        echo = self.rng.standard_normal(len(tail)) * np.exp(-tail / 0.12)
        size = len(self.out) + len(tail)
        wet = np.fft.irfft(np.fft.rfft(self.out, size) * np.fft.rfft(echo, size), size)[: len(self.out)]
        dry = self.out[: int(self.seconds * self.rate_hz)]
        room = wet[: len(dry)] / (np.abs(wet).max() + 1e-9) * self.rng.uniform(0.05, 0.15) * np.abs(dry).max()
        sound = (dry + room) / (np.abs(dry + room).max() + 1e-9) * self.rng.uniform(0.2, 0.9)
        time_s = np.arange(len(sound)) / self.rate_hz
        if self.form == "fade in":
            sound = sound * 10 ** (-2 * np.clip(1 - time_s / 8, 0, 1))
        hiss_db = -36 if self.form == "noise floor" else -66
        return np.asarray(sound + 10 ** (hiss_db / 20) * self.rng.standard_normal(len(sound)))


def mixture(names: Sequence[str], rng: np.random.Generator) -> Style:
    """The drums of one style under the notes of another, at a tempo of the first, or of the second if it has none."""
    styles = [style for name in names if (style := (TRAINING | HELD_OUT)[name]).meter == 4]
    struck, sung = (styles[int(n)] for n in rng.choice(len(styles), 2, replace=False))
    drums = tuple(part for part in struck.parts if not part.notes)
    notes = tuple(part for part in sung.parts if part.notes)
    first = struck if drums else sung
    return Style(drums + notes, first.slowest_bpm, first.fastest_bpm, swing=first.swing)


def track(style: Style, name: str, bpm: float, seed: int, sample_rate_hz: int = 44_100, seconds: float = 30.0) -> Track:
    """One track, named "style, form". The same words give the same sound."""
    form = name.split(", ")[1]
    band = Band(style, form, bpm, seed, sample_rate_hz, seconds)
    samples, beats_s = band.finished(), band.beats_s
    ends_bpm = 60 / float(np.median(np.diff(beats_s[beats_s > 0.6 * seconds])))
    return Track(f"{name}, {bpm:.0f} BPM", samples, sample_rate_hz, beats_s, ends_bpm)


def tracks(
    styles: dict[str, Style],
    count: int,
    seed: int,
    sample_rate_hz: int = 44_100,
    seconds: float = 30.0,
    mixed: bool = False,
) -> Iterator[Track]:
    """`count` tracks, styles and forms in turn, tempi over the whole range of each style; `mixed`: every other one a
    mixture of two."""
    rng = np.random.default_rng(seed)
    names = list(styles)
    for n in range(count):
        name = names[n % len(names)]
        style = styles[name]
        if mixed and n // len(names) % 2:
            name, style = "mixture", mixture(names, rng)
        share = (n // len(names) + rng.random()) / max(1, -(-count // len(names)))
        bpm = style.slowest_bpm * (style.fastest_bpm / style.slowest_bpm) ** share
        form = FORMS[(n + n // len(names)) % len(FORMS)]
        yield track(style, f"{name}, {form}", bpm, seed * 1000 + n, sample_rate_hz, seconds)


def beatless(sample_rate_hz: int, seconds: float = 30.0) -> dict[str, Doubles]:
    """What has no beat: noises, a sine, a drone that swells, silence, and a noise floor nobody hears."""
    rng = np.random.default_rng(3)
    count = int(seconds * sample_rate_hz)
    time_s = np.arange(count) / sample_rate_hz
    white = rng.standard_normal(count)
    bins = np.fft.rfft(white)
    pink = np.fft.irfft(bins / np.sqrt(np.maximum(np.arange(len(bins)), 1)), count)
    drone = np.sum([np.sin(2 * np.pi * 110 * n * time_s + n) / n for n in range(1, 8)], axis=0)
    return {
        "white noise": 0.1 * white,
        "pink noise": 0.1 * pink / pink.std(),
        "sine": 0.3 * np.sin(2 * np.pi * 440 * time_s),
        "drone": 0.1 * drone * (1 + 0.3 * np.sin(2 * np.pi * 0.07 * time_s)),
        "silence": np.zeros(count),
        "noise floor": 1e-5 * white,
    }
