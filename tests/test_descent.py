"""A run begun from a model's weights: the command says all of it, and a refusal reaches the person who asked."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from installation.errors import ModelError
from installation.training import descent, recipe
from installation.training.descent import Descent
from installation.training.recipe import Recipe


def test_the_command_names_model_rate_seed_and_every_setting() -> None:
    made = Recipe(capacity=24, seed=5)
    words = descent.arguments(Descent(Path("models/x"), 2e-4), made, Path("out"))
    assert words[:5] == ["installation.training.inheritance", "models/x", "--out=out", "--rate=0.0002", "--seed=5"]
    assert [each.removeprefix("--override=") for each in words[5:]] == list(made.overrides())
    assert descent.arguments(Descent(Path("x"), what_fits=True), made, Path("out"))[-1] == "--what-fits"


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("models/x: a model of another shape: 9 layers", r"^models/x: a model of another shape: 9 layers$"),
        ("Segmentation fault", r"ended with code 1; its last words are in .*y-inherits\.log$"),
    ],
)
def test_a_refusal_is_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, expected: str) -> None:
    """The training environment's interpreter is a program that says so and ends."""
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nprint('loading')\nsys.exit({says!r})\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(recipe, "python", lambda environment: program)
    with pytest.raises(ModelError) as refused:
        descent.begin(Descent(Path("models/x")), Recipe(), "y", tmp_path / "runs")
    assert re.search(expected, str(refused.value))
