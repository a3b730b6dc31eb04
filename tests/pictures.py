"""A canvas with one shader on it, for tests that draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.frame import Frame
from installation.picture.program import Program
from installation.picture.shading import isf
from installation.picture.shading.isf import Number


class Picture:
    """Shows one shader at a time, with the flash guard off: frames here follow each other as no eye sees them."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.program: Program | None = None

    def show(self, shader: isf.Shader, values: Mapping[str, Number] | None = None, keep: bool = False) -> None:
        old = self.program
        self.program = self.canvas.compile(shader, values, heir_of=old if keep else None)
        if old:
            old.release()

    def draw(self, frame: Frame, gain: float = 1.0, ceiling: float = 1.0) -> None:
        steps = [Step(self.program, frame)] if self.program else []
        self.canvas.draw(steps, Finish(gain, ceiling, guard=False))

    def read(self) -> npt.NDArray[np.uint8]:
        return self.canvas.read()

    def target(self, name: str) -> npt.NDArray[np.float32]:
        assert self.program is not None
        return self.program.target(name)


@contextmanager
def picture(size: tuple[int, int]) -> Iterator[Picture]:
    """One of `size` px, released when it is left."""
    with Canvas(size) as canvas:
        held = Picture(canvas)
        yield held
        if held.program:
            held.program.release()
