"""The likelihood of texts through a shared prompt is that of each text alone."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from tasks.local_model import LocalModel
from tasks.local_model.likelihood import mean_log_probabilities
from tests.support.tiny_model import tiny_model

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="the extra [local] is not installed"
)
TITLES = ("Solaris", "Solaris 2", "Sol", "1917", "Mystic River", "Mystic Pizza", "300", "It")


@pytest.fixture(scope="module")
def tiny() -> LocalModel:
    return tiny_model()


def alone(model: LocalModel, prompt: list[int], text: list[int], skipped: int) -> float:
    """Return the mean log-probability of a text by one pass over the whole."""
    import torch

    with torch.inference_mode():
        logits = model.model(input_ids=torch.tensor([[*prompt, *text]])).logits[0].double()
    chosen = logits.log_softmax(-1)[len(prompt) - 1 : -1]
    found = [float(row[token]) for row, token in zip(chosen, text, strict=True)]
    return float(np.mean(found[skipped:]))


@pytest.mark.parametrize("nodes", [1, 12, 512])
def test_each_text_has_the_likelihood_that_it_has_alone(tiny: LocalModel, nodes: int) -> None:
    prompt = tiny.tokenizer("User: I liked the story of it. " * 20)["input_ids"]
    assert len(prompt) > 256
    texts = [tiny.tokenizer(f'["{title}"')["input_ids"] for title in TITLES]
    common = 0
    while len({tuple(text[: common + 1]) for text in texts}) == 1:
        common += 1
    found = mean_log_probabilities(tiny.model, prompt, texts, nodes=nodes)
    wanted = [alone(tiny, prompt, text, common) for text in texts]
    assert common > 0 and found.tolist() == pytest.approx(wanted, abs=1e-4)


def test_what_is_no_longer_wanted_ends(tiny: LocalModel) -> None:
    texts = [tiny.tokenizer(title)["input_ids"] for title in TITLES]
    found = mean_log_probabilities(tiny.model, [5], texts, wanted=lambda: False)
    assert np.isnan(found).all()
