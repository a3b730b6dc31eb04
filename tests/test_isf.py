"""ISF headers: what is read, how what is wrong is said, and which images may come along."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from installation.errors import ShaderError
from installation.picture.shading import images, isf

MAIN = "\nvoid main() { gl_FragColor = vec4(1.0); }\n"


def shader(header: str, body: str = MAIN) -> isf.Shader:
    return isf.read(f"/*{header}*/{body}", "test.fs")


def fault(header: str) -> ShaderError:
    with pytest.raises(ShaderError) as caught:
        shader(header)
    return caught.value


# Headers


def test_every_kind_of_input_is_read() -> None:
    inputs = {
        each.name: each
        for each in shader("""{"INPUTS": [
        {"NAME": "flash", "TYPE": "event"},
        {"NAME": "on", "TYPE": "bool", "DEFAULT": true},
        {"NAME": "kind", "TYPE": "long", "DEFAULT": 2, "VALUES": [1, 2], "LABELS": ["a", "b"]},
        {"NAME": "level", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0, "MAX": 2},
        {"NAME": "where", "TYPE": "point2D", "DEFAULT": [0.5, 0.25]},
        {"NAME": "tint", "TYPE": "color", "DEFAULT": [1, 0, 0, 1]},
        {"NAME": "film", "TYPE": "image"},
        {"NAME": "wave", "TYPE": "audio", "MAX": 64},
        {"NAME": "fft", "TYPE": "audioFFT"}
    ]}""").inputs
    }
    assert [each.kind for each in inputs.values()] == list(isf.KINDS)
    assert inputs["on"].default == 1.0
    assert (inputs["level"].default, inputs["level"].minimum, inputs["level"].maximum) == (0.25, 0.0, 2.0)
    assert inputs["where"].default == (0.5, 0.25)
    assert inputs["tint"].default == (1.0, 0.0, 0.0, 1.0)
    assert (inputs["wave"].width, inputs["fft"].width) == (64, None)
    assert [name for name, each in inputs.items() if each.is_image] == ["film", "wave", "fft"]


def test_without_passes_there_is_one_of_the_pictures_size() -> None:
    (only,) = shader("{}").passes
    assert only.target is None
    assert (only.width({"WIDTH": 7.0, "HEIGHT": 5.0}), only.height({"WIDTH": 7.0, "HEIGHT": 5.0})) == (7.0, 5.0)


@pytest.mark.parametrize(
    ("written", "truth"), [("true", True), ("1", True), ('"YES"', True), ("false", False), ("0", False), ('"0"', False)]
)
def test_truth_is_read_as_it_is_met(written: str, truth: bool) -> None:
    assert shader(f'{{"PASSES": [{{"TARGET": "a", "PERSISTENT": {written}}}]}}').passes[0].persistent is truth


def test_trailing_commas_are_let_pass_but_not_inside_strings() -> None:
    header = '{"DESCRIPTION": "a,] and ,}", "INPUTS": [{"NAME": "x", "TYPE": "float",},],}'
    assert shader(header).description == "a,] and ,}"


@pytest.mark.parametrize(
    ("header", "words", "line"),
    [
        ("{\n\n  nonsense}", "not JSON", 3),
        ("[1]", "not a JSON object", 1),
        ('{"INPUTS": 3}', "a list of objects", 1),
        (
            '{"INPUTS": [\n{"NAME": "ok", "TYPE": "float"},\n{"NAME": "bad", "TYPE": "flaot"}]}',
            "did you mean float?",
            3,
        ),
        ('{"INPUTS": [{"NAME": "1x", "TYPE": "float"}]}', "'1x' is not a GLSL name", 1),
        ('{"INPUTS": [\n{"NAME": "x; }", "TYPE": "float"}]}', "not a GLSL name", 1),
        ('{"INPUTS": [\n\n{"NAME": "x", "TYPE": "float", "DEFAULT": [1, 2]}]}', "DEFAULT [1, 2] is not 1 number", 3),
        ('{"INPUTS": [\n{"NAME": "x", "TYPE": "point2D", "MAX": 1}]}', "MAX 1 is not 2 numbers", 2),
        ('{"INPUTS": [{"NAME": "x", "TYPE": "float"},\n{"NAME": "x", "TYPE": "bool"}]}', "given twice", 1),
        ('{"INPUTS": [{"NAME": "x", "TYPE": "image"}], "PASSES": [{"TARGET": "x"}]}', "given twice", 1),
        ('{"INPUTS": [{"NAME": "a", "TYPE": "audio", "MAX": 0}]}', "MAX 0 is outside 1..8192", 1),
        ('{"INPUTS": [{"NAME": "a", "TYPE": "float", "ATTACK_MS": -1}]}', "ATTACK_MS -1 is outside", 1),
        ('{"PASSES": [{"TARGET": "a b"}]}', "TARGET 'a b' is not a GLSL name", 1),
        ('{"PASSES": [\n{"TARGET": "a",\n"WIDTH": "import os"}]}', "no function 'import'", 3),
        ('{"PASSES": [{"TARGET": "a",\n\n"HEIGHT": "$WIDHT"}]}', "did you mean WIDTH?", 3),
        ('{"INPUTS": [\n{"NAME": "TIME", "TYPE": "float"}]}', "one of ISF's or GLSL's own", 2),
        ('{"INPUTS": [\n{"NAME": "gl_x", "TYPE": "float"}]}', "one of ISF's or GLSL's own", 2),
        ('{"INPUTS": [\n{"NAME": "x", "TYPE": "float", "DEFAULT": NaN}]}', "DEFAULT nan is not 1 number", 2),
        ('{"INPUTS": [\n{"NAME": "x", "TYPE": "long", "VALUES": [0.5]}]}', "VALUES [0.5] are not whole", 2),
        ('{"INPUTS": [\n{"NAME": "x", "TYPE": "long", "LABELS": "a"}]}', "LABELS 'a' is not a list", 2),
        ('{"IMPORTED": {\n"x": {"PATH": 3}}}', "PATH 3 is not that of a file", 2),
        ('{"IMPORTED": {\n"x y": {"PATH": "x.png"}}}', "'x y' is not a GLSL name", 1),
        ('{"IMPORTED": {\n"x": "x.png"}}', "an object is expected", 2),
        ('{"PERSISTENT_BUFFERS": 1}', "a list or an object is expected", 1),
        ('{"INPUTS": [' + ",".join(["{}"] * 513) + "]}", "513 of them, at most 512", 1),
        ('{"PASSES": [' + ",".join(["{}"] * 65) + "]}", "65 of them, at most 64", 1),
        (f'{{"IMPORTED": {[chr(97 + n) for n in range(17)]}}}'.replace("'", '"'), "17 of them, at most 16", 1),
    ],
)
def test_what_is_wrong_is_said_at_its_line(header: str, words: str, line: int) -> None:
    error = fault(header)
    assert words in error.message
    assert error.line == line
    assert str(error).startswith(f"test.fs:{line}: ")


def test_no_header_and_no_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(ShaderError, match="no ISF header"):
        isf.read("void main() {}", "x.fs")
    with pytest.raises(ShaderError, match="can't be read"):
        isf.load(tmp_path / "missing.fs")
    (tmp_path / "x.fs").write_bytes(b"/*{}*/\0")
    with pytest.raises(ShaderError, match="no text"):
        isf.load(tmp_path / "x.fs")
    (tmp_path / "x.fs").write_bytes(b" " * (isf.BYTES_AT_MOST + 1))
    with pytest.raises(ShaderError, match="at most"):
        isf.load(tmp_path / "x.fs")


def test_a_vertex_shader_beside_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.fs").write_text("/*{}*/" + MAIN)
    assert isf.load(tmp_path / "x.fs").vertex is None
    (tmp_path / "x.vs").write_text("void main() { isf_vertShaderInit(); }")
    shader = isf.load(tmp_path / "x.fs")
    assert [each.file for each in shader.texts] == ["x.fs", "x.vs"]
    assert shader.vertex == 1


@pytest.mark.parametrize("written", [b"\xef\xbb\xbf/*{}*/\r\nvoid", b"/*{}*/\rvoid", b"/*{}*/\nvoid"])
def test_marks_and_line_ends_of_any_system_are_let_pass(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "x.fs").write_bytes(written)
    assert isf.load(tmp_path / "x.fs").source == "/*{}*/\nvoid"


def test_text_that_is_not_utf_8_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "x.fs").write_bytes(b'/*{"CREDIT": "\xe9"}*/')
    assert "é" in isf.load(tmp_path / "x.fs").source


def test_comments_may_come_before_the_header() -> None:
    source = '// by hand\n/* and more */\n/*{"DESCRIPTION": "found", "INPUTS": [{"NAME": "1x", "TYPE": "float"}]}*/'
    with pytest.raises(ShaderError, match="'1x' is not a GLSL name") as caught:
        isf.read(source, "x.fs")
    assert caught.value.line == 3
    assert isf.read(source.replace("1x", "x"), "x.fs").description == "found"


@pytest.mark.parametrize(
    ("kind", "written", "default"),
    [
        ("float", '"0.5"', 0.5),
        ("float", "[0.5]", 0.5),
        ("float", "true", 1.0),
        ("bool", '"true"', 1.0),
        ("bool", "0", 0.0),
        ("event", "null", 0.0),
        ("long", '"2"', 2.0),
        ("color", "[1, 0.5, 0]", (1.0, 0.5, 0.0, 1.0)),
        ("point2D", '["1", "2"]', (1.0, 2.0)),
        ("point2D", '""', (0.0, 0.0)),
    ],
)
def test_a_default_of_an_odd_type_is_what_it_plainly_means(kind: str, written: str, default: isf.Number) -> None:
    (only,) = shader(f'{{"INPUTS": [{{"NAME": "x", "TYPE": "{kind}", "DEFAULT": {written}}}]}}').inputs
    assert only.default == default


def test_a_long_is_chosen_from_its_values_by_number_or_label() -> None:
    header = '{"INPUTS": [{"NAME": "x", "TYPE": "long", "VALUES": [4, 2, 9], "LABELS": ["a", "b"], "DEFAULT": "b"}]}'
    (only,) = shader(header).inputs
    assert (only.values, only.labels, only.default) == ((4, 2, 9), ("a", "b", "9"), 2.0)
    assert (only.minimum, only.maximum) == (2.0, 9.0)
    (old,) = shader('{"INPUTS": [{"NAME": "x", "TYPE": "long", "LABELS": ["a", "b", "c"]}]}').inputs
    assert (old.values, old.default, old.maximum) == ((0, 1, 2), 0.0, 2.0)


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        ([], "generator"),
        ([("inputImage", "image")], "filter"),
        ([("inputImage", "float")], "generator"),
        ([("startImage", "image"), ("endImage", "image"), ("progress", "float")], "transition"),
        ([("startImage", "image"), ("endImage", "image")], "generator"),
    ],
)
def test_what_a_shader_is_for_is_told_by_its_inputs(inputs: list[tuple[str, str]], kind: str) -> None:
    header = json.dumps({"INPUTS": [{"NAME": name, "TYPE": each} for name, each in inputs]})
    assert shader(header).kind == kind


@pytest.mark.parametrize(
    "written",
    ['["a", "b"]', '[{"NAME": "a"}, {"NAME": "b"}]', '{"a": {}, "b": null}', '{"a": {"FLOAT": false}, "b": {}}'],
)
def test_buffers_of_version_1_are_read_as_they_are_met(written: str) -> None:
    found = shader(f'{{"PERSISTENT_BUFFERS": {written}, "PASSES": [{{"TARGET": "a", "WIDTH": 7}}, {{}}]}}')
    assert [each.persistent for each in found.passes] == [True, False]
    assert found.passes[0].width({}) == 7.0
    assert found.images == ("a", "b")


def test_any_json_is_a_shader_or_a_fault_with_its_line() -> None:
    """Whatever stands where something else is expected: never another error."""
    odd = [None, True, 3, -1e400, "x", [], [[]], [None], {}, {"NAME": []}, {"x": []}]
    entries = {
        "INPUTS": ["NAME", "TYPE", "DEFAULT", "MIN", "MAX", "VALUES", "LABELS", "LABEL", "IDENTITY", "ATTACK_MS"]
    }
    entries["PASSES"] = ["TARGET", "PERSISTENT", "FLOAT", "WIDTH", "HEIGHT"]
    headers = [{key: each} for key in ("INPUTS", "PASSES", "IMPORTED", "PERSISTENT_BUFFERS", "ISFVSN") for each in odd]
    for kind in isf.KINDS:
        good = {"NAME": "x", "TYPE": kind}
        headers += [{"INPUTS": [good | {key: each}]} for key in entries["INPUTS"] for each in odd]
    headers += [{"PASSES": [{key: each}]} for key in entries["PASSES"] for each in odd]
    headers += [{"IMPORTED": {"x": {"PATH": each}}} for each in odd]
    for header in headers:
        try:
            shader(json.dumps(header))
        except ShaderError as error:
            assert error.line == 1


@pytest.mark.parametrize(
    "source",
    ["/*" * 2_000_000, '/*{"' + '\\"' * 120_000 + "*/", "/*" + "[" * 200_000 + "*/", "/*{" + " " * 300_000 + "}*/"],
)
def test_what_is_hostile_is_refused_at_once(source: str) -> None:
    begun_s = time.perf_counter()
    with pytest.raises(ShaderError):
        isf.read(source, "x.fs")
    assert time.perf_counter() - begun_s < 3.0


# Imported images


def imported(folder: Path, path: str) -> isf.Shader:
    (folder / "x.fs").write_text(f'/*{{"IMPORTED": {{\n"film": {{"PATH": {json.dumps(path)}}}}}}}*/{MAIN}')
    return isf.load(folder / "x.fs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One for shaders, with pictures in, beside and above it."""
    made = tmp_path / "up" / "shaders"
    (made / "deep").mkdir(parents=True)
    for where in (made, made / "deep", made.parent, tmp_path):
        Image.new("RGB", (3, 2), (1, 2, 3)).save(where / "film.png")
    return made


@pytest.mark.parametrize("path", ["film.png", "./film.png", "deep/film.png", "../film.png", "deep/../film.png"])
def test_an_image_may_lie_below_or_beside_the_shaders_folder(folder: Path, path: str) -> None:
    (found,) = imported(folder, path).imported
    assert images.read(found.path).shape == (2, 3, 4)


@pytest.mark.parametrize(
    "path", ["../../film.png", "/etc/hostname", "C:\\film.png", "..\\..\\film.png", "no.png", "", "deep"]
)
def test_an_image_may_not_lie_elsewhere(folder: Path, path: str) -> None:
    with pytest.raises(ShaderError, match="IMPORTED: film") as caught:
        imported(folder, path)
    assert caught.value.line == 2


def test_a_link_does_not_lead_out(folder: Path) -> None:
    (folder / "link.png").symlink_to(folder.parent.parent / "film.png")
    with pytest.raises(ShaderError, match="leads out"):
        imported(folder, "link.png")


def test_images_are_read_whole_the_right_way_up_and_no_larger_than_fits(folder: Path) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    Image.fromarray(pixels).save(folder / "film.png")
    np.testing.assert_array_equal(images.read(folder / "film.png"), pixels[::-1])
    np.testing.assert_array_equal(images.read(folder / "film.png", upright=False), pixels)
    Image.new("1", (images.SIDE_AT_MOST + 1, 1)).save(folder / "film.png")
    with pytest.raises(images.ImageError, match="at most 8192 a side"):
        images.read(folder / "film.png")
    for wrong in (b"", b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", bytes(100)):
        (folder / "film.png").write_bytes(wrong)
        with pytest.raises(images.ImageError, match="can't be read as an image"):
            images.read(folder / "film.png")
