"""What a shader that does not compile leaves in OpenGL: moderngl (5.13) raises the error and forgets the program and
the shaders it had made by then. A show that is edited for months would fill up with them; here they are deleted."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REACH = 32
"""Names beyond the next free one that are looked at: a program and its two shaders lie among the first free ones."""


@contextmanager
def cleared(context: Any) -> Iterator[None]:
    """If what is done meanwhile raises, the programs and shaders of the moderngl `context` that came into being are
    deleted: only those whose names were nobody's before."""
    names = _Names(context)
    before = names.window()
    try:
        yield
    except BaseException:
        names.delete(before)
        raise


class _Names:
    """OpenGL's names of programs and shaders in the current context, which they have in common."""

    def __init__(self, context: Any) -> None:
        load = context.mglo._context.load_opengl_function

        def function(name: str, result: Any, *arguments: Any) -> Any:
            return ctypes.CFUNCTYPE(result, *arguments)(load(name))

        self._create = function("glCreateProgram", ctypes.c_uint)
        self._delete_program = function("glDeleteProgram", None, ctypes.c_uint)
        self._delete_shader = function("glDeleteShader", None, ctypes.c_uint)
        self._is_program = function("glIsProgram", ctypes.c_ubyte, ctypes.c_uint)
        self._is_shader = function("glIsShader", ctypes.c_ubyte, ctypes.c_uint)

    def window(self) -> list[int]:
        """The names from the next free one on that are nobody's."""
        free = self._create()
        self._delete_program(free)
        return [name for name in range(free, free + REACH) if not self._is_program(name) and not self._is_shader(name)]

    def delete(self, names: list[int]) -> None:
        """Whatever has one of these names; programs first, for they hold on to their shaders."""
        for name in names:
            if self._is_program(name):
                self._delete_program(name)
        for name in names:
            if self._is_shader(name):
                self._delete_shader(name)
