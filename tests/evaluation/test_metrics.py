from __future__ import annotations

import math
import random

import numpy as np
import pytest

from tasks.evaluation.metrics import chance, difference, rank, scores
from tasks.intervals import bootstrap_mean


def test_hand_computed() -> None:
    ranks = [
        rank(ranking, "t")
        for ranking in (["t", "a"], ["a", "b", "t"], ["a"] * 7 + ["t"], ["a", "b"])
    ]
    assert ranks == [1, 3, 8, None]
    assert scores(ranks, "recall", 5).tolist() == [1, 1, 0, 0]
    assert scores(ranks, "recall", 10).tolist() == [1, 1, 1, 0]
    assert scores(ranks, "ndcg", 5).tolist() == [1, 0.5, 0, 0]
    assert scores(ranks, "ndcg", 10).tolist() == pytest.approx(
        [1, 0.5, math.log(2) / math.log(9), 0]
    )
    assert scores(ranks, "mrr", 10).tolist() == pytest.approx([1, 1 / 3, 1 / 8, 0])
    assert scores([5, 6], "recall", 5).tolist() == [1, 0]


def test_agrees_with_an_independent_library_on_random_rankings() -> None:
    ranx = pytest.importorskip("ranx")
    drawn = random.Random(3)
    items = [f"i{number}" for number in range(80)]
    rankings = {f"q{q}": drawn.sample(items, drawn.randint(1, 60)) for q in range(200)}
    targets = {q: drawn.choice(items) for q in rankings}
    qrels = ranx.Qrels({q: {target: 1} for q, target in targets.items()})
    run = ranx.Run(
        {
            q: {item: 1.0 / (place + 1) for place, item in enumerate(ranking)}
            for q, ranking in rankings.items()
        }
    )
    ranks = [rank(rankings[q], targets[q]) for q in rankings]
    for k in (5, 10, 50):
        theirs = ranx.evaluate(qrels, run, [f"recall@{k}", f"ndcg@{k}", f"mrr@{k}"])
        for metric in ("recall", "ndcg", "mrr"):
            assert scores(ranks, metric, k).mean() == pytest.approx(
                theirs[f"{metric}@{k}"], abs=1e-12
            )  # type: ignore[arg-type]


def test_a_paired_difference_is_sharper_than_two_intervals() -> None:
    drawn = np.random.default_rng(1)
    second = (drawn.random(400) < 0.5).astype(float)
    first = np.maximum(second, (drawn.random(400) < 0.1).astype(float))
    clusters = [f"u{i}" for i in range(400)]
    assert bootstrap_mean(first, clusters).low < bootstrap_mean(second, clusters).high
    assert difference(first, second, clusters).low > 0


def test_chance_by_hand_and_by_drawing() -> None:
    assert chance([4, 1, 0], "recall", 2).tolist() == [0.5, 1.0, 0.0]
    assert chance([4], "mrr", 2).tolist() == [(1 + 1 / 2) / 4]
    drawn = random.Random(1)
    ranks = [drawn.randint(1, 30) for _ in range(20_000)]
    for metric in ("recall", "ndcg", "mrr"):
        assert scores(ranks, metric, 10).mean() == pytest.approx(
            chance([30], metric, 10)[0], abs=0.01
        )  # type: ignore[arg-type]
