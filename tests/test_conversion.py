"""`models convert`: a TorchScript export becomes ONNX files that play the same, or is refused with the reason."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from installation import model
from installation.errors import ModelError
from installation.model import MODELS
from installation.sound.conversion.cells import Cell, Part, Select, part
from installation.sound.conversion.conversion import convert
from installation.sound.decoder import open_decoder
from installation.sound.encoder import open_encoder, open_encoder_stream
from installation.training.conversion import add_convert_command, convert_to
from tests import small_streaming, small_torchscript
from tests.small_streaming import NETWORK_DIM, RATE_HZ, RATIO, begin
from tests.small_torchscript import save

BLOCKS = ((11,), (1,) * 11, (2, 5, 4))
TOLERANCE = 1e-5

STREAMING: dict[str, Callable[[], nn.Module]] = {
    "causal": small_streaming.Model,
    "looking ahead": lambda: small_streaming.Model(ahead=5),
    "of two channels": lambda: small_streaming.Model(channels=2, ahead=2),
    "with snakes": lambda: small_streaming.Model(snake=True),
    "with all its latents": lambda: small_streaming.Model(stated=NETWORK_DIM),
    "of one row": small_streaming.Single,
}
WEIGHT = 0.3 * torch.randn(RATIO, NETWORK_DIM, 2, generator=torch.Generator().manual_seed(3))
SMALL: dict[str, Callable[[], nn.Module]] = {
    each.__name__: lambda each=each: each(WEIGHT, RATIO, RATE_HZ, 4)
    for each in (
        small_torchscript.Streaming, small_torchscript.Filled, small_torchscript.Flat, small_torchscript.Swapped,
        small_torchscript.Mixing, small_torchscript.Doubled, small_torchscript.Codes,
    )
}  # fmt: skip
"""Some of the shapes that other tests open; rows that mix are those of files made for one row at a time."""


def by_hand(module: nn.Module, latents: np.ndarray) -> np.ndarray:
    """What `module` itself, not a file, makes of (batch, steps, dim): each row alone, all at once."""
    rows = []
    for row in torch.from_numpy(latents).transpose(1, 2).split(1):
        begin(module)
        sound = module.decode(row)
        rows.append(sound[:, None] if sound.dim() == 2 else sound)
    return torch.cat(rows).transpose(1, 2).detach().numpy()


def in_blocks(decoder: object, latents: np.ndarray, blocks: tuple[int, ...]) -> np.ndarray:
    state, made = decoder.start(len(latents)), []  # type: ignore[attr-defined]
    for block in np.split(latents, np.cumsum(blocks)[:-1], axis=1):
        sound, state = decoder.decode(block, state)  # type: ignore[attr-defined]
        made.append(sound)
    return np.concatenate(made, 1)


@pytest.mark.parametrize("kind", [*STREAMING, *SMALL])
def test_a_file_plays_what_its_model_plays_in_any_blocks_and_for_any_number_of_rows(kind: str, tmp_path: Path) -> None:
    module = (STREAMING | SMALL)[kind]().eval()
    file = save(module, tmp_path / "theirs.ts")
    told = convert(file, tmp_path)
    decoder = open_decoder(tmp_path / "decoder.onnx", "cpu")
    assert (decoder.latent_dim, decoder.ratio, decoder.sample_rate_hz) == (NETWORK_DIM, RATIO, RATE_HZ)
    assert told.differences["decoder.onnx"] <= TOLERANCE
    with torch.no_grad():
        for rows in (1, 2, 70):
            latents = 2.0 * np.random.default_rng(rows).standard_normal((rows, 11, NETWORK_DIM), np.float32)
            expected = by_hand(module, latents)
            assert expected.std() > 0.01
            for blocks in BLOCKS:
                np.testing.assert_allclose(in_blocks(decoder, latents, blocks), expected, atol=TOLERANCE)


@pytest.mark.parametrize("channels", [1, 2])
def test_an_encoder_gives_the_mean_of_what_its_model_draws_in_all_dimensions(channels: int, tmp_path: Path) -> None:
    module = small_streaming.Model(channels, ahead=3).eval()
    told = convert(save(module, tmp_path / "theirs.ts"), tmp_path)
    assert told.without is None
    kinds = {node.op_type for node in onnx.load(str(tmp_path / "encoder.onnx")).graph.node}
    assert not {kind for kind in kinds if kind.startswith("Random")}
    sound = 0.5 * np.random.default_rng(1).standard_normal((3, 9 * RATIO)).astype(np.float32)
    expected = []
    with torch.no_grad():
        for row in sound:
            begin(module)
            mono = torch.from_numpy(row).expand(1, channels, -1)
            mean = module.posterior(mono)[:, :NETWORK_DIM]
            expected.append(module.latent_pca @ (mean[0] - module.latent_mean[:, None]))
    latents = torch.stack(expected).transpose(1, 2).numpy()
    np.testing.assert_allclose(open_encoder(tmp_path / "encoder.onnx", "cpu")(sound), latents, atol=TOLERANCE)
    stream = open_encoder_stream(tmp_path / "encoder.onnx", "cpu")
    state, made = stream.start(3), []
    for block in np.split(sound[..., None], [2 * RATIO, 3 * RATIO], axis=1):
        part_of_it, state = stream.encode(block, state)
        made.append(part_of_it)
    np.testing.assert_allclose(np.concatenate(made, 1), latents, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (small_streaming.Hissing, "operation rand_like in .*small_streaming.py, line .*draws random numbers"),
        (small_streaming.Recurrent, "operation gru in gru .*keeps a past"),
        (small_streaming.Offline, "keeps no past: it was exported without streaming"),
        (lambda: small_torchscript.Apart(WEIGHT, RATIO, RATE_HZ, 4), "keeps no past"),
        (lambda: small_torchscript.Counting(WEIGHT, RATIO, RATE_HZ, 4), "writes to count, a buffer of shape"),
        (small_streaming.Deciding, "decoder.onnx differs from the TorchScript file by"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason_and_leaves_nothing(
    kind: Callable[[], nn.Module], reason: str, tmp_path: Path
) -> None:
    file = save(kind().eval(), tmp_path / "theirs.ts")
    with pytest.raises(ModelError, match=reason):
        convert_to(file, "theirs", convert, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_an_encoder_that_does_more_than_add_what_it_draws_is_left_out(tmp_path: Path) -> None:
    folder, told = convert_to(
        save(small_streaming.Squaring().eval(), tmp_path / "theirs.ts"), "theirs", convert, tmp_path / "models"
    )
    assert told.without is not None and "not just added" in told.without
    assert sorted(path.name for path in folder.iterdir()) == ["card.yaml", "decoder.onnx"]
    assert model.load("theirs", tmp_path / "models").encoder is None


def test_a_file_that_is_not_trusted_is_not_loaded(tmp_path: Path) -> None:
    torch.jit.script(small_streaming.Single()).save(str(tmp_path / "unknown.ts"))
    with pytest.raises(ModelError, match="not trusted"):
        convert(tmp_path / "unknown.ts", tmp_path)


def test_the_command_makes_a_model_that_verifies_and_plays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(small_streaming.Model(channels=2).eval(), tmp_path / "Their Model.ts")
    parser = argparse.ArgumentParser()
    add_convert_command(parser.add_subparsers(), convert)
    arguments = parser.parse_args(["convert", str(file), "--to", "onnx", "--models", str(tmp_path / "models")])
    assert arguments.run(arguments) == 0
    assert "5 latents of 2.0 ms at 8000 Hz" in capsys.readouterr().out
    found = model.load("their-model", tmp_path / "models")
    found.verify()
    assert sorted(found.files) == ["decoder.onnx", "encoder.onnx"]
    assert (found.channels, found.latent_dim, found.mean.shape) == (2, NETWORK_DIM, (NETWORK_DIM,))
    assert found.card["converted"]["sha256"] == model.digest(file)
    assert found.card["latents"]["explained"] == [0.5, 0.8, 0.9, 0.96, 1.0]
    with pytest.raises(ModelError, match="there is one already"):
        arguments.run(arguments)


def test_the_shipped_model_converts_to_what_is_shipped_and_holds_its_weights_once(tmp_path: Path) -> None:
    told = convert(MODELS / "bronze" / "bronze.ts", tmp_path)
    assert told.without is None
    ours, theirs = (open_decoder(folder / "decoder.onnx", "cpu") for folder in (tmp_path, MODELS / "bronze"))
    latents = np.random.default_rng(2).standard_normal((2, 6, theirs.latent_dim)).astype(np.float32)
    (got, _), (expected, _) = (each.decode(latents, each.start(2)) for each in (ours, theirs))
    np.testing.assert_allclose(got, expected, atol=1e-6)
    sound = 0.3 * np.random.default_rng(3).standard_normal((1, 8 * theirs.ratio)).astype(np.float32)
    encoded = [open_encoder(folder / "encoder.onnx", "cpu")(sound) for folder in (tmp_path, MODELS / "bronze")]
    np.testing.assert_allclose(*encoded, atol=1e-5 * np.abs(encoded[1]).max())
    weights = [each.raw_data for each in onnx.load(str(tmp_path / "decoder.onnx")).graph.initializer]
    digests = [hashlib.sha256(each).digest() for each in weights if len(each) > 64]
    assert len(digests) == len(set(digests))


@pytest.mark.parametrize(
    ("dim", "start", "stop", "step"),
    [(2, 0, 3, 1), (2, -2, None, 1), (1, 1, None, 2), (2, 0, None, 2), (2, 1, 6, 3), (-1, 2, -1, 1), (1, 0, 99, 1)],
)
def test_writing_to_a_part_is_what_torch_does_in_place(dim: int, start: int, stop: int | None, step: int) -> None:
    whole = torch.randn(2, 4, 7, generator=torch.Generator().manual_seed(1))
    cell, real = Cell(whole), whole.clone()
    there = (slice(None),) * (dim % 3) + (slice(start, stop, step),)
    inner = part(part(cell, dim, start, stop, step), 1, 0, None, 2)
    real[there][:, ::2] += 10.0
    inner.write(inner.read() + 10.0)
    torch.testing.assert_close(cell.read(), real, rtol=0, atol=0)
    real[there][0] = -1.0
    Part(part(cell, dim, start, stop, step), Select(0, 0)).write(torch.tensor(-1.0))
    torch.testing.assert_close(cell.read(), real, rtol=0, atol=0)
    torch.testing.assert_close(inner.read(), real[there][:, ::2], rtol=0, atol=0)
    assert not torch.equal(whole, real)
