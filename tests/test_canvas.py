"""Drawing for real, on EGL: passes, targets, macros, errors, and what stays when something breaks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from installation.errors import ShaderError
from installation.picture.frame import Frame
from installation.picture.shading import isf
from tests.pictures import Picture, picture

pytestmark = pytest.mark.gl

SIZE = (8, 6)


@pytest.fixture
def canvas() -> Iterator[Picture]:
    with picture(SIZE) as held:
        yield held


def read(header: str, body: str, name: str = "test.fs") -> isf.Shader:
    return isf.read(f"/*{header}*/\n{body}", name)


def drawn(canvas: Picture, shader: isf.Shader, frame: Frame | None = None) -> np.ndarray:
    canvas.show(shader)
    canvas.draw(frame or Frame())
    return canvas.read()


# Pixels


def test_every_eight_bit_value_comes_out_as_it_was_written(canvas: Picture) -> None:
    """The dither is below half a step, so it moves no value that is already one of 256."""
    for value in range(0, 256, 5):
        rgb = drawn(canvas, read("{}", f"void main() {{ gl_FragColor = vec4(vec3({value}.0 / 255.0), 1.0); }}"))
        assert rgb.shape == (6, 8, 3)
        assert np.unique(rgb).tolist() == [value]


def test_between_two_values_the_mean_is_kept() -> None:
    with picture((64, 64)) as canvas:
        rgb = drawn(canvas, read("{}", "void main() { gl_FragColor = vec4(vec3(10.5 / 255.0), 1.0); }"))
    assert set(np.unique(rgb)) == {10, 11}
    assert rgb.mean() == pytest.approx(10.5, abs=0.1)


def test_row_nought_of_what_is_read_is_the_top(canvas: Picture) -> None:
    rgb = drawn(canvas, read("{}", "void main() { gl_FragColor = vec4(floor(gl_FragCoord.xy) / 255.0, 0.0, 1.0); }"))
    np.testing.assert_array_equal(rgb[:, :, 0], np.tile(np.arange(8), (6, 1)))
    np.testing.assert_array_equal(rgb[:, :, 1], np.tile(np.arange(6)[::-1, None], (1, 8)))


def test_gain_multiplies_what_is_seen_and_nought_is_black(canvas: Picture) -> None:
    canvas.show(read("{}", "void main() { gl_FragColor = vec4(vec3(200.0 / 255.0), 1.0); }"))
    for gain in (1.0, 0.5, 0.25, 0.0):
        canvas.draw(Frame(), gain=gain)
        assert np.unique(canvas.read()).tolist() == [round(200 * gain)]


def test_built_ins_have_their_values(canvas: Picture) -> None:
    body = """void main() {
        bool right = TIME == 1.5 && TIMEDELTA == 0.25 && FRAMEINDEX == 77 && PASSINDEX == 0
            && DATE == vec4(2031.0, 2.0, 3.0, 4.5) && RENDERSIZE == vec2(8.0, 6.0)
            && distance(isf_FragNormCoord, gl_FragCoord.xy / RENDERSIZE) < 1e-6;
        gl_FragColor = vec4(vec3(right ? 1.0 : 0.0), 1.0);
    }"""
    frame = Frame(1.5, 0.25, 77, (2031.0, 2.0, 3.0, 4.5))
    assert drawn(canvas, read("{}", body), frame).min() == 255


def test_every_kind_of_number_reaches_the_shader(canvas: Picture) -> None:
    header = """{"INPUTS": [{"NAME": "a", "TYPE": "event"}, {"NAME": "b", "TYPE": "bool"},
        {"NAME": "c", "TYPE": "long"}, {"NAME": "d", "TYPE": "float"},
        {"NAME": "e", "TYPE": "point2D"}, {"NAME": "f", "TYPE": "color"},
        {"NAME": "centroid", "TYPE": "float"}]}"""
    body = """void main() {
        bool right = a && b && c == -3 && d == 0.5 && e == vec2(1.0, 2.0) && f == vec4(1.0, 2.0, 3.0, 4.0)
            && centroid == 0.25;
        gl_FragColor = vec4(vec3(right ? 1.0 : 0.0), 1.0);
    }"""
    values = {"a": True, "b": True, "c": -3, "d": 0.5, "e": (1.0, 2.0), "f": (1.0, 2.0, 3.0, 4.0), "centroid": 0.25}
    assert drawn(canvas, read(header, body), Frame(values=values)).min() == 255


IMAGE = '{"INPUTS": [{"NAME": "film", "TYPE": "image"}]}'


@pytest.mark.parametrize(
    "look",
    [
        "IMG_PIXEL(film, gl_FragCoord.xy)",
        "IMG_NORM_PIXEL(film, gl_FragCoord.xy / RENDERSIZE)",
        "IMG_THIS_PIXEL(film)",
        "IMG_THIS_NORM_PIXEL(film)",
        "IMG_NORM_PIXEL(film, isf_FragNormCoord)",
        "texture2D(film, isf_FragNormCoord)",
        "IMG_PIXEL(film, isf_FragNormCoord * IMG_SIZE(film))",
    ],
)
def test_every_macro_gives_the_pixel_itself(canvas: Picture, look: str) -> None:
    film = np.arange(48, dtype=np.float32).reshape(6, 8) * 5.0 / 255.0
    body = f"void main() {{ vec4 c = {look}; gl_FragColor = c.r == c.g && c.a == 1.0 ? c : vec4(0.0); }}"
    rgb = drawn(canvas, read(IMAGE, body), Frame(textures={"film": film}))
    np.testing.assert_array_equal(rgb[::-1, :, 0], np.arange(48).reshape(6, 8) * 5)


def test_pixels_beyond_the_edge_are_the_edges(canvas: Picture) -> None:
    film = np.arange(48, dtype=np.float32).reshape(6, 8) / 255.0
    body = "void main() { gl_FragColor = IMG_PIXEL(film, gl_FragCoord.xy - vec2(20.0, 0.0)); }"
    rgb = drawn(canvas, read(IMAGE, body), Frame(textures={"film": film}))
    np.testing.assert_array_equal(rgb[::-1, :, 0], np.tile(np.arange(6)[:, None] * 8, (1, 8)))


def test_a_texture_may_change_its_size_and_its_precision(canvas: Picture) -> None:
    canvas.show(
        read(IMAGE, "void main() { gl_FragColor = vec4(IMG_SIZE(film) / 255.0, IMG_THIS_PIXEL(film).r, 1.0); }")
    )
    for shape, kind in (((3, 5), np.float32), ((4, 5), np.float32), ((4, 5), np.float16), ((1, 1), np.float16)):
        canvas.draw(Frame(textures={"film": np.full(shape, 0.2, kind)}))
        assert np.unique(canvas.read().reshape(-1, 3), axis=0).tolist() == [[shape[1], shape[0], 51]]


def test_an_image_nobody_fills_is_black(canvas: Picture) -> None:
    assert (
        drawn(
            canvas, read(IMAGE.replace("film", "nobody"), "void main() { gl_FragColor = IMG_THIS_PIXEL(nobody); }")
        ).max()
        == 0
    )


# Passes and targets


def test_a_persistent_float_target_counts_exactly(canvas: Picture) -> None:
    """1/1024 is lost in 8 bits; in floats a thousand additions are exact."""
    header = '{"PASSES": [{"TARGET": "sum", "PERSISTENT": true, "FLOAT": true}, {}]}'
    body = "void main() { gl_FragColor = IMG_THIS_PIXEL(sum) + (PASSINDEX == 0 ? vec4(1.0 / 1024.0) : vec4(0.0)); }"
    canvas.show(read(header, body))
    for _ in range(1000):
        canvas.draw(Frame())
    assert np.unique(canvas.target("sum")).tolist() == [np.float32(1000 / 1024)]
    assert np.unique(canvas.read()).tolist() == [249]


def test_every_pixel_of_a_persistent_target_stays_its_own(canvas: Picture) -> None:
    header = '{"PASSES": [{"TARGET": "kept", "PERSISTENT": true, "FLOAT": true}]}'
    body = """void main() {
        gl_FragColor = FRAMEINDEX == 0 ? vec4(floor(gl_FragCoord.xy), 0.0, 1.0) : IMG_THIS_PIXEL(kept);
    }"""
    canvas.show(read(header, body))
    for index in range(300):
        canvas.draw(Frame(index=index))
    x, y = np.meshgrid(np.arange(8), np.arange(6))
    np.testing.assert_allclose(canvas.target("kept")[:, :, 0], x, atol=1e-3)
    np.testing.assert_allclose(canvas.target("kept")[:, :, 1], y, atol=1e-3)


def test_a_target_that_is_not_persistent_is_forgotten(canvas: Picture) -> None:
    header = '{"PASSES": [{"TARGET": "once"}, {}]}'
    body = """void main() {
        if (PASSINDEX == 0) { if (FRAMEINDEX > 0) discard; gl_FragColor = vec4(1.0); }
        else gl_FragColor = IMG_THIS_PIXEL(once);
    }"""
    canvas.show(read(header, body))
    canvas.draw(Frame(index=0))
    assert canvas.read().min() == 255
    canvas.draw(Frame(index=1))
    assert canvas.read().max() == 0


def test_later_passes_see_what_earlier_ones_drew_in_the_same_frame(canvas: Picture) -> None:
    header = '{"PASSES": [{"TARGET": "a"}, {"TARGET": "b", "PERSISTENT": true}, {}]}'
    body = """void main() {
        if (PASSINDEX == 0) gl_FragColor = vec4(0.2);
        if (PASSINDEX == 1) gl_FragColor = IMG_THIS_PIXEL(a) * 2.0;
        if (PASSINDEX == 2) gl_FragColor = IMG_THIS_PIXEL(a) + IMG_THIS_PIXEL(b);
    }"""
    assert np.unique(drawn(canvas, read(header, body))).tolist() == [153]


def test_targets_have_the_size_their_expressions_say_and_follow_inputs(canvas: Picture) -> None:
    header = """{"INPUTS": [{"NAME": "grain", "TYPE": "float", "DEFAULT": 2}],
        "PASSES": [{"TARGET": "small", "WIDTH": "floor($WIDTH / $grain)", "HEIGHT": "$HEIGHT - 1"}, {}]}"""
    body = """void main() {
        gl_FragColor = vec4(PASSINDEX == 0 ? RENDERSIZE / 255.0 : IMG_THIS_PIXEL(small).rg, 0.0, 1.0);
    }"""
    canvas.show(read(header, body))
    for grain, width in ((2.0, 4), (4.0, 2), (0.0, 2), (100.0, 1), (1.0, 8)):
        canvas.draw(Frame(values={"grain": grain}))
        assert canvas.target("small").shape[:2] == (5, width)
        assert canvas.read()[0, 0].tolist() == [width, 5, 0]


def test_what_is_not_a_number_does_not_stay_in_a_persistent_target(canvas: Picture) -> None:
    header = '{"PASSES": [{"TARGET": "kept", "PERSISTENT": true, "FLOAT": true}]}'
    body = """void main() {
        float zero = TIME;
        gl_FragColor = FRAMEINDEX == 0 ? vec4(zero / zero, 1.0 / zero, 1.0, 1.0) : IMG_THIS_PIXEL(kept) + 0.5;
    }"""
    canvas.show(read(header, body))
    canvas.draw(Frame(index=0))
    assert np.isfinite(canvas.target("kept")).all()
    canvas.draw(Frame(index=1))
    assert np.unique(canvas.target("kept")).tolist() == [0.5]


# Errors


@pytest.mark.parametrize(
    ("header", "body", "line", "words"),
    [
        ("{}", "\n\nvoid main() {\n  gl_FragColor = vec4(missing);\n}", 5, "missing"),
        ("{\n\n}", "void main() { gl_FragColor = 3; }", 4, ""),
        ("{}", "#version 150\n#define X\nvoid main() {\n gl_FragColor = oops; }", 5, "oops"),
        ('{"INPUTS": [\n\n{"NAME": "vec2", "TYPE": "float"}]}', "void main() {}", 3, ""),
        ("{}", "void main() { undeclared(); }\n\n", 2, "undeclared"),
        ("{}", "float f() { return 1.0; }", None, "main"),
    ],
)
def test_an_error_is_said_at_the_authors_own_line(
    canvas: Picture, header: str, body: str, line: int | None, words: str
) -> None:
    with pytest.raises(ShaderError) as caught:
        canvas.show(read(header, body))
    assert caught.value.line == line
    assert words in caught.value.message
    assert caught.value.file == "test.fs"


def test_the_last_good_shader_stays_with_its_targets(canvas: Picture) -> None:
    header = '{"PASSES": [{"TARGET": "sum", "PERSISTENT": true, "FLOAT": true}]}'
    good = "void main() { gl_FragColor = IMG_THIS_PIXEL(sum) + 0.125; }"
    canvas.show(read(header, good))
    canvas.draw(Frame())
    for broken in ("void main() { nonsense; }", "void main() {"):
        with pytest.raises(ShaderError):
            canvas.show(read(header, broken), keep=True)
    with pytest.raises(ShaderError, match="has no value"):
        canvas.show(read('{"PASSES": [{"TARGET": "sum", "WIDTH": "1 / 0"}]}', good))
    canvas.draw(Frame())
    assert np.unique(canvas.target("sum")).tolist() == [0.25]


def test_keep_takes_over_what_was_drawn_and_without_it_all_is_new(canvas: Picture) -> None:
    header = '{"PASSES": [{"TARGET": "sum", "PERSISTENT": true, "FLOAT": true}]}'
    shader = read(header, "void main() { gl_FragColor = IMG_THIS_PIXEL(sum) + 0.125; }")
    values = []
    for keep in (False, True, True, False):
        canvas.show(shader, keep=keep)
        canvas.draw(Frame())
        values.append(float(canvas.target("sum").max()))
    assert values == [0.125, 0.25, 0.375, 0.125]


def test_opening_and_closing_many_canvases_leaves_none_open() -> None:
    for value in (3, 7, 11):
        with picture((4, 4)) as canvas:
            rgb = drawn(canvas, read("{}", f"void main() {{ gl_FragColor = vec4({value}.0 / 255.0); }}"))
        assert np.unique(rgb).tolist() == [value]
