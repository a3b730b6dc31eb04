"""Runs a command of acids-rave inside the training environment, mended for today's numpy, scipy and torchaudio.

    python -m installation.training.acids train … is `rave train …`

acids-rave 2.3.1 was written for older libraries; `mend` stands in for what has moved since, without touching its files
and without changing a number it computes. `lighten` spares the gradients that nobody uses: of the sound, of the target
spectra and of the fixed filter bank. That, too, leaves every gradient of a weight as it was.

Environment: TRAIN_SEED (default 1) seeds every generator; TRAIN_THREADS (default 1) is the number of processor
threads: small convolutions run fastest on one, and a second run on the next core does more than a second thread.
Runs in the training environment only, where few of this package's dependencies are installed.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import types
from collections.abc import Callable
from typing import Any

REPORT_STEPS = 100
REPORTED = (
    "fullband_spectral_distance",
    "multiband_spectral_distance",
    "regularization",
    "feature_matching",
    "adversarial",
    "loss_dis",
    "validation",
)
"""Losses worth a word, by the names acids-rave logs them under."""


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


def lighten() -> None:
    """Spare the gradients that reach no weight that is trained, and update the weights in one pass over memory: about a
    third off a step on a processor. Same gradients, same rule (Adam), to rounding."""
    import torch
    from rave import core, model

    rave, analyse, distance = model.RAVE, model._pqmf_encode, core.AudioDistanceV1.forward
    configure, begin = rave.configure_optimizers, rave.on_train_start

    def without_gradient(bank: Any, sound: Any) -> Any:
        """In training only: acids-rave measures its receptive field by the gradient of the sound."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not bank.training):
            return analyse(bank, sound)

    def distance_to_fixed(self: Any, target: Any, made: Any) -> Any:
        return distance(self, target.detach(), made)

    def configure_optimizers(self: Any) -> Any:
        self.pqmf.requires_grad_(False)
        return configure(self)

    def on_train_start(self: Any) -> Any:
        for optimizer in self.optimizers():
            for group in optimizer.param_groups:
                group["fused"], group["foreach"] = True, False
        return begin(self)

    model._pqmf_encode = without_gradient
    core.AudioDistanceV1.forward = distance_to_fixed
    rave.configure_optimizers, rave.on_train_start = configure_optimizers, on_train_start


def report(every: int = REPORT_STEPS) -> None:
    """Print a line of JSON with the step and the losses every so many steps, and keep the last step's checkpoint:
    acids-rave itself does neither."""
    from rave import model

    rave = model.RAVE
    end, finish = rave.on_train_batch_end, rave.on_train_end

    def on_train_batch_end(self: Any, *arguments: Any) -> None:
        end(self, *arguments)
        if self.global_step % every == 0:
            losses = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
            kept = {name: round(value, 4) for name, value in losses.items() if name in REPORTED}
            print(json.dumps({"step": int(self.global_step), **kept}), flush=True)

    def on_train_end(self: Any) -> None:
        finish(self)
        self.trainer.save_checkpoint(f"{self.trainer.log_dir}/checkpoints/last.ckpt")

    rave.on_train_batch_end, rave.on_train_end = on_train_batch_end, on_train_end


def seed(number: int) -> None:
    """Seed every generator that training draws from."""
    import numpy
    import torch

    torch.manual_seed(number)
    numpy.random.seed(number)
    random.seed(number)


def main(arguments: list[str], environment: Callable[[str, str], str] = os.environ.get) -> None:
    mend()
    command, *rest = arguments
    sys.argv = [command, *rest]
    from absl import app

    module = importlib.import_module(f"scripts.{command}")
    if command == "train":
        import torch

        seed(int(environment("TRAIN_SEED", "1")))
        torch.set_num_threads(int(environment("TRAIN_THREADS", "1")))
        lighten()
        report()
    app.run(module.main)


if __name__ == "__main__":
    main(sys.argv[1:])
