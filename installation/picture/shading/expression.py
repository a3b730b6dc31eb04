"""The size expressions of ISF passes: `floor($WIDTH / 2.0)`, and nothing that is not arithmetic.

A grammar of its own, read by recursive descent; there is no `eval` and no way out of it:

    whole   = either
    either  = both ("||" both)*
    both    = compared ("&&" compared)*
    compared = sum (("<" | ">" | "<=" | ">=" | "==" | "!=") sum)?
    sum     = product (("+" | "-") product)*
    product = sign (("*" | "/" | "%") sign)*
    sign    = ("-" | "+" | "!") sign | power
    power   = atom (("^" | "**") sign)?
    atom    = number | "$" name | function "(" [whole ("," whole)*] ")" | "(" whole ")"

The functions are those of DDMathParser, to which the specification points, as far as they are arithmetic; what is true
is 1, what is false 0. `^` is a power, as on paper and in the shaders met.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LENGTH_AT_MOST = 400
DEPTH_AT_MOST = 40

Value = Callable[[Mapping[str, float]], float]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|\$(?P<name>[A-Za-z_]\w*)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|[<>=!]=|&&|\|\||[-+*/%^(),<>!]))"
)

MANY = -1
"""As many arguments as are given, but at least one."""

_FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "round": (1, lambda value: math.floor(value + 0.5)),
    "trunc": (1, math.trunc),
    "abs": (1, abs),
    "sign": (1, lambda value: (value > 0) - (value < 0)),
    "fract": (1, lambda value: value - math.floor(value)),
    "sqrt": (1, math.sqrt),
    "cuberoot": (1, math.cbrt),
    "nthroot": (2, lambda value, n: math.pow(value, 1.0 / n)),
    "exp": (1, math.exp),
    "ln": (1, math.log),
    "log": (1, math.log10),
    "log2": (1, math.log2),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "tan": (1, math.tan),
    "asin": (1, math.asin),
    "acos": (1, math.acos),
    "atan": (1, math.atan),
    "atan2": (2, math.atan2),
    "dtor": (1, math.radians),
    "rtod": (1, math.degrees),
    "min": (MANY, lambda *values: min(values)),
    "max": (MANY, lambda *values: max(values)),
    "sum": (MANY, lambda *values: math.fsum(values)),
    "average": (MANY, lambda *values: math.fsum(values) / len(values)),
    "count": (MANY, lambda *values: len(values)),
    "median": (MANY, lambda *values: _median(sorted(values))),
    "pow": (2, math.pow),
    "mod": (2, math.fmod),
    "clamp": (3, lambda value, low, high: min(max(value, low), high)),
    "mix": (3, lambda low, high, share: low + (high - low) * share),
    "step": (2, lambda edge, value: value >= edge),
    "if": (3, lambda question, yes, no: yes if question else no),
    "pi": (0, lambda: math.pi),
    "tau": (0, lambda: math.tau),
    "e": (0, lambda: math.e),
    "phi": (0, lambda: (1.0 + math.sqrt(5.0)) / 2.0),
}

_JOINS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": math.pow,
    "**": math.pow,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "&&": lambda left, right: left != 0.0 and right != 0.0,
    "||": lambda left, right: left != 0.0 or right != 0.0,
}


class ExpressionError(ValueError):
    """Not an expression, or it has no finite value."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression; `names` are the `$names` it needs."""

    text: str
    names: frozenset[str]
    _value: Value

    def __call__(self, values: Mapping[str, float]) -> float:
        """Its value for `values` by name; ExpressionError if that is not a finite number."""
        try:
            value = float(self._value(values))
        except KeyError as error:
            raise ExpressionError(f"{self.text!r}: no value for ${error.args[0]}") from error
        except (ArithmeticError, ValueError, TypeError) as error:
            raise ExpressionError(f"{self.text!r} has no value: {error}") from error
        if not math.isfinite(value):
            raise ExpressionError(f"{self.text!r} has no finite value, got {value}")
        return value


def parse(text: str | float) -> Expression:
    """Read `text` (a number stands for itself), or ExpressionError."""
    source = str(text)
    if len(source) > LENGTH_AT_MOST:
        raise ExpressionError(f"an expression of {len(source)} characters, at most {LENGTH_AT_MOST} are allowed")
    reader = _Reader(source)
    value = reader.whole(0)
    if reader.peek() != ("end", ""):
        raise ExpressionError(f"{source!r}: {reader.peek()[1]!r} is not expected here")
    return Expression(source, frozenset(reader.names), value)


class _Reader:
    """The tokens of one expression, and the grammar over them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.names: set[str] = set()
        self._tokens = self._split()
        self._index = 0

    def _split(self) -> list[tuple[str, str]]:
        tokens, position, source = [], 0, self.source.rstrip()
        while position < len(source):
            match = _TOKEN.match(source, position)
            if match is None:
                raise ExpressionError(
                    f"{self.source!r}: {source[position:].strip()[:1]!r} is not allowed in an expression"
                )
            tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            position = match.end()
        return [*tokens, ("end", "")]

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._index]

    def take(self) -> tuple[str, str]:
        token = self._tokens[self._index]
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def expect(self, sign: str) -> None:
        if (got := self.take()) != ("sign", sign):
            raise ExpressionError(f"{self.source!r}: {sign!r} expected, got {got[1] or 'the end'!r}")

    def whole(self, depth: int) -> Value:
        return self._chain(depth, ("||",), self.both)

    def both(self, depth: int) -> Value:
        return self._chain(depth, ("&&",), self.compared)

    def compared(self, depth: int) -> Value:
        value = self.sum(depth)
        if self.peek() in [("sign", sign) for sign in ("<", ">", "<=", ">=", "==", "!=")]:
            value = _join(self.take()[1], value, self.sum(depth))
        return value

    def sum(self, depth: int) -> Value:
        return self._chain(depth, ("+", "-"), self.product)

    def product(self, depth: int) -> Value:
        return self._chain(depth, ("*", "/", "%"), self.sign)

    def _chain(self, depth: int, signs: tuple[str, ...], part: Callable[[int], Value]) -> Value:
        """`part`s joined by any of `signs`, from left to right."""
        value = part(depth)
        while self.peek()[0] == "sign" and self.peek()[1] in signs:
            value = _join(self.take()[1], value, part(depth))
        return value

    def sign(self, depth: int) -> Value:
        if depth > DEPTH_AT_MOST:
            raise ExpressionError(f"nested deeper than {DEPTH_AT_MOST}: {self.source[:40]!r}…")
        if self.peek() == ("sign", "-"):
            self.take()
            value = self.sign(depth + 1)
            return lambda values: -value(values)
        if self.peek() == ("sign", "+"):
            self.take()
            return self.sign(depth + 1)
        if self.peek() == ("sign", "!"):
            self.take()
            denied = self.sign(depth + 1)
            return lambda values: float(denied(values) == 0.0)
        return self.power(depth)

    def power(self, depth: int) -> Value:
        value = self.atom(depth)
        if self.peek() in (("sign", "^"), ("sign", "**")):
            return _join(self.take()[1], value, self.sign(depth + 1))
        return value

    def atom(self, depth: int) -> Value:
        kind, text = self.take()
        if kind == "number":
            number = float(text)
            return lambda values: number
        if kind == "name":
            self.names.add(text)
            return lambda values: float(values[text])
        if kind == "word":
            return self.function(text, depth)
        if (kind, text) == ("sign", "("):
            value = self.whole(depth + 1)
            self.expect(")")
            return value
        raise ExpressionError(f"{self.source!r}: a number, a $name or '(' expected, got {text or 'the end'!r}")

    def function(self, name: str, depth: int) -> Value:
        if name.lower() not in _FUNCTIONS:
            raise ExpressionError(f"{self.source!r}: no function {name!r}; there are {', '.join(_FUNCTIONS)}")
        count, function = _FUNCTIONS[name.lower()]
        arguments = self.arguments(depth)
        if len(arguments) != count and (count != MANY or not arguments):
            wanted = "at least 1" if count == MANY else count
            raise ExpressionError(f"{self.source!r}: {name} takes {wanted}, got {len(arguments)}")
        return lambda values: float(function(*(argument(values) for argument in arguments)))

    def arguments(self, depth: int) -> list[Value]:
        self.expect("(")
        if self.peek() == ("sign", ")"):
            self.take()
            return []
        arguments = [self.whole(depth + 1)]
        while self.peek() == ("sign", ","):
            self.take()
            arguments.append(self.whole(depth + 1))
        self.expect(")")
        return arguments


def _join(sign: str, left: Value, right: Value) -> Value:
    join = _JOINS[sign]
    return lambda values: float(join(left(values), right(values)))


def _median(values: list[float]) -> float:
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2.0
