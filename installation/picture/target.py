"""A texture to draw in, and its framebuffer."""

from __future__ import annotations

from typing import Any


class Target:
    """`size` (width, height) px of `precision` "f1" (8 bit), "f2" or "f4" in a moderngl `context`; a persistent one has
    two textures in turn, one read while the other is drawn."""

    def __init__(self, context: Any, size: tuple[int, int], precision: str, persistent: bool) -> None:
        self.size = size
        self.kind = (size, precision, persistent)
        self._textures = [context.texture(size, 4, dtype=precision) for _ in range(1 + persistent)]
        self._buffers = [context.framebuffer([texture]) for texture in self._textures]
        for texture, buffer in zip(self._textures, self._buffers, strict=True):
            texture.repeat_x = texture.repeat_y = False
            buffer.clear()

    @property
    def texture(self) -> Any:
        """What was drawn last."""
        return self._textures[0]

    def begin(self, clear: bool) -> None:
        """Draw into it from here on; `clear` if not every pixel will be drawn."""
        self._buffers[-1].use()
        if clear:
            self._buffers[-1].clear()

    def end(self) -> None:
        """What was drawn is what is read from here on."""
        self._textures.reverse()
        self._buffers.reverse()

    def release(self) -> None:
        """Give its memory back."""
        for each in (*self._buffers, *self._textures):
            each.release()
