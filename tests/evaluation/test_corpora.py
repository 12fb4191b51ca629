from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.evaluation import Corpus, read_corpus
from tasks.evaluation.samples import recommendation_samples
from tasks.release import write_release
from tasks.settings import Home
from tests.support.small_warehouse import small_warehouse


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return write_release(small_warehouse(), Home(data=tmp_path), "demo", run={}).path


@pytest.fixture
def published(release: Path, tmp_path: Path) -> Path:
    """The four files alone, as others publish them."""
    folder = tmp_path / "published" / "demo"
    folder.mkdir(parents=True)
    for name in ("item_map.json", "user_ids.json", "final_data.jsonl", "Conversation.txt"):
        shutil.copyfile(release / name, folder / name)
    return folder


def named(corpus: Corpus) -> list[list[tuple[str, ...]]]:
    return [[utterance.items for utterance in dialogue.utterances] for dialogue in corpus.dialogues]


def test_our_release(release: Path) -> None:
    corpus = read_corpus(release)
    assert [(d.dialogue_id, d.user_id, d.position, d.targets) for d in corpus.dialogues] == [
        ("0", "ann", 1, ("B5",)),
        ("1", "bob", 1, ("B6",)),
        ("2", "cat", 1, ("B3",)),
    ]
    assert named(corpus)[0] == [("B3",), ("B2",), (), ("B5",), (), ()]
    assert corpus.history["ann"] == ("B1", "B2", "B3")
    assert corpus.interactions[2].rating == 1.0 and corpus.interactions[0].timestamp == 1001
    assert corpus.statistics().users == 3


def test_a_published_folder_has_only_the_four_files(published: Path) -> None:
    text = (published / "item_map.json").read_text().replace('"Elysium"', '"Elysium [VHS]"')
    (published / "item_map.json").write_text(text)
    corpus = read_corpus(published)
    assert named(corpus)[0] == [("B3",), ("B2",), (), ("B5",), (), ()]
    assert {interaction.rating for interaction in corpus.interactions} == {None}


def test_a_number_in_an_utterance_is_no_conversation(published: Path) -> None:
    path = published / "Conversation.txt"
    path.write_text(path.read_text().replace("User: 1917", "User: a film:\n\n1917\n\n0\n\n"))
    dialogues = read_corpus(published).dialogues
    assert dialogues[0].utterances[4].text == "a film: 1917 0"
    assert [len(dialogue.utterances) for dialogue in dialogues] == [6, 2, 2]


def test_redial_layout(tmp_path: Path) -> None:
    line = {
        "movieMentions": {"11": "Solaris  (1972)", "12": None},
        "messages": [
            {"text": "Like @11 or @99?", "senderWorkerId": 5},
            {"text": "@12", "senderWorkerId": 6},
        ],
        "conversationId": "7",
        "initiatorWorkerId": 5,
        "respondentWorkerId": 6,
    }
    path = tmp_path / "redial.jsonl"
    path.write_text(json.dumps(line) + "\n" + json.dumps({**line, "movieMentions": []}) + "\n")
    first, second = read_corpus(path).dialogues
    assert [(u.role, u.text, u.items) for u in first.utterances] == [
        ("user", "Like Solaris (1972) or @99?", ("11",)),
        ("agent", "@12", ()),
    ]
    assert first.dialogue_id == "7" and second.dialogue_id == "7"


def test_inspired_layout(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    rows = [
        ("dialog_id", "utt_id", "speaker", "text", "movies"),
        (
            "a.pkl",
            "1",
            "SEEKER",
            'I saw QUOTATION_MARKHustlersQUOTATION_MARK "twice',
            "Hustlers (2019)",
        ),
        ("a.pkl", "2", "RECOMMENDER", "Try these", "Deadpool (2016); 1917 (2019)"),
        ("b.pkl", "1", "SEEKER", "Hi", ""),
    ]
    path.write_text("\n".join("\t".join(row) for row in rows))
    corpus = read_corpus(path)
    assert [len(dialogue.utterances) for dialogue in corpus.dialogues] == [2, 1]
    assert corpus.dialogues[0].utterances[0].text == 'I saw "Hustlers" "twice'
    assert corpus.dialogues[0].utterances[1].items == ("Deadpool (2016)", "1917 (2019)")
    assert list(corpus.titles) == ["Hustlers (2019)", "Deadpool (2016)", "1917 (2019)"]


def test_plain_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    lines = [
        {
            "user_id": 3,
            "history": ["a"],
            "targets": ["b"],
            "titles": {"b": "Bee"},
            "turns": [{"role": "Assistant", "content": "Bee?"}],
        },
        {"dialogue_id": "x", "messages": [{"role": "human", "text": "no", "items": ["c"]}]},
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    corpus = read_corpus(path)
    assert corpus.titles == {"a": "a", "b": "Bee", "c": "c"} and corpus.history == {"3": ("a",)}
    assert [(d.dialogue_id, d.utterances[0].role) for d in corpus.dialogues] == [
        ("0", "agent"),
        ("x", "user"),
    ]


def test_plain_lines_of_other_hands(tmp_path: Path) -> None:
    """Read numeric ids, single ids, other key names, chat prompts, tokens, CRLF and Chinese."""
    path = tmp_path / "odd.jsonl"
    talk = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": ["see", "Heat"]}]
    prompted = [
        {"role": "system", "content": "You are helpful"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "X"},
    ]
    lines = [
        {
            "dialogue_id": 1,
            "user_id": 7,
            "history": 4,
            "targets": "Heat",
            "conversations": talk,
            "position": None,
            "titles": {"4": None},
        },
        {"dialogue_id": None, "messages": prompted, "targets": [42], "titles": {"42": "X film"}},
        {
            "utterances": [
                {"speaker": "user", "text": "我喜欢活着"},
                {"speaker": "bot", "text": "推荐霸王别姬吧"},
            ],
            "targets": ["霸王别姬"],
        },
        {"turns": [{"role": "user", "text": "a"}, {"role": "System", "text": "b", "items": None}]},
    ]
    path.write_bytes(
        "\r\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode("utf-8-sig")
    )
    corpus = read_corpus(path)
    assert [[(u.role, u.text, u.items) for u in d.utterances] for d in corpus.dialogues] == [
        [("user", "hi", ()), ("agent", "see Heat", ("Heat",))],
        [("user", "hi", ()), ("agent", "X", ())],
        [("user", "我喜欢活着", ()), ("agent", "推荐霸王别姬吧", ("霸王别姬",))],
        [("user", "a", ()), ("agent", "b", ())],
    ]
    assert [(d.dialogue_id, d.user_id, d.position) for d in corpus.dialogues] == [
        ("1", "7", 1),
        ("1", None, 1),
        ("2", None, 1),
        ("3", None, 1),
    ]
    assert (
        corpus.history == {"7": ("4",)}
        and corpus.titles["42"] == "X film"
        and corpus.titles["4"] == "4"
    )
    (tmp_path / "odd.json").write_text(json.dumps(lines, indent=1))
    assert read_corpus(tmp_path / "odd.json").dialogues == corpus.dialogues


def test_redial_of_other_hands(tmp_path: Path) -> None:
    """Read worker ids as numbers and text, empty messages, hub mentions and a JSON list."""
    line = {
        "movieMentions": [
            {"movieId": "11", "movieName": "Solaris (1972)"},
            {"movieId": 12, "movieName": None},
        ],
        "messages": [
            {"text": "@11 or @12", "senderWorkerId": "5"},
            {"text": None, "senderWorkerId": 6},
        ],
        "conversationId": 7,
        "initiatorWorkerId": 5,
    }
    (tmp_path / "redial.json").write_text(json.dumps([line, line], indent=2))
    corpus = read_corpus(tmp_path / "redial.json")
    assert corpus.titles == {"11": "Solaris (1972)"} and len(corpus.dialogues) == 2
    assert [(u.role, u.text, u.items) for u in corpus.dialogues[1].utterances] == [
        ("user", "Solaris (1972) or @12", ("11",)),
        ("agent", "", ()),
    ]


def test_inspired_rows_out_of_order(tmp_path: Path) -> None:
    rows = [
        "dialog_id\tspeaker\ttext\tmovies",
        "a\tSEEKER\thi\t",
        "b\tSEEKER\tyo\t",
        "a\tRECOMMENDER\tHeat\tHeat (1995)",
    ]
    (tmp_path / "train.tsv").write_bytes("\r\n".join(rows).encode())
    dialogues = read_corpus(tmp_path / "train.tsv").dialogues
    assert [(d.dialogue_id, [u.text for u in d.utterances]) for d in dialogues] == [
        ("a", ["hi", "Heat"]),
        ("b", ["yo"]),
    ]


def test_a_published_folder_of_other_hands(tmp_path: Path) -> None:
    """Read numeric and single item ids, conversations in one object, other speaker names."""
    one = {"conversation_id": "0", "user_likes": None, "rec_item": 2}
    other = {"conversation_id": 1, "user_likes": [1], "user_dislikes": [], "rec_item": ["B10"]}
    user = {
        "7": {
            "history_interaction": [1],
            "user_might_like": [2, "B10"],
            "Conversation": {"conversation_1": one, "conversation_2": other},
        }
    }
    files = {
        "item_map.json": json.dumps({"1": "Heat", "2": "Alien", "3": None, "B10": 1917}),
        "user_ids.json": json.dumps({"7": 0}),
        "final_data.jsonl": json.dumps(user) + "\n",
        "Conversation.txt": (
            "0\n\nuser : I like Heat\n\nAGENT: Try Alien\n\n1\n\nUser: Heat\n\nAgent： See 1917\n\n"
        ),
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    corpus = read_corpus(tmp_path)
    assert corpus.titles == {"1": "Heat", "2": "Alien", "B10": "1917"} and corpus.history == {
        "7": ("1",)
    }
    assert [(d.targets, [u.text for u in d.utterances]) for d in corpus.dialogues] == [
        (("2",), ["I like Heat", "Try Alien"]),
        (("B10",), ["Heat", "See 1917"]),
    ]
    assert [sample.title for sample in recommendation_samples(corpus).samples] == ["Alien", "1917"]
    del user["7"]["user_might_like"]
    (tmp_path / "final_data.jsonl").write_text(json.dumps(user))
    with pytest.raises(
        UserError,
        match="line 1, is not a user as the LLM-REDIAL layout has it: no 'user_might_like'",
    ):
        read_corpus(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "[1]", "line 1, is not a JSON object"),
        ("a.jsonl", '{"a": 1}\n{broken', "line 1, is not a dialogue"),
        ("a.jsonl", '{"turns": []}\n{broken', "line 2, is not a JSON object"),
        ("a.jsonl", "[" * 5000, "line 1, is not a JSON object"),
        ("a.jsonl", "", "holds no dialogue"),
        ("a.jsonl", '{"utterances": ["hi", "hello"]}', "an utterance must be an object such as"),
        (
            "a.json",
            '[{"turns": []}, {"turns": [{"text": "hi"}]}]',
            "entry 2, .* an utterance has no `role`",
        ),
        ("a.json", '[{"turns": []}, 3]', "entry 2, is not a JSON object"),
        ("a.jsonl", '{"turns": [{"role": "user"}]}', "line 1, is not a dialogue"),
        (
            "a.jsonl",
            '{"movieMentions": {}, "messages": 3, "initiatorWorkerId": 1}',
            "line 1, is not a dialogue",
        ),
        ("a.jsonl.gz", "no gzip", "cannot be read"),
        ("a.csv", "Other\n1", "CSV file as OpenDialKG"),
        ("a.csv", "Messages\n[]\nnot json", "`Messages` of dialogue 2"),
        ("a.tsv", "x\ty\n1\t2", "TSV file as INSPIRED"),
    ],
)
def test_a_file_that_is_no_corpus_is_refused(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        read_corpus(tmp_path / name)


def test_nothing_there_and_no_layout(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no corpus"):
        read_corpus(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no folder in the LLM-REDIAL layout"):
        read_corpus(tmp_path)


def test_redial_counted_independently(shared_data: Path) -> None:
    counted = read_corpus(shared_data / "redial" / "test_data.jsonl").statistics()
    lines = [
        json.loads(line)
        for line in (shared_data / "redial" / "test_data.jsonl").read_text().splitlines()
    ]
    words, grams = set(), set()
    for line in lines:
        titles = {
            item: " ".join(title.split())
            for item, title in (line["movieMentions"] or {}).items()
            if title
        }
        for message in line["messages"]:
            text = re.sub(
                r"@(\d+)",
                lambda found, known=titles: known.get(found[1], found[0]),
                message["text"],
            )
            tokens = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())
            words.update(tokens)
            grams.update(tuple(tokens[i : i + 4]) for i in range(len(tokens) - 3))
    assert (
        (counted.dialogues, counted.utterances)
        == (1342, 23952)
        == (len(lines), sum(len(line["messages"]) for line in lines))
    )
    assert (counted.tokens, counted.four_grams) == (len(words), len(grams))


def test_opendialkg_counted_independently(shared_data: Path) -> None:
    counted = read_corpus(shared_data / "opendialkg" / "test.csv").statistics()
    with (shared_data / "opendialkg" / "test.csv").open(newline="") as file:
        rows = [
            [m["message"] for m in json.loads(row["Messages"]) if m["type"] == "chat"]
            for row in csv.DictReader(file)
        ]
    assert (counted.dialogues, counted.utterances) == (2071, sum(map(len, rows)))
    assert counted.tokens == len(
        {
            token
            for said in rows
            for text in said
            for token in re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())
        }
    )


def test_published_files_have_their_ways(published: Path, tmp_path: Path) -> None:
    """Read HTML in titles, a target in the history, byte order marks, gzip, no messages."""
    final = (
        (published / "final_data.jsonl")
        .read_text()
        .replace('"history_interaction": ["B1"', '"history_interaction": ["B5", "B1"')
    )
    (published / "final_data.jsonl").write_text(final)
    (published / "item_map.json").write_text(
        (published / "item_map.json").read_text().replace('"Elysium"', '"Elysium &amp; Co"')
    )
    corpus = read_corpus(published)
    assert "Elysium & Co" in corpus.titles.values()
    assert corpus.history["ann"][:2] == ("B5", "B1") and all(
        s.target not in s.history for s in recommendation_samples(corpus).samples
    )
    with pytest.raises(UserError, match=rf"it holds {published.name}: name one of them"):
        read_corpus(published.parent)
    line = {
        "movieMentions": [],
        "messages": [],
        "conversationId": "7",
        "initiatorWorkerId": 5,
        "respondentQuestions": [],
    }
    with gzip.open(tmp_path / "train.jsonl.gz", "wt", encoding="utf-8-sig") as file:
        file.write(json.dumps(line) + "\n")
    assert read_corpus(tmp_path / "train.jsonl.gz").dialogues[0].utterances == ()
    (tmp_path / "full.csv").write_text('Messages,User Rating,Assistant Rating\n"[]",4,5\n,,\n')
    assert [dialogue.utterances for dialogue in read_corpus(tmp_path / "full.csv").dialogues] == [
        (),
        (),
    ]


def test_a_users_dialogues_count_in_file_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    said = [{"role": "agent", "content": None}]
    path.write_text(
        "".join(
            json.dumps({"user_id": user, "turns": said}) + "\n"
            for user in ("a", "b", "a", None, None)
        )
    )
    assert [(d.user_id, d.position) for d in read_corpus(path).dialogues] == [
        ("a", 1),
        ("b", 1),
        ("a", 2),
        (None, 1),
        (None, 1),
    ]
