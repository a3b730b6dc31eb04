"""Which TorchScript files may be loaded: a `.ts` is a program, and loading it runs it.

Trusted is a file whose SHA-256 is on the card of a model shipped with this package, or in the user's own list: one
`sha256  name` a line, in $XDG_CONFIG_HOME/installation/trusted (XDG Base Directory specification; default ~/.config).
What is checked are the very bytes that are loaded. ONNX files hold operations and numbers only and need no trust.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from installation import model
from installation.errors import ModelError

SHIPPED = ("bronze", "wire")
"""The models that come with the package and have a TorchScript file. Any other folder in models/ is somebody's."""
SCRIPT = ".ts"
LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>\S.*)")


def list_file() -> Path:
    """Where the user's own list lies, whether or not there is one."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "installation" / "trusted"


def listed() -> dict[str, str]:
    """SHA-256 → name of the user's own list; ModelError at a line that says anything else."""
    path = list_file()
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: the list of trusted files can't be read: {error}") from error
    found = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            if (match := LINE.fullmatch(line)) is None:
                raise ModelError(
                    f"{path}:{number}: a line is a SHA-256 (64 of 0-9a-f), two spaces, a name; got {line!r}"
                )
            found[match["sha256"]] = match["name"]
    return found


def shipped() -> dict[str, str]:
    """SHA-256 → name of the TorchScript files that the cards of SHIPPED models speak of."""
    cards = {name: model.load(name) for name in SHIPPED if (model.MODELS / name / model.CARD).is_file()}
    return {
        sha256: f"{name}/{file}"
        for name, card in cards.items()
        for file, sha256 in card.files.items()
        if file.endswith(".ts")
    }


def trusted() -> dict[str, str]:
    """SHA-256 → name of every file that may be loaded."""
    return shipped() | listed()


def read(path: Path) -> bytes:
    """All of the file in `path`, if it is trusted; ModelError with its SHA-256, and how to trust it, if not."""
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: can't be read: {error}") from error
    require(path, hashlib.sha256(whole).hexdigest())
    return whole


def check(path: Path) -> None:
    """ModelError if `path` is a TorchScript file that is not trusted; loads nothing."""
    if path.suffix == SCRIPT and path.is_file():
        require(path, model.digest(path))


def require(path: Path, sha256: str) -> None:
    """Refuse the file `path` of that SHA-256 unless it is trusted; loads nothing."""
    if sha256 not in trusted():
        raise ModelError(
            f"{path}: not trusted, so not loaded: a .ts is a program, and loading it runs it. Its SHA-256 is {sha256}. "
            f"If you know where it comes from: installation models trust {path}"
        )


def allow(sha256: str, name: str) -> None:
    """Put a file's SHA-256 on the user's list under `name`, which is for people to read."""
    _write(listed() | {sha256: " ".join(name.split()) or "unnamed"})


def forget(word: str) -> dict[str, str]:
    """Take off the user's list what is called `word`, or whose SHA-256 begins so (8 digits or more); what that was."""
    before = listed()
    gone = {sha: name for sha, name in before.items() if name == word or (len(word) >= 8 and sha.startswith(word))}
    if gone:
        _write({sha: name for sha, name in before.items() if sha not in gone})
    return gone


def _write(names: dict[str, str]) -> None:
    """The whole list at once: whoever reads it meanwhile reads the one before or this one."""
    path = list_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".trusted-", delete=False) as file:
        file.writelines(f"{sha256}  {name}\n" for sha256, name in names.items())
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
