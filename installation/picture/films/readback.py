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
DEPTHS: dict[str, np.dtype[Any]] = {"f1": np.dtype(np.uint8), "f2": np.dtype(np.float16)}
SOFTWARE = ("llvmpipe", "softpipe", "SWR", "SwiftShader", "Software")


def precision_for(renderer: str) -> str:
    """What a renderer, in the driver's words, is best read in: a card in 8 bits, for half as much is carried over; one
    without a card as it is, half floats, for carrying costs less there than another draw (at 1280×720 on llvmpipe
    1.3 ms against 6)."""
    return "f2" if any(word in renderer for word in SOFTWARE) else "f1"


class Fit:
    """A texture of `size` and `precision` that others are drawn into."""

    def __init__(self, context: Any, size: tuple[int, int], precision: str) -> None:
        self._texture = context.texture(size, CHANNELS, dtype=precision)
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
    """Reads pictures of `size` (width, height) px in a moderngl `context`, as `precision` "f1" (8 bit) or "f2";
    textures of another size or precision are drawn once more to be so."""

    def __init__(self, context: Any, size: tuple[int, int], precision: str = "f1") -> None:
        self.size = size
        self.depth = DEPTHS[precision]
        self._context, self._precision = context, precision
        self._fit: Fit | None = None
        size_bytes = size[0] * size[1] * CHANNELS * self.depth.itemsize
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

    def take(self, into: npt.NDArray[Any]) -> None:
        """Write the oldest picture asked for `into` (height, width, 4) of `depth`, row 0 at the bottom."""
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
        """`texture`, or a copy of the size and precision that are read."""
        if texture.size == self.size and texture.dtype == self._precision:
            return texture
        if self._fit is None:
            self._fit = Fit(self._context, self.size, self._precision)
        return self._fit.copy(texture)
