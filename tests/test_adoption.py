"""`models add`: what comes out loads, verifies and plays; nothing is overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from installation import model
from installation.errors import ModelError
from installation.model import MODELS
from installation.sound.decoder import open_decoder
from installation.training.adoption import adopt


@pytest.mark.parametrize("file", ["decoder.onnx", "bronze.ts"])
def test_a_file_alone_becomes_a_model_that_plays(tmp_path: Path, file: str) -> None:
    theirs = tmp_path / f"Their {file}"
    shutil.copyfile(MODELS / "bronze" / file, theirs)
    adopt(theirs, "theirs", open_decoder(theirs, "cpu"), tmp_path / "models")
    found, ours = model.load("theirs", tmp_path / "models"), model.load("bronze")
    found.verify()
    assert (found.latent_dim, found.ratio, found.sample_rate_hz) == (ours.latent_dim, ours.ratio, ours.sample_rate_hz)
    assert found.excerpts().shape == (0, ours.latent_dim)
    decoder = open_decoder(found.decoder, "cpu")
    sound, _ = decoder.decode(np.zeros((1, 2, found.latent_dim), np.float32), decoder.start())
    assert sound.shape == (1, 2 * found.ratio, found.channels)


def test_nothing_is_overwritten_and_a_name_is_a_name(tmp_path: Path) -> None:
    file = MODELS / "bronze" / "decoder.onnx"
    decoder = open_decoder(file, "cpu")
    (tmp_path / "taken").mkdir()
    with pytest.raises(ModelError, match="there is one already"):
        adopt(file, "taken", decoder, tmp_path)
    for name in ("", "../up", "a b", "A"):
        with pytest.raises(ModelError, match="is no name"):
            adopt(file, name, decoder, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
