"""A TorchScript method, run operation by operation, with every tensor in a place of its own.

What the method writes to a buffer stays here and never reaches the file's own module; so a past can be put in before
and taken out after, and the operations themselves may be watched by a tracer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from installation.errors import ModelError
from installation.sound.conversion import operations
from installation.sound.conversion.cells import Cell, Part, Select, fitted, part, read
from installation.sound.conversion.program import Block, Method, Step


@dataclass(frozen=True)
class Chance:
    """Random numbers that an operation asks for: its name, their shape, the numbers themselves, and zeros instead."""

    name: str
    shape: tuple[int, ...]
    numbers: Callable[[], Any]
    zeros: Callable[[], Any]


Draw = Callable[[Chance], Any]
"""What stands for random numbers; None refuses them."""


@dataclass(frozen=True)
class Within:
    """A module inside the file's, and its path."""

    module: Any
    path: str

    def inside(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def none_drawn(chance: Chance) -> Any:
    """A Draw: none, but where none are needed (the noise for latents that nobody left out)."""
    return chance.zeros() if 0 in chance.shape else None


def always(value: float) -> Draw:
    """A Draw: `value` for each number of a normal distribution; 0 is its mean."""

    def instead(chance: Chance) -> Any:
        if chance.name not in operations.NORMAL:
            return None
        return chance.zeros() + value if value else chance.zeros()

    return instead


class Run:
    """One run of a method. `cells` are the tensors of the file by path, as far as they are given or were asked for."""

    def __init__(self, method: Method, cells: dict[str, Any], draw: Draw) -> None:
        self.method, self.cells, self.draw = method, cells, draw
        self.others: dict[str, Any] = {}
        self._last = ""
        self._by_kind = {
            "prim::Constant": self._constant, "prim::GetAttr": self._get, "prim::SetAttr": self._set,
            "prim::If": self._if, "prim::Loop": self._loop, "prim::RaiseException": self._raise,
        }  # fmt: skip

    def __call__(self, signal: Any) -> Any:
        """What the method makes of `signal`: a tensor, the first of them if there are several."""
        block = self.method.block
        given = [Within(self.method.module, ""), Cell(signal), *self.method.defaults]
        names = dict(zip(block.inputs, given, strict=True))
        self._steps(block, names)
        made = read(names[block.outputs[0]])
        return made[0] if isinstance(made, tuple) else made

    def _steps(self, block: Block, names: dict[str, Any]) -> None:
        for step in block.steps:
            given = [names[each] for each in step.inputs]
            try:
                made = self._made(step, given, names)
            except ModelError:
                raise
            except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, KeyError) as error:
                raise ModelError(f"{self._where(step)}: {str(error).partition(chr(10))[0]}") from error
            results = made if len(step.outputs) > 1 else [made] * len(step.outputs)
            for name, result, kind in zip(step.outputs, results, step.types, strict=True):
                names[name] = _placed(result, kind)

    def _made(self, step: Step, given: list[Any], names: dict[str, Any]) -> Any:
        special = self._by_kind.get(step.kind)
        return special(step, given, names) if special else self._compute(step, given)

    def _compute(self, step: Step, given: list[Any]) -> Any:
        kind = step.kind
        if kind in ("prim::ListConstruct", "prim::TupleConstruct"):
            return list(given) if kind == "prim::ListConstruct" else tuple(given)
        if kind in ("prim::ListUnpack", "prim::TupleUnpack"):
            return list(given[0]) if len(step.outputs) > 1 else given[0][0]
        if kind in operations.PLACED:
            return operations.PLACED[kind](*given)
        if kind == "aten::slice" and isinstance(given[0], list):
            return given[0][slice(*given[1:])]
        if kind == "aten::slice":
            return part(*given)
        if kind == "aten::select":
            return Part(given[0], Select(given[1], int(given[2])))
        values = read(given)
        if not _of_tensors(given) and kind in operations.PLAIN:
            return operations.PLAIN[kind](*values)
        if kind in operations.TENSOR:
            return operations.TENSOR[kind](*values)
        return self._torch(step, given, values)

    def _torch(self, step: Step, given: list[Any], values: list[Any]) -> Any:
        """An operation that torch has a function for; one that ends in _ writes its result to its first argument."""
        name = step.name
        if name in operations.RECURRENT:
            raise ModelError(f"{self._where(step)}: keeps a past that is no past of a convolution; can't be converted")
        writes = name.endswith("_") and not name.startswith("_") and isinstance(given[0], (Cell, Part))
        made = self._call(step, name, values, writes)
        if not writes:
            return made
        given[0].write(made if isinstance(given[0], Part) else fitted(made, values[0]))
        return given[0]

    def _call(self, step: Step, name: str, values: list[Any], writes: bool) -> Any:
        if name == "copy_":
            return operations.of_type(values[1], values[0])
        if name in ("zero_", "fill_"):
            return values[0].new_full((), values[1] if name == "fill_" else 0)
        if name in operations.RANDOM:
            return self._drawn(step, name, values)
        found = operations.function(name[:-1] if writes else name)
        if found is None or step.schema is None:
            raise ModelError(f"{self._where(step)}: an operation that is not known here")
        plain, named = _arguments(step.schema, values)
        return found(*plain, **named)

    def _drawn(self, step: Step, name: str, values: list[Any]) -> Any:
        import torch

        sized = isinstance(values[0], list)
        plain, named = _arguments(step.schema, values)
        found = operations.function(name)
        if found is not None and name.endswith("_"):
            plain[0] = plain[0].clone()
        chance = Chance(
            name, tuple(int(each) for each in (values[0] if sized else getattr(values[0], "shape", ()))),
            lambda: found and found(*plain, **named),
            lambda: torch.zeros(values[0]) if sized else torch.zeros_like(values[0]),
        )  # fmt: skip
        drawn = self.draw(chance)
        if drawn is None:
            raise ModelError(f"{self._where(step)}: draws random numbers, and would never sound the same twice")
        return drawn

    def _constant(self, step: Step, given: list[Any], names: dict[str, Any]) -> Any:
        return step.said

    def _get(self, step: Step, given: list[Any], names: dict[str, Any]) -> Any:
        path = self._path(step, given)
        self._last = given[0].path
        if path in self.cells:
            return self.cells[path]
        if path in self.others:
            return self.others[path]
        return self._attribute(getattr(given[0].module, step.said), path)

    def _path(self, step: Step, given: list[Any]) -> str:
        path: str = given[0].inside(step.said)
        return self.method.same.get(path, path)

    def _attribute(self, found: Any, path: str) -> Any:
        import torch

        if isinstance(found, torch.nn.Module):
            return Within(found, path)
        if isinstance(found, torch.Tensor):
            return self.cells.setdefault(path, Cell(found.detach()))
        if isinstance(found, (list, tuple)):
            return type(found)(self._attribute(each, f"{path}.{at}") for at, each in enumerate(found))
        return found

    def _set(self, step: Step, given: list[Any], names: dict[str, Any]) -> None:
        path = self._path(step, given)
        if isinstance(given[1], (Cell, Part)):
            self._get(step, given[:1], names).write(given[1].read())
        else:
            self.others[path] = given[1]

    def _if(self, step: Step, given: list[Any], names: dict[str, Any]) -> Any:
        chosen = step.blocks[0 if given[0] else 1]
        self._steps(chosen, names)
        return _alone([names[each] for each in chosen.outputs])

    def _loop(self, step: Step, given: list[Any], names: dict[str, Any]) -> Any:
        most, going, *carried = given
        (body,) = step.blocks
        for turn in range(int(min(most, 2**31))):
            if not going:
                break
            names |= dict(zip(body.inputs, [turn, *carried], strict=True))
            self._steps(body, names)
            going, *carried = [names[each] for each in body.outputs]
        return _alone(carried)

    def _raise(self, step: Step, given: list[Any], names: dict[str, Any]) -> None:
        raise ModelError(f"{self._where(step)}: the file itself refuses: {given[0]}")

    def _where(self, step: Step) -> str:
        """The operation, the module whose attribute was read last before it, and the author's line."""
        return f"operation {step.name} in {self._last or 'the outermost module'}{step.source}"


def _alone(made: list[Any]) -> Any:
    """What a block gives, as one step with so many outputs gives it."""
    return made[0] if len(made) == 1 else made


def _of_tensors(given: list[Any]) -> bool:
    flat = [inner for each in given for inner in (each if isinstance(each, (list, tuple)) else [each])]
    return any(isinstance(each, (Cell, Part)) for each in flat) and not (
        len(given) > 1 and isinstance(given[0], list) and isinstance(given[1], list)
    )


def _placed(value: Any, kind: str) -> Any:
    """`value` as a graph's value of that `kind`: a tensor lies in a cell, a size is left as it is."""
    import torch

    if kind == "TensorType" and isinstance(value, torch.Tensor):
        return Cell(value)
    if isinstance(value, (list, tuple)) and any(isinstance(each, torch.Tensor) and each.dim() for each in value):
        return [Cell(each) for each in value]
    return value


def _arguments(schema: Any, values: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """What torch's function takes by place, and by name."""
    plain, named = [], {}
    for argument, value in zip(schema.arguments, values, strict=True):
        if argument.name in operations.MACHINE or (argument.kwarg_only and value is None):
            continue
        value = operations.dtype(value) if argument.name == "dtype" else value
        if argument.kwarg_only:
            named[argument.name] = value
        else:
            plain.append(value)
    return plain, named
