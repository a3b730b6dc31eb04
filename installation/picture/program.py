"""One shader compiled: its passes as programs, the targets they draw in, the pictures they sample."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ShaderError
from installation.picture import finishing
from installation.picture.draw import Draw as Draw
from installation.picture.draw import Stage
from installation.picture.frame import Frame, Pixels
from installation.picture.shading import glsl, images
from installation.picture.shading.expression import ExpressionError
from installation.picture.shading.shader import Number, Pass, Shader
from installation.picture.target import Target

SIDE_AT_MOST = 8192
PRECISIONS = {np.dtype(np.float16): "f2", np.dtype(np.float32): "f4", np.dtype(np.uint8): "f1"}
SWIZZLES = {1: "RRR1", 2: "RG01", 3: "RGB1", 4: "RGBA"}


class Program:
    """`shader` compiled in `context` for a picture of `size` (width, height) px. `values` are the inputs its size
    expressions see; of `heir_of` it takes over the targets that are the same in both, once all is compiled. What does
    not compile raises the driver's own error: `Canvas.compile` says it in the author's lines."""

    def __init__(
        self,
        context: Any,
        shader: Shader,
        size: tuple[int, int],
        values: Mapping[str, Number] | None = None,
        heir_of: Program | None = None,
    ) -> None:
        self._context, self.shader, self.size = context, shader, size
        sizes = [self._size(each, values or defaults(shader)) for each in shader.passes]
        brought = [images.read_for(shader.file, each.path, each.upright, each.line) for each in shader.imported]
        self._stages = self._compiled()
        self._finish: Draw | None = None
        self._black = context.texture((1, 1), 4, bytes(4))
        self._images: dict[str, Any] = {}
        self._targets: dict[str, Target] = {}
        self._values: dict[str, Any] = {}
        self._drawn: set[str] = set()
        self._clears = [glsl.leaves_out(shader, index) for index in range(len(shader.passes))]
        channels = [channel for index in range(len(shader.passes)) for channel in shader.channels(index)]
        self._shrunk = {channel.image for channel in channels if channel.smoothing == "mipmap"}
        inherited = heir_of._targets if heir_of else {}
        try:
            if glsl.finished_apart(shader):
                self._finish = Draw(context, glsl.VERTEX, finishing.PROGRAM, {"picture": 0})
            for image, pixels in zip(shader.imported, brought, strict=True):
                self._upload(image.name, pixels)
                self._shrink(image.name, self._images[image.name])
            left = dict(inherited)
            for each, wanted in zip(shader.passes, sizes, strict=True):
                if each.target and each.target not in self._targets:
                    self._targets[each.target] = self._target(each, wanted, left)
        except BaseException:  # no room on the card: the one it was to take over from goes on with what is its own
            self._targets = {name: each for name, each in self._targets.items() if inherited.get(name) is not each}
            self.release()
            raise
        for name, target in self._targets.items():
            if inherited.get(name) is target:
                del inherited[name]

    def _compiled(self) -> list[Stage]:
        stages: list[Stage] = []
        corners = 3 if self.shader.vertex is None else 4
        try:
            for index in range(len(self.shader.passes)):
                texts = glsl.vertex(self.shader, index), glsl.fragment(self.shader, index)
                stages.append(Stage(self._context, *texts, self.shader.channels(index), corners))
        except BaseException:
            for stage in stages:
                stage.release()
            raise
        return stages

    def draw(self, frame: Frame, pictures: Mapping[str, Any], into: Target, finish: Mapping[str, Any]) -> None:
        """One frame, the picture itself `into`. `pictures` are textures for image inputs, by name; `finish` are the
        uniforms of `finishing.GLSL`."""
        for name, pixels in frame.textures.items():
            self._upload(name, pixels)
        values = self._values
        values.update(frame.values)
        values.update(TIME=frame.time_s, TIMEDELTA=frame.delta_s, DATE=frame.date, FRAMEINDEX=frame.index & 0x7FFFFFFF)
        values.update(finish)
        self._drawn.clear()
        last, target = len(self._stages) - 1, into
        for index, (each, stage) in enumerate(zip(self.shader.passes, self._stages, strict=True)):
            if each.target is None and index < last:
                continue  # a later pass draws over it
            target = self._resized(each, frame.values) if each.target else into
            values["RENDERSIZE"] = (float(target.size[0]), float(target.size[1]))
            target.begin(self._clears[index])
            stage.render(values, lambda name: self._image(name, pictures))
            target.end()
            if each.target:
                self._drawn.add(each.target)
                self._shrink(each.target, target.texture)
        if self._finish:
            target.texture.use(0)
            self._finish.set(values)
            into.begin(clear=False)
            self._finish.render()
            into.end()

    def resize(self, size: tuple[int, int]) -> None:
        """Draw pictures of `size` from now on; what persistent targets hold is scaled to theirs."""
        self.size = size
        for each in self.shader.passes:
            if each.target:
                self._fit(each, self._values)

    def target(self, name: str) -> npt.NDArray[np.float32]:
        """What is in target `name`, (height, width, 4), row 0 at the bottom."""
        target = self._targets[name]
        shape = (target.size[1], target.size[0], 4)
        raw = target.texture.read(alignment=1)
        if target.texture.dtype == "f4":
            return np.frombuffer(raw, np.float32).reshape(shape).copy()
        return np.divide(np.frombuffer(raw, np.uint8).reshape(shape), 255.0, dtype=np.float32)

    def release(self) -> None:
        """Give back everything it holds."""
        for each in (*self._stages, self._finish, *self._targets.values(), *self._images.values()):
            if each:
                each.release()
        self._black.release()
        self._targets, self._images = {}, {}

    def _image(self, name: str, pictures: Mapping[str, Any]) -> Any:
        target = self._targets.get(name)
        if target is not None:
            return target.texture if target.kind[2] or name in self._drawn else self._black
        return pictures.get(name) or self._images.get(name, self._black)

    def _upload(self, name: str, pixels: Pixels) -> None:
        size, channels = (pixels.shape[1], pixels.shape[0]), pixels.shape[2] if pixels.ndim == 3 else 1
        precision = PRECISIONS[pixels.dtype]
        image = self._images.get(name)
        if image is not None and (image.size, image.components, image.dtype) != (size, channels, precision):
            self._images.pop(name).release()
            image = None
        if image is None:
            image = self._context.texture(size, channels, dtype=precision, alignment=1)
            image.repeat_x = image.repeat_y = False
            image.swizzle = SWIZZLES[channels]
            self._images[name] = image
        image.write(np.ascontiguousarray(pixels), alignment=1)

    def _shrink(self, name: str, texture: Any) -> None:
        """Make the smaller copies of an image that a channel samples."""
        if name in self._shrunk:
            texture.build_mipmaps()
            texture.filter = (self._context.LINEAR, self._context.LINEAR)

    def _target(self, each: Pass, size: tuple[int, int], old: dict[str, Target]) -> Target:
        """The target of pass `each`: the old one if it is the same, taken out of `old`."""
        name, precision = str(each.target), "f4" if each.floating else "f1"
        if name in old and old[name].kind == (size, precision, each.persistent):
            return old.pop(name)
        return Target(self._context, size, precision, each.persistent)

    def _resized(self, each: Pass, values: Mapping[str, Number]) -> Target:
        """The target of pass `each`, of the size it has for `values`."""
        if (each.width.names | each.height.names) <= {"WIDTH", "HEIGHT"}:
            return self._targets[str(each.target)]
        return self._fit(each, values)

    def _fit(self, each: Pass, values: Mapping[str, Number]) -> Target:
        """The target of pass `each`, made anew, with what was in it, if the value of its size has changed."""
        target = self._targets[str(each.target)]
        with suppress(ShaderError):  # a size without a value at this moment: stay
            size = self._size(each, values)
            if size != target.size:
                made = self._target(each, size, {})
                if each.persistent:
                    self._scale(target, made)
                target.release()
                self._targets[str(each.target)] = target = made
        return target

    def _scale(self, source: Target, into: Target) -> None:
        copy = Draw(self._context, glsl.VERTEX, glsl.COPY, {"picture": 0})
        source.texture.use(0)
        into.begin(clear=False)
        copy.render()
        into.end()
        copy.release()

    def _size(self, each: Pass, values: Mapping[str, Number]) -> tuple[int, int]:
        numbers = {name: float(value) for name, value in values.items() if not isinstance(value, tuple)}
        numbers.update(WIDTH=float(self.size[0]), HEIGHT=float(self.size[1]))
        try:
            width, height = (min(SIDE_AT_MOST, max(1, int(size(numbers)))) for size in (each.width, each.height))
        except ExpressionError as error:
            raise ShaderError(self.shader.file, f"PASSES: {each.target}: {error}") from error
        return width, height


def defaults(shader: Shader) -> dict[str, Number]:
    """Every number input's DEFAULT, by name."""
    return {each.name: each.default for each in shader.inputs if not each.is_image}
