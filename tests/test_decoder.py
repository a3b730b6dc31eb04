"""One contract for every decoder, on files so small that what they compute can be written out beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from installation import model, trust
from installation.errors import ModelError
from installation.sound import decoder as decoders
from installation.sound.decoder import DECODERS, Decoder, file_for, open_decoder

Floats = npt.NDArray[np.float32]

DIM, RATIO, CHANNELS, RATE_HZ, ROWS = 3, 4, 2, 8000, 4
WEIGHT = np.random.default_rng(5).normal(0.0, 0.6, (CHANNELS * RATIO, DIM, 2)).astype(np.float32)


def oracle(latents: Floats, weight: Floats = WEIGHT) -> Floats:
    """What every small file computes: each latent and the one before it, one matrix each, through tanh."""
    before = np.concatenate([np.zeros_like(latents[:, :1]), latents[:, :-1]], 1)
    made = np.tanh(before @ weight[:, :, 0].T + latents @ weight[:, :, 1].T)
    batch, steps, _ = latents.shape
    made = made.reshape(batch, steps, -1, RATIO)
    return made.transpose(0, 1, 3, 2).reshape(batch, steps * RATIO, -1)


def write_onnx(path: Path, facts: dict[str, str] | None = None) -> Path:
    """A decoder of two steps' memory as an ONNX file with an explicit state."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def constant(name: str, *numbers: int) -> Any:
        return numpy_helper.from_array(np.array(numbers, np.int64), name)

    nodes = [
        helper.make_node("Reshape", ["state", "past_shape"], ["past"]),
        helper.make_node("Concat", ["past", "latents"], ["joined"], axis=2),
        helper.make_node("Conv", ["joined", "weight"], ["turned"]),
        helper.make_node("Tanh", ["turned"], ["soft"]),
        helper.make_node("Reshape", ["soft", "split_shape"], ["split"]),
        helper.make_node("Transpose", ["split"], ["ordered"], perm=[0, 1, 3, 2]),
        helper.make_node("Reshape", ["ordered", "sound_shape"], ["sound"]),
        helper.make_node("Slice", ["joined", "last", "end", "axis"], ["kept"]),
        helper.make_node("Reshape", ["kept", "state_shape"], ["next_state"]),
    ]
    tensors = [
        numpy_helper.from_array(WEIGHT, "weight"),
        constant("past_shape", 0, DIM, 1),
        constant("split_shape", 0, CHANNELS, RATIO, -1),
        constant("sound_shape", 0, CHANNELS, -1),
        constant("state_shape", 0, DIM),
        constant("last", -1),
        constant("end", 2**31),
        constant("axis", 2),
    ]
    shapes = {"latents": ["b", DIM, "n"], "state": ["b", DIM], "sound": ["b", CHANNELS, "m"], "next_state": ["b", DIM]}
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    graph = helper.make_graph(
        nodes, "small", [values["latents"], values["state"]], [values["sound"], values["next_state"]], tensors
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    stated = {"sample_rate_hz": RATE_HZ, "ratio": RATIO, "latent_dim": DIM, "channels": CHANNELS, "state_size": DIM}
    for key, value in ({key: str(value) for key, value in stated.items()} if facts is None else facts).items():
        made.metadata_props.add(key=key, value=value)
    onnx.save(made, str(path))
    return path


def write_torchscript(path: Path) -> Path:
    """The same decoder as a streaming TorchScript file of ROWS rows, with dirty caches as real exports have them."""
    torch = pytest.importorskip("torch")
    from tests.small_torchscript import Streaming, save

    return save(Streaming(torch.from_numpy(WEIGHT), RATIO, RATE_HZ, ROWS), path)


WRITERS = {".onnx": write_onnx, ".ts": write_torchscript}


@pytest.fixture(scope="module", params=sorted(DECODERS))
def decoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    path = tmp_path_factory.mktemp("small") / f"small{request.param}"
    return open_decoder(WRITERS[request.param](path), "cpu")


def latents_of(batch: int, steps: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(size=(batch, steps, DIM)).astype(np.float32)


def play(decoder: Decoder, latents: Floats, blocks: tuple[int, ...]) -> Floats:
    """The sound of `latents` decoded in blocks of so many steps, from the beginning."""
    state, made, at = decoder.start(len(latents)), [], 0
    for steps in blocks:
        sound, state = decoder.decode(latents[:, at : at + steps], state)
        made.append(sound)
        at += steps
    return np.concatenate(made, 1)


def test_says_what_it_is(decoder: Decoder) -> None:
    stated = (decoder.sample_rate_hz, decoder.ratio, decoder.latent_dim, decoder.channels)
    assert stated == (RATE_HZ, RATIO, DIM, CHANNELS)


@pytest.mark.parametrize("blocks", [(12,), (1,) * 12, (3,) * 4, (1, 5, 0, 2, 4)], ids=str)
def test_any_blocks_give_what_the_weights_say(decoder: Decoder, blocks: tuple[int, ...]) -> None:
    latents = latents_of(2, 12)
    sound = play(decoder, latents, blocks)
    assert sound.dtype == np.float32
    np.testing.assert_allclose(sound, oracle(latents), atol=1e-6)


def test_a_state_is_a_snapshot(decoder: Decoder) -> None:
    """Decoding something else in between, and decoding twice from one state, changes nothing."""
    first, second, other = latents_of(1, 3, 1), latents_of(1, 2, 2), latents_of(1, 7, 3)
    _, state = decoder.decode(first, decoder.start())
    expected, _ = decoder.decode(second, state)
    decoder.decode(other, decoder.start())
    decoder.decode(other, state)
    again, _ = decoder.decode(second, state)
    np.testing.assert_array_equal(again, expected)


def test_sound_handed_out_stays_as_it_was(decoder: Decoder) -> None:
    sound, state = decoder.decode(latents_of(1, 3, 1), decoder.start())
    before = sound.copy()
    decoder.decode(latents_of(1, 3, 2), state)
    np.testing.assert_array_equal(sound, before)


def test_starts_are_all_alike(decoder: Decoder) -> None:
    latents = latents_of(1, 4)
    one, state = decoder.decode(latents, decoder.start())
    decoder.decode(latents, state)
    two, _ = decoder.decode(latents, decoder.start())
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("batch", [2, ROWS, ROWS + 1, 2 * ROWS + 3])
def test_rows_of_a_batch_do_not_hear_each_other(decoder: Decoder, batch: int) -> None:
    """Also with more rows than the file decodes at once, over two calls."""
    latents = latents_of(batch, 5)
    together = play(decoder, latents, (2, 3))
    alone = np.concatenate([play(decoder, row[None], (2, 3)) for row in latents])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, DIM), (1, 2, DIM + 1), (1, 2, DIM - 1), (2, 2, DIM)], ids=str)
def test_wrong_shapes_are_refused(decoder: Decoder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"small\.(onnx|ts): .*got"):
        decoder.decode(np.zeros(shape, np.float32), decoder.start())


def test_a_batch_of_none_is_refused(decoder: Decoder) -> None:
    with pytest.raises(ModelError, match="1 or more, got 0"):
        decoder.start(0)


@pytest.mark.parametrize("ending", sorted(DECODERS))
def test_what_is_no_model_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"broken{ending}"
    with pytest.raises(ModelError, match="no such file"):
        open_decoder(path)
    path.write_bytes(b"not a model")
    trust.allow(model.digest(path), path.name)
    with pytest.raises(ModelError, match=f"broken\\{ending}"):
        open_decoder(path, "cpu")


@pytest.mark.parametrize("ending", sorted(DECODERS))
def test_devices_are_named_and_cuda_is_not_silently_replaced(ending: str, tmp_path: Path) -> None:
    path = WRITERS[ending](tmp_path / f"small{ending}")
    with pytest.raises(ModelError, match="auto, cpu, cuda, got 'gpu'"):
        open_decoder(path, "gpu")
    if not cuda_is_there(ending):
        with pytest.raises(ModelError, match="device cuda was asked for"):
            open_decoder(path, "cuda")
    sound = play(open_decoder(path, "auto"), latents_of(1, 3), (3,))
    np.testing.assert_allclose(sound, oracle(latents_of(1, 3)), atol=1e-4)


def cuda_is_there(ending: str) -> bool:
    if ending == ".onnx":
        import onnxruntime

        return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    import torch

    return bool(torch.cuda.is_available())


@pytest.mark.parametrize(("device", "driven", "found"), [
    ("cpu", True, False), ("auto", False, False), ("auto", True, True), ("cuda", False, True),
])  # fmt: skip
def test_a_graphics_processor_decodes_the_torchscript_twin(
    device: str, driven: bool, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where torch finds one; and a model without such a file keeps the one it has."""
    monkeypatch.setattr(decoders, "NVIDIA", Path(__file__) if driven else tmp_path / "none")
    bronze = model.load("bronze")
    monkeypatch.setattr(decoders, "on_cuda", lambda: True)
    assert file_for(bronze, device) == (bronze.folder / "bronze.ts" if found else bronze.decoder)
    assert file_for(replace(bronze, card={}), device) == bronze.decoder
    monkeypatch.setattr(decoders, "on_cuda", lambda: False)
    assert file_for(bronze, device) == bronze.decoder


def test_an_onnx_file_without_facts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="metadata lack 'sample_rate_hz'"):
        open_decoder(write_onnx(tmp_path / "bare.onnx", facts={}), "cpu")


@pytest.mark.parametrize("name", [name for name in model.names() if "torchscript" in model.load(name).card])
def test_the_shipped_files_are_one_model(name: str) -> None:
    """.onnx and .ts give the same sound, whatever the blocks, and it is not silence."""
    pytest.importorskip("torch")
    shipped = model.load(name)
    decoders = [open_decoder(path, "cpu") for path in (shipped.decoder, shipped.folder / f"{name}.ts")]
    latents = shipped.excerpts()[:24].reshape(2, 12, shipped.latent_dim)
    sounds = [play(each, latents, blocks) for each in decoders for blocks in ((12,), (1, 4, 7))]
    assert float(np.abs(sounds[0]).max()) > 0.01
    for sound in sounds[1:]:
        np.testing.assert_allclose(sound, sounds[0], atol=1e-4)
