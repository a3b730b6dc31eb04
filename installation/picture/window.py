"""The window on the wall: the only file that speaks to pygame. One to a process; opened with OpenGL 3.3 core in it."""

from __future__ import annotations

import os
import warnings
from types import TracebackType

from installation.errors import InstallationError

UNSEEN = ("dummy", "offscreen", "evdev")
"""Video drivers of SDL without a display; good only when SDL_VIDEODRIVER asks for one by name."""


class Window:
    """A window of `size` (width, height) px; the whole of screen `display` if `fullscreen`. Escape or its close button
    ask to stop. Opening raises InstallationError with the reason where there is no display or no OpenGL."""

    def __init__(self, size: tuple[int, int], title: str, fullscreen: bool = False, display: int = 0) -> None:
        self._asked_size = size
        self._title = title
        self._fullscreen = fullscreen
        self._display = display
        self.stop_asked = False

    def __enter__(self) -> Window:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        import pygame

        self._pygame = pygame
        try:
            # Only the display: pygame.init() would also take the sound card.
            pygame.display.init()
            driver = pygame.display.get_driver()
            if driver in UNSEEN and os.environ.get("SDL_VIDEODRIVER") != driver:
                raise pygame.error(f"no display, only SDL's {driver} driver")
            self._open()
        except pygame.error as error:
            pygame.display.quit()
            raise InstallationError(f"no window: {error}") from error
        return self

    def _open(self) -> None:
        pygame = self._pygame
        display = pygame.display
        display.gl_set_attribute(pygame.GL_CONTEXT_MAJOR_VERSION, 3)
        display.gl_set_attribute(pygame.GL_CONTEXT_MINOR_VERSION, 3)
        display.gl_set_attribute(pygame.GL_CONTEXT_PROFILE_MASK, pygame.GL_CONTEXT_PROFILE_CORE)
        display.gl_set_attribute(pygame.GL_CONTEXT_FLAGS, pygame.GL_CONTEXT_FORWARD_COMPATIBLE_FLAG)
        shape = pygame.FULLSCREEN if self._fullscreen else pygame.RESIZABLE
        flags = pygame.OPENGL | pygame.DOUBLEBUF | shape
        size = (0, 0) if self._fullscreen else self._asked_size
        with warnings.catch_warnings():
            # Without vsync pygame warns; the stage keeps its own pace.
            warnings.simplefilter("ignore")
            try:
                display.set_mode(size, flags, display=self._display, vsync=1)
            except pygame.error:
                display.set_mode(size, flags, display=self._display)
        display.set_caption(self._title)
        display.set_allow_screensaver(False)
        pygame.mouse.set_visible(False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pygame.display.quit()

    @property
    def size(self) -> tuple[int, int]:
        """What there is to draw on now, (width, height) px."""
        width, height = self._pygame.display.get_window_size()
        return int(width), int(height)

    def retitle(self, title: str) -> None:
        """Call the window `title`."""
        self._pygame.display.set_caption(title)

    def flip(self) -> None:
        """Show what was drawn, and hear whether somebody closed the window."""
        pygame = self._pygame
        pygame.display.flip()
        for event in pygame.event.get():
            escaped = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE
            if escaped or event.type == pygame.QUIT:
                self.stop_asked = True


def display_there() -> bool:
    """Whether there is a display to open a window on. Without one to ask, X or Wayland, nothing is tried."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    import pygame

    try:
        pygame.display.init()
        return pygame.display.get_driver() not in UNSEEN
    except pygame.error:
        return False
    finally:
        pygame.display.quit()
