"""A list of titles from a catalogue is all that a model can write under the grammar."""

from __future__ import annotations

import importlib.util
import json

import pytest

from tasks.local_model import Prompt, Sampling, TitleGrammar, TitleTokens, generate
from tests.support.tiny_model import tiny_model

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="the extra [local] is not installed"
)
TITLES = ("Sol", "Solaris", "Solaris 2", 'The "Mummy"', "1917", "Ünder \\ <b>")


@pytest.mark.parametrize("most", [1, 3, 6, 50])
def test_random_weights_write_titles_of_the_catalogue_none_twice(most: int) -> None:
    model = tiny_model()

    def tokens_of(text: str) -> list[int]:
        tokens: list[int] = model.tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens

    titles = TitleTokens(TITLES, tokens_of, model.model.config.vocab_size)
    prompts = [
        Prompt(tokens_of("User: Why?"), Sampling(2.0, 1.0, 500), seed, TitleGrammar(titles, most))
        for seed in range(6)
    ]
    texts = generate(model.model, prompts, end=model.tokenizer.eos_token_id)
    lists = [json.loads(model.text(text.tokens)) for text in texts]
    for listed in lists:
        assert len(listed) == len(set(listed)) == min(most, len(TITLES))
        assert set(listed) <= set(TITLES)
    assert all(text.ended for text in texts) and len({tuple(listed) for listed in lists}) > 1
