"""Where torch is to run: the processor or a graphics card."""

from __future__ import annotations

from installation.errors import ModelError

DEVICES = ("auto", "cpu", "cuda")


def torch_device(name: str, wanted_by: str) -> str:
    """`name`, auto, cpu or cuda, as torch's cpu or cuda; auto is cuda where there is one. ModelError if torch is not
    installed or has no such device; `wanted_by` says who asked."""
    if name not in DEVICES:
        raise ModelError(f"{wanted_by}: device {name!r}; allowed are {', '.join(DEVICES)}")
    try:
        import torch
    except ImportError as error:
        raise ModelError(f"{wanted_by}: {error}; pip install -c constraints.txt '.[torch]'") from error
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ModelError(f"{wanted_by}: device cuda, but torch {torch.__version__} sees none; allowed: cpu, auto")
    return "cuda" if there and name != "cpu" else "cpu"
