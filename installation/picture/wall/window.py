"""The window on the wall: the only file that speaks to pygame. One to a process; opened with OpenGL 3.3 core in it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from installation.errors import InstallationError
from installation.picture.wall import displays, randr
from installation.picture.wall.displays import Display
from installation.picture.wall.lookout import Lookout

UNSEEN = ("dummy", "offscreen", "evdev")
"""Video drivers of SDL without a display; good only when SDL_VIDEODRIVER asks for one by name."""


class Window:
    """A window of `size` (width, height) px, the whole screen if `fullscreen`; or all of the displays `over`, by number
    or name: of several without a frame, over those that are there. Escape or its close button ask to stop. Opening
    raises InstallationError with the reason where there is no display, none that is wanted, or no OpenGL."""

    def __init__(
        self, size: tuple[int, int], title: str, fullscreen: bool = False, over: tuple[int | str, ...] = ()
    ) -> None:
        self._asked_size = size
        self._title = title
        self._fullscreen = fullscreen
        self._over = over
        self.stop_asked = False
        self.areas: tuple[tuple[int, int, int, int] | None, ...] = ()
        """Of each display of `over`, its (left, bottom, width, height) px in the window; None if it is missing."""
        self.missing: tuple[str, ...] = ()
        """Why it does not lie over all of them: a sentence for each that is not there."""

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
            if driver == "x11":
                randr.forgive()
            self._open()
        except (pygame.error, InstallationError) as error:
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
        # Of two screens filled by two processes, the one without the keyboard must not fold its window away.
        os.environ.setdefault("SDL_VIDEO_MINIMIZE_ON_FOCUS_LOSS", "0")
        found = self._found()
        there = [each for each in found if each is not None]
        if len(found) > 1:
            self._spread(found, there)
        elif self._fullscreen or there:
            self._set_mode((0, 0), pygame.FULLSCREEN, there[0].number if there else 0)
            self.areas = ((0, 0, *self.size),) if there else ()
        else:
            self._set_mode(self._asked_size, pygame.RESIZABLE, 0)
        display.set_caption(self._title)
        display.set_allow_screensaver(False)
        pygame.mouse.set_visible(False)

    def _set_mode(self, size: tuple[int, int], shape: int, number: int) -> None:
        pygame = self._pygame
        flags = pygame.OPENGL | pygame.DOUBLEBUF | shape
        with warnings.catch_warnings():
            # Without vsync pygame warns; the stage keeps its own pace.
            warnings.simplefilter("ignore")
            try:
                pygame.display.set_mode(size, flags, display=number, vsync=1)
            except pygame.error:
                pygame.display.set_mode(size, flags, display=number)

    def _found(self) -> list[Display | None]:
        """The displays it is to lie over, None for those that are missing; it is on the lookout from here on."""
        there = displays.listed(self._pygame)
        found: list[Display | None] = []
        missing = []
        for wanted in self._over:
            try:
                found.append(displays.choose(there, wanted))
            except InstallationError as error:
                found.append(None)
                missing.append(str(error))
        if found and not any(found):
            raise InstallationError("; ".join(missing))
        self.missing = tuple(missing)
        covered = [each for each in found if each] or (list(there[:1]) if self._fullscreen else [])
        self._lookout = Lookout([each.place for each in covered], bool(missing))
        return found

    def _spread(self, found: list[Display | None], there: list[Display]) -> None:
        """One window over all displays that are `there`, of those that were to be `found`."""
        left, top = min(each.left for each in there), min(each.top for each in there)
        width = max(each.left + each.width for each in there) - left
        height = max(each.top + each.height for each in there) - top
        os.environ["SDL_VIDEO_WINDOW_POS"] = f"{left},{top}"
        self._set_mode((width, height), self._pygame.NOFRAME, there[0].number)
        if self.size != (width, height):
            asked, given = f"{width} x {height}", f"{self.size[0]} x {self.size[1]}"
            raise InstallationError(
                f"over {len(there)} displays {asked} px are needed, the window manager gave {given}: "
                "do without one, or without span"
            )
        self.areas = tuple(
            (each.left - left, height - (each.top - top) - each.height, each.width, each.height) if each else None
            for each in found
        )

    def changed(self, now_s: float) -> str | None:
        """Why it no longer lies as it should, a display having gone, moved or come, or None; it is then to be opened
        again, in a new process."""
        return self._lookout.changed(now_s)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pygame.display.quit()

    @property
    def size(self) -> tuple[int, int]:
        """What there is to draw on now, (width, height) px."""
        width, height = self._pygame.display.get_window_size()
        return int(width), int(height)

    def flip(self) -> None:
        """Show what was drawn, and hear whether somebody closed the window."""
        pygame = self._pygame
        pygame.display.flip()
        for event in pygame.event.get():
            escaped = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE
            if escaped or event.type == pygame.QUIT:
                self.stop_asked = True


def display_there(*wanted: int | str) -> bool:
    """Whether there is a display to open a window on, any that is `wanted` if some are. Without one to ask, X or
    Wayland, nothing is tried."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    with _opened() as there:
        return bool(there) and (not wanted or any(displays.found(there, each) for each in wanted))


def all_displays() -> tuple[Display, ...]:
    """Every display there is."""
    with _opened() as there:
        return there


@contextmanager
def _opened() -> Iterator[tuple[Display, ...]]:
    """The displays, for as long as SDL's part for them is open; none where there are none to be seen."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    try:
        pygame.display.init()
        unseen = pygame.display.get_driver() in UNSEEN
        yield () if unseen else displays.listed(pygame)
    except pygame.error:
        yield ()
    finally:
        pygame.display.quit()
