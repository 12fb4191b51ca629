"""`redial compare`: figures that a few independent lines confirm, and every layout side by side."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.errors import UserError
from tasks.exports import compare_corpora, table_1, table_3
from tasks.exports.comparison import comparison_markdown, comparison_text
from tasks.release import write_release
from tasks.settings import Home
from tests.support.hostile_release import published_folder
from tests.support.small_warehouse import small_warehouse

WORD = r"[^\W_]+(?:['’-][^\W_]+)*"


def figures(dialogues: list[list[str]]) -> list[int]:
    """Count dialogues, utterances, distinct tokens and distinct 4-grams the plain way."""
    tokens, grams = set(), set()
    for said in dialogues:
        for utterance in said:
            words = re.findall(WORD, utterance.lower())
            tokens.update(words)
            grams.update(zip(words, words[1:], words[2:], words[3:], strict=False))
    return [len(dialogues), sum(map(len, dialogues)), len(tokens), len(grams)]


def test_redial_and_opendialkg_as_ten_lines_count_them(shared_data: Path) -> None:
    redial, opendialkg = (
        shared_data / "redial" / "test_data.jsonl",
        shared_data / "opendialkg" / "test.csv",
    )
    dialogues, films = [], set()
    for line in map(json.loads, redial.read_text().splitlines()):
        titles = {
            "@" + item: " ".join(title.split())
            for item, title in dict(line["movieMentions"] or {}).items()
            if title
        }
        films.update(titles)
        dialogues.append(
            [
                re.sub(r"@\d+", lambda m, known=titles: known.get(m[0], m[0]), one["text"])
                for one in line["messages"]
            ]
        )
    with opendialkg.open(newline="") as file:
        chats = [
            [m["message"] for m in json.loads(row["Messages"]) if m["type"] == "chat"]
            for row in csv.DictReader(file)
        ]
    asked = CliRunner().invoke(app, ["compare", str(redial), str(opendialkg), "--json"])
    answer = json.loads(asked.stdout)
    columns = ["#Dialogues", "#Utterances", "#Tokens", "#4-Grams"]
    assert [[row[name] for name in columns] for row in answer["table_1"]] == [
        figures(dialogues),
        figures(chats),
    ]
    assert [row["User-Centric"] for row in answer["table_1"]] == ["No", "No"]
    three = {row[""]: row for row in answer["table_3"]}
    assert three["#Items"] == {"": "#Items", "ReDial": len(films), "OpenDialKG": None}
    assert three["Avg. #Utterances per Dialogue"]["ReDial"] == pytest.approx(
        sum(map(len, dialogues)) / len(dialogues)
    )


@pytest.fixture
def corpora(tmp_path: Path) -> list[str]:
    """One corpus of every layout: our release, a published folder, ReDial and so on."""
    write_release(small_warehouse(), Home(data=tmp_path), "demo", run={})
    published_folder(tmp_path / "Movie", users=4)
    message = {"text": "I like @1 a lot", "senderWorkerId": 1}
    line = {
        "movieMentions": {"1": "Heat"},
        "messages": [message],
        "conversationId": "1",
        "initiatorWorkerId": 1,
        "respondentWorkerId": 2,
    }
    (tmp_path / "redial.jsonl").write_text(json.dumps(line) + "\n")
    with (tmp_path / "kg.csv").open("w", newline="") as file:
        said = [{"type": "chat", "sender": "user", "message": "One two three four five"}]
        csv.writer(file).writerows([["Messages"], [json.dumps(said)]])
    (tmp_path / "inspired.tsv").write_text(
        "dialog_id\tutt_id\tspeaker\ttext\tmovies\na\t1\tSEEKER\thi hi\t\n"
    )
    (tmp_path / "own.jsonl").write_text(
        json.dumps({"user_id": "u", "turns": [{"role": "user", "text": "a|b"}]}) + "\n"
    )
    return [
        "demo",
        *(
            str(tmp_path / name)
            for name in ("Movie", "redial.jsonl", "kg.csv", "inspired.tsv", "own.jsonl")
        ),
    ]


def test_every_layout_side_by_side(corpora: list[str], tmp_path: Path) -> None:
    found = compare_corpora(Home(data=tmp_path), corpora)
    rows = [list(row.values()) for row in table_1(found)]
    assert [(row[0], *row[1:3], *row[5:]) for row in rows] == [
        ("demo", 3, 10, "movie", "Yes"),
        ("Movie", 4, 12, None, "Yes"),
        ("ReDial", 1, 1, "movie", "No"),
        ("OpenDialKG", 1, 1, "movie, book", "No"),
        ("INSPIRED", 1, 1, "movie", "No"),
        ("own", 1, 1, None, "Yes"),
    ]
    assert rows[3][3:5] == [5, 2]
    assert rows[4][3:5] == [1, 0]
    three = {row[""]: list(row.values())[1:] for row in table_3(found)}
    assert three["#Users"] == [3, 4, None, None, None, 1]
    assert three["#Items"] == [6, 6, 1, None, None, None]
    assert three["Avg. #Dialogues per User"] == [1.0, 1.0, None, None, None, 1.0]


def test_the_three_ways_to_tell_agree(corpora: list[str], tmp_path: Path) -> None:
    def run(*more: str) -> str:
        done = CliRunner().invoke(app, ["--data", str(tmp_path), "compare", *corpora, *more])
        assert done.exit_code == 0, done.output
        return done.stdout

    one = json.loads(run("--json"))["table_1"]
    told = [line.split() for line in run().split("\n\n")[0].splitlines()[2:]]
    marked = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in run("--markdown").split("\n\n")[0].splitlines()[2:]
    ]
    assert [line[:5] for line in told] == [line[:5] for line in marked]
    assert [line[:5] for line in marked] == [
        [str(value) for value in list(row.values())[:5]] for row in one
    ]


def test_names_are_told_apart_and_cannot_break_a_table(tmp_path: Path) -> None:
    for name in ("a", "b"):
        published_folder(tmp_path / name / "x|y\n<b>", users=3)
    paths = [str(tmp_path / name / "x|y\n<b>") for name in ("a", "b", "b")]
    found = compare_corpora(Home(data=tmp_path), paths)
    assert [one.name for one in found] == ["a/x|y\n<b>", "b/x|y\n<b>", "b/x|y\n<b> (2)"]
    (tmp_path / "train.tsv").write_text("dialog_id\tspeaker\ttext\tmovies\na\tSEEKER\thi\t\n")
    (tmp_path / "dev.tsv").write_text("dialog_id\tspeaker\ttext\tmovies\na\tSEEKER\thi\t\n")
    files = [str(tmp_path / "train.tsv"), str(tmp_path / "dev.tsv")]
    assert [one.name for one in compare_corpora(Home(data=tmp_path), files)] == [
        "INSPIRED (train)",
        "INSPIRED (dev)",
    ]
    assert len(list(table_3(found)[0])) == 4
    for table in (comparison_markdown(table_1(found)), comparison_markdown(table_3(found))):
        assert "<b>" not in table
    assert {
        len(re.findall(r"(?<!\\)\|", line))
        for line in comparison_markdown(table_3(found)).splitlines()
    } == {5}
    assert len(comparison_text(table_3(found)).splitlines()) == 9


def test_mistakes(tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    for corpora, words in (
        ([], "at least one"),
        (["nothing"], "neither a domain"),
        (["demo"], "redial build demo"),
        ([str(tmp_path)], "no folder"),
    ):
        with pytest.raises(UserError, match=words):
            compare_corpora(home, corpora)
