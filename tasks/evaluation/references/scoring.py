"""What every reference recommender boils down to: a score for each item of the catalogue."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tasks.evaluation.samples import Sample

Vector = npt.NDArray[np.float64]
Score = Callable[[Sample], Vector]  # one number an item, in the order of `Knowledge.items`; a new array each time
