"""What may be loaded: only what is on a shipped card or on the user's list, and exactly those bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from installation import model, trust
from installation.errors import ModelError


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "installation" / "trusted"


def written(path: Path, content: bytes = b"a program") -> tuple[Path, str]:
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_a_stranger_is_refused_by_name_digest_and_what_to_do(tmp_path: Path) -> None:
    path, sha256 = written(tmp_path / "stranger.ts")
    with pytest.raises(
        ModelError, match=rf"stranger.ts: not trusted.*{sha256}.*installation models trust .*stranger.ts"
    ):
        trust.read(path)


def test_a_check_refuses_programs_only_and_reads_what_is_there(tmp_path: Path) -> None:
    path, sha256 = written(tmp_path / "stranger.ts")
    with pytest.raises(ModelError, match=sha256):
        trust.check(path)
    trust.check(written(tmp_path / "data.onnx")[0])
    trust.check(tmp_path / "missing.ts")
    trust.allow(sha256, path.name)
    trust.check(path)


def test_what_is_allowed_is_read_until_it_is_forgotten_or_another(tmp_path: Path) -> None:
    path, sha256 = written(tmp_path / "mine.ts")
    trust.allow(sha256, "mine.ts")
    assert trust.read(path) == b"a program"
    path.write_bytes(b"another program")
    with pytest.raises(ModelError, match="not trusted"):
        trust.read(path)
    path.write_bytes(b"a program")
    assert trust.forget("mine.ts") == {sha256: "mine.ts"}
    with pytest.raises(ModelError, match="not trusted"):
        trust.read(path)


def test_the_list_is_lines_of_digest_and_name(config: Path) -> None:
    digests = [hashlib.sha256(bytes([number])).hexdigest() for number in range(3)]
    for number, sha256 in enumerate(digests):
        trust.allow(sha256, f"model {number}\n.ts")
    assert config.read_text() == "".join(f"{sha256}  model {number} .ts\n" for number, sha256 in enumerate(digests))
    assert trust.forget(digests[1][:8]) == {digests[1]: "model 1 .ts"}
    assert list(trust.listed()) == [digests[0], digests[2]]
    assert trust.forget(digests[0][:7]) == {}
    assert [path.name for path in config.parent.iterdir()] == ["trusted"]


@pytest.mark.parametrize("line", ["abc  short.ts", "G" * 64 + "  not-hex.ts", "a" * 64, "a" * 64 + " one-space.ts"])
def test_a_line_that_says_something_else_is_named(config: Path, line: str) -> None:
    config.parent.mkdir(parents=True)
    config.write_text(f"# mine\n\n{line}\n")
    with pytest.raises(ModelError, match=r"trusted:3: a line is a SHA-256"):
        trust.listed()


def test_shipped_files_are_trusted_by_their_cards_and_a_copied_card_is_no_shipped_one(tmp_path: Path) -> None:
    for name in trust.SHIPPED:
        shipped = model.load(name)
        scripts = [file for file in shipped.files if file.endswith(".ts")]
        assert scripts
        for file in scripts:
            assert hashlib.sha256(trust.read(shipped.folder / file)).hexdigest() == shipped.files[file]
    path, sha256 = written(tmp_path / "evil.ts")
    (tmp_path / "card.yaml").write_text(f"name: bronze\nfiles: {{evil.ts: {sha256}}}\n")
    with pytest.raises(ModelError, match="not trusted"):
        trust.read(path)


def test_a_decoder_loads_the_bytes_that_were_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file exchanged after it was read is not what is loaded: nothing is read twice."""
    torch = pytest.importorskip("torch")
    from installation.sound.rave_torch import TorchScriptDecoder
    from tests.small_torchscript import Streaming, save

    path = save(Streaming(torch.full((2, 1, 2), 0.5), 2, 8000, 1), tmp_path / "good.ts")
    read = trust.read

    def read_then_exchanged(path: Path) -> bytes:
        whole = read(path)
        path.write_bytes(b"exchanged")
        return whole

    monkeypatch.setattr(trust, "read", read_then_exchanged)
    assert TorchScriptDecoder(path, "cpu").latent_dim == 1
    with pytest.raises(ModelError, match="not trusted"):
        TorchScriptDecoder(path, "cpu")
