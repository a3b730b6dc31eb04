"""How the pages this package writes look: one dark palette for text and plots, one style sheet, no outside resource."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

GROUND = "#0e1013"
SURFACE = "#15181d"
RAISED = "#1c2027"
RULE = "#2b3039"
INK = "#ece6da"
QUIET = "#a09c93"
FAINT = "#6b6a66"
BRONZE = "#dba463"
VERDIGRIS = "#5fb8a5"
ROSE = "#d9738c"
SKY = "#6fa9dd"
VIOLET = "#a592de"
MOSS = "#a7ba62"
EMBER = "#e2764e"
SAND = "#cdb89a"

SERIES = (BRONZE, VERDIGRIS, ROSE, SKY, VIOLET, MOSS, EMBER, SAND)
"""Colours of things side by side, in this order; told apart by lightness too."""
RAMP = ("#101a2b", "#1d3c56", "#2f6f77", "#7d9a6a", "#dba463", "#f6e7c8")
"""From little to much: night to bronze to ivory."""

STYLE = f"""
:root {{ color-scheme: dark; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: {GROUND}; color: {INK};
  font: 16px/1.6 "Inter", "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; }}
main {{ max-width: 1120px; margin: 0 auto; padding: 56px 32px 96px; }}
h1 {{ font-weight: 300; font-size: 44px; line-height: 1.15; letter-spacing: -0.015em; margin: 0 0 12px; }}
h2 {{ font-weight: 400; font-size: 25px; margin: 72px 0 6px; padding-top: 22px; border-top: 1px solid {RULE}; }}
h3 {{ font-weight: 500; font-size: 17px; margin: 0 0 4px; }}
p {{ max-width: 72ch; margin: 8px 0 16px; }}
a {{ color: {BRONZE}; }}
.lead {{ color: {QUIET}; font-size: 18px; margin-bottom: 32px; }}
.note {{ color: {QUIET}; font-size: 14.5px; }}
.mark {{ color: {BRONZE}; letter-spacing: 0.14em; text-transform: uppercase; font-size: 12px; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 14px; margin: 24px 0; }}
.card {{ background: {SURFACE}; border: 1px solid {RULE}; border-radius: 10px; padding: 18px 20px; }}
.card .value {{ font-size: 27px; font-weight: 300; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.card .name {{ color: {QUIET}; font-size: 13.5px; }}
.card .was {{ color: {FAINT}; }}
.verdict {{ background: {RAISED}; border-left: 3px solid {VERDIGRIS}; border-radius: 0 10px 10px 0; padding: 16px 22px;
  margin: 24px 0; }}
.verdict.ill {{ border-color: {EMBER}; }}
.verdict p {{ margin: 2px 0; }}
figure {{ margin: 20px 0; }}
figure img {{ display: block; width: 100%; height: auto; border-radius: 10px; border: 1px solid {RULE}; }}
figcaption {{ color: {QUIET}; font-size: 14.5px; margin-top: 8px; max-width: 82ch; }}
.narrow figure {{ max-width: 620px; }}
.sound img {{ display: block; width: 100%; border-radius: 8px; }}
.pair {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 18px; }}
table {{ border-collapse: collapse; width: 100%; margin: 16px 0; font-size: 14.5px;
  font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: 7px 14px 7px 0; border-bottom: 1px solid {RULE}; vertical-align: top; }}
th {{ color: {QUIET}; font-weight: 500; }}
td {{ white-space: nowrap; }} td:first-child {{ white-space: normal; }}
td.number, th.number {{ text-align: right; }}
.scroll {{ overflow-x: auto; }}
.sound {{ background: {SURFACE}; border: 1px solid {RULE}; border-radius: 10px; padding: 18px 20px; margin: 16px 0;
  display: grid; grid-template-columns: minmax(320px, 1fr) minmax(320px, 1fr); gap: 20px; align-items: start; }}
.sound figure {{ margin: 8px 0 0; }}
.sound audio {{ width: 100%; height: 36px; margin-top: 10px; }}
.sound svg {{ width: 100%; height: auto; }}
audio {{ color-scheme: dark; }}
details {{ margin: 12px 0; }} summary {{ cursor: pointer; color: {QUIET}; }}
form label {{ display: block; margin: 10px 0; }}
input, select, textarea, button {{ font: inherit; color: {INK}; background: {RAISED}; border: 1px solid {RULE};
  border-radius: 8px; padding: 7px 12px; }}
button {{ cursor: pointer; }} button:hover {{ border-color: {BRONZE}; }}
input[type=range] {{ accent-color: {BRONZE}; padding: 0; }}
:focus-visible {{ outline: 2px solid {BRONZE}; outline-offset: 2px; }}
footer {{ color: {FAINT}; font-size: 13px; margin-top: 72px; }}
@media (max-width: 760px) {{ main {{ padding: 32px 18px; }} .sound {{ grid-template-columns: 1fr; }}
  .pair {{ grid-template-columns: 1fr; }} h1 {{ font-size: 32px; }} }}
"""


def document(title: str, body: str) -> str:
    """A whole HTML page around `body`, which is HTML; `title` is text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def figure(source: str, caption: str) -> str:
    """A picture at the relative path `source`, and what it shows; `caption` is text."""
    return (
        f'<figure><img src="{escape(source)}" alt="{escape(caption)}" loading="lazy">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def card(name: str, now: str, was: str = "") -> str:
    """One figure of a run: what it is now, and was at the start. All are text."""
    before = f'<span class="was">{escape(was)} → </span>' if was else ""
    return (
        f'<div class="card"><div class="value">{before}{escape(now)}</div><div class="name">{escape(name)}</div></div>'
    )


def cards(made: Iterable[str]) -> str:
    """Cards in a row, as HTML."""
    return f'<div class="cards">{"".join(made)}</div>'


def verdict(name: str, sentence: str, ill: bool) -> str:
    """A judgement that is seen at once. All are text."""
    kind = "verdict ill" if ill else "verdict"
    return f'<div class="{kind}"><p class="mark">{escape(name)}</p><p>{escape(sentence)}</p></div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Text and numbers in columns, numbers to the right and with three digits after the point."""
    held = [list(row) for row in rows]
    numeric = [bool(held) and all(isinstance(row[place], (int, float)) for row in held) for place in range(len(heads))]
    kinds = [' class="number"' if each else "" for each in numeric]
    top = "".join(f"<th{kind}>{escape(head)}</th>" for kind, head in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(_text(cell))}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in held
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(cell: object) -> str:
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)
