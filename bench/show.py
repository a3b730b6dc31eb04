"""A show to be measured: its scenes, its conductor, and what keeps the machine busy beside it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from installation.conductor import Conductor, Options
from installation.schema import load
from installation.show import Show


def conductor_of(folder: Path, scenes: Mapping[str, str], report: Path, headless: bool = True) -> Conductor:
    """The conductor of a show of `scenes`, YAML by stem, on the card `pulse` and, if `headless`, without a window; it
    begins with the first, keeps what it breeds in `folder`, and writes `report` when it ends."""
    paths = {stem: folder / f"{stem}.yaml" for stem in scenes}
    for stem, text in scenes.items():
        paths[stem].write_text(text, "utf-8")
    options = Options(state=folder, headless=headless, device="pulse", report=report)
    return Conductor(Show(tuple(scenes), lambda stem: load(paths[stem])), options, time.monotonic())


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Meanwhile so many processes count to no end, at the usual priority."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_count_to_no_end, daemon=True) for _ in range(count)]
    for each in others:
        each.start()
    try:
        yield
    finally:
        for each in others:
            each.kill()


def _count_to_no_end() -> None:
    while True:
        pass
