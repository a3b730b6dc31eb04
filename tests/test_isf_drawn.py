"""Each feature of ISF 2.0 in a small shader of our own (tests/isf), drawn and compared pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation.errors import ShaderError
from installation.picture.canvas import Step
from installation.picture.finishing import RAW, Finish
from installation.picture.frame import Frame
from installation.picture.program import Program, defaults
from installation.picture.shading import isf
from installation.picture.target import Target
from tests.pictures import Picture, picture

pytestmark = pytest.mark.gl

FOLDER = Path(__file__).resolve().parent / "isf"
SIZE = (8, 6)


@pytest.fixture
def canvas() -> Iterator[Picture]:
    with picture(SIZE) as held:
        yield held


def fitted(shader: isf.Shader, **given: Any) -> dict[str, Any]:
    """The inputs' defaults as what GLSL takes them for, and what is given."""
    types = {"long": int, "bool": bool, "event": bool}
    kinds = {each.name: types.get(each.kind) for each in shader.inputs}
    values = {**defaults(shader), **given}
    return {name: kinds[name](value) if kinds[name] else value for name, value in values.items()}


def drawn(canvas: Picture, name: str, frames: int = 1, textures: Any = None, **given: Any) -> np.ndarray:
    """The last of some frames of tests/isf/<name>.fs, (height, width, 3), row 0 at the bottom."""
    shader = isf.load(FOLDER / f"{name}.fs")
    canvas.show(shader)
    for index in range(frames):
        canvas.draw(Frame(index=index, values=fitted(shader, **given), textures=textures or {}))
    return canvas.read()[::-1]


def noise(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture, opaque, row 0 at the bottom."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4)).astype(np.uint8)
    pixels[..., 3] = 255
    return pixels


def test_every_number_arrives_as_its_kind(canvas: Picture) -> None:
    light = drawn(canvas, "inputs")[0] / 255.0
    expected = [[0, 0, 0], [1, 1, 1], [0.5] * 3, [0.2] * 3, [0.4, 0.6, 0.0], [0.16, 0.32, 0.48]]
    np.testing.assert_allclose(light[:6], expected, atol=0.6 / 255)
    turned = drawn(canvas, "inputs", flash=True, lit=False, mode=9, level=1.0)[0] / 255.0
    np.testing.assert_allclose(turned[:4, 0], [1.0, 0.0, 0.9, 1.0], atol=0.6 / 255)


def test_every_way_to_sample_finds_the_same_pixel(canvas: Picture) -> None:
    film = noise(1)
    np.testing.assert_array_equal(drawn(canvas, "sampling", textures={"inputImage": film}), film[..., :3])


@pytest.mark.parametrize(("columns", "tall", "share"), [(3, True, 0.5), (2, False, 0.25), (2, True, 0.01)])
def test_sizes_are_what_numbers_of_each_kind_make_of_them(
    canvas: Picture, columns: int, tall: bool, share: float
) -> None:
    first, second = (columns, 5 if tall else 1), (max(1, int(8 * share)), 2)
    light = drawn(canvas, "sizes", columns=columns, tall=tall, share=share)
    assert light[0, 0].tolist() == [first[0] + 10 * second[0], first[1] + 10 * second[1], 255]
    for name, size in (("first", first), ("second", second)):
        target = canvas.target(name)
        assert target.shape == (size[1], size[0], 4)
        np.testing.assert_array_equal(target[..., :2], np.broadcast_to(np.float32(size), (*target.shape[:2], 2)))


def test_a_persistent_target_lasts_and_another_does_not(canvas: Picture) -> None:
    assert drawn(canvas, "lasting", frames=7)[0, 0].tolist() == [7, 1, 0]


def test_an_image_comes_along_the_right_way_up(canvas: Picture) -> None:
    light = drawn(canvas, "imported")
    assert light[-1, 0].tolist() == [255, 0, 0]
    assert light[-1, -1].tolist() == [0, 255, 0]
    assert light[0, 0].tolist() == [0, 0, 255]
    assert light[0, -1].tolist() == [255, 255, 255]


def test_a_vertex_shader_moves_corners_and_hands_over_what_it_worked_out(canvas: Picture) -> None:
    film = np.full((2, 2, 4), 51, np.uint8)
    whole = drawn(canvas, "vertex", textures={"inputImage": film}, scale=1.0)
    across = (np.arange(8) + 0.5) / 8
    np.testing.assert_allclose(whole[2, :, 0], across * 255.0, atol=1.0)
    np.testing.assert_allclose(whole[:, 3, 1], (np.arange(6) + 0.5) / 6 * 255.0, atol=1.0)
    assert np.unique(whole[..., 2]).tolist() == [51]
    small = drawn(canvas, "vertex", textures={"inputImage": film}, scale=2 / 3)
    inside = np.zeros((6, 8), bool)
    inside[1:5, 1:7] = True
    assert (small[inside][:, 2] == 51).all()
    assert not small[~inside].any()


def test_what_version_1_says_elsewhere_is_understood(canvas: Picture) -> None:
    shader = isf.load(FOLDER / "first.fs")
    assert (shader.passes[0].persistent, shader.passes[0].floating, shader.undrawn) == (True, True, ("unused",))
    np.testing.assert_allclose(drawn(canvas, "first", frames=2)[0, 0], [255, 127.5, 0], atol=0.6)
    assert canvas.target("kept").shape == (3, 2, 4)
    assert not drawn(canvas, "first", frames=3).any()


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_a_transition_goes_from_one_picture_to_the_other(canvas: Picture, progress: float) -> None:
    start, end = noise(1), noise(2)
    light = drawn(canvas, "transition", textures={"startImage": start, "endImage": end}, progress=progress)
    expected = start[..., :3] * (1.0 - progress) + end[..., :3] * progress
    np.testing.assert_allclose(light, expected, atol=0.6)


def test_sound_is_sampled_by_channel_and_by_band(canvas: Picture) -> None:
    wave = np.linspace(0.0, 1.0, 16).reshape(2, 8).astype(np.float32)
    bands = np.linspace(1.0, 0.0, 8)[None].astype(np.float32)
    light = drawn(canvas, "sound", textures={"wave": wave, "bands": bands})
    np.testing.assert_allclose(light[0, :, 0] / 255.0, wave[0], atol=0.6 / 255)
    np.testing.assert_allclose(light[5, :, 0] / 255.0, wave[1], atol=0.6 / 255)
    np.testing.assert_allclose(light[3, :, 1] / 255.0, bands[0], atol=0.6 / 255)
    assert light[0, 0, 2] == 2


def test_inputs_and_targets_may_be_called_like_words_of_glsl(canvas: Picture) -> None:
    film = np.full((1, 1), 204, np.uint8)
    light = drawn(canvas, "words", textures={"texture": film})
    assert np.unique(light.reshape(-1, 3), axis=0).tolist() == [[51, 102, 204]]


def test_what_is_left_out_is_black_and_finished_like_the_rest(canvas: Picture) -> None:
    """Nothing of the last frame shines through where a shader draws nothing."""
    for frames in (1, 2):
        light = drawn(canvas, "holes", frames=frames)
        columns = (np.arange(8) + frames - 1) % 2 * 255
        np.testing.assert_array_equal(light, np.broadcast_to(columns[None, :, None], light.shape))


def test_a_filter_samples_the_step_before_it(canvas: Picture) -> None:
    source, effect = (isf.load(FOLDER / f"{name}.fs") for name in ("imported", "sampling"))
    programs = [canvas.canvas.compile(each) for each in (source, effect)]
    steps = [Step(programs[0], Frame()), Step(programs[1], Frame(), {"inputImage": 0})]
    canvas.canvas.draw(steps, Finish(guard=False))
    np.testing.assert_array_equal(canvas.read()[::-1], drawn(canvas, "imported"))
    for each in programs:
        each.release()


class Counting:
    """A moderngl context that remembers what was made in it."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.made: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._context, name)
        if name not in ("texture", "framebuffer", "program", "vertex_array", "sampler"):
            return found

        def make(*given: Any, **named: Any) -> Any:
            self.made.append(found(*given, **named))
            return self.made[-1]

        return make

    def alive(self) -> int:
        return sum(type(each.mglo).__name__ != "InvalidObject" for each in self.made)


@pytest.mark.parametrize("name", ["imported", "vertex", "lasting", "holes", "first"])
def test_nothing_of_a_shader_stays_behind_in_gl(canvas: Picture, name: str) -> None:
    counting = Counting(canvas.canvas.context)
    shader = isf.load(FOLDER / f"{name}.fs")
    program = Program(counting, shader, SIZE)
    into = Target(counting, SIZE, "f2", persistent=False)
    program.draw(Frame(values=fitted(shader), textures={"inputImage": noise(1)}), {}, into, RAW)
    program.resize((4, 4))
    assert counting.alive() > 4
    program.release()
    into.release()
    assert counting.alive() == 0


# Faults, in the file and at the line where they are


def test_a_fault_in_the_vertex_shader_is_said_in_it(canvas: Picture, tmp_path: Path) -> None:
    (tmp_path / "x.fs").write_text("/*{}*/\nin vec2 at;\nvoid main() { gl_FragColor = vec4(at, 0.0, 1.0); }\n")
    (tmp_path / "x.vs").write_text("out vec2 at;\nvoid main() {\n    isf_vertShaderInit();\n    at = oops;\n}\n")
    with pytest.raises(ShaderError, match="oops") as caught:
        canvas.show(isf.load(tmp_path / "x.fs"))
    assert (caught.value.file, caught.value.line) == ("x.vs", 4)


def test_what_does_not_link_is_said_where_its_name_stands(canvas: Picture, tmp_path: Path) -> None:
    (tmp_path / "x.fs").write_text(
        "/*{}*/\n\nin vec2 missing;\nvoid main() { gl_FragColor = vec4(missing, 0.0, 1.0); }\n"
    )
    (tmp_path / "x.vs").write_text("out vec3 missing;\nvoid main() { isf_vertShaderInit(); missing = vec3(0.0); }\n")
    with pytest.raises(ShaderError, match="missing") as caught:
        canvas.show(isf.load(tmp_path / "x.fs"))
    assert (caught.value.file, caught.value.line) == ("x.fs", 3)


def test_an_image_that_cannot_be_read_is_said_at_its_line(canvas: Picture, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    header = '/*{"IMPORTED": {\n"film": {"PATH": "x.png"}}}*/\n'
    (tmp_path / "x.fs").write_text(header + "void main() { gl_FragColor = IMG_THIS_PIXEL(film); }\n")
    with pytest.raises(ShaderError, match="can't be read as an image") as caught:
        canvas.show(isf.load(tmp_path / "x.fs"))
    assert caught.value.line == 2
