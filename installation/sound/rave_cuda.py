"""Calls of a decoder on a graphics processor, recorded once for each shape as a CUDA graph and replayed.

One latent of a large model is some hundred kernels of a few microseconds: launched one by one, launching is what takes
the time. A graph launches them all at once, its input, memory and output at addresses that stay, so that nothing is
allocated between two calls but the next state, from torch's own pool. What the graph reads is set before it on the same
stream, of high priority, through pinned host memory; recording follows PyTorch's rules for torch.cuda.CUDAGraph: some
calls on a side stream first, so that all is compiled and allocated, then one under capture.

On a processor a recording is the call itself, and all else is the same: so it is tested there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.sound.torchscript import SEED, Memory, failures, put_all, seeded, take_all

Floats = npt.NDArray[np.float32]
Step = Callable[[Any], Any]
"""Latents (rows, dim, steps) on the device → sound (rows, channels, samples), changing memories."""

SHAPES = 4
"""Shapes recorded; a call of any other is made as it comes. A player asks for two, and each takes memory."""
MOST_LATENTS = 16
"""Latents in a recorded call, all rows together: above, launching is not what takes the time."""
WARM_UP_CALLS = 3


class Graphs:
    """The recorded calls of `step` between its `memories`, on `device` (cpu or cuda); see the module."""

    def __init__(self, step: Step, memories: list[Memory], device: str) -> None:
        self._step, self._memories, self._device = step, memories, device
        self._stream = _stream(device)
        self._calls: dict[tuple[int, int], Recorded] = {}
        self.fault: str | None = None
        """Why calls can't be recorded, if so: they are then made as they come."""

    def call(self, latents: Floats, flat: Any, seed: int | None) -> tuple[Floats, Any] | None:
        """Sound (rows, channels, samples) and next past (rows, S) for `latents` (rows, dim, steps) and the past `flat`,
        what is drawn drawn from `seed`; None where that shape is not recorded."""
        rows, _, steps = latents.shape
        recorded = self._calls.get((rows, steps))
        if recorded is None and not self.fault and len(self._calls) < SHAPES and rows * steps <= MOST_LATENTS:
            try:
                recorded = Recorded(self._step, self._memories, self._device, self._stream, latents.shape, flat.shape)
            except failures() as error:
                self.fault = f"can't be recorded as a CUDA graph, so each kernel is launched as it comes: {error}"
                return None
            self._calls[rows, steps] = recorded
        return None if recorded is None else recorded.run(latents, flat, seed)


class Recorded:
    """One call of one shape, at its own addresses."""

    def __init__(
        self,
        step: Step,
        memories: list[Memory],
        device: str,
        stream: Any,
        latents_shape: tuple[int, ...],
        flat_shape: tuple[int, ...],
    ) -> None:
        import torch

        self._step, self._memories, self._stream, self._cuda = step, memories, stream, device == "cuda"
        self._latents_host = torch.zeros(latents_shape, pin_memory=self._cuda)
        self._latents = torch.zeros(latents_shape, device=device)
        self._past = torch.zeros(flat_shape, device=device)
        self._next = torch.zeros(flat_shape, device=device)
        with torch.no_grad(), self._on_stream():
            with seeded(SEED, self._cuda):
                for _ in range(WARM_UP_CALLS):
                    sound = step(self._latents)
                self._sound = torch.zeros_like(sound)
                self._sound_host = torch.zeros(sound.shape, pin_memory=self._cuda)
                self._body()
            self._replay = self._captured() if self._cuda else self._body

    def run(self, latents: Floats, flat: Any, seed: int | None) -> tuple[Floats, Any]:
        import torch

        with torch.no_grad(), self._on_stream():
            self._latents_host.copy_(torch.from_numpy(latents))
            self._latents.copy_(self._latents_host, non_blocking=True)
            self._past.copy_(flat)
            with seeded(seed, self._cuda) if seed is not None else nullcontext():
                self._replay()
            self._sound_host.copy_(self._sound, non_blocking=True)
            following = self._next.clone()
            if self._cuda:
                self._stream.synchronize()
            sound: Floats = self._sound_host.numpy().copy()
        return sound, following

    def _body(self) -> None:
        """What is recorded: everything between the addresses that stay."""
        put_all(self._memories, self._past)
        self._sound.copy_(self._step(self._latents))
        take_all(self._memories, self._next)

    def _captured(self) -> Callable[[], None]:
        import torch

        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            self._body()
        replay: Callable[[], None] = graph.replay
        return replay

    def _on_stream(self) -> Any:
        """Its stream, after all that was begun on the one that is current."""
        import torch

        if not self._cuda:
            return nullcontext()
        self._stream.wait_stream(torch.cuda.current_stream())
        return torch.cuda.stream(self._stream)


def _stream(device: str) -> Any:
    """A stream of high priority, which counts among those of this process; nothing on a processor."""
    import torch

    return torch.cuda.Stream(priority=-1) if device == "cuda" else None
