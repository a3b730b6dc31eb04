"""What the operations of a TorchScript graph do, by name, as functions of Python values.

Sizes may be tensors of no dimension: while a graph is traced, `x.shape` gives such, and whatever is computed from them
must stay computed. So numbers go through Python's operators, which both kinds understand.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

NORMAL = ("randn", "randn_like")
"""Draws from a normal distribution of mean 0."""
RANDOM = (
    *NORMAL, "normal", "rand", "rand_like", "randint", "randint_like", "randperm", "bernoulli", "multinomial",
    "poisson", "normal_", "uniform_", "exponential_", "random_", "bernoulli_", "log_normal_", "cauchy_", "geometric_",
)  # fmt: skip
RECURRENT = ("gru", "lstm", "rnn_tanh", "rnn_relu", "gru_cell", "lstm_cell", "quantized_lstm", "quantized_gru")

MACHINE = ("layout", "device", "pin_memory", "memory_format", "non_blocking", "copy")
"""Arguments that say where a tensor lies, not what it is."""

DTYPES = (
    "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex32", "complex64", "complex128", "bool", "qint8", "quint8", "qint32", "bfloat16",
)  # fmt: skip
"""By the number TorchScript has for them (c10/core/ScalarType.h)."""


def dtype(number: Any) -> Any:
    """The type of element that TorchScript means by a number; others as they are."""
    import torch

    return getattr(torch, DTYPES[number]) if isinstance(number, int) else number


def _kept(value: Any) -> Any:
    return value


def _first(value: Any, *_: Any) -> Any:
    return value


def _append(items: list[Any], item: Any) -> list[Any]:
    items.append(item)
    return items


def _set_item(items: list[Any], at: Any, item: Any) -> list[Any]:
    items[int(at)] = item
    return items


def _item(items: Any, at: Any) -> Any:
    return items[int(at)]


def _range_length(start: Any, stop: Any, step: Any) -> int:
    return len(range(int(start), int(stop), int(step)))


def _derive_index(index: Any, start: Any, step: Any) -> Any:
    return start + index * step


PLACED: dict[str, Callable[..., Any]] = {
    "aten::__getitem__": _item, "aten::_set_item": _set_item, "aten::append": _append, "aten::list": list,
    "aten::__is__": operator.is_, "aten::__isnot__": operator.is_not, "prim::TupleIndex": _item,
    "prim::unchecked_cast": _kept, "prim::unchecked_unwrap_optional": _kept, "aten::_unwrap_optional": _kept,
}  # fmt: skip
"""Of places and lists of them, which go through unread."""

PLAIN: dict[str, Callable[..., Any]] = {
    "aten::add": operator.add, "aten::sub": operator.sub, "aten::mul": operator.mul, "aten::neg": operator.neg,
    "aten::div": operator.truediv, "aten::floordiv": operator.floordiv, "aten::remainder": operator.mod,
    "aten::pow": operator.pow, "aten::sqrt": math.sqrt, "aten::log": math.log, "aten::exp": math.exp,
    "aten::eq": operator.eq, "aten::ne": operator.ne, "aten::lt": operator.lt, "aten::le": operator.le,
    "aten::gt": operator.gt, "aten::ge": operator.ge, "aten::ceil": math.ceil, "aten::floor": math.floor,
    "aten::__not__": operator.not_, "aten::__and__": operator.and_, "aten::__or__": operator.or_,
    "aten::__contains__": operator.contains, "aten::len": len, "aten::abs": abs, "prim::min": min, "prim::max": max,
    "aten::Bool": bool, "aten::Int": _kept, "aten::Float": _kept, "prim::NumToTensor": _kept,
    "aten::__range_length": _range_length, "aten::__derive_index": _derive_index,
}  # fmt: skip
"""Of numbers, flags and lists of them."""


def _size(tensor: Any, dim: int | None = None) -> Any:
    return list(tensor.shape) if dim is None else tensor.shape[dim]


def of_type(tensor: Any, other: Any) -> Any:
    """`tensor` with elements of the type of `other`'s."""
    return tensor if tensor.dtype == other.dtype else tensor.to(other.dtype)


def _to(tensor: Any, *arguments: Any) -> Any:
    """`aten::to` in any of its forms: of device and element type only the latter matters here."""
    for each in arguments:
        if hasattr(each, "dtype"):
            return of_type(tensor, each)
    # TorchScript's numbers for types are what is an int and no flag
    types = [each for each in arguments if type(each) is int or str(each).startswith("torch.")]
    wanted = dtype(types[0]) if types else tensor.dtype
    return tensor if tensor.dtype == wanted else tensor.to(wanted)


def _cat(tensors: list[Any], dim: int = 0) -> Any:
    """Without those that are empty: ONNX Runtime need not see the noise for no missing latents."""
    import torch

    full = [each for each in tensors if 0 not in [int(size) for size in each.shape]]
    return torch.cat(full, dim) if len(full) > 1 else (full or tensors)[0]


def _cumprod(tensor: Any, dim: int, *_: Any) -> Any:
    """Products of the first 1, 2, … along a `dim` of fixed length: ONNX has no such operation."""
    import torch

    made = list(tensor.split(1, dim))
    for at in range(1, len(made)):
        made[at] = made[at - 1] * made[at]
    return torch.cat(made, dim)


TENSOR: dict[str, Callable[..., Any]] = {
    "aten::size": _size, "aten::cat": _cat, "aten::concat": _cat, "aten::to": _to, "aten::type_as": of_type,
    "aten::dim": lambda tensor: tensor.dim(), "aten::len": lambda tensor: tensor.shape[0],
    "aten::numel": lambda tensor: tensor.numel(), "aten::numpy_T": lambda tensor: tensor.T,
    "aten::is_floating_point": lambda tensor: tensor.is_floating_point(),
    "aten::is_complex": lambda tensor: tensor.is_complex(), "prim::dtype": lambda tensor: tensor.dtype,
    "prim::device": lambda tensor: tensor.device, "prim::shape": _size, "aten::Bool": bool,
    "aten::contiguous": _first, "aten::clone": _first, "aten::detach": _kept, "aten::alias": _kept,
    "aten::cumprod": _cumprod, "aten::item": _kept, "aten::Int": _kept, "aten::Float": _kept,
    "aten::IntImplicit": _kept, "aten::FloatImplicit": _kept, "aten::ScalarImplicit": _kept,
}  # fmt: skip
"""Of tensors, where torch has no function of that name or one that says more than is needed."""


def function(name: str) -> Callable[..., Any] | None:
    """Torch's own function for `aten::name`."""
    import torch

    homes = (torch, torch._C._nn, torch.Tensor, torch._C._fft, torch._C._linalg, torch._C._special)
    return next((getattr(home, name) for home in homes if hasattr(home, name)), None)
