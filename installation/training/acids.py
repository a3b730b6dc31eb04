"""Runs a command of acids-rave inside the training environment, mended for today's numpy, scipy and torchaudio.

`python acids.py train …` is `rave train …`. acids-rave 2.3.1 was written for older libraries; `mend` patches what has
moved since, without touching its files and without changing a number it computes. Runs in the training environment
only, where the rest of this package is not installed: so it imports nothing of it.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from typing import Any


def mend() -> None:
    """Stand in for what acids-rave expects of torchaudio's extension and of scipy's older signatures."""
    extension: Any = types.ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
    extension._IS_ALIGN_AVAILABLE = False
    extension.fail_if_no_align = lambda function: function
    extension._check_cuda_version = lambda: None
    sys.modules["torchaudio._extension"] = extension

    import numpy
    import scipy.signal

    if not hasattr(scipy.signal, "kaiser"):
        scipy.signal.kaiser = scipy.signal.windows.kaiser
    order, design = scipy.signal.kaiserord, scipy.signal.firwin

    def kaiserord(ripple: Any, width: Any) -> Any:
        return order(float(numpy.ravel(ripple)[0]), float(numpy.ravel(width)[0]))

    def firwin(count: Any, cutoff: Any, *, nyq: float | None = None, **options: Any) -> Any:
        if nyq is not None:
            options["fs"] = 2.0 * nyq
        return design(count, cutoff, **options)

    scipy.signal.kaiserord, scipy.signal.firwin = kaiserord, firwin


def quicken(seed: int) -> None:
    """Seed every generator; on processors with bfloat16 units let the convolutions multiply in it (accumulating in
    float32): about twice the steps a second at the same loss."""
    import numpy
    import torch

    torch.manual_seed(seed)
    numpy.random.seed(seed)
    import random

    random.seed(seed)
    threads = os.environ.get("TRAIN_THREADS")
    if threads:
        torch.set_num_threads(int(threads))
    if os.environ.get("TRAIN_BF16", "1") == "1" and not torch.cuda.is_available():
        torch.backends.mkldnn.conv.fp32_precision = "bf16"  # type: ignore[attr-defined]
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"  # type: ignore[attr-defined]


def main(arguments: list[str]) -> None:
    mend()
    command, *rest = arguments
    sys.argv = [command, *rest]
    from absl import app

    module = importlib.import_module(f"scripts.{command}")
    if command == "train":
        quicken(int(os.environ.get("TRAIN_SEED", "1")))
    app.run(module.main)


if __name__ == "__main__":
    main(sys.argv[1:])
