"""`models info`, `list`, `trust` and `add`: what is measured is what was built in, and each fault is told of."""

from __future__ import annotations

import argparse
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from installation import model, trust
from installation.errors import ModelError
from installation.sound.decoder import open_decoder
from installation.training.adoption import add_add_command
from installation.training.apart import apart
from installation.training.examination import examine, lag
from installation.training.inspection import add_info_command, add_list_command, add_trust_command, inspect, sentences
from installation.training.remarks import remarks

Floats = npt.NDArray[np.float32]

DIM, RATIO, RATE_HZ = 3, 512, 48_000
BRIEFLY_S = 0.005


class Late:
    """The first latent, held for RATIO samples, so many samples late."""

    sample_rate_hz, ratio, latent_dim, channels = RATE_HZ, RATIO, DIM, 1

    def __init__(self, samples: int) -> None:
        self._samples = samples

    def start(self, batch: int = 1) -> Floats:
        return np.zeros((batch, self._samples, 1), np.float32)

    def decode(self, latents: Floats, state: Floats) -> tuple[Floats, Floats]:
        line = np.concatenate([state, np.repeat(latents[..., :1], RATIO, 1)], 1)
        return line[:, : latents.shape[1] * RATIO], line[:, latents.shape[1] * RATIO :]


@pytest.mark.parametrize("samples", [0, 1, 100, 1696, 12_512])
def test_lag_is_what_was_built_in(samples: int) -> None:
    """Half the level is reached when a quarter of the window's power is."""
    first, half = lag(Late(samples), np.zeros(DIM, np.float32), np.full(DIM, 0.1, np.float32))
    assert first == samples
    assert half is not None and samples <= half <= samples + 0.002 * RATE_HZ


def test_what_does_not_follow_has_no_lag() -> None:
    assert lag(Late(0), np.zeros(DIM, np.float32), np.zeros(DIM, np.float32)) == (None, None)


def written(folder: Path, kind: str, trusted: bool = True, rate_hz: int = RATE_HZ, **more: float) -> Path:
    torch = pytest.importorskip("torch")
    from tests import small_torchscript

    weight = torch.from_numpy(np.random.default_rng(5).normal(0.0, 0.6, (RATIO, DIM, 2)).astype(np.float32))
    module = getattr(small_torchscript, kind)(weight, RATIO, rate_hz, 4, **more)
    return small_torchscript.save(module, folder / f"{kind}.ts", trusted)


FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "not streaming": ("Apart", {}, r"keeps nothing between calls.*1 latents are decoded again .* as many\. Export"),
    "looks ahead": ("Centred", {}, r"keeps nothing between calls.*2 latents are decoded again .* and 1 of waiting"),
    "forgets": ("Forgetful", {}, r"keeps a past, but not all of it: blocks differ .* heard as clicks"),
    "left out": ("Filled", {}, r"exported with 2 of its 3 latents.*here they are zeros"),
    "always filled": ("AlwaysFilled", {}, r"exported with 2 of its 3 latents.*can't be prevented"),
    "noise": ("Noisy", {}, r"draws noise in every call"),
    "one row": ("Flat", {}, r"decodes one row a call"),
    "v1": ("Swapped", {}, r"does not state its shape"),
    "codes": ("Codes", {}, r"takes codes, not numbers"),
    "prior": ("Prior", {}, r"has a prior"),
    "no encoder": ("Streaming", {}, r"has no encoder"),
    "dirty": ("Streaming", {}, r"remains of its making"),
    "rate": ("Streaming", {"rate_hz": 32_000}, r"model of 32000 Hz.*silent above 16000 Hz"),
    "silent": ("Telling", {"factor": 0.0}, r"is silent \(RMS -240 dB\)"),
    "deaf": ("Telling", {"factor": 0.0, "offset": 0.5}, r"does not respond to its latents"),
    "offset": ("Telling", {"offset": 0.25}, r"an offset of \+2\d.\d % of full scale"),
    "loud": ("Telling", {"factor": 8.0}, r"peaks at \+1\d.\d dB"),
    "no numbers": ("Telling", {"factor": float("nan")}, r"samples that are no numbers"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_of(fault: str, tmp_path: Path) -> None:
    kind, more, says = FAULTS[fault]
    found = examine(open_decoder, written(tmp_path, kind, **more), "cpu", measure_s=BRIEFLY_S)
    assert any(re.search(says, remark) for remark in remarks(found)), remarks(found)


def test_nothing_is_wrong_with_what_is_well(tmp_path: Path) -> None:
    """An export that streams and encodes, and the shipped model: none of the other faults' sentences."""
    well = remarks(examine(open_decoder, written(tmp_path, "Encoding"), "cpu", measure_s=BRIEFLY_S))
    assert [remark for remark in well if "remains of its making" not in remark and "peaks" not in remark] == []
    bronze = model.load("bronze")
    found = examine(open_decoder, bronze.decoder, "cpu", bronze.mean, bronze.deviation, BRIEFLY_S)
    assert [remark for remark in remarks(found) if "slow" not in remark and "tight" not in remark] == []
    assert found.traits == {} and found.first_change is not None and 0 <= found.first_change < found.ratio


def test_a_stranger_is_not_loaded_even_to_look_at(tmp_path: Path) -> None:
    path = written(tmp_path, "Streaming", trusted=False, rate_hz=int(time.time()))
    with pytest.raises(ModelError, match=r"Streaming.ts: not trusted"):
        inspect(_opened_by_mistake, path, "cpu")


def _opened_by_mistake(path: Path, device: str) -> Any:
    raise AssertionError(f"{path} was opened for {device}")


def test_a_file_is_played_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "Encoding")
    found = inspect(open_decoder, path, "cpu")
    said = "\n".join(sentences(path, found))
    assert f"Encoding.ts: {DIM} latents of {RATIO} samples at {RATE_HZ} Hz, 1 channel; TorchScript" in said
    assert "first heard after 0 samples" in said and "16 latents in" in said


def _leave(code: int) -> None:
    os._exit(code)


def _refuse(word: str) -> None:
    raise ModelError(f"{word}: refused")


def test_what_a_process_meets_is_said_here() -> None:
    assert apart("sum", sum, (2, 3)) == 5
    with pytest.raises(ModelError, match=r"x.ts: its process died with exit code 7"):
        apart("x.ts", _leave, 7)
    with pytest.raises(ModelError, match=r"x.ts: gave no answer in 0.1 s"):
        apart("x.ts", time.sleep, 60.0, patience_s=0.1)
    with pytest.raises(ModelError, match=r"^y.ts: refused$"):
        apart("x.ts", _refuse, "y.ts")


def run(*words: str, models: Path | None = None) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    add_list_command(commands)
    add_info_command(commands, open_decoder)
    add_trust_command(commands)
    add_add_command(commands, open_decoder)
    parsed = parser.parse_args(words)
    if models is not None:
        parsed.models = models
    return int(parsed.run(parsed))


def test_trust_is_given_listed_and_taken_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "Mixing", trusted=False)
    assert run("trust", str(path)) == 0 and run("trust", "--list") == 0
    shown = capsys.readouterr().out
    assert f"{model.digest(path)}  Mixing.ts  (yours)" in shown and "bronze/bronze.ts  (shipped)" in shown
    assert run("trust", "--forget", "Mixing.ts") == 0
    assert model.digest(path) not in trust.trusted()
    with pytest.raises(ModelError, match=r"nothing on the list is called 'Mixing.ts'"):
        run("trust", "--forget", "Mixing.ts")
    with pytest.raises(ModelError, match=r"only .ts files need trust"):
        run("trust", str(model.load("bronze").decoder))
    with pytest.raises(ModelError, match="which FILE"):
        run("trust")


def test_a_model_is_added_only_with_trust(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, models = written(tmp_path, "Counting", trusted=False), tmp_path / "models"
    with pytest.raises(ModelError, match="not trusted"):
        run("add", str(path), models=models)
    assert not models.exists()
    assert run("add", str(path), "--trust", "--name", "theirs", models=models) == 0
    found = model.load("theirs", models)
    found.verify()
    assert (found.latent_dim, found.ratio, found.sample_rate_hz) == (DIM, RATIO, RATE_HZ)
    assert "model: theirs" in capsys.readouterr().out
    trust.forget("Counting.ts")
    with pytest.raises(ModelError, match="not trusted"):
        open_decoder(found.decoder, "cpu")


def test_the_list_says_of_each_model_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    bronze = lines["bronze"]
    for words in ("8 of 42.7 ms", "48000 Hz, ratio 2048, mono", " MB", "as its card says", "data, no trust needed"):
        assert words in bronze
