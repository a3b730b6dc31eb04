"""Files of a network with an explicit state: written from one that can be traced, and played in blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound.rave_onnx import open_session

Floats = npt.NDArray[np.float32]
Blocks = tuple[int, ...]

OPSET = 17


def write(path: Path, module: Any, example: Any, size: int, names: tuple[str, str], facts: dict[str, int]) -> None:
    """Write `module` of `example` (batch, channels, time) and a state of `size` numbers a row, with names (input,
    output), for any batch and any time, and `facts` as its metadata; ModelError if ONNX has no form of it. From an
    example of one row it becomes a file that does one row after the other."""
    import onnx
    import torch

    source, result = names
    free = {0: "batch", 2: "time"}
    say, torch._C._jit_onnx_log = torch._C._jit_onnx_log, lambda *_: None  # it would print the whole graph
    try:
        torch.onnx.export(
            module, (example, torch.zeros(example.shape[0], size)), str(path), dynamo=False, opset_version=OPSET,
            input_names=[source, "state"], output_names=[result, "next_state"],
            dynamic_axes={source: free, "state": {0: "batch"}, result: free, "next_state": {0: "batch"}},
        )  # fmt: skip
    except (RuntimeError, ValueError, TypeError, IndexError) as error:  # torch.onnx's own errors are RuntimeErrors
        raise ModelError(f"ONNX has no form of it: {str(error).strip().splitlines()[0]}") from error
    finally:
        torch._C._jit_onnx_log = say
    graph = onnx.load(str(path))
    if len(example) == 1:
        graph = each_row(graph)
    for key, value in (facts | {"state_size": size}).items():
        graph.metadata_props.add(key=key, value=str(value))
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, str(path))


def each_row(model: Any) -> Any:
    """A `model` for one row as one for any number: ONNX's Scan over their first dimension."""
    from onnx import helper, numpy_helper

    graph = model.graph
    outside = [each.name for each in (*graph.input, *graph.output)]
    inside = {name: f"{name}_of_one" for name in outside}
    for node in graph.node:
        node.input[:] = [inside.get(name, name) for name in node.input]
        node.output[:] = [inside.get(name, name) for name in node.output]
    before = [helper.make_node("Unsqueeze", [f"{each.name}_row", "first"], [inside[each.name]]) for each in graph.input]
    after = [helper.make_node("Squeeze", [inside[each.name], "first"], [f"{each.name}_row"]) for each in graph.output]
    body = helper.make_graph(
        [*before, *graph.node, *after], "row", [*map(_row, graph.input)], [*map(_row, graph.output)]
    )  # fmt: skip
    scan = helper.make_node("Scan", outside[:2], outside[2:], body=body, num_scan_inputs=2)
    weights = [*graph.initializer, numpy_helper.from_array(np.zeros(1, np.int64), "first")]
    whole = helper.make_graph([scan], "rows", [*graph.input], [*graph.output], weights)
    return helper.make_model(whole, opset_imports=model.opset_import, ir_version=model.ir_version)


def _row(each: Any) -> Any:
    """What is declared of an input or output, for one row of it."""
    from onnx import helper

    kind = each.type.tensor_type
    return helper.make_tensor_value_info(
        f"{each.name}_row", kind.elem_type, [size.dim_param or size.dim_value for size in kind.shape.dim][1:]
    )


def play(path: Path, signal: Floats, blocks: Blocks, unit: int) -> Floats:
    """What the file makes of `signal` (batch, channels, steps * unit) in blocks of so many steps each."""
    session = open_session(path, "cpu")
    source, held = session.get_inputs()
    state = np.zeros((len(signal), held.shape[1]), np.float32)
    made, at = [], 0
    for steps in blocks:
        part = np.ascontiguousarray(signal[..., at * unit : (at + steps) * unit])
        out, state = session.run(None, {source.name: part, held.name: state})
        made.append(out)
        at += steps
    return np.concatenate(made, -1)
