"""The exporter's files compute what the model computes at once, in any blocks, and are refused when they do not."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from installation import model, trust
from installation.sound.decoder import open_decoder

torch = pytest.importorskip("torch")

from installation.training import checkpoint, export, network  # noqa: E402
from tests import small_rave  # noqa: E402
from tests.small_rave import LATENT_DIM, RATIO, SmallRave  # noqa: E402

BLOCKS = ((1,) * 12, (5, 1, 6))


@pytest.fixture(scope="module")
def heard() -> list[np.ndarray]:
    return [np.random.default_rng(seed).normal(0.0, 0.1, 40 * RATIO).astype(np.float32) for seed in (1, 2)]


@pytest.fixture(scope="module")
def exported(heard: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export.export(SmallRave(), RATIO, heard, out, "small")
    return out


@pytest.mark.parametrize("kind", ["cache", "tape"])
@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_a_decoder_in_blocks_is_the_decoder_at_once(kind: str, blocks: tuple[int, ...]) -> None:
    """With the axes turned at random: latents in the turned space are the model's own turned back."""
    rave = SmallRave()
    turn, _ = torch.linalg.qr(torch.randn(LATENT_DIM, LATENT_DIM))
    mean = torch.randn(LATENT_DIM)
    latents = torch.randn(2, LATENT_DIM, 12)
    expected = rave.decode(torch.einsum("ji,bjt->bit", turn, latents) + mean[:, None])
    tape = network.Tape()
    with torch.no_grad():
        net = network.decoder(rave, turn, mean, network.Cache if kind == "cache" else tape.memory)
        state, parts = torch.zeros(2, tape.size), []
        for part in torch.split(latents, list(blocks), -1):
            if kind == "tape":
                tape.begin(state)
            parts.append(net(part))
            state = tape.end() if kind == "tape" else state
    torch.testing.assert_close(torch.cat(parts, -1), expected, atol=2e-6, rtol=1e-5)


def test_encoder_and_decoder_share_one_space() -> None:
    """Turning the latents does not change what comes out of both together."""
    rave = SmallRave()
    sound = 0.1 * torch.randn(1, 1, 20 * RATIO)
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        turn, _ = torch.linalg.qr(torch.randn(LATENT_DIM, LATENT_DIM))
        mean = torch.randn(LATENT_DIM)
        parts = (network.encoder(rave, turn, mean, network.Cache), network.decoder(rave, turn, mean, network.Cache))
        made.append(parts[1](parts[0](sound)))
    torch.testing.assert_close(made[0], made[1], atol=2e-6, rtol=1e-4)


def test_axes_are_principal_components(heard: list[np.ndarray]) -> None:
    """What is encoded along them is uncorrelated, centred, and carries less and less."""
    rave = SmallRave()
    components, mean = export.axes(rave, heard, RATIO)
    torch.testing.assert_close(components @ components.T, torch.eye(LATENT_DIM), atol=1e-5, rtol=0.0)
    rows = []
    for sound in heard:
        means = rave.encoder.encoder(rave.pqmf(torch.from_numpy(sound)[None, None])).chunk(2, 1)[0]
        rows.append(components @ (means[0] - mean[:, None]))
    latents = torch.cat(rows, 1)
    covariance = torch.cov(latents)
    torch.testing.assert_close(latents.mean(1), torch.zeros(LATENT_DIM), atol=1e-5, rtol=0.0)
    off = covariance - torch.diag(covariance.diag())
    assert float(off.abs().max()) < 1e-4 * float(covariance.max())
    assert torch.all(covariance.diag().diff() <= 0.0)


def test_exported_files_open_and_agree(exported: Path) -> None:
    """Both files through the decoders that play them, latents chosen at random, blocks of their own."""
    latents = np.random.default_rng(3).normal(size=(2, 9, LATENT_DIM)).astype(np.float32)
    sounds = []
    trust.allow(model.digest(exported / "small.ts"), "small.ts")
    for name in ("decoder.onnx", "small.ts"):
        decoder = open_decoder(exported / name, "cpu")
        stated = (decoder.sample_rate_hz, decoder.ratio, decoder.latent_dim, decoder.channels)
        assert stated == (small_rave.RATE_HZ, RATIO, LATENT_DIM, 1)
        state, parts = decoder.start(2), []
        for part in np.split(latents, [2, 3, 7], axis=1):
            sound, state = decoder.decode(part, state)
            parts.append(sound)
        sounds.append(np.concatenate(parts, 1))
    np.testing.assert_allclose(sounds[0], sounds[1], atol=1e-6)


def test_a_torchscript_file_answers_what_players_ask(exported: Path) -> None:
    module = torch.jit.load(str(exported / "small.ts"))
    assert list(module.get_methods()) == ["encode", "decode", "forward"]
    assert module.decode_params.tolist() == [LATENT_DIM, RATIO, 1, 1]
    assert module.encode_params.tolist() == [1, 1, LATENT_DIM, RATIO]
    sound = 0.1 * torch.randn(1, 1, 4 * RATIO)
    assert module.encode(sound).shape == (1, LATENT_DIM, 4)
    checkpoint.forget(module)
    whole = module(sound)
    checkpoint.forget(module)
    torch.testing.assert_close(whole, module.decode(module.encode(sound)))


def test_a_file_that_differs_ends_the_export(exported: Path, heard: list[np.ndarray]) -> None:
    """The check is given a model with other weights than the files hold."""
    rave = SmallRave()
    export.round_weights(rave)
    components, mean = export.axes(rave, heard, RATIO)
    errors = export.check(rave, components, mean, RATIO, heard[0], exported, "small")
    assert max(errors.values()) <= export.TOLERANCE
    rave.decoder.net[0].weight += 1e-3
    with pytest.raises(SystemExit, match=r"decoder\.onnx in blocks of .* differs from the model"):
        export.check(rave, components, mean, RATIO, heard[0], exported, "small")


def test_what_has_no_streaming_form_is_refused() -> None:
    rave = SmallRave()
    rave.decoder.net.append(torch.nn.BatchNorm1d(8))
    with pytest.raises(ValueError, match="no streaming form of BatchNorm1d"):
        network.decoder(rave, torch.eye(LATENT_DIM), torch.zeros(LATENT_DIM), network.Cache)
    rave.decoder.noise_module = torch.nn.Identity()
    with pytest.raises(ValueError, match="noise module"):
        network.decoder(rave, torch.eye(LATENT_DIM), torch.zeros(LATENT_DIM), network.Cache)


def test_the_same_model_gives_the_same_file(exported: Path, tmp_path: Path) -> None:
    """Byte for byte, and without the folders of the machine it was made on."""
    streamed = [export.Streamed(torch.nn.Identity(), torch.nn.Tanh(), 4, 2, 8_000) for _ in range(2)]
    for number, each in enumerate(streamed):
        (tmp_path / str(number)).mkdir()
        export.write_torchscript(tmp_path / str(number) / "same.ts", each)
    one, two = ((tmp_path / name / "same.ts").read_bytes() for name in "01")
    assert one == two
    with zipfile.ZipFile(exported / "small.ts") as archive:
        stored = b"".join(archive.read(each) for each in archive.namelist())
    assert str(Path(export.__file__).parent).encode() not in stored


@pytest.mark.parametrize("name", [name for name in model.names() if "torchscript" in model.load(name).card])
def test_no_shipped_file_holds_code_of_acids(name: str) -> None:
    """The card says so: a TorchScript archive holds the source of what it runs."""
    shipped = model.load(name)
    with zipfile.ZipFile(shipped.folder / shipped.card["torchscript"]) as archive:
        sources = [archive.read(each).decode() for each in archive.namelist() if each.endswith(".py")]
    assert sources
    for word in ("cached_conv", "nn_tilde", "rave"):
        assert not any(word in source for source in sources)


def test_the_latents_that_are_left_out_stay_at_their_mean(
    exported: Path, heard: list[np.ndarray], tmp_path: Path
) -> None:
    """Kept alone, the first two sound as with the third at 0, and are what the whole encoder hears of them."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = export.export(SmallRave(), RATIO, heard, tmp_path, "few", 2)
    assert told["latent_dim"] == 2
    latents = np.random.default_rng(3).normal(size=(1, 2, 12)).astype(np.float32)
    whole = np.pad(latents, ((0, 0), (0, 1), (0, 0)))
    sounds = (export.play_onnx(tmp_path / "decoder.onnx", latents, (12,), 1),
              export.play_onnx(exported / "decoder.onnx", whole, (12,), 1))  # fmt: skip
    np.testing.assert_allclose(*sounds, atol=1e-6)
    few, all_ = (export.play_onnx(folder / "encoder.onnx", heard[0][None, None], (40,), RATIO)
                 for folder in (tmp_path, exported))  # fmt: skip
    np.testing.assert_allclose(few, all_[:, :2], atol=1e-5)


@pytest.mark.parametrize("rounded", [True, False])
def test_weights_are_stored_in_half_where_that_loses_nothing(rounded: bool, tmp_path: Path) -> None:
    """One convolution: the file's sound is that of the weights in single precision, and its size says how they lie."""
    weight = torch.randn(64, 64, 3, generator=torch.Generator().manual_seed(1))
    weight = weight.half().float() if rounded else weight
    tape, path = network.Tape(), tmp_path / "one.onnx"
    layer = network.Convolution(weight, None, 2, tape.memory, stride=1, dilation=1, groups=1)
    signal = torch.randn(1, 64, 20, generator=torch.Generator().manual_seed(2))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export.write_onnx(path, export.Explicit(layer, tape), signal, ("latents", "sound"), {})
    expected = torch.nn.functional.conv1d(torch.nn.functional.pad(signal, (2, 0)), weight)
    np.testing.assert_allclose(export.play_onnx(path, signal.numpy(), (20,), 1), expected.numpy(), atol=1e-4)
    stored = path.stat().st_size / weight.numel()
    assert 2.0 < stored < 4.0 if rounded else stored > 4.0


def test_rounding_changes_a_weight_by_less_than_half_a_step() -> None:
    rave, before = SmallRave(), SmallRave()
    export.round_weights(rave)
    for ours, given in zip(rave.decoder.parameters(), before.decoder.parameters(), strict=True):
        torch.testing.assert_close(ours, given, rtol=2.0**-11, atol=2.0**-25)
    assert not torch.equal(rave.decoder.net[0].weight, before.decoder.net[0].weight)
    assert torch.equal(rave.pqmf.inverse_conv.weight, before.pqmf.inverse_conv.weight)
