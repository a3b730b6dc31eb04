"""Where pictures are drawn: the only file that imports OpenGL (3.3 core), headless by EGL or in the current window.

A frame is a chain of steps: each draws one shader, and may sample the pictures of the steps before it. Every one but
the last is drawn into a half-float texture; the last, finished (see `finishing`), in 8 bits as it is displayed. That is
what is seen, unless the flash guard has to hold it. A window is given a copy, scaled. Nothing is created per frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError
from installation.picture import finishing
from installation.picture.finishing import RAW, Finish
from installation.picture.flashguard import FlashGuard
from installation.picture.frame import Frame
from installation.picture.program import Draw, Program
from installation.picture.shading import glsl
from installation.picture.shading.isf import Number, Shader
from installation.picture.target import Target


@dataclass(frozen=True)
class Step:
    """`program` drawn with `frame`. `pictures`: for an image input, by name, the number of the earlier step whose
    picture it samples."""

    program: Program
    frame: Frame
    pictures: Mapping[str, int] = field(default_factory=dict)


class Canvas:
    """Pictures of `size` (width, height) px. `where` is "egl", or "window" for the context that is current."""

    def __init__(self, size: tuple[int, int], where: Literal["egl", "window"] = "egl") -> None:
        self.size = size
        self.where = where

    def __enter__(self) -> Canvas:
        import moderngl

        self._error: type[Exception] = moderngl.Error
        asked: dict[str, Any] = {"standalone": True, "backend": "egl"} if self.where == "egl" else {}
        try:
            self._context: Any = moderngl.create_context(require=330, **asked)
        except Exception as error:  # moderngl's back ends raise plain Exception and ImportError
            raise InstallationError(f"picture: no OpenGL 3.3 by {self.where}: {error}") from error
        self._context.disable(moderngl.BLEND | moderngl.DEPTH_TEST)
        self._copy = Draw(self._context, glsl.VERTEX, glsl.COPY, {"picture": 0})
        self._bend = Draw(self._context, glsl.VERTEX, finishing.BENT, {"picture": 0})
        self._drawn = Target(self._context, self.size, "f1", persistent=True)
        self._seen = self._drawn.texture
        self._between: list[Target] = []
        self._guard = FlashGuard(self._context, self.size)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        held: tuple[Any, ...] = (*self._between, self._guard, self._drawn, self._bend, self._copy)
        for each in held:
            each.release()
        self._context.release()

    @property
    def context(self) -> Any:
        """The moderngl context, for those that draw beside the canvas; who binds something restores it."""
        return self._context

    @property
    def renderer(self) -> str:
        """Who draws, in the driver's words."""
        return str(self._context.info["GL_RENDERER"])

    @property
    def seen(self) -> Any:
        """The texture of what is seen, 8 bits a channel."""
        return self._seen

    def compile(
        self, shader: Shader, values: Mapping[str, Number] | None = None, heir_of: Program | None = None
    ) -> Program:
        """`shader` for pictures of the canvas's size, or ShaderError at the author's own line; see `Program`. Whoever
        asks for it releases it."""
        try:
            return Program(self._context, shader, self.size, values, heir_of)
        except self._error as error:
            raise glsl.complaint(shader, str(error)) from error

    def draw(self, steps: Sequence[Step], finish: Finish) -> None:
        """One frame; black without steps."""
        drawn: list[Any] = []
        for place, step in enumerate(steps[:-1]):
            into = self._room(place)
            step.program.draw(step.frame, {name: drawn[of] for name, of in step.pictures.items()}, into, RAW)
            drawn.append(into.texture)
        if steps:
            last = steps[-1]
            pictures = {name: drawn[of] for name, of in last.pictures.items()}
            if finish.bends:
                into = self._room(len(steps) - 1)
                last.program.draw(last.frame, pictures, into, RAW)
                self._bend.set(finish.uniforms())
                self._put(self._bend, into.texture, self._drawn)
            else:
                last.program.draw(last.frame, pictures, self._drawn, finish.uniforms())
        else:
            self._drawn.begin(clear=True)
            self._drawn.end()
        wanted = self._drawn.texture
        self._seen = self._guard.watch(self._seen, wanted, finish.delta_s) if finish.guard else wanted

    def resize(self, size: tuple[int, int]) -> None:
        """Draw pictures of `size` from now on; programs are resized by whoever has them."""
        if size == self.size:
            return
        self.size, before = size, self._drawn
        self._drawn = Target(self._context, size, "f1", persistent=True)
        self.copy(self._seen, self._drawn)
        self._seen = self._drawn.texture
        for each in (before, *self._between):
            each.release()
        self._between.clear()

    def copy(self, texture: Any, into: Target) -> None:
        """Put `texture` into a target, scaled."""
        self._put(self._copy, texture, into)

    def present(self, size: tuple[int, int]) -> None:
        """Put the frame on the window's `size` px, as large as fits with its own proportions; the rest is black."""
        scale = min(size[0] / self.size[0], size[1] / self.size[1])
        width, height = max(1, round(self.size[0] * scale)), max(1, round(self.size[1] * scale))
        screen = self._context.screen
        screen.use()
        self._context.viewport = (0, 0, *size)
        screen.clear()
        self._context.viewport = ((size[0] - width) // 2, (size[1] - height) // 2, width, height)
        self._seen.use(0)
        self._copy.render()

    def read(self) -> npt.NDArray[np.uint8]:
        """The frame as it is seen, (height, width, 3), row 0 on top."""
        raw = self._seen.read(alignment=1)
        return np.frombuffer(raw, np.uint8).reshape(self.size[1], self.size[0], 4)[::-1, :, :3].copy()

    def presented(self, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """What `present` put on the window's `size` px, before it is flipped: (height, width, 3), row 0 on top."""
        raw = self._context.screen.read((0, 0, *size), components=3, alignment=1)
        return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)[::-1].copy()

    def thumbnail(self) -> npt.NDArray[np.float32]:
        """The luminance of what is seen, coarsely, (rows, columns) 0..1; waits for the picture: seldom, please."""
        return self._guard.thumbnail(self._seen)

    @property
    def holding(self) -> bool:
        """Whether the flash guard held some of the last frame."""
        return self._seen is not self._drawn.texture

    def finish(self) -> None:
        """Wait until all that was asked is drawn."""
        self._context.finish()

    def _put(self, draw: Draw, texture: Any, into: Target) -> None:
        texture.use(0)
        into.begin(clear=False)
        draw.render()
        into.end()

    def _room(self, place: int) -> Target:
        """The texture step `place` draws in."""
        while len(self._between) <= place:
            self._between.append(Target(self._context, self.size, "f2", persistent=False))
        return self._between[place]
