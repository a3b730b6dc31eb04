"""Runs a command of acids-rave inside the training environment, mended for today's numpy, scipy and torchaudio.

    python -m installation.training.acids train … is `rave train …`, and so `preprocess`; nothing else is let
    through: of acids-rave 2.3.1, `generate` and `export_onnx` are broken, and what `export` writes we write better.

acids-rave 2.3.1 was written for older libraries; `mend` stands in for what has moved since, without touching its files
and without changing a number it computes. `lighten` spares the gradients that nobody uses: of the sound, of the target
spectra and of the fixed filter bank. That, too, leaves every gradient of a weight as it was.

Environment: TRAIN_SEED (default 1) seeds every generator; TRAIN_THREADS (default 1) is the number of processor
threads: small convolutions run fastest on one, and a second run on the next core does more than a second thread.
TRAIN_REPORT (default 100) is the number of steps between two lines of progress.
Runs in the training environment only, where few of this package's dependencies are installed.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
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


ALLOWED = ("preprocess", "train")


def check(arguments: list[str]) -> None:
    """SystemExit with a sentence if the command is none of ALLOWED, or is asked for what is known to break it."""
    command = arguments[0] if arguments else ""
    if command not in ALLOWED:
        raise SystemExit(f"acids: {command!r} is not run; allowed are {', '.join(ALLOWED)}")
    for flag, value in _flags(arguments[1:]):
        if flag == "lazy" and value.lower() not in ("false", "0"):
            raise SystemExit("acids: --lazy is not run: it asks a question that nobody answers")
        if command == "preprocess" and flag == "output_path" and not os.path.dirname(value):  # noqa: PTH120
            raise SystemExit(f"acids: --output_path={value}: a parent folder is needed, as in data/{value or 'db'}")


def _flags(words: list[str]) -> list[tuple[str, str]]:
    """Flags with their values, written `--flag=value`, `--flag value` or `--flag`."""
    found = []
    for word, after in zip(words, [*words[1:], "-"], strict=True):
        if word.startswith("-"):
            flag, equals, value = word.lstrip("-").partition("=")
            found.append((flag, value if equals or after.startswith("-") else after))
    return found


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
    """Spare the gradients that reach no weight that is trained, take the spectral distance's by hand, and update the
    weights in one pass over memory: half of a step on a processor. Same gradients, same rule (Adam), to rounding."""
    import torch
    from rave import core, model

    from installation.training import spectra

    rave, analyse = model.RAVE, model._pqmf_encode
    configure, begin = rave.configure_optimizers, rave.on_train_start

    def without_gradient(bank: Any, sound: Any) -> Any:
        """In training only: acids-rave measures its receptive field by the gradient of the sound."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not bank.training):
            return analyse(bank, sound)

    def distance(self: Any, target: Any, made: Any) -> dict[str, Any]:
        windows = [each.window for each in self.multiscale_stft.stfts]
        return {"spectral_distance": spectra.distance(target, made, windows, self.log_epsilon)}

    def configure_optimizers(self: Any) -> Any:
        self.pqmf.requires_grad_(False)
        return configure(self)

    def on_train_start(self: Any) -> Any:
        for optimizer in self.optimizers():
            for group in optimizer.param_groups:
                group["fused"], group["foreach"] = True, False
        return begin(self)

    model._pqmf_encode = without_gradient
    core.AudioDistanceV1.forward = distance
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


def stop_on_request() -> None:
    """Once training runs, SIGINT and SIGTERM end it after the step at hand, with a last checkpoint, as at the last
    step; a second one ends it at once. A checkpoint is written beside its place and moved there when it is whole."""
    from pytorch_lightning import Trainer
    from rave import model

    begin, save = model.RAVE.on_train_start, Trainer.save_checkpoint

    def on_train_start(self: Any) -> None:
        begin(self)

        def ask(number: int, _: Any) -> None:
            signal.signal(number, signal.SIG_DFL)
            self.trainer.should_stop = True

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, ask)

    def save_checkpoint(self: Any, filepath: Any, *arguments: Any, **options: Any) -> None:
        part = f"{filepath}.part"
        save(self, part, *arguments, **options)
        os.replace(part, filepath)  # noqa: PTH105

    model.RAVE.on_train_start, Trainer.save_checkpoint = on_train_start, save_checkpoint


def seed(number: int) -> None:
    """Seed every generator that training draws from."""
    import numpy
    import torch

    torch.manual_seed(number)
    numpy.random.seed(number)
    random.seed(number)


def main(arguments: list[str], environment: Callable[[str, str], str] = os.environ.get) -> None:
    check(arguments)
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
        report(int(environment("TRAIN_REPORT", str(REPORT_STEPS))))
        stop_on_request()
    app.run(module.main)


if __name__ == "__main__":
    main(sys.argv[1:])
