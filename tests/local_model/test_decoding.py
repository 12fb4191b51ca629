"""A batch gives each prompt what it would get alone, within its schema."""

from __future__ import annotations

import importlib.util
import json

import jsonschema
import numpy as np
import pytest

from tasks.errors import UserError
from tasks.local_model import LocalModel, Prompt, Sampling, generate
from tasks.local_model.decoding import Generated, draw
from tasks.local_model.grammar import SENTENCE_TOKENS, TEXT_TOKENS
from tasks.prompts.answer_schema import answer_schema
from tasks.templates import Turn
from tests.support.tiny_model import tiny_model

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llguidance") is None, reason="the extra [local] is not installed"
)
QUESTIONS = ("I liked", "Why? It is slow, warm and clever.", "{{item:1}}", "Agent: " * 30)
TURNS = (
    Turn("user", ("greeting_likes",), (1,)),
    Turn("agent", ("lead",), (), (1,)),
    Turn("user", ("ask",)),
    Turn("agent", ("recommend_might_like",), (2, 3)),
)
SCHEMA = answer_schema(TURNS, "{{item:$slot}}")


@pytest.fixture(scope="module")
def tiny() -> LocalModel:
    return tiny_model()


def written(
    model: LocalModel, questions: tuple[str, ...], sampling: Sampling, schema: object = None
) -> list[Generated]:
    prompts = [
        Prompt(
            model.tokenizer(question)["input_ids"],
            sampling,
            place,
            model.grammars.of(schema) if isinstance(schema, dict) else None,
        )
        for place, question in enumerate(questions)
    ]
    return generate(model.model, prompts, end=model.tokenizer.eos_token_id)


def test_the_likeliest_tokens_are_those_that_transformers_finds(tiny: LocalModel) -> None:
    import torch

    texts = written(tiny, QUESTIONS, Sampling(max_tokens=40))
    for question, text in zip(QUESTIONS, texts, strict=True):
        given = torch.tensor([tiny.tokenizer(question)["input_ids"]])
        found = tiny.model.generate(
            input_ids=given,
            attention_mask=torch.ones_like(given),
            do_sample=False,
            max_new_tokens=40,
            pad_token_id=1,
            eos_token_id=1,
        )[0, given.shape[1] :].tolist()
        assert text.tokens == [token for token in found if token != 1]
        assert text.ended == (found[-1] == 1)


def test_a_text_does_not_depend_on_the_others_of_its_batch(tiny: LocalModel) -> None:
    sampling = Sampling(0.8, 0.9, 300)
    together = written(tiny, QUESTIONS, sampling, SCHEMA)
    assert together == written(tiny, QUESTIONS, sampling, SCHEMA)
    assert together[:1] == written(tiny, QUESTIONS[:1], sampling, SCHEMA)
    assert len({tuple(text.tokens) for text in together}) == len(QUESTIONS)


def test_even_random_weights_write_what_the_template_asks_for(tiny: LocalModel) -> None:
    texts = written(tiny, QUESTIONS * 6, Sampling(1.5, 1.0, 2000), SCHEMA)
    for text in texts:
        answer = json.loads(tiny.text(text.tokens))
        jsonschema.validate(answer, SCHEMA)
        said = [turn["text"] for turn in answer["turns"]]
        assert [turn["role"] for turn in answer["turns"]] == ["user", "agent", "user", "agent"]
        assert "{{item:1}}" in said[0] and "{{item:" not in said[2]
        assert "{{item:2}}" in said[3] and "{{item:3}}" in said[3]
        assert text.ended and len(text.tokens) < 4 * (TEXT_TOKENS + 150)


def test_a_text_ends_with_its_sentence_or_at_its_length(tiny: LocalModel) -> None:
    quote, letter, dot = (tiny.tokenizer(sign)["input_ids"][0] for sign in ('"', "a", "."))

    def only_closing(*tokens: int) -> bool:
        grammar = tiny.grammars.of({"type": "string"})
        for token in (quote, *tokens):
            grammar.take(token)
        return not (grammar.allowed() & ~tiny.grammars.closing).any()

    assert not only_closing(*[letter] * (SENTENCE_TOKENS - 2), dot)
    assert only_closing(*[letter] * (SENTENCE_TOKENS - 1), dot)
    assert not only_closing(*[letter] * SENTENCE_TOKENS, dot, letter)
    assert not only_closing(*[letter] * (TEXT_TOKENS - 1))
    assert only_closing(*[letter] * TEXT_TOKENS)


def test_a_text_that_is_too_long_comes_to_the_item_that_is_due(tiny: LocalModel) -> None:
    turns = (Turn("agent", ("recommend_might_like",), (1,), (2, 3)),)
    grammar = tiny.grammars.of(answer_schema(turns, "{{item:$slot}}"))
    beginning = '{"turns": [{"role": "agent", "text": "' + "a" * TEXT_TOKENS
    for token in tiny.tokenizer(beginning)["input_ids"]:
        grammar.take(token)
    due = tiny.tokenizer("1")["input_ids"][0]
    written = 0
    while not grammar.complete and written < 200:
        allowed = np.flatnonzero(grammar.allowed())
        others = allowed[allowed != due]
        grammar.take(int((others if len(others) else allowed)[-1]))
        written += 1
    assert grammar.complete


def test_what_was_said_is_less_likely_to_be_said_again(tiny: LocalModel) -> None:
    (plain,) = written(tiny, QUESTIONS[:1], Sampling(0.0, 1.0, 60))
    (varied,) = written(tiny, QUESTIONS[:1], Sampling(0.0, 1.0, 60, repetition=1.5))
    assert len(set(varied.tokens)) > len(set(plain.tokens))


def test_a_text_is_cut_off_at_the_most_tokens(tiny: LocalModel) -> None:
    (text,) = written(tiny, QUESTIONS[:1], Sampling(1.0, 1.0, 9), SCHEMA)
    assert len(text.tokens) == 9 and not text.ended


def test_nobody_waits_so_nothing_is_written(tiny: LocalModel) -> None:
    prompt = Prompt(tiny.tokenizer("Why?")["input_ids"], Sampling(1.0, 1.0, 50))
    (text,) = generate(tiny.model, [prompt], end=1, wanted=lambda: False)
    assert text == Generated([], ended=False)


def test_a_schema_that_is_none_is_a_mistake(tiny: LocalModel) -> None:
    with pytest.raises(UserError, match="makes no grammar"):
        tiny.grammars.of({"type": "object", "properties": {"a": {"type": "nothing"}}})


def test_draws_follow_the_weights() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.2] + [1e-9] * 97, dtype=np.float32))
    random = np.random.Generator(np.random.PCG64(1))
    drawn = [draw(logits, Sampling(1.0, 1.0), random) for _ in range(4000)]
    assert np.bincount(drawn)[:3] / 4000 == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert {draw(logits, Sampling(1.0, 0.6), random) for _ in range(200)} == {0, 1}
    logits[1:] = -np.inf
    assert {draw(logits, Sampling(2.0, 1.0), random) for _ in range(50)} == {0}
