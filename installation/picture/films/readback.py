"""Pictures read from the graphics card while the next ones are drawn.

Reading at once waits until everything asked before is drawn and carried over. Here a picture is asked for into a pixel
buffer, and fetched when the buffer's turn comes again, `BUFFERS - 1` pictures later, when it has long arrived.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.picture.draw import Draw
from installation.picture.shading import glsl

BUFFERS = 3
CHANNELS = 4
"""Three would be less, but cards keep four, and would have to repack."""


class Fit:
    """A texture of `size` that others are drawn into."""

    def __init__(self, context: Any, size: tuple[int, int]) -> None:
        self._texture = context.texture(size, CHANNELS)
        self._target = context.framebuffer([self._texture])
        self._copy = Draw(context, glsl.VERTEX, glsl.COPY, {"picture": 0})

    def copy(self, texture: Any) -> Any:
        """The texture, with what is in the other, scaled."""
        texture.use(0)
        self._target.use()
        self._copy.render()
        return self._texture

    def release(self) -> None:
        """Give everything back."""
        for each in (self._copy, self._target, self._texture):
            each.release()


class Readback:
    """Reads pictures of `size` (width, height) px, 8 bits a channel, in a moderngl `context`; textures of another size
    are drawn once more to be so."""

    def __init__(self, context: Any, size: tuple[int, int]) -> None:
        self.size, self._context = size, context
        self._fit: Fit | None = None
        size_bytes = size[0] * size[1] * CHANNELS
        self._buffers = [context.buffer(reserve=size_bytes) for _ in range(BUFFERS)]
        self._asked: deque[int] = deque()
        self._next = 0

    def ask(self, texture: Any, position: int) -> None:
        """Ask for what is in `texture` (four channels), a picture seen when `position` is heard. The oldest one asked
        for and not taken is forgotten when there is no buffer left."""
        if len(self._asked) == BUFFERS:
            self.skip()
        self._fitting(texture).read_into(self._buffers[self._next], alignment=1)
        self._next = (self._next + 1) % BUFFERS
        self._asked.append(position)

    @property
    def ready(self) -> int | None:
        """The position of the oldest picture, if it was asked for so long ago that it need not be waited for."""
        return self._asked[0] if len(self._asked) == BUFFERS else None

    @property
    def pending(self) -> int | None:
        """The position of the oldest picture that was asked for and not taken, to be had by waiting."""
        return self._asked[0] if self._asked else None

    def take(self, into: npt.NDArray[np.uint8]) -> None:
        """Write the oldest picture asked for `into` (height, width, 4), row 0 at the bottom."""
        buffer = self._buffers[(self._next - len(self._asked)) % BUFFERS]
        self._asked.popleft()
        buffer.read_into(into)

    def skip(self) -> None:
        """Leave the oldest picture asked for."""
        self._asked.popleft()

    def release(self) -> None:
        """Give everything back."""
        for each in (*self._buffers, *([self._fit] if self._fit else [])):
            each.release()

    def _fitting(self, texture: Any) -> Any:
        """`texture`, or a copy of the size that is read."""
        if texture.size == self.size:
            return texture
        if self._fit is None:
            self._fit = Fit(self._context, self.size)
        return self._fit.copy(texture)
