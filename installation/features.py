"""What is heard, declared once: name, range, unit and sentence of every feature. Mappings, uniforms, OSC and the
reference are derived from here; `analysis.features` says how each is measured."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

BANDS = 8
CHROMA = 12
MFCC = 13
TURN_S = 2048 * 2 * 3.141592653589793
"""Clocks start again from 0 after this long, as TIME does: the sine of one times any multiple of 1/2048 has no seam."""


@dataclass(frozen=True)
class Feature:
    """A number heard, `minimum`..`maximum` in `unit`; in silence it is `silent`. `phase`: it runs round, and is not to
    be smoothed."""

    name: str
    minimum: float
    maximum: float
    unit: str
    sentence: str
    phase: bool = False
    silent: float = 0.0

    def position(self, value: float) -> float:
        """Where in its range `value` lies, 0..1: what a mapping takes."""
        return min(1.0, max(0.0, (value - self.minimum) / (self.maximum - self.minimum)))


def listed(names: Iterable[str]) -> str:
    """`names` for people: those that differ by a number only are said once, band0..7."""
    rows: dict[str, list[str]] = {}
    for name in names:
        stem = name.rstrip("0123456789")
        rows.setdefault(stem if stem != name else f"{name}=", []).append(name)
    return ", ".join(
        each[0] if len(each) == 1 else f"{each[0]}..{each[-1].removeprefix(stem)}" for stem, each in rows.items()
    )


def _unit(name: str, sentence: str) -> Feature:
    return Feature(name, 0.0, 1.0, "", sentence)


_NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")

FEATURES: tuple[Feature, ...] = (
    _unit("rms", "Root mean square of the last 2048 samples; a full-scale sine gives .707."),
    _unit("centroid", "Brightness: the spectrum's centre of gravity, in octaves from 40 Hz to 16 kHz."),
    _unit("flux", "How much of the spectrum is new since the last hop."),
    _unit("onset", "Jumps when something is struck, and decays."),
    *(_unit(f"band{n}", f"Level of band {n} of 8 (40 Hz to 16 kHz), -70..0 dB.") for n in range(BANDS)),
    _unit("loudness", "Loudness against its own long-term level; the gain rests in silence."),
    Feature("loudness_lufs", -70.0, 0.0, "LUFS", "Momentary loudness, 400 ms (ITU-R BS.1770).", silent=-70.0),
    Feature("centroid_hz", 0.0, 24_000.0, "Hz", "Spectral centroid."),
    Feature("spread_hz", 0.0, 12_000.0, "Hz", "Spectral bandwidth: how far the spectrum lies around its centroid."),
    Feature("rolloff_hz", 0.0, 24_000.0, "Hz", "Below this lies 85 % of the spectrum's magnitude."),
    _unit("flatness", "From a tone (0) to noise (1)."),
    Feature("onset_db", 0.0, 80.0, "dB", "Onset strength: mean rise of the mel bands since the last hop."),
    _unit("presence", "Whether there is sound, slowly."),
    Feature("silence", 0.0, 1.0, "", "1 while there is no sound, else 0.", silent=1.0),
    _unit("beat", "Jumps at each beat, and decays."),
    Feature("beat_phase", 0.0, 1.0, "", "From one beat (0) to the next (1).", phase=True),
    Feature("tempo_bpm", 0.0, 240.0, "bpm", "Tempo; 0 while there is none."),
    _unit("tempo_confidence", "How sure the beat is."),
    *(_unit(f"hits{n}", f"Jumps when something is struck in band {n}, and decays.") for n in range(BANDS)),
    *(
        Feature(f"time{n}", 0.0, TURN_S, "s", f"A clock that band {n} drives: the louder, the faster.", phase=True)
        for n in range(BANDS)
    ),
    *(_unit(f"presence{n}", f"How present band {n} has been in the last seconds.") for n in range(BANDS)),
    *(
        _unit(f"chroma{n}", f"How much of note {n} ({note}) there is; the strongest is 1.")
        for n, note in enumerate(_NOTES)
    ),
    Feature("mfcc0", -1000.0, 500.0, "", "The first mel-frequency cepstral coefficient: overall level.", silent=-800.0),
    *(Feature(f"mfcc{n}", -400.0, 400.0, "", f"Mel-frequency cepstral coefficient {n}.") for n in range(1, MFCC)),
)
"""In the order of MOMENT['features']."""


def reference() -> str:
    """All of them as a Markdown table: those that differ by a number only share a row."""
    rows: dict[tuple[object, ...], list[str]] = {}
    for each in FEATURES:
        number = each.name.removeprefix(each.name.rstrip("0123456789"))
        sentence = re.sub(rf"\b{number}\b( \([^)]*\))?", "n", each.sentence, count=1) if number else each.sentence
        rows.setdefault((each.minimum, each.maximum, each.unit, sentence), []).append(each.name)
    lines = ["| feature | range | unit | |", "|---|---|---|---|"]
    for (minimum, maximum, unit, said), names in rows.items():
        lines.append(f"| `{listed(names)}` | {minimum:g}..{maximum:g} | {unit} | {said} |")
    return "\n".join(lines)
