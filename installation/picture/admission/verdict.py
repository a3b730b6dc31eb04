"""What came out when a shader was tried."""

from __future__ import annotations

from dataclasses import dataclass

PASSED = "passed"
UNTRIED = "untried"
"""Nothing is known, for a reason that is not the shader's: no OpenGL for the trial, or no process."""
COMPILES_NOT = "compiles not"
HANGS = "hangs"
CRASHES = "crashes"
NOT_FINITE = "not finite"
CAUSES = (PASSED, UNTRIED, COMPILES_NOT, HANGS, CRASHES, NOT_FINITE)


@dataclass(frozen=True)
class Verdict:
    """`cause` is one of CAUSES. `sentence` says it for a person, `line` is the author's own, from 1, or None; `seconds`
    it took. `moves`: whether TIME or the sound change the picture; a transition counts as one that stands still."""

    cause: str
    sentence: str = ""
    line: int | None = None
    seconds: float = 0.0
    renderer: str = ""
    moves: bool = True

    @property
    def ok(self) -> bool:
        """Whether it may be shown; what could not be tried may, at its own risk."""
        return self.cause in (PASSED, UNTRIED)
