"""One full-screen draw: a vertex and a fragment shader linked, its uniforms, and the textures it samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from installation.picture import remains
from installation.picture.shading import glsl
from installation.picture.shading.shader import Channel

_UNIFORMS = {uniform: name for name, uniform in glsl.RENAMED.items()}


class Draw:
    """The program in a moderngl `context`, and where its uniforms are. `units` are the texture units of what it
    samples, by name; `corners` are 3 for a triangle over all, 4 for a strip. The driver's error is raised as it is."""

    def __init__(self, context: Any, vertex: str, fragment: str, units: Mapping[str, int], corners: int = 3) -> None:
        with remains.cleared(context):
            self.program = context.program(vertex_shader=vertex, fragment_shader=fragment)
        self.triangle = context.vertex_array(self.program, [])
        self._corners, self._mode = corners, context.TRIANGLE_STRIP
        names = {_UNIFORMS.get(uniform, uniform): uniform for uniform in self.program}
        self.uniforms = {name: self.program[uniform] for name, uniform in names.items() if name not in units}
        self._given: dict[str, Any] = {}
        self.images = [name for name in units if name in names]
        for name in self.images:
            self.program[names[name]].value = units[name]

    def set(self, values: Mapping[str, Any]) -> None:
        """Give its uniforms `values`; those it lacks are left out, and those that are as they were."""
        given = self._given
        for name, uniform in self.uniforms.items():
            value = values.get(name)
            if value is not None and value != given.get(name):
                uniform.value = given[name] = value

    def render(self) -> None:
        """Draw it over the whole of the framebuffer in use."""
        self.triangle.render(self._mode, vertices=self._corners)

    def release(self) -> None:
        """Give it back."""
        self.triangle.release()
        self.program.release()


class Stage:
    """A pass of a shader: its draw, and each channel it samples with its texture unit and, where it is not sampled as
    textures are by themselves, its sampler."""

    def __init__(self, context: Any, vertex: str, fragment: str, channels: Iterable[Channel], corners: int) -> None:
        channels = tuple(channels)
        self.draw = Draw(context, vertex, fragment, {each.name: 0 for each in channels}, corners)
        self.channels: list[tuple[int, Channel, Any]] = []
        for unit, channel in enumerate(each for each in channels if each.name in self.draw.images):
            self.draw.program[glsl.RENAMED.get(channel.name, channel.name)].value = unit
            self.channels.append((unit, channel, _sampler(context, channel)))

    def render(self, values: Mapping[str, Any], texture: Callable[[str], Any]) -> None:
        """Draw it over the framebuffer in use, `texture` giving what is to be sampled, by the image's name."""
        for unit, channel, sampler in self.channels:
            texture(channel.image).use(unit)
            if sampler is not None:
                sampler.use(unit)
        self.draw.set(values)
        self.draw.render()
        for unit, _, sampler in self.channels:
            if sampler is not None:
                sampler.clear(unit)

    def release(self) -> None:
        """Give it back."""
        self.draw.release()
        for _, _, sampler in self.channels:
            if sampler is not None:
                sampler.release()


def _sampler(context: Any, channel: Channel) -> Any:
    if (channel.smoothing, channel.edge) == ("linear", "clamp"):
        return None
    repeats = channel.edge == "repeat"
    near = context.NEAREST if channel.smoothing == "nearest" else context.LINEAR
    far = context.LINEAR_MIPMAP_LINEAR if channel.smoothing == "mipmap" else near
    return context.sampler(repeat_x=repeats, repeat_y=repeats, filter=(far, near))
