"""TorchScript files: read once, trusted by their SHA-256, those very bytes loaded; and where they keep their past.

A streaming file keeps it in buffers named `.cache` or `.pad`, dirty from its making, of as many rows as it can decode
at once. Which of them a call of `decode` changes, and how many rows of each belong to one row of latents, is found by
calling it: a model of two channels keeps two rows a latent in its filter bank; its encoder's buffers are not touched.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installation import trust
from installation.errors import ModelError

PAST = ("cache", "pad")
"""Names of the buffers in which cached_conv keeps the past."""
SEED = 1


@dataclass(frozen=True)
class Memory:
    """A buffer that `decode` changes: the first `each` rows of `buffer` are those of the first row of latents."""

    buffer: Any
    each: int
    clean: Any
    """(each, ...): what it holds when nothing was heard."""

    @property
    def size(self) -> int:
        """Numbers that belong to one row of latents."""
        return int(self.clean.numel())

    @property
    def most(self) -> int:
        """Rows of latents it can hold the past of."""
        return len(self.buffer) // self.each

    def put(self, flat: Any) -> None:
        """Set it from `flat` (rows, size)."""
        self.buffer[: self.each * len(flat)].copy_(flat.reshape(-1, *self.buffer.shape[1:]))

    def take(self, flat: Any) -> None:
        """Copy it into `flat` (rows, size)."""
        flat.copy_(self.buffer[: self.each * len(flat)].reshape(len(flat), self.size))


def put_all(memories: list[Memory], flat: Any) -> None:
    """Set all `memories` from `flat` (rows, S)."""
    for memory, part in zip(memories, _split(memories, flat), strict=True):
        memory.put(part)


def take_all(memories: list[Memory], flat: Any) -> None:
    """Copy all `memories` into `flat` (rows, S)."""
    for memory, part in zip(memories, _split(memories, flat), strict=True):
        memory.take(part)


def _split(memories: list[Memory], flat: Any) -> tuple[Any, ...]:
    return tuple(flat.split([memory.size for memory in memories], 1)) if memories else ()


def clean_past(memories: list[Memory], device: str) -> Any:
    """What belongs to one row of latents when nothing was heard, (1, S)."""
    import torch

    parts = [memory.clean.reshape(-1).to(torch.float32) for memory in memories]
    return torch.cat([torch.zeros(0, device=device), *parts])[None]


def load_module(path: Path, device: str = "cpu") -> Any:
    """The module in the file `path`, for `device`. ModelError if it is not trusted, or is none that decodes."""
    import torch

    whole = trust.read(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(io.BytesIO(whole), map_location=device)
    except failures() as error:
        raise ModelError(f"{path}: not a TorchScript file: {reason(error)}") from error
    if not hasattr(module, "decode"):
        raise ModelError(f"{path}: has no method decode; a RAVE export does")
    return module.eval()


def has(module: Any, method: str) -> bool:
    """Whether it has that method. Every export has one called prior, which does something only where there is one."""
    if method == "prior" and hasattr(module, "_has_prior"):
        return bool(module._has_prior)
    return hasattr(module, method)


def failures() -> tuple[type[Exception], ...]:
    """What a call of a module may raise: its own errors, which are not RuntimeErrors, and torch's."""
    import torch

    return torch.jit.Error, RuntimeError, ValueError, IndexError, TypeError


def reason(error: Exception) -> str:
    """The line of a TorchScript error that says what went wrong: its last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def past_buffers(module: Any) -> list[Any]:
    """Every buffer that is named as cached_conv names its past."""
    return [each for name, each in module.named_buffers() if name.rpartition(".")[2] in PAST and each.numel()]


def empty(buffers: list[Any]) -> bool:
    """Empty them; whether any was not."""
    dirty = any(bool(each.any()) for each in buffers)
    for each in buffers:
        each.zero_()
    return dirty


def memories(module: Any, call: Callable[[], object]) -> list[Memory]:
    """The buffers that `call`, from an empty past, changes."""
    past = {each.data_ptr() for each in past_buffers(module)}
    before = [(each, each.clone()) for _, each in module.named_buffers() if each.numel()]
    call()
    found = []
    for buffer, held in before:
        if not bool((buffer != held).any()):
            continue
        rows = buffer if buffer.dim() else buffer.reshape(1)
        each = len(rows)
        if buffer.data_ptr() in past:
            each = int(rows.reshape(len(rows), -1).any(1).nonzero().max()) + 1
        buffer.copy_(held)
        found.append(Memory(rows, each, held.reshape(rows.shape)[:each].clone()))
    return found


@contextmanager
def seeded(seed: int, cuda: bool) -> Iterator[None]:
    """What is drawn within is drawn from `seed`; the caller's own generators do not notice."""
    import torch

    devices = [torch.cuda.current_device()] if cuda else []
    with torch.no_grad(), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def draws(call: Callable[[], object], cuda: bool) -> bool:
    """Whether `call` draws random numbers, whether or not they are heard."""
    import torch

    state = torch.cuda.get_rng_state if cuda else torch.get_rng_state
    with seeded(SEED, cuda):
        before = state()
        call()
        return not bool(torch.equal(before, state()))
