"""The least time a decoder's convolutions can take on this machine, by what was measured of it a moment ago.

The roofline model (Williams, Waterman and Patterson, 2009): a layer takes at least as long as its multiplications at
the machine's peak, and as long as reading its weights and input and writing its output once. The peak is that of a
large matrix product, the bandwidth that of a matrix-vector product with a matrix as large as all the weights, so from
whichever cache they stay in: float32, by ONNX Runtime on one core, or by torch on the whole graphics processor. Sparing
multiplications, as Winograd's convolutions do, can go beyond it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FLOAT_BYTES = 4
SIDE = 768
"""Of the matrices whose product shows the peak on a processor."""


@dataclass(frozen=True)
class Layer:
    """One convolution, in all rows: floating-point operations and bytes."""

    operations: float
    bytes: float


@dataclass(frozen=True)
class Machine:
    """What it does at most in a second."""

    operations_s: float
    bytes_s: float

    def least_ms(self, layers: list[Layer]) -> float:
        return 1e3 * sum(max(each.operations / self.operations_s, each.bytes / self.bytes_s) for each in layers)


def layers_of(path: Path, rows: int, steps: int) -> list[Layer]:
    """The convolutions in the ONNX decoder `path`, decoding `rows` of `steps` latents."""
    import onnx
    import onnxruntime

    graph = onnx.load(str(path))
    weights = {each.name: tuple(each.dims) for each in graph.graph.initializer}
    nodes = [node for node in graph.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    tensors = {name for node in nodes for name in (node.input[0], node.output[0])}
    stated = {each.name for each in graph.graph.output} | {each.name for each in graph.graph.input}
    for name in sorted(tensors - stated):
        graph.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    feed = {
        "latents": np.zeros((rows, int(facts["latent_dim"]), steps), np.float32),
        "state": np.zeros((rows, int(facts["state_size"])), np.float32),
    }
    wanted = sorted(tensors - set(feed))
    shapes = {name: made.shape for name, made in zip(wanted, session.run(wanted, feed), strict=True)}
    shapes |= {name: given.shape for name, given in feed.items()}
    return [_layer(node, weights[_source(graph, node.input[1], weights)], shapes) for node in nodes]


def _source(graph: Any, name: str, weights: dict[str, Any]) -> str:
    """The initializer a weight comes from, through a Cast or the like."""
    while name not in weights:
        name = next(node.input[0] for node in graph.graph.node if name in node.output)
    return name


def _layer(node: Any, weight: tuple[int, ...], shapes: dict[str, tuple[int, ...]]) -> Layer:
    """Operations: two for each weight and each place it is used at, which a transposed convolution has in its input."""
    before, after = shapes[node.input[0]], shapes[node.output[0]]
    places = before if node.op_type == "ConvTranspose" else after
    operations = 2.0 * places[0] * places[2] * float(np.prod(weight))
    return Layer(operations, FLOAT_BYTES * float(np.prod(weight) + np.prod(before) + np.prod(after)))


def processor(weight_bytes: float) -> Machine:
    """One core, with weights of so many bytes."""
    count = max(1, int(weight_bytes / FLOAT_BYTES / SIDE))
    return Machine(2.0 * SIDE**3 / _product_s(SIDE, SIDE), FLOAT_BYTES * SIDE * count / _product_s(1, count))


def _product_s(rows: int, columns: int) -> float:
    """Least seconds of a product (rows, SIDE) × (SIDE, columns) by ONNX Runtime, the second known beforehand."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    given, known = rng.random((rows, SIDE), np.float32), rng.random((SIDE, columns), np.float32)
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("given", given.shape), ("made", (rows, columns)))
    ]
    product = helper.make_node("MatMul", ["given", "known"], ["made"])
    graph = helper.make_graph([product], "product", values[:1], values[1:], [numpy_helper.from_array(known, "known")])
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(whole.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return _least_s(lambda: session.run(None, {"given": given}), 100)


def graphics_processor(weight_bytes: float) -> Machine:
    """The first CUDA device, by torch, in float32 without TF32."""
    import torch

    one, other = torch.rand(2, 8192, 8192, device="cuda")
    matrix = torch.rand(max(1, int(weight_bytes / FLOAT_BYTES / 1024)), 1024, device="cuda")
    vector = torch.rand(1024, device="cuda")

    def waited(work: Callable[[], Any], times: int) -> Callable[[], None]:
        def call() -> None:
            for _ in range(times):
                work()
            torch.cuda.synchronize()

        return call

    return Machine(
        2.0 * 8192.0**3 / _least_s(waited(lambda: one @ other, 1), 10),
        100 * matrix.nbytes / _least_s(waited(lambda: matrix @ vector, 100), 20),
    )


def _least_s(work: Callable[[], Any], times: int) -> float:
    work()
    spent = []
    for _ in range(times):
        begun_s = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun_s)
    return min(spent)
