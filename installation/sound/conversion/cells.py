"""Tensors that TorchScript writes into, without ever writing into one.

TorchScript changes tensors in place, often through a slice: `x[..., :4] += past` or `cache[:rows].copy_(x)`. ONNX has
no such thing. Here a tensor lies in a cell; writing gives the cell a new tensor, and a slice is a part of a cell, which
reads from it and writes through to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

END = 2**62
"""A stop beyond this means: to the end."""


class Cell:
    """A place for a tensor. `version` grows with every write; `rows` is how many rows were asked of it, if it was ever
    sliced from row 0 on."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self.version = 0
        self.rows: int | None = None

    def read(self) -> Any:
        return self._value

    def write(self, value: Any) -> None:
        self._value = value
        self.version += 1

    def first(self, rows: Any) -> Cell | Part:
        """The first so many rows of it: a buffer has room for more than are decoded."""
        self.rows = int(rows)
        return Part(self, Slice(0, 0, rows, 1))


class Kept(Cell):
    """A cell of the past, which holds the rows that are decoded and no more: any count asked of it must be that."""

    def first(self, rows: Any) -> Cell | Part:
        if int(rows) != len(self._value):
            raise ValueError(f"{int(rows)} rows of a past that has {len(self._value)}")
        return self


@dataclass(frozen=True)
class Slice:
    """`whole[start:stop:step]` along `dim`; no bound is counted from the end but with a step of 1."""

    dim: int
    start: Any
    stop: Any
    step: int

    def take(self, whole: Any) -> Any:
        return whole[self._index(whole, self.start, self.stop, self.step)]

    def put(self, whole: Any, value: Any) -> Any:
        """`whole` with `value`, which may need broadcasting, in the slice's place."""
        if self.step != 1:
            return self._scatter(whole, value)
        parts = [fitted(value, self.take(whole))]
        if self.start != 0:
            parts.insert(0, whole[self._index(whole, 0, self.start, 1)])
        if self.stop is not None:
            parts.append(whole[self._index(whole, self.stop, None, 1)])
        return _joined(parts, self.dim % whole.dim())

    def _scatter(self, whole: Any, value: Any) -> Any:
        """The same where the slice leaves gaps."""
        import torch

        dim = self.dim % whole.dim()
        at = torch.arange(whole.shape[dim]) - self.start
        chosen = (at >= 0) & (at.remainder(self.step) == 0)
        if self.stop is not None:
            chosen = chosen & (at < self.stop - self.start)
        if value.dim():
            value = fitted(value, self.take(whole))
            each = at.div(self.step, rounding_mode="floor").clamp(min=0)
            value = value.index_select(dim, each.clamp(max=value.shape[dim] - 1))
        return torch.where(chosen.reshape([-1] + [1] * (whole.dim() - dim - 1)), value, whole)

    def _index(self, whole: Any, start: Any, stop: Any, step: int) -> tuple[slice, ...]:
        return (*[slice(None)] * (self.dim % int(whole.dim())), slice(start, stop, step))


@dataclass(frozen=True)
class Select:
    """`whole[index]` along `dim`, which is gone from the result."""

    dim: int
    index: int

    def take(self, whole: Any) -> Any:
        return whole.select(self.dim, self.index)

    def put(self, whole: Any, value: Any) -> Any:
        dim, stop = self.dim % whole.dim(), None if self.index == -1 else self.index + 1
        return Slice(dim, self.index, stop, 1).put(whole, fitted(value, self.take(whole)).unsqueeze(dim))


class Part:
    """A part of a cell, or of another part."""

    def __init__(self, whole: Cell | Part, cut: Slice | Select) -> None:
        self.whole, self.cut = whole, cut
        self._seen: tuple[int, Any] | None = None

    @property
    def version(self) -> int:
        return self.whole.version

    def read(self) -> Any:
        if self._seen is None or self._seen[0] != self.version:
            self._seen = self.version, self.cut.take(self.whole.read())
        return self._seen[1]

    def write(self, value: Any) -> None:
        self.whole.write(self.cut.put(self.whole.read(), value))


def part(whole: Cell | Part, dim: int, start: Any, stop: Any, step: int) -> Cell | Part:
    """`whole[start:stop:step]` along `dim` as TorchScript names it: None and numbers past the end mean an end."""
    start = 0 if start is None else start
    stop = None if stop is None or (isinstance(stop, int) and stop > END) else stop
    if isinstance(start, int) and start == 0 and stop is None and step == 1:
        return whole
    if dim == 0 and step == 1 and isinstance(whole, Cell) and isinstance(start, int) and start == 0:
        return whole.first(stop)
    return Part(whole, Slice(dim, start, stop, step))


def read(value: Any) -> Any:
    """The tensor in a cell or part, those of all in a list, or what is neither as it is."""
    if isinstance(value, (Cell, Part)):
        return value.read()
    if isinstance(value, (list, tuple)):
        return type(value)(read(each) for each in value)
    return value


def fitted(value: Any, like: Any) -> Any:
    """`value` in the shape of the tensor `like`."""
    return value if [*map(int, value.shape)] == [*map(int, like.shape)] else value.expand_as(like)


def _joined(parts: list[Any], dim: int) -> Any:
    import torch

    return torch.cat(parts, dim) if len(parts) > 1 else parts[0]
