"""Several trainings of one kind: seeds, a learning curve, and the mean of their scores."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import polars as pl
import pytest

from flows.cli.finetune import counts
from flows.server.ephemeral import PrivateServer
from tasks.errors import UserError
from tasks.evaluation import reference_results, seed_scores, seeds_text
from tasks.evaluation.finetune import read_record
from tasks.intervals import Interval
from tests.benchmarks.table5 import write_corpus
from tests.evaluation.test_likelihood import benchmark, saved_tiny
from tests.support.command import environment_with, run_redial

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("peft") is None, reason="the extra [finetune] is not installed"
)


def test_the_mean_and_spread_over_seeds() -> None:
    row = reference_results(benchmark(), "popularity")[0]
    scored = {"local/a+x": 0.2, "local/a+y": 0.4, "local/a+z": 0.9, "local/b+x": 0.1, "openai/c": 1}
    rows = [
        replace(
            row,
            model=model,
            setting="fine-tuned",
            contexts="target not named",
            estimates=dict.fromkeys(row.estimates, Interval(value, value, value)),
        )
        for model, value in scored.items()
    ]
    rows += [replace(rows[0], contexts="target named before")]
    learnt = {"local/a+x": 50, "local/a+y": 50, "local/a+z": 100, "local/b+x": 100}
    found = seed_scores(rows, learnt)
    assert [(one.model, one.examples, one.trainings) for one in found] == [
        ("local/a", 50, 2),
        ("local/a", 100, 1),
        ("local/b", 100, 1),
    ]
    assert found[0].means["recall@10"] == fmean([0.2, 0.4])
    assert found[0].deviations["ndcg@10"] == stdev([0.2, 0.4])
    assert found[1].deviations["ndcg@10"] is None
    lines = seeds_text(found).splitlines()
    assert lines[1].split() == (
        "local/a fine-tuned + H. I. 50 2 0.3000 +/- 0.1414 0.3000 +/- 0.1414".split()
    )
    assert "+/-" not in lines[2]
    assert not seeds_text(found[1:2]) and not seeds_text([])


@pytest.mark.parametrize("text", ["a", "0", "5,-1", "1.5", "²"])
def test_a_curve_of_anything_but_numbers_is_refused(text: str) -> None:
    assert counts("50, 100,") == [50, 100] and counts("") == []
    with pytest.raises(UserError, match="such as 50,100,200"):
        counts(text)


@needs_torch
def test_a_learning_curve_with_seeds_from_training_to_table(
    tmp_path: Path, flow_server: PrivateServer
) -> None:
    saved_tiny(tmp_path / "tiny")
    settings = tmp_path / "tiny.yaml"
    settings.write_text("name: tiny\nbase_model: tiny\nprompt: $prompt\nlist_length: 2\nbatch: 2\n")
    corpus = tmp_path / "tastes.jsonl"
    write_corpus(corpus, 16)
    split = (str(corpus), "--profile", "recommend_paper", "--noun", "book")
    curve = ("--curve", "2,4,2", "--seeds", "2", "--max-steps", "1", "--base", f"local/{settings}")
    environment = environment_with(flow_server)
    done = run_redial(tmp_path, "evaluate", "finetune", *split, *curve, environment=environment)
    assert done.returncode == 0, done.stderr
    *models, told = done.stdout.splitlines()
    assert len(set(models)) == 4 and told.startswith("evaluate them: redial evaluate recommend")
    records = [read_record(model.partition("+")[2]) for model in models]
    assert [record.examples for record in records if record] == [2, 2, 4, 4]
    # The smaller part is within the larger, and seeds learn the same.
    taught = [set(record.questions) for record in records if record]
    assert taught[0] == taught[1] < taught[2] == taught[3]
    words = ("--model", ",".join(models), "--rank", "likelihood", "--questions", "2")
    out = ("--out", str(tmp_path / "out"))
    done = run_redial(
        tmp_path, "evaluate", "recommend", *split, *words, *out, environment=environment
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (head,) = (place for place, line in enumerate(lines) if line.startswith("fine-tuned  "))
    rows = [line.split() for line in lines[head + 1 : head + 3]]
    assert [row[7:9] for row in rows] == [["2", "2"], ["4", "2"]]
    scores = pl.read_parquet(tmp_path / "out" / "table5.parquet")
    first = scores.filter(pl.col("model").is_in(models[:2]))["recall@10"].mean()
    assert rows[0][9] == f"{first:.4f}"
    both = run_redial(tmp_path, "evaluate", "finetune", *split, *curve, "--max-examples", "2")
    assert both.returncode == 2 and "give one of them" in both.stderr
