"""What the band of `beats` can play: styles as a drummer, a bassist and a keyboard player would write them down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """What one player does: a voice, its patterns of bars (one is drawn for a track: `x` is struck, `o` softly, `?`
    maybe, anything else rests), its level, and how it finds its notes: "" for drums, "root", "walk", "chord",
    "arpeggio" or "melody"."""

    voice: str
    patterns: tuple[str, ...]
    level: float = 0.5
    notes: str = ""
    octave: int = 4
    held: float = 0.9
    """How much of the way to its next note a note lasts."""


@dataclass(frozen=True)
class Style:
    """Its parts, its tempi in BPM, beats in a bar, and its swing: how far an eighth is late, of a beat."""

    parts: tuple[Part, ...]
    slowest_bpm: float
    fastest_bpm: float
    meter: int = 4
    swing: float = 0.0


FOUR = ("x...x...x...x...",)
BACK = ("....x.......x...", "....x.......x..o", "....x..o.o..x...")
EIGHTHS = ("x.o.x.o.x.o.x.o.", "x.x.x.x.x.x.x.x.", "o.x.o.x.o.x.o.x.")
OFFBEATS = ("..x...x...x...x.",)
SIXTEENTHS = ("xoxoxoxoxoxoxoxo", "xooxxooxxooxxoox", "x?xox?xox?xox?xo")
WHOLE = ("x...............",)

TRAINING: dict[str, Style] = {
    "house": Style(
        (
            Part("kick", FOUR, 0.9),
            Part("clap", BACK[:1], 0.4),
            Part("open hat", OFFBEATS, 0.25),
            Part("hat", SIXTEENTHS, 0.12),
            Part("synth bass", ("..x...x...x...x.", "..xx..x...xx..x.", "x..x..x.x..x..x."), 0.35, "root", 2, 0.6),
            Part("pad", WHOLE, 0.18, "chord", 4),
        ),
        100,
        135,
    ),
    "rock": Style(
        (
            Part("kick", ("x.......x.......", "x.....x.x.......", "x.x.....x.x....."), 0.8),
            Part("snare", BACK, 0.6),
            Part("hat", EIGHTHS, 0.25),
            Part("bass", ("x.x.x.x.x.x.x.x.", "x...x...x...x...", "x.....x.x.....x."), 0.5, "root", 2),
            Part("guitar", ("x.......x.......", "x.x.x.x.x.x.x.x.", "x..x..x.x..x..x."), 0.2, "chord", 4),
        ),
        76,
        160,
    ),
    "jazz": Style(
        (
            Part("ride", ("x...x.x.x...x.x.",), 0.3),
            Part("hat", BACK[:1], 0.3),
            Part("brush", ("?...?.?.?...?.?.",), 0.25),
            Part("bass", FOUR, 0.6, "walk", 2),
            Part("piano", ("?.?...?...?.?...", "x.....x.....?...", "..x....." * 2), 0.25, "chord", 4, 0.5),
            Part("lead", ("?.?.?.?.?.?.?.?.",), 0.2, "melody", 5),
        ),
        90,
        174,
        swing=1 / 6,
    ),
    "funk": Style(
        (
            Part("kick", ("x..x..x...x.....", "x.....x...x..x..", "x..x......xx...."), 0.8),
            Part("snare", ("....x..o.o..x..o", "....x..o....x..."), 0.6),
            Part("hat", SIXTEENTHS, 0.25),
            Part("synth bass", ("x..x..x...x...x.", "x.?x..?x..x.?.?.", "x......xx.x.x..."), 0.45, "walk", 2, 0.5),
            Part("guitar", ("..x...x...x...x.", ".?x.?.x?.?x.?.x."), 0.15, "chord", 4, 0.3),
        ),
        84,
        126,
    ),
    "breaks": Style(
        (
            Part("kick", ("x.........x.....", "x.x.......x.....", "x.........x..x.."), 0.8),
            Part("snare", ("....x.......x...", "....x..o.o..x..o"), 0.6),
            Part("hat", EIGHTHS, 0.25),
            Part("synth bass", ("x.....x.........", "x.........x.x...", "x..............."), 0.4, "root", 1),
            Part("pad", WHOLE, 0.15, "chord", 4),
        ),
        150,
        174,
    ),
    "hip hop": Style(
        (
            Part("deep kick", ("x......x..x.....", "x.x.......x.....", "x..........x...."), 0.9),
            Part("snare", BACK[:2], 0.6),
            Part("hat", EIGHTHS, 0.25),
            Part("bass", ("x......x..x.....", "x.......x......."), 0.5, "root", 2),
            Part("piano", ("x.......x.......", "x.....x..x......"), 0.25, "chord", 4),
        ),
        70,
        100,
        swing=0.06,
    ),
    "piano": Style(
        (
            Part("piano", FOUR, 0.4, "chord", 4),
            Part("piano", ("x.......x.......", "x.....x.x.......", "x.......x.....x."), 0.5, "root", 2),
            Part("piano", ("x...?.?.x...?.?.", "?.x.x...?.x.x.?.", "x.....x.?...x..."), 0.3, "melody", 5),
        ),
        70,
        140,
    ),
    "arpeggio": Style(
        (
            Part("pluck", ("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx"), 0.4, "arpeggio", 4),
            Part("synth bass", ("x...x...x...x...", "x...x.x.x...x.x.", "x.......x......."), 0.4, "root", 2),
            Part("pad", WHOLE, 0.2, "chord", 4),
        ),
        90,
        140,
    ),
    "waltz": Style(
        (
            Part("bass", ("x...........",), 0.5, "root", 2),
            Part("piano", ("....x...x...",), 0.3, "chord", 4, 0.5),
            Part("lead", ("x...?.?.?...", "x.....x.x...", "x.......x..."), 0.25, "melody", 5),
            Part("hat", ("....o...o...",), 0.15),
        ),
        90,
        170,
        meter=3,
    ),
    "strings": Style(
        (
            Part("strings", ("x.......x.......", "x...x...x...x..."), 0.25, "chord", 4),
            Part("bass", ("x...x...x...x...", "x.......x...x..."), 0.5, "walk", 2),
            Part("lead", ("x...x.x.x...x...", "x...?.x.x...?.x."), 0.25, "melody", 5),
        ),
        80,
        140,
    ),
    "ska": Style(
        (
            Part("kick", ("........x.......", "x.......x.......", "x...x...x...x..."), 0.7),
            Part("snare", ("....x.......x...", "........x......."), 0.5),
            Part("guitar", OFFBEATS, 0.35, "chord", 4, 0.3),
            Part("organ", ("..x...x...x...x.", "..xx..xx..xx..xx"), 0.2, "chord", 4, 0.4),
            Part("bass", ("x...x...x...x...", "x...x.x.x...x.x."), 0.6, "walk", 2),
        ),
        90,
        160,
    ),
    "reggaeton": Style(
        (
            Part("kick", FOUR, 0.8),
            Part("snare", ("...x..x....x..x.",), 0.5),
            Part("shaker", SIXTEENTHS[:2], 0.15),
            Part("synth bass", ("x..x..x.x..x..x.", "x.....x.x.....x."), 0.5, "root", 2, 0.6),
            Part("pluck", ("x..x..x.x..x..x.", "?.?x?.?.?.?x?.?."), 0.2, "melody", 5),
        ),
        84,
        104,
    ),
    "bossa": Style(
        (
            Part("deep kick", ("x.....x.x.....x.",), 0.4),
            Part("rim", ("x..x..x...x..x..", "x..x...x..x..x.."), 0.25),
            Part("brush", EIGHTHS[1:], 0.2),
            Part("hat", BACK[:1], 0.25),
            Part("bass", ("x.....x.x.....x.", "x.......x.....x."), 0.5, "root", 2),
            Part("guitar", ("x...x..x..x...x.", "..x...x..x..x..."), 0.25, "chord", 4, 0.5),
            Part("lead", ("?...x.?.?.x.?...",), 0.2, "melody", 5),
        ),
        100,
        150,
    ),
    "salsa": Style(
        (
            Part("conga", ("x..xx.xxx..xx.xx", "..x...xx..x...xx"), 0.4),
            Part("rim", ("..x.x...x..x..x.", "x..x..x...x.x..."), 0.3),
            Part("tom", ("x...x...x...x...", "x...x.x.x...x.x."), 0.35),
            Part("bass", ("......x.....x...", "x.....x.....x..."), 0.6, "root", 2),
            Part("piano", ("x.xx.x.xx.x.x.x.", "x.x.xx.x.x.x.x.x"), 0.25, "chord", 4, 0.5),
        ),
        84,
        112,
    ),
    "trance": Style(
        (
            Part("kick", FOUR, 0.9),
            Part("open hat", OFFBEATS, 0.3),
            Part("synth bass", (".xxx.xxx.xxx.xxx", "..x...x...x...x.", "..xx..xx..xx..xx"), 0.4, "root", 2, 0.6),
            Part("pluck", SIXTEENTHS[:1], 0.2, "arpeggio", 4),
            Part("pad", WHOLE, 0.15, "chord", 4),
        ),
        125,
        150,
    ),
}
"""What the tracker was tuned on."""

HELD_OUT: dict[str, Style] = {
    "reggae": Style(
        (
            Part("kick", ("........x.......", "....x.......x..."), 0.8),
            Part("rim", ("........x.......", "....x.......x..."), 0.5),
            Part("hat", EIGHTHS[:2], 0.2),
            Part("guitar", ("....x.......x...", "..x...x...x...x."), 0.3, "chord", 4, 0.3),
            Part("bass", ("x..x..x.x.......", "x...x.x...x.x...", "..x.x.x.x......."), 0.6, "walk", 2),
        ),
        70,
        90,
        swing=0.05,
    ),
    "samba": Style(
        (
            Part("deep kick", ("x..xx..xx..xx..x",), 0.6),
            Part("shaker", SIXTEENTHS[:2], 0.3),
            Part("tom", BACK[:1], 0.5),
            Part("rim", ("x..x..x...x..x..", "..x..x..x..x..x."), 0.3),
            Part("guitar", ("x..x..x...x..x..", "x.x..x..x.x..x.."), 0.25, "chord", 4, 0.6),
            Part("bass", ("x..xx..xx..xx..x", "x.....x.x.....x."), 0.5, "root", 2),
        ),
        85,
        120,
    ),
    "techno": Style(
        (
            Part("deep kick", FOUR, 0.9),
            Part("hat", OFFBEATS, 0.25),
            Part("ride", ("................", "x.x.x.x.x.x.x.x."), 0.12),
            Part("synth bass", (".xxx.xxx.xxx.xxx", "..xx..xx..xx..xx"), 0.3, "root", 1, 0.7),
            Part("pluck", ("x..x..x..x..x.x.", "..x..x....x..x.."), 0.2, "melody", 5),
        ),
        120,
        150,
    ),
    "disco": Style(
        (
            Part("kick", FOUR, 0.8),
            Part("snare", BACK[:1], 0.5),
            Part("hat", ("xox.xox.xox.xox.", "x.x.x.x.x.x.x.x."), 0.2),
            Part("bass", ("x.x.x.x.x.x.x.x.", "x..xx.x.x..xx.x."), 0.5, "walk", 2, 0.6),
            Part("strings", ("x...............", "x.....x........."), 0.2, "chord", 5),
        ),
        104,
        132,
    ),
    "ballad": Style(
        (
            Part("piano", ("x.x.x.x.x.x.x.x.", "x...x...x...x..."), 0.35, "arpeggio", 4),
            Part("bass", ("x.......x.......", "x.......x.....x."), 0.5, "root", 2),
            Part("rim", BACK[:1], 0.3),
            Part("strings", WHOLE, 0.15, "chord", 4),
        ),
        70,
        92,
    ),
    "latin": Style(
        (
            Part("conga", ("..o.x...oox.x.xx", "x.o.x.xxo.o.x.xx"), 0.4),
            Part("rim", ("x..x..x...x.x...", "..x.x...x..x..x."), 0.3),
            Part("bell", ("x...x...x...x...", "x...x.x.x.x.x.x."), 0.3),
            Part("bass", ("......x.....x...", "x.....x.....x..."), 0.6, "root", 2),
            Part("piano", ("x.xx.x.xx.x.x.x.", "x.x.x..x.x.x.x.x"), 0.3, "chord", 4, 0.5),
            Part("shaker", EIGHTHS, 0.25),
        ),
        85,
        115,
    ),
    "folk": Style(
        (
            Part("guitar", ("x...x.x.x...x.x.", "x...x.xxx...x.xx"), 0.35, "chord", 4, 0.8),
            Part("bass", ("x.......x.......",), 0.5, "walk", 2),
            Part("lead", ("x...?...x.x.?...", "x.....x.x...?..."), 0.25, "melody", 5),
        ),
        90,
        140,
    ),
    "choir": Style(
        (
            Part("strings", FOUR, 0.25, "chord", 4),
            Part("organ", ("x...x...x.......", "x...x...x...x..."), 0.25, "melody", 5),
            Part("strings", FOUR, 0.3, "root", 3),
        ),
        72,
        120,
    ),
    "sequencer": Style(
        (
            Part("synth bass", ("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx"), 0.3, "arpeggio", 2, 0.5),
            Part("pluck", ("x...x...x...x...", "x.......x.......", "x...x.x.x...x.x."), 0.3, "chord", 4),
            Part("pad", WHOLE, 0.2, "chord", 4),
        ),
        90,
        130,
    ),
    "march": Style(
        (
            Part("tom", ("x...x...x...x...", "x.......x......."), 0.7),
            Part("snare", ("x.xxx.x.x.xxx.x.", "..x...x...x.xxx."), 0.35),
            Part("organ", ("x...x...x...x...", "x...x.x.x...x..."), 0.25, "melody", 5),
        ),
        96,
        126,
    ),
}
"""What it was not tuned on."""


KITS: dict[str, tuple[str, ...]] = {
    "kick": ("kick", "deep kick", "soft kick"),
    "deep kick": ("kick", "deep kick", "soft kick"),
    "snare": ("snare", "clap", "tight snare"),
    "clap": ("snare", "clap"),
    "hat": ("hat", "shaker", "tight hat"),
    "open hat": ("open hat", "ride", "hat"),
    "rim": ("rim", "bell", "conga"),
    "bass": ("bass", "synth bass"),
    "synth bass": ("bass", "synth bass"),
    "piano": ("piano", "guitar", "pluck", "organ"),
    "pluck": ("piano", "guitar", "pluck"),
    "guitar": ("piano", "guitar", "organ"),
    "lead": ("lead", "piano", "organ"),
}
"""What may stand in for a voice: a track draws its own."""
