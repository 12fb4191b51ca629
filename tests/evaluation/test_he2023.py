from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tasks.errors import UserError
from tasks.evaluation.he2023 import (
    VARIANTS,
    Nearest,
    Question,
    Variant,
    bounds,
    entity_name,
    generated_names,
    he2023_summaries,
    nearest_entities,
    read_entities,
    read_questions,
    summary,
    summary_rows,
)

MODEL = "gpt-3.5-turbo"


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "he2023_inspired"


def published(folder: Path, variant: Variant) -> pl.DataFrame:
    return pl.read_csv(
        folder
        / f"{MODEL}.filtered_{variant.near_only}_exclude_seen_{variant.drop_mentioned}.summary.csv"
    )


def questions(folder: Path, *, stored: bool) -> list[Question]:
    entities = read_entities(folder / "entity2id.json")
    return read_questions(
        folder / "test.jsonl", folder / f"{MODEL}.extracted.jsonl.gz", entities, stored=stored
    )


def test_all_four_published_summaries(folder: Path) -> None:
    asked = questions(folder, stored=True)
    assert len(asked) == 228 and sum(len(question.targets) for question in asked) == 253
    for variant in VARIANTS:
        theirs = published(folder, variant)
        ours = summary(asked, variant).select(theirs.columns)
        for mine, their in zip(ours.rows(), theirs.rows(), strict=True):
            assert mine[0] == their[0]
            assert mine[1:] == pytest.approx(their[1:], abs=1e-9)


def test_matching_anew_differs_by_tie_order_alone_and_stays_within_its_bounds(folder: Path) -> None:
    stored, rematched = questions(folder, stored=True), questions(folder, stored=False)
    pairs = [
        pair
        for a, b in zip(stored, rematched, strict=True)
        for pair in zip(a.generated, b.generated, strict=True)
    ]
    assert all(
        a.generated == b.generated and a.distance == b.distance and a.name in b.ties
        for a, b in pairs
    )
    assert sum(a.name != b.name for a, b in pairs) > 0
    for variant in VARIANTS:
        theirs = published(folder, variant)
        for (condition, score), bound in bounds(rematched, variant).items():
            mean = theirs.filter(pl.col("condition") == condition)[f"{score}_mean"][0]
            assert bound.low - 1e-9 <= mean <= bound.high + 1e-9
            mine = summary(rematched, variant).filter(pl.col("condition") == condition)[
                f"{score}_mean"
            ][0]
            assert bound.low - 1e-9 <= mine <= bound.high + 1e-9


def test_bounds_by_hand() -> None:
    tied = Nearest("x", 1, "A", ("A", "T"))
    seen = Nearest("y", 1, "S", ("S", "Z"))
    question = Question((seen, tied), ("T",), frozenset({"S"}))
    kept = bounds([question], Variant(near_only=False, drop_mentioned=False))["all", "mrr@5"]
    assert (kept.low, kept.high) == (0.0, 0.5)
    dropped = bounds([question], Variant(near_only=False, drop_mentioned=True))["all", "mrr@5"]
    assert (dropped.low, dropped.high) == (0.0, 1.0)


def test_names_and_addresses() -> None:
    assert entity_name("<http://dbpedia.org/resource/Hoffa_(film)>") == "Hoffa"
    assert (
        entity_name("<http://dbpedia.org/resource/Spider-Man:_Far_from_Home>")
        == "Spider Man: Far from Home"
    )
    assert generated_names("Sure.\n1. Alien (1979)\n2. 12 Angry Men") == ["Alien", "12 Angry Men"]
    assert generated_names("1. 12 Angry Men\n1917\n2. 1917") == ["Angry Men", "", "1917"]
    assert generated_names("Alien, Heat") == ["Alien", "Heat"]


def test_the_nearest_name_ignores_letter_case_and_lists_its_ties() -> None:
    found = nearest_entities(["ALIEN", "heap"], ["Alien", "Heat", "Heal", "Leap"])
    assert (found["ALIEN"].name, found["ALIEN"].distance) == ("Alien", 0)
    assert (found["heap"].name, found["heap"].ties) == ("Heal", ("Heal", "Heat", "Leap"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_entities(tmp_path / "none.json")


def stored_answers(
    folder: Path, answers: dict[int, str], entities: dict[str, int | str], rec: int | str
) -> tuple[Path, Path, Path]:
    """Write three published-style files: three test questions, some answers, entities."""
    test, given, named = (
        folder / "test.jsonl",
        folder / "extracted.jsonl",
        folder / "entity2id.json",
    )
    test.write_text(
        "".join(
            json.dumps({"rec": [rec], "prev_entity": [], "input": "User: one\u2028line"}) + "\n"
            for _ in range(3)
        )
    )
    lines = [
        {"index": n, "resp": {"choices": [{"message": {"content": text}}]}}
        for n, text in answers.items()
    ]
    given.write_text("".join(json.dumps(line) + "\n" for line in lines))
    named.write_text(json.dumps(entities))
    return test, given, named


def test_an_answer_belongs_to_the_question_of_its_index(tmp_path: Path) -> None:
    test, given, named = stored_answers(
        tmp_path,
        {2: " 1. Alien (1979)", 0: "1. 1941"},
        {"1941 (1979)": "tt1", "Alien (1979)": "tt2"},
        "tt2",
    )
    lines = test.read_text().splitlines(keepends=True)
    test.write_text(lines[0].replace("tt2", "tt1") + lines[1] + lines[2])
    asked = read_questions(test, given, read_entities(named), stored=False)
    assert [(one.targets, one.generated[0].name) for one in asked] == [
        (("1941",), "1941"),
        (("Alien",), "Alien"),
    ]
    summaries = he2023_summaries(test, given, named, rematch=True)
    near = {row["condition"]: row for row in summaries["filtered_True_exclude_seen_False"]}
    assert (
        near["all"]["recall@1_mean"] == 0.5
        and near["all"]["recall@1_low"] == near["all"]["recall@1_high"] == 0.5
    )
    assert summary_rows(summaries["filtered_True_exclude_seen_False"])[8]["recall"].startswith(
        "0.5000 ± "
    )


@pytest.mark.parametrize(
    ("answers", "entities", "rec", "words"),
    [
        ({7: "1. A"}, {"A": 1}, 1, "does not belong to"),
        ({}, {"A": 1}, 1, "does not belong to"),
        ({0: "1. A"}, {"A": 1}, 2, "question 0: no `rec`"),
        ({0: "1. A"}, {}, 1, "must map entities"),
    ],
)
def test_files_that_do_not_belong_together(
    tmp_path: Path, answers: dict[int, str], entities: dict[str, int], rec: int, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        he2023_summaries(*stored_answers(tmp_path, answers, entities, rec), rematch=True)  # type: ignore[arg-type]


def test_files_that_are_something_else(tmp_path: Path) -> None:
    test, given, named = stored_answers(tmp_path, {0: "1. A"}, {"A": 1}, 1)
    with pytest.raises(UserError, match="extracted answers: KeyError 'rec_list'"):
        he2023_summaries(test, given, named)
    given.write_text("{broken")
    with pytest.raises(UserError, match="line 1, is not JSON"):
        he2023_summaries(test, given, named)
    given.write_text('["x"]')
    with pytest.raises(UserError, match="not a file of extracted answers"):
        he2023_summaries(test, given, named)
