"""A shader as GLSL: what is put before and after the author's text, and errors at the author's own line."""

from __future__ import annotations

import pytest

from installation.picture.shading import glsl, isf
from installation.picture.shading.shader import Text

MAIN = "\nvoid main() { gl_FragColor = vec4(1.0); }\n"


def shader(header: str, body: str = MAIN) -> isf.Shader:
    return isf.read(f"/*{header}*/{body}", "test.fs")


def test_the_authors_source_is_counted_from_its_first_line_and_versions_are_hoisted() -> None:
    source = "/*{}*/\n#version 120\n#extension GL_ARB_thing : enable\nvoid main() { gl_FragColor = vec4(0.0); }"
    text = glsl.fragment(isf.read(source, "x.fs"), 0)
    lines = text.splitlines()
    assert lines[0] == "#version 330 core"
    assert sum(line.startswith("#version") for line in lines) == 1
    start = max(index for index, line in enumerate(lines) if line == "#line 1 0")
    assert lines.index("#extension GL_ARB_thing : enable") < start
    assert lines[start + 4] == "void main() { isf_FragColor = vec4(0.0); }"


def test_what_an_extension_is_required_for_is_only_asked_for() -> None:
    source = "/*{}*/\n#extension GL_OES_standard_derivatives : require\nvoid main() {}"
    assert "#extension GL_OES_standard_derivatives : enable" in glsl.fragment(isf.read(source, "x.fs"), 0)


def test_only_the_pass_that_is_seen_is_finished_and_not_where_it_has_a_target() -> None:
    header = '{"PASSES": [{"TARGET": "a"}, {}]}'
    first, last = (glsl.fragment(shader(header), index) for index in (0, 1))
    assert "isf_finished(" not in first
    assert "isf_FragColor = isf_finished(isf_FragColor);" in last
    apart = shader('{"PASSES": [{}, {"TARGET": "a"}]}')
    assert glsl.finished_apart(apart)
    assert "isf_finished(" not in glsl.fragment(apart, 1)


def test_names_that_are_words_of_glsl_are_renamed_where_they_are_no_calls() -> None:
    header = '{"INPUTS": [{"NAME": "length", "TYPE": "float"}, {"NAME": "filter", "TYPE": "image"}]}'
    text = glsl.fragment(shader(header, "\nfloat a = length * length (vec2(1.0)); // filters\n"), 0)
    assert "uniform float isf_length;" in text
    assert "uniform sampler2D isf_filter;" in text
    assert "float a = isf_length * length (vec2(1.0)); // filters" in text


def test_words_that_became_words_since_are_names_still() -> None:
    text = glsl.fragment(shader("{}", "\nvec4 sample(float active) { return vec4(active); } // resample\n"), 0)
    assert "vec4 isf_sample(float isf_active) { return vec4(isf_active); } // resample" in text


@pytest.mark.parametrize(("line", "file", "own"), [(7, "x.fs", 7), (glsl.LINES + 3, "x.vs", 3)])
def test_the_line_says_which_text_is_at_fault(line: int, file: str, own: int) -> None:
    two = isf.read("/*{}*/" + MAIN, "x.fs", vertex=Text("x.vs", "void main() {}"))
    error = glsl.complaint(two, f"vertex_shader\n=====\n0:{line}(5): error: `isf_sample' undeclared")
    assert (error.file, error.line, error.message) == (file, own, "`sample' undeclared")


def test_what_is_left_open_is_said_at_the_last_line() -> None:
    error = glsl.complaint(shader("{}", "\nvoid main() {\n"), f"0:{glsl.OURS + 2}(1): error: unexpected end of file")
    assert error.line == 3


def test_a_missing_main_is_said() -> None:
    error = glsl.complaint(shader("{}"), f"0:{glsl.OURS + 4}(5): error: no function with name 'isf_authorMain'")
    assert error.message == "there is no void main()"


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
