"""ISF headers and size expressions: what is read, and how what is wrong is said."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import ShaderError
from installation.picture import glsl, isf
from installation.picture.expression import ExpressionError, parse

MAIN = "\nvoid main() { gl_FragColor = vec4(1.0); }\n"


def shader(header: str, body: str = MAIN) -> isf.Shader:
    return isf.read(f"/*{header}*/{body}", "test.fs")


def fault(header: str) -> ShaderError:
    with pytest.raises(ShaderError) as caught:
        shader(header)
    return caught.value


# Size expressions


numbers = st.one_of(
    st.integers(0, 4096).map(str), st.floats(0.001, 100.0).map(lambda value: f"{value:.4f}"), st.just("$WIDTH")
)
sums = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda three: f"({' '.join(three)})"),
        inner.map(lambda one: f"-{one}"),
        inner.map(lambda one: f"floor({one})"),
        st.tuples(inner, inner).map(lambda two: f"max({two[0]}, {two[1]})"),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(sums)
def test_an_expression_is_what_python_makes_of_the_same_arithmetic(text: str) -> None:
    """The oracle may use eval: it reads only what the strategy above wrote."""
    names = {"floor": math.floor, "max": max, "WIDTH": 1280.0, "__builtins__": {}}
    try:
        expected = float(eval(text.replace("$", ""), names))
    except ArithmeticError:
        expected = math.nan
    if math.isfinite(expected):
        assert parse(text)({"WIDTH": 1280.0}) == pytest.approx(expected, rel=1e-12)
    else:
        with pytest.raises(ExpressionError):
            parse(text)({"WIDTH": 1280.0})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$WIDTH/2", 320.0),
        ("floor( $HEIGHT / 7.0 )", 51.0),
        ("2 + 3 * 4 ^ 2", 50.0),
        ("-2 ^ 2", -4.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("10 - 4 - 3", 3.0),
        ("7 % 4", 3.0),
        ("max($WIDTH, $amount) - min(3, 1)", 639.0),
        (".5 * 1e2", 50.0),
        (512, 512.0),
    ],
)
def test_arithmetic_binds_as_on_paper(text: str | int, value: float) -> None:
    assert parse(text)({"WIDTH": 640.0, "HEIGHT": 360.0, "amount": 3.0}) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "$WIDTH.__class__",
        "(lambda: 1)()",
        "exec(1)",
        "1; 2",
        "1 2",
        "max(1)",
        "floor(1, 2)",
        "(1",
        "1)",
        "$",
        "",
        "$WIDTH = 3",
        "[1]",
        "'a' * 9",
        "(" * 5000 + "1" + ")" * 5000,
        "(" * 150 + "1" + ")" * 150,
        "-" * 399 + "1",
        "1" * 401,
    ],
)
def test_what_is_not_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize("text", ["1 / 0", "9 ^ 9 ^ 9 ^ 9", "sqrt(-1)", "1e308 * 10", "5 % 0", "log2(0)", "(-8) ^ 0.5"])
def test_what_has_no_finite_value_is_refused_when_asked(text: str) -> None:
    expression = parse(text)
    with pytest.raises(ExpressionError):
        expression({})


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="0123456789.+-*/%^(), $WIDTHeflor_x'\"[]{};=\\", max_size=40))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    try:
        value = parse(text)({"WIDTH": 640.0, "HEIGHT": 360.0})
    except ExpressionError:
        return
    assert math.isfinite(value)


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
        ('{"IMPORTED": {"x": {"PATH": "x.png"}}}', "IMPORTED is not supported", 1),
    ],
)
def test_what_is_wrong_is_said_at_its_line(header: str, words: str, line: int) -> None:
    error = fault(header)
    assert words in error.message
    assert error.line == line
    assert str(error).startswith(f"test.fs:{line}: ")


def test_no_header_no_file_and_a_vertex_shader_are_said(tmp_path: Path) -> None:
    with pytest.raises(ShaderError, match="no ISF header"):
        isf.read("void main() {}", "x.fs")
    with pytest.raises(ShaderError, match="can't be read"):
        isf.load(tmp_path / "missing.fs")
    (tmp_path / "x.fs").write_text("/*{}*/" + MAIN)
    assert isf.load(tmp_path / "x.fs").file == "x.fs"
    (tmp_path / "x.vs").write_text("void main() {}")
    with pytest.raises(ShaderError, match="vertex shader"):
        isf.load(tmp_path / "x.fs")


# GLSL


def test_the_authors_source_is_counted_from_its_first_line_and_versions_are_hoisted() -> None:
    source = "/*{}*/\n#version 120\n#extension GL_ARB_thing : enable\nvoid main() { gl_FragColor = vec4(0.0); }"
    text = glsl.fragment(isf.read(source, "x.fs"), 0)
    lines = text.splitlines()
    assert lines[0] == "#version 330 core"
    assert sum(line.startswith("#version") for line in lines) == 1
    start = max(index for index, line in enumerate(lines) if line == "#line 1 0")
    assert lines.index("#extension GL_ARB_thing : enable") < start
    assert lines[start + 4] == "void main() { isf_FragColor = vec4(0.0); }"


@pytest.mark.parametrize(
    "log",
    [
        "fragment_shader\n=====\n0:12(5): error: `x' undeclared",
        "0(12) : error C1503: undefined variable `x'",
        "ERROR: 0:12: 'x' : undeclared identifier",
    ],
)
def test_every_drivers_way_of_counting_is_understood(log: str) -> None:
    error = glsl.complaint(shader("{}"), log)
    assert error.line == 12
    assert "x'" in error.message


def test_a_warning_before_the_error_is_not_taken_for_it() -> None:
    log = "0:3(1): warning: something\n0:9(2): error: the cause\n0:10(2): error: what follows"
    assert (glsl.complaint(shader("{}"), log).line, glsl.complaint(shader("{}"), log).message) == (9, "the cause")


def test_a_log_without_a_line_is_given_whole() -> None:
    assert "link failed: too many" in glsl.complaint(shader("{}"), "link failed:\n too many\n").message
