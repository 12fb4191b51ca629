"""How many examples the property tests draw: fewer with `make test`, all of them in the nightly run."""

from __future__ import annotations

import os

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
THOROUGH = 100
QUICK_PART = 4
FEWEST = 5


def examples(thorough: int = THOROUGH) -> int:
    """Return how many examples a test draws that draws `thorough` in the nightly run."""
    if PROFILE == "thorough":
        return thorough
    return max(FEWEST, thorough // QUICK_PART)
