"""(being written by the helper «guard»: overwrite this file)"""

from __future__ import annotations

from typing import Any

import numpy as np

GLSL = "vec4 isf_guarded(vec3 wanted) { return vec4(wanted, 1.0); }"


class FlashGuard:
    def __init__(self, context: Any, size: tuple[int, int]) -> None: ...
    def bind(self, shown: Any, on: bool, delta_s: float) -> dict[str, Any]:
        return {}

    def measure(self, seen: Any, on: bool, delta_s: float) -> None: ...
    def thumbnail(self) -> Any:
        return np.zeros((90, 160), np.float32)

    def release(self) -> None: ...
