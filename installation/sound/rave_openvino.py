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
ROWS = 4
"""Rows decoded at once: what lies between two layers then fits into a core's cache."""


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
        })  # fmt: skip
        try:
            self._core.read_model(str(path))
        except RuntimeError as error:
            raise ModelError(f"{path}: not an ONNX model that OpenVINO can run: {error}") from error
        self._compiled: OrderedDict[tuple[int, int, bool], Any] = OrderedDict()
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
            found = self._request(len(part), given.shape[1], False).infer(feed)
            sound[rows] = found[OUTPUTS[0]].transpose(0, 2, 1)
            next_state[rows] = found[OUTPUTS[1]]
        return sound, next_state

    def once(self, latents: Floats, lead_steps: int = 0) -> Floats:
        """The sound of `latents` from the state of decoders that have heard nothing, when nothing follows, without its
        first `lead_steps`: a tenth quicker than `decode`, for nothing is carried in or out or copied twice."""
        given = checked(latents, self.latent_dim, len(latents), self.path)
        lead = lead_steps * self.ratio
        sound = np.empty((len(given), given.shape[1] * self.ratio - lead, self.channels), np.float32)
        for rows in shares(len(given) if given.shape[1] else 0):
            part = np.ascontiguousarray(given[rows].transpose(0, 2, 1))
            request = self._request(len(part), given.shape[1], True)
            found = request.infer({"latents": part}, share_inputs=True, share_outputs=True)
            sound[rows] = found[OUTPUTS[0]][..., lead:].transpose(0, 2, 1)
        return sound

    def _request(self, batch: int, steps: int, once: bool) -> Any:
        """This thread's own inference request for that shape."""
        shape = batch, steps, once
        with self._lock:
            if shape not in self._compiled:
                self._compiled[shape] = self._core.compile_model(self._model(*shape), "CPU")
            self._compiled.move_to_end(shape)
            while len(self._compiled) > SHAPES:
                self._compiled.popitem(last=False)
            compiled = self._compiled[shape]
        held = getattr(self._own, "requests", None)
        if held is None:
            held = self._own.requests = {}
        known = held.get(shape)
        if known is None or known[0] is not compiled:
            held[shape] = known = (compiled, compiled.create_infer_request())
        return known[1]

    def _model(self, batch: int, steps: int, once: bool) -> Any:
        """The file for that shape; for `once` with zeros for its state, and without the next."""
        import openvino

        model = self._core.read_model(str(self.path))
        model.reshape({INPUTS[0]: [batch, self.latent_dim, steps], INPUTS[1]: [batch, self._size]})
        if not once:
            return model
        zeros = openvino.opset8.constant(np.zeros((batch, self._size), np.float32))
        model.input(INPUTS[1]).replace(zeros.output(0))
        return openvino.Model([model.output(OUTPUTS[0]).get_node()], [model.input(INPUTS[0]).get_node()])


def shares(count: int) -> list[slice]:
    """`count` rows in parts of at most ROWS, all as large but for one."""
    parts = -(-count // ROWS)
    edges = [count * part // parts for part in range(parts + 1)] if parts else [0]
    return [slice(start, end) for start, end in itertools.pairwise(edges)]
