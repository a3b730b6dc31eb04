"""The size expressions of ISF passes: `floor($WIDTH / 2.0)`, and nothing that is not arithmetic.

A grammar of its own, read by recursive descent; there is no `eval` and no way out of it:

    sum     = product (("+" | "-") product)*
    product = sign (("*" | "/" | "%") sign)*
    sign    = ("-" | "+") sign | power
    power   = atom ("^" sign)?
    atom    = number | "$" name | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LENGTH_AT_MOST = 400
DEPTH_AT_MOST = 40

Value = Callable[[Mapping[str, float]], float]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|\$(?P<name>[A-Za-z_]\w*)|(?P<word>[A-Za-z_]\w*)|(?P<sign>[-+*/%^(),]))"
)

_FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "round": (1, lambda value: math.floor(value + 0.5)),
    "abs": (1, abs),
    "sqrt": (1, math.sqrt),
    "log2": (1, math.log2),
    "min": (2, min),
    "max": (2, max),
    "pow": (2, math.pow),
    "mod": (2, math.fmod),
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
    value = reader.sum(0)
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

    def sum(self, depth: int) -> Value:
        value = self.product(depth)
        while self.peek() in (("sign", "+"), ("sign", "-")):
            value = _join(self.take()[1], value, self.product(depth))
        return value

    def product(self, depth: int) -> Value:
        value = self.sign(depth)
        while self.peek() in (("sign", "*"), ("sign", "/"), ("sign", "%")):
            value = _join(self.take()[1], value, self.sign(depth))
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
        return self.power(depth)

    def power(self, depth: int) -> Value:
        value = self.atom(depth)
        if self.peek() == ("sign", "^"):
            self.take()
            return _join("^", value, self.sign(depth + 1))
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
            value = self.sum(depth + 1)
            self.expect(")")
            return value
        raise ExpressionError(f"{self.source!r}: a number, a $name or '(' expected, got {text or 'the end'!r}")

    def function(self, name: str, depth: int) -> Value:
        if name.lower() not in _FUNCTIONS:
            raise ExpressionError(f"{self.source!r}: no function {name!r}; there are {', '.join(_FUNCTIONS)}")
        count, function = _FUNCTIONS[name.lower()]
        self.expect("(")
        arguments = [self.sum(depth + 1)]
        while self.peek() == ("sign", ","):
            self.take()
            arguments.append(self.sum(depth + 1))
        self.expect(")")
        if len(arguments) != count:
            raise ExpressionError(f"{self.source!r}: {name} takes {count}, got {len(arguments)}")
        return lambda values: float(function(*(argument(values) for argument in arguments)))


def _join(sign: str, left: Value, right: Value) -> Value:
    if sign == "+":
        return lambda values: left(values) + right(values)
    if sign == "-":
        return lambda values: left(values) - right(values)
    if sign == "*":
        return lambda values: left(values) * right(values)
    if sign == "/":
        return lambda values: left(values) / right(values)
    if sign == "%":
        return lambda values: math.fmod(left(values), right(values))
    return lambda values: math.pow(left(values), right(values))
