"""Decodes many clips quickly on a processor: the ONNX files of `rave_onnx`, run by OpenVINO.

The same function as ONNX Runtime's to 1e-5, on a few rows of many steps half as long again in a second; compiled once
for each shape, in a tenth of a second, and shared by any number of threads, each with memory of its own. The only home
of openvino.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound.latents import checked, checked_batch
from installation.sound.rave_onnx import INPUTS, OUTPUTS, open_session, stated

Floats = npt.NDArray[np.float32]

SHAPES = 8
"""Compiled shapes kept."""
RAISES = "ConvolutionBackpropData"
SAME = 1e-5
"""Largest difference, of full scale, of what sounds the same."""
ROWS = 4
"""Rows decoded at once: what lies between two layers then fits into a core's cache."""

Shape = tuple[int, int, int | None]
"""Rows, steps, and how many of them are a lead that nothing is kept of; None to go on from a state to the next."""


class OpenVinoDecoder:
    """A Decoder for evaluation: `threads` calls of `decode` may run at once, each on one core."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        import openvino

        self.path = path
        facts = stated(open_session(path, "cpu"), path)
        self.sample_rate_hz, self.ratio, self.latent_dim, self.channels, self._size = facts
        self._core = openvino.Core()
        self._core.set_property("CPU", {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,  # else every process would have its first thread on the same core
        })  # fmt: skip
        try:
            self._core.read_model(str(path))
        except RuntimeError as error:
            raise ModelError(f"{path}: not an ONNX model that OpenVINO can run: {error}") from error
        self._compiled: OrderedDict[Shape, Any] = OrderedDict()
        self._spares: dict[int, int] = {0: 0}
        self._lock = threading.Lock()
        self._own = threading.local()

    def start(self, batch: int = 1) -> Floats:
        return np.zeros((checked_batch(batch, self.path), self._size), np.float32)

    def decode(self, latents: Floats, state: Floats) -> tuple[Floats, Floats]:
        given = checked(latents, self.latent_dim, len(state), self.path)
        if not given.shape[1]:
            return np.zeros((len(given), 0, self.channels), np.float32), state
        sound = np.empty((len(given), given.shape[1] * self.ratio, self.channels), np.float32)
        next_state = np.empty_like(state, np.float32)
        for rows in shares(len(given)):
            part = given[rows].transpose(0, 2, 1)
            feed = {"latents": np.ascontiguousarray(part), "state": np.ascontiguousarray(state[rows])}
            found = self._request((len(part), given.shape[1], None)).infer(feed)
            sound[rows] = found[OUTPUTS[0]].transpose(0, 2, 1)
            next_state[rows] = found[OUTPUTS[1]]
        return sound, next_state

    def once(self, latents: Floats, lead_steps: int = 0) -> Floats:
        """The sound of `latents` from the state of decoders that have heard nothing, when nothing follows, without its
        first `lead_steps`: a sixth quicker than `decode`, for nothing is carried in or out, and layers are spared what
        of the lead no longer reaches what is kept."""
        given = checked(latents, self.latent_dim, len(latents), self.path)
        samples = max(0, given.shape[1] - lead_steps) * self.ratio
        sound = np.empty((len(given), samples, self.channels), np.float32)
        for rows in shares(len(given) if samples else 0):
            part = np.ascontiguousarray(given[rows].transpose(0, 2, 1))
            request = self._request((len(part), given.shape[1], self._spared(lead_steps)))
            found = request.infer({"latents": part}, share_inputs=True, share_outputs=True)
            sound[rows] = found[OUTPUTS[0]][..., -samples:].transpose(0, 2, 1)
        return sound

    def _spared(self, lead_steps: int) -> int:
        """`lead_steps` if layers may be spared a part of them: if two steps after such a lead sound as they do without.
        Else 0, as for a file that is built otherwise than `spare` takes it to be."""
        if lead_steps not in self._spares:
            latents = np.random.default_rng(0).standard_normal((1, self.latent_dim, lead_steps + 2)).astype(np.float32)
            whole, spared = (
                self._core.compile_model(self._model((1, lead_steps + 2, lead)), "CPU")({"latents": latents})[0]
                for lead in (0, lead_steps)
            )
            kept = spared.shape[2]
            same = 2 * self.ratio <= kept and np.abs(whole[..., -kept:] - spared)[..., -2 * self.ratio :].max() < SAME
            self._spares[lead_steps] = lead_steps if same else 0
        return self._spares[lead_steps]

    def _request(self, shape: Shape) -> Any:
        """This thread's own inference request for that shape."""
        with self._lock:
            if shape not in self._compiled:
                self._compiled[shape] = self._core.compile_model(self._model(shape), "CPU")
            self._compiled.move_to_end(shape)
            while len(self._compiled) > SHAPES:
                self._compiled.popitem(last=False)
            compiled = self._compiled[shape]
        held = self._own.__dict__.setdefault("requests", {})
        known = held.get(shape)
        if known is None or known[0] is not compiled:
            while len(held) >= SHAPES:
                del held[next(iter(held))]
            held[shape] = known = (compiled, compiled.create_infer_request())
        return known[1]

    def _model(self, shape: Shape) -> Any:
        """The file for that shape. With a lead, also of 0, zeros are its state and the next is left out."""
        import openvino

        batch, steps, lead = shape
        model = self._core.read_model(str(self.path))
        model.reshape({INPUTS[0]: [batch, self.latent_dim, steps], INPUTS[1]: [batch, self._size]})
        if lead is None:
            return model
        zeros = openvino.opset8.constant(np.zeros((batch, self._size), np.float32))
        model.input(INPUTS[1]).replace(zeros.output(0))
        once = openvino.Model([model.output(OUTPUTS[0]).get_node()], [model.input(INPUTS[0]).get_node()])
        spare(once, lead)
        once.validate_nodes_and_infer_types()
        return once


def spare(model: Any, lead_steps: int) -> None:
    """Cut from the input of each transposed convolution what of the lead no longer reaches what comes after it.

    Taken to be as RAVE's decoders are: one layer after another, residual branches within; convolutions causal, without
    stride; transposed ones raise the rate by theirs. Whoever calls checks that what is kept sounds the same.
    """
    import openvino

    ops, rate = openvino.opset8, 1
    reaches: list[tuple[Any, int, float, bool]] = []
    layers = [node for node in model.get_ordered_ops() if node.get_type_name() in ("Convolution", RAISES)]
    for node in layers:
        taps, attributes = node.input(1).get_partial_shape()[2].get_length(), node.get_attributes()
        stride = int(attributes["strides"][0])
        raises = node.get_type_name() == RAISES
        reach = -(-taps // stride) - 1 if raises else (taps - 1) * int(attributes["dilations"][0])
        reaches.append((node, rate, reach / rate, raises))
        rate *= stride if raises else 1
    spared = 0
    for place, (node, rate, _, raises) in enumerate(reaches):
        needed = int(np.ceil(sum(reach for _, _, reach, _ in reaches[place:])))
        cut = lead_steps - spared - needed
        if raises and cut > 0:
            bounds = ([cut * rate], [np.iinfo(np.int64).max], [1], [2])
            part = ops.slice(node.input_value(0), *(ops.constant(np.array(each, np.int64)) for each in bounds))
            node.input(0).replace_source_output(part.output(0))
            spared += cut


def shares(count: int) -> list[slice]:
    """`count` rows in parts of at most ROWS, all as large but for one."""
    parts = -(-count // ROWS)
    edges = [count * part // parts for part in range(parts + 1)] if parts else [0]
    return [slice(start, end) for start, end in itertools.pairwise(edges)]
