"""Rankings by likelihood: of every title, or of a reference recommender's best."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.evaluation.client import asking
from tasks.errors import UserError
from tasks.evaluation import results
from tasks.evaluation.finetune import LocalModel, LoraSettings
from tasks.evaluation.finetune.local import load_base
from tasks.evaluation.likelihood import (
    candidate_items,
    constrained_answers,
    likelihood_rankings,
)
from tasks.evaluation.prompts import load_recommend_profile
from tasks.evaluation.recommend import Benchmark, answer_rankings
from tasks.evaluation.references import fit_reference, knowledge
from tasks.evaluation.samples import recommendation_samples
from tasks.evaluation.splits import split_samples
from tasks.local_model import mean_log_probabilities
from tasks.settings import Home
from tests.support.talk import TITLES, Replies, talk_corpus
from tests.support.tiny_model import tiny_model

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="the extra [local] is not installed"
)


def benchmark() -> Benchmark:
    corpus = talk_corpus()
    split = split_samples(recommendation_samples(corpus).samples, "time", shares=(0.5, 0.0, 0.5))
    return Benchmark(corpus, split, split.test, knowledge(corpus, split), "movie", 1)


class ByLength:
    """Ranks texts by length, the longest first."""

    def __init__(self) -> None:
        self.texts: list[list[str]] = []

    async def rank(self, messages: Any, texts: Sequence[str], *, most: int) -> Any:
        self.texts.append(list(texts))
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        return await Replies(lambda _: json.dumps([(place, 0.0) for place in order[:most]]))(())


async def test_what_is_ranked_is_what_a_reference_may_recommend() -> None:
    asked, model = benchmark(), ByLength()
    profile = load_recommend_profile(Home(), "recommend_json")
    rankings = await likelihood_rankings(
        asked, lambda _: model.rank, profile, "zero-shot", history=True
    )
    bob = asked.questions[0]
    known = {*bob.history, *bob.mentioned}
    wanted = sorted(TITLES.keys() - known, key=lambda item: -len(TITLES[item]))
    assert list(rankings[0].items) == wanted and rankings[0].generated == len(wanted)
    assert all(text.startswith('["') and text.endswith('"') for text in model.texts[0])
    best = fit_reference("itemknn", asked.known, seed=1).rank(asked.questions, 2)
    assert candidate_items(asked, 2) == best
    row = results("m", "zero-shot, likelihood", True, asked.questions, rankings)[0]
    assert row.answered == row.questions and row.counts.in_history == 0


def saved_tiny(folder: Path) -> LoraSettings:
    model = tiny_model()
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return LoraSettings(name="tiny", base_model=str(folder), prompt="$prompt")


@needs_torch
async def test_a_local_model_can_be_kept_to_titles_of_the_catalogue(tmp_path: Path) -> None:
    asked, settings = benchmark(), saved_tiny(tmp_path / "tiny")
    profile = load_recommend_profile(Home(), "recommend_json").model_copy(
        update={"recommendations": 3}
    )
    async with asking(Home(data=tmp_path), "run") as client:
        way = client.local(LocalModel(settings))
        texts = await constrained_answers(
            asked, lambda question: way(question).write_list, profile, "zero-shot", history=True
        )
        paper = load_recommend_profile(Home(), "recommend_paper")
        with pytest.raises(UserError, match="--profile recommend_json"):
            await constrained_answers(
                asked, lambda question: way(question).write_list, paper, "zero-shot", history=True
            )
    ranked = answer_rankings(asked, texts, profile, "zero-shot", history=True)
    for ranking, sample in zip(ranked, asked.questions, strict=True):
        assert ranking is not None and len(ranking.items) == 3 and ranking.generated == 3
        assert not set(ranking.items) & {*sample.history, *sample.mentioned}


@needs_torch
@pytest.mark.parametrize(
    ("precision", "able"), [("auto", True), ("auto", False), ("float32", True)]
)
def test_weights_are_bfloat16_where_that_is_wanted_and_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Any, able: bool
) -> None:
    import torch

    monkeypatch.setattr("tasks.local_model.loading.computes_bfloat16", lambda: able)
    settings = saved_tiny(tmp_path / "tiny").model_copy(update={"precision": precision})
    _, model = load_base(settings)
    wanted = torch.bfloat16 if precision == "auto" and able else torch.float32
    assert {weight.dtype for weight in model.parameters()} == {wanted}


@needs_torch
def test_bfloat16_ranks_as_float32_does_but_for_its_last_digits(tmp_path: Path) -> None:
    import torch

    tiny = tiny_model()
    prompt = tiny.tokenizer("User: I liked the story of it. " * 20)["input_ids"]
    texts = [tiny.tokenizer(f'["{title}"')["input_ids"] for title in TITLES.values()]
    exact = mean_log_probabilities(tiny.model, prompt, texts)
    reduced = mean_log_probabilities(tiny.model.to(torch.bfloat16), prompt, texts)
    assert reduced.tolist() == pytest.approx(exact.tolist(), abs=0.1)
    assert max(exact) - min(exact) > 0.5


@needs_torch
async def test_a_local_models_rankings_are_kept(tmp_path: Path) -> None:
    asked, settings = benchmark(), saved_tiny(tmp_path / "tiny")
    profile = load_recommend_profile(Home(), "recommend_paper")
    used, rankings = [], []
    for run in ("first", "second"):
        async with asking(Home(data=tmp_path), run) as client:
            way = client.local(LocalModel(settings))
            found = await likelihood_rankings(
                asked,
                lambda question, way=way: way(question).rank,
                profile,
                "zero-shot",
                history=False,
            )
            rankings.append(found)
            used.append((client.usage.answered, client.usage.stored))
    assert used == [(2, 0), (0, 2)] and rankings[0] == rankings[1]
    for ranking, sample in zip(rankings[0], asked.questions, strict=True):
        assert set(ranking.items) == TITLES.keys() - {*sample.history, *sample.mentioned}
