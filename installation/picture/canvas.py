"""Where shaders are drawn: the only file that speaks to OpenGL (3.3 core), headless by EGL or in the current window.

A frame: every pass of the shader into its target, the last one, through gain and dither, into what is seen. A window is
given a copy of that, scaled. Nothing is created per frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError, ShaderError
from installation.picture import glsl
from installation.picture.expression import ExpressionError
from installation.picture.isf import Number, Pass, Shader

SIDE_AT_MOST = 8192


@dataclass(frozen=True)
class Frame:
    """All that one frame depends on besides the persistent targets. `textures` (height, width), float16 or float32,
    hold only those that changed; `date` is year, month, day, seconds of the day."""

    time_s: float = 0.0
    delta_s: float = 0.0
    index: int = 0
    date: tuple[float, float, float, float] = (2000.0, 1.0, 1.0, 0.0)
    values: Mapping[str, Number] = field(default_factory=dict)
    textures: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    gain: float = 1.0


class _Target:
    """A texture to draw in and its framebuffer; a persistent one has two, read one while the other is drawn."""

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

    @property
    def drawn(self) -> Any:
        """The framebuffer drawn last."""
        return self._buffers[0]

    def release(self) -> None:
        for each in (*self._buffers, *self._textures):
            each.release()


class _Draw:
    """One pass compiled: its program, its triangle, and where its uniforms are."""

    def __init__(self, context: Any, vertex: str, fragment: str, units: Mapping[str, int]) -> None:
        self.program = context.program(vertex_shader=vertex, fragment_shader=fragment)
        self.triangle = context.vertex_array(self.program, [])
        names = {uniform: name for name, uniform in glsl.RENAMED.items()}
        self.uniforms = {names.get(name, name): self.program[name] for name in self.program if name not in units}
        self.images = [name for name in units if name in self.program]
        for name in self.images:
            self.program[name].value = units[name]

    def set(self, values: Mapping[str, Any]) -> None:
        for name, uniform in self.uniforms.items():
            value = values.get(name)
            if value is not None:
                uniform.value = value

    def render(self) -> None:
        self.triangle.render(vertices=3)

    def release(self) -> None:
        self.triangle.release()
        self.program.release()


class Canvas:
    """Pictures of `size` (width, height) px. `where` is "egl", or "window" for the context that is current."""

    def __init__(self, size: tuple[int, int], where: Literal["egl", "window"] = "egl") -> None:
        self.size = size
        self.where = where
        self.shader: Shader | None = None
        self._draws: list[_Draw] = []
        self._targets: dict[str, _Target] = {}
        self._images: dict[str, Any] = {}
        self._units: dict[str, int] = {}
        self._values: dict[str, Any] = {}
        self._clears = False

    def __enter__(self) -> Canvas:
        import moderngl

        self._error: type[Exception] = moderngl.Error
        asked: dict[str, Any] = {"standalone": True, "backend": "egl"} if self.where == "egl" else {}
        try:
            self._context: Any = moderngl.create_context(require=330, **asked)
        except Exception as error:  # moderngl's back ends raise plain Exception and ImportError
            raise InstallationError(f"picture: no OpenGL 3.3 by {self.where}: {error}") from error
        self._context.disable(moderngl.BLEND | moderngl.DEPTH_TEST)
        self._seen = _Target(self._context, self.size, "f1", False)
        self._black = self._context.texture((1, 1), 4, bytes(4))
        self._finish = _Draw(self._context, glsl.VERTEX, glsl.FINISH, {"picture": 0})
        self._copy = _Draw(self._context, glsl.VERTEX, glsl.COPY, {"picture": 0})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release(self._draws, self._targets)
        for each in (*self._images.values(), self._black, self._copy, self._finish, self._seen):
            each.release()
        self._context.release()

    @property
    def context(self) -> Any:
        """The moderngl context, for measuring; who draws in it behind the canvas's back restores what it binds."""
        return self._context

    @property
    def renderer(self) -> str:
        """Who draws, in the driver's words."""
        return str(self._context.info["GL_RENDERER"])

    def show(self, shader: Shader, values: Mapping[str, Number] | None = None, keep: bool = False) -> None:
        """Draw `shader` from now on, or raise ShaderError and go on as before. `keep` takes over the contents of
        targets that are the same in both; `values` are the inputs that size expressions see."""
        units = {name: unit for unit, name in enumerate(shader.images)}
        sizes = [self._size(shader, each, values or _defaults(shader)) for each in shader.passes]
        draws: list[_Draw] = []
        try:
            for index in range(len(shader.passes)):
                draws.append(_Draw(self._context, glsl.VERTEX, glsl.fragment(shader, index), units))  # noqa: PERF401
        except self._error as error:
            self._release(draws, {})
            raise glsl.complaint(shader, str(error)) from error
        old_draws, old_targets = self._draws, self._targets
        self.shader, self._draws, self._units, self._targets = shader, draws, units, {}
        for each, size in zip(shader.passes, sizes, strict=True):
            if each.target and each.target not in self._targets:
                self._targets[each.target] = self._target(each, size, old_targets if keep else {})
        self._values.clear()
        self._clears = "discard" in shader.source  # else every pass draws every pixel
        self._release(old_draws, old_targets)

    def draw(self, frame: Frame) -> None:
        """One frame of the shader shown; black before there is one."""
        for name, pixels in frame.textures.items():
            self._upload(name, pixels)
        if self.shader is None:
            self._seen.begin(clear=True)
        else:
            self._draw_passes(self.shader, frame)

    def present(self, size: tuple[int, int]) -> None:
        """Put the frame on the window's `size` px, as large as fits with its own proportions; the rest is black."""
        scale = min(size[0] / self.size[0], size[1] / self.size[1])
        width, height = max(1, round(self.size[0] * scale)), max(1, round(self.size[1] * scale))
        screen = self._context.screen
        screen.use()
        self._context.viewport = (0, 0, *size)
        screen.clear()
        self._context.viewport = ((size[0] - width) // 2, (size[1] - height) // 2, width, height)
        self._seen.texture.use(0)
        self._copy.render()

    def read(self) -> npt.NDArray[np.uint8]:
        """The frame as it is seen, (height, width, 3), row 0 on top."""
        raw = self._seen.drawn.read(components=3, alignment=1)
        return np.frombuffer(raw, np.uint8).reshape(self.size[1], self.size[0], 3)[::-1].copy()

    def presented(self, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """What `present` put on the window's `size` px, before it is flipped: (height, width, 3), row 0 on top."""
        raw = self._context.screen.read((0, 0, *size), components=3, alignment=1)
        return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)[::-1].copy()

    def target(self, name: str) -> npt.NDArray[np.float32]:
        """What is in target `name`, (height, width, 4), row 0 at the bottom."""
        target = self._targets[name]
        shape = (target.size[1], target.size[0], 4)
        raw = target.texture.read(alignment=1)
        if target.texture.dtype == "f4":
            return np.frombuffer(raw, np.float32).reshape(shape).copy()
        return np.divide(np.frombuffer(raw, np.uint8).reshape(shape), 255.0, dtype=np.float32)

    def finish(self) -> None:
        """Wait until all that was asked is drawn."""
        self._context.finish()

    def _draw_passes(self, shader: Shader, frame: Frame) -> None:
        values = self._values
        values.update(frame.values)
        values.update(TIME=frame.time_s, TIMEDELTA=frame.delta_s, DATE=frame.date, FRAMEINDEX=frame.index & 0x7FFFFFFF)
        values[glsl.GAIN] = frame.gain
        for each, draw in zip(shader.passes, self._draws, strict=True):
            target = self._resized(shader, each, frame.values) if each.target else self._seen
            for name in draw.images:
                self._image(name).use(self._units[name])
            values["RENDERSIZE"] = (float(target.size[0]), float(target.size[1]))
            draw.set(values)
            target.begin(self._clears)
            draw.render()
            target.end()
        if shader.passes[-1].target:
            target.texture.use(0)
            self._finish.set(values)
            self._seen.begin(clear=False)
            self._finish.render()

    def _image(self, name: str) -> Any:
        if name in self._targets:
            return self._targets[name].texture
        return self._images.get(name, self._black)

    def _upload(self, name: str, pixels: npt.NDArray[Any]) -> None:
        size = (pixels.shape[1], pixels.shape[0])
        precision = "f2" if pixels.dtype == np.float16 else "f4"
        image = self._images.get(name)
        if image is not None and (image.size, image.dtype) != (size, precision):
            self._images.pop(name).release()
            image = None
        if image is None:
            image = self._context.texture(size, 1, dtype=precision, alignment=1)
            image.repeat_x = image.repeat_y = False
            image.swizzle = "RRR1"
            self._images[name] = image
        image.write(np.ascontiguousarray(pixels), alignment=1)

    def _target(self, each: Pass, size: tuple[int, int], old: dict[str, _Target]) -> _Target:
        """The target of pass `each`: the old one if it is the same, taken out of `old`."""
        name, precision = str(each.target), "f4" if each.floating else "f1"
        if name in old and old[name].kind == (size, precision, each.persistent):
            return old.pop(name)
        return _Target(self._context, size, precision, each.persistent)

    def _resized(self, shader: Shader, each: Pass, values: Mapping[str, Number]) -> _Target:
        """The target of pass `each`, made anew if an input changed the value of its size."""
        target = self._targets[str(each.target)]
        if (each.width.names | each.height.names) <= {"WIDTH", "HEIGHT"}:
            return target
        with suppress(ShaderError):  # a size without a value at this moment: stay
            size = self._size(shader, each, values)
            if size != target.size:
                self._targets[str(each.target)] = self._target(each, size, {})
                target.release()
        return self._targets[str(each.target)]

    def _size(self, shader: Shader, each: Pass, values: Mapping[str, Number]) -> tuple[int, int]:
        numbers = {name: float(value) for name, value in values.items() if not isinstance(value, tuple)}
        numbers.update(WIDTH=float(self.size[0]), HEIGHT=float(self.size[1]))
        try:
            width, height = (min(SIDE_AT_MOST, max(1, int(size(numbers)))) for size in (each.width, each.height))
        except ExpressionError as error:
            raise ShaderError(shader.file, f"PASSES: {each.target}: {error}") from error
        return width, height

    @staticmethod
    def _release(draws: list[_Draw], targets: dict[str, _Target]) -> None:
        for draw in draws:
            draw.release()
        for target in targets.values():
            target.release()


def _defaults(shader: Shader) -> dict[str, Number]:
    return {each.name: each.default for each in shader.inputs if not each.is_image}
