"""Size expressions: what is arithmetic, what it comes to, and that nothing else is let through."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.picture.shading.expression import ExpressionError, parse

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
        ("2 ** 3", 8.0),
        ("2 < 3", 1.0),
        ("2 >= 3 || 1 == 1 && 0 != 1", 1.0),
        ("!0 + !5", 1.0),
        ("-$amount > -4", 1.0),
        ("if($WIDTH > $HEIGHT, $WIDTH / 2, 7)", 320.0),
        ("max(1, 2, $amount)", 3.0),
        ("min(4)", 4.0),
        ("average(1, 2, 6) + sum(1, 2) + count(5, 5) + median(1, 9, 4)", 12.0),
        ("floor(100 * sin(pi() / 6) + 0.5) + log(1000) + exp(0) + ln(e())", 55.0),
        ("clamp(9, 0, 5) + mix(2, 4, 0.5) + step(1, 2) + fract(1.25) + sign(-3) + trunc(-1.5)", 7.25),
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
        "max()",
        "pow(1)",
        "1 < 2 < 3",
        "1 & 2",
        "1 ? 2 : 3",
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
