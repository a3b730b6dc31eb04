"""A TorchScript method laid out as steps, once, so that running it costs little more than its operations.

The graph is the one torch keeps of a loaded file, calls inlined (torch/csrc/jit/OVERVIEW.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Step:
    """One operation: its kind (`aten::conv1d`), the names of what it takes and gives, the types of what it gives, the
    blocks it may run, its declaration where it is torch's, and what it says: a constant, or an attribute's name."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    types: tuple[str, ...]
    blocks: tuple[Block, ...]
    schema: Any
    said: Any
    node: Any

    @property
    def name(self) -> str:
        return self.kind.partition("::")[2]

    @property
    def source(self) -> str:
        """The author's file and line, as far as the file tells: ` (rave/blocks.py, line 236)`."""
        lines = re.findall(r'File "([^"]*)", line (\d+)', self.node.sourceRange())
        return f" ({'/'.join(lines[0][0].split('/')[-2:])}, line {lines[0][1]})" if lines else ""


@dataclass(frozen=True)
class Block:
    """Steps in their order, with the names of what goes in and comes out."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Method:
    """A method of a TorchScript module, and what it is given after the signal unless told otherwise."""

    module: Any
    name: str
    block: Block
    defaults: tuple[Any, ...]
    same: dict[str, str]
    """The first path of a tensor by its others: modules may be shared."""
    graph: Any
    """Torch's, which the steps' nodes belong to."""


def method(module: Any, name: str) -> Method:
    """The method `name` of `module`; inlining its calls takes a while."""
    found = getattr(module, name)
    graph = found.inlined_graph
    defaults = tuple(each.default_value for each in found.schema.arguments[2:])
    return Method(module, name, _block(graph), defaults, _same(module), graph)


def tensors(module: Any) -> dict[str, Any]:
    """Its parameters and buffers by every path that leads to them."""
    return dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))


def _same(module: Any) -> dict[str, str]:
    first: dict[tuple[Any, ...], str] = {}
    same = {}
    for path, tensor in tensors(module).items():
        if tensor.numel():
            same[path] = first.setdefault((tensor.data_ptr(), *tensor.shape), path)
    return same


def _block(block: Any) -> Block:
    steps = tuple(_step(node) for node in block.nodes())
    return Block(_names(block.inputs()), steps, _names(block.outputs()))


def _step(node: Any) -> Step:
    kind = node.kind()
    outputs = list(node.outputs())
    said = None
    if kind in ("prim::GetAttr", "prim::SetAttr"):
        said = node.s("name")
    elif kind == "prim::Constant" and outputs[0].type().kind() != "FunctionType":
        said = outputs[0].toIValue()
    return Step(
        kind, _names(node.inputs()), _names(outputs), tuple(each.type().kind() for each in outputs),
        tuple(_block(each) for each in node.blocks()),
        _schema(node.schema()) if kind.startswith("aten::") else None, said, node,
    )  # fmt: skip


def _names(values: Any) -> tuple[str, ...]:
    return tuple(each.debugName() for each in values)


@lru_cache
def _schema(text: str) -> Any:
    import torch

    return torch._C.parse_schema(text)
