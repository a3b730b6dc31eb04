"""A method of a streaming TorchScript file as a function of its input and its past.

    out (batch, …), next_state (batch, S) = explicit(signal (batch, channels, time), state (batch, S))

The past is what the method's own run writes to among the file's buffers: it is run once on a short signal, and those
named as cached convolutions name theirs, or that differ from before, are the state. Everything else is a constant.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from installation.errors import ModelError
from installation.sound.conversion.cells import Cell, Kept
from installation.sound.conversion.interpreter import Draw, Run
from installation.sound.conversion.program import Method, method, tensors
from installation.sound.torchscript import PAST


@dataclass(frozen=True)
class Memory:
    """A buffer's share of the state: `rows` for each row that is decoded, of `channels` by `width` samples."""

    path: str
    rows: int
    channels: int
    width: int

    @property
    def size(self) -> int:
        return self.rows * self.channels * self.width


@dataclass(frozen=True)
class Explicit:
    """A method with `memories` for a state and `draw` for chance."""

    method: Method
    memories: tuple[Memory, ...]
    draw: Draw

    @property
    def size(self) -> int:
        """S: numbers a row."""
        return sum(each.size for each in self.memories)

    def __call__(self, signal: Any, state: Any, weights: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """One block; `weights` are the file's tensors by path where they are not to be taken from it."""
        import torch

        cells: dict[str, Cell] = {path: Cell(weight) for path, weight in (weights or {}).items()}
        pasts = state.split([each.size for each in self.memories], 1)
        for memory, past in zip(self.memories, pasts, strict=True):
            cells[memory.path] = Kept(past.reshape(-1, memory.channels, memory.width))
        out = Run(self.method, cells, self.draw)(signal)
        nexts = [cells[each.path].read().reshape(-1, each.size) for each in self.memories]
        return rows_first(out, len(state)), torch.cat(nexts, 1)


def explicit(module: Any, name: str, signal: Any, draw: Draw) -> Explicit:
    """The method `name` of `module` with its past found out from a run on `signal`, one row; ModelError if it keeps
    none, or one that is not the past of a convolution."""
    import torch

    whole = method(module, name)
    buffers = {path: Cell(torch.zeros_like(each) if is_past(path) else each.clone())
               for path, each in module.named_buffers() if whole.same.get(path, path) == path}  # fmt: skip
    before = {path: cell.read() for path, cell in buffers.items()}
    Run(whole, dict(buffers), draw)(signal)
    written = [path for path, cell in buffers.items()
               if cell.version and (is_past(path) or _changed(cell.read(), before[path]))]  # fmt: skip
    memories = [_memory(path, buffers[path]) for path in written]
    if not any(_changed(buffers[path].read(), before[path]) for path in written):
        raise ModelError(f"{name} keeps no past: it was exported without streaming and would click at every block")
    for path, cell in buffers.items():
        if path not in written and cell.rows is not None and not is_past(path):
            raise ModelError(f"{name} looks rows up in {path}, which it never writes to; can't be made explicit")
    return Explicit(whole, tuple(each for each in memories if each.size), draw)


def is_past(path: str) -> bool:
    """Whether a buffer's name is one that cached convolutions keep their past under."""
    return path.rpartition(".")[2] in PAST


def _changed(now: Any, before: Any) -> bool:
    return now.shape != before.shape or not bool((now == before).all())


def _memory(path: str, cell: Cell) -> Memory:
    shape = tuple(cell.read().shape)
    if len(shape) != 3 or not cell.read().is_floating_point():
        raise ModelError(f"writes to {path}, a buffer of shape {shape}: not the past of a convolution")
    return Memory(path, cell.rows or shape[0], shape[1], shape[2])


def rows_first(out: Any, batch: int) -> Any:
    """(batch, channels, time), also of what early exports return: (batch, time), or (1, batch, time)."""
    if out.dim() == 2:
        return out[:, None]
    return out.permute(1, 0, 2) if batch > 1 and int(out.shape[0]) == 1 and int(out.shape[1]) == batch else out


def as_module(network: Explicit, before: Any = None) -> Any:
    """`network` as a module that a tracer can follow, with the file's weights as its own. `before` is applied to the
    signal first."""
    import torch

    kept = {each.path for each in network.memories}
    same = network.method.same
    floats = {path: each.detach() for path, each in tensors(network.method.module).items()
              if path not in kept and same.get(path) == path and each.is_floating_point()}  # fmt: skip

    class Traced(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for number, tensor in enumerate(floats.values()):
                self.register_buffer(f"weight_{number}", tensor)

        def forward(self, signal: Any, state: Any) -> Any:
            weights = {path: getattr(self, f"weight_{number}") for number, path in enumerate(floats)}
            return network(signal if before is None else before(signal), state, weights)

    return Traced().eval()
