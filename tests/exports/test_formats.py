"""Each export opened by its own tool or its reader's steps: same dialogues, same items."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml

from tasks.evaluation import Corpus, read_corpus
from tasks.evaluation.samples import recommendation_samples
from tasks.exports import Source, export_release
from tasks.exports.crslab import tokens
from tasks.exports.recbole import MISSING, token
from tasks.release import Release
from tests.support.hostile_release import published_folder

Said = dict[str, tuple[str, tuple[str, ...], list[tuple[str, str, tuple[str, ...]]]]]


def told(corpus: Corpus) -> Said:
    """Return what must come back: each dialogue's user, targets and utterances with their items."""
    return {
        d.dialogue_id: (
            str(d.user_id),
            d.targets,
            [(u.role, u.text, u.items) for u in d.utterances],
        )
        for d in corpus.dialogues
    }


def lines(path: Path) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_llm_redial(source: Source, tmp_path: Path) -> None:
    out = export_release(source, "llm-redial", tmp_path / "out").path
    first, second = Release.load(source.folder), Release.load(out)
    assert (first.titles, first.user_numbers, first.users) == (
        second.titles,
        second.user_numbers,
        second.users,
    )
    for name in ("item_map.json", "user_ids.json", "final_data.jsonl", "Conversation.txt"):
        assert (out / name).read_bytes() == (source.folder / name).read_bytes()


def test_parquet(source: Source, tmp_path: Path) -> None:
    out = export_release(source, "parquet", tmp_path / "out").path
    dialogues = pd.read_parquet(out / "dialogues.parquet").set_index("conversation_id")
    found: Said = {}
    for number, rows in pd.read_parquet(out / "utterances.parquet").groupby("conversation_id"):
        said = [
            (row.role, row.text, tuple(row.item_ids))
            for row in rows.sort_values("turn").itertuples()
        ]
        found[str(number)] = (dialogues.user_id[number], (dialogues.target_item_id[number],), said)
    assert found == told(source.corpus)
    items = pq.read_table(out / "items.parquet").to_pydict()
    assert dict(zip(items["item_id"], items["title"], strict=True)) == source.corpus.titles


def test_huggingface(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    from huggingface_hub import DatasetCard

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    out = export_release(source, "huggingface", tmp_path / "out").path
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train", "validation", "test"]
    found: Said = {}
    for split, hub in (("train", "train"), ("valid", "validation"), ("test", "test")):
        for row in loaded[hub]:
            said = [(u["role"], u["text"], tuple(u["items"])) for u in row["utterances"]]
            found[row["dialogue_id"]] = (row["user_id"], tuple(row["targets"]), said)
            assert tuple(row["history"]) == source.corpus.history[row["user_id"]]
            assert source.split_of[row["user_id"]] == split
    assert found == told(source.corpus)
    items = datasets.load_dataset(
        str(out), "items", split="train", cache_dir=str(tmp_path / "cache")
    )
    assert dict(zip(items["item_id"], items["title"], strict=True)) == source.corpus.titles
    made = datasets.load_dataset(
        str(out), "interactions", split="train", cache_dir=str(tmp_path / "cache")
    )
    held_out = {
        (row["user_id"], item): hub
        for hub in ("validation", "test")
        for row in loaded[hub]
        for item in row["targets"]
    }
    assert {(r["user_id"], r["item_id"]): r["split"] for r in made if r["split"] != "train"} == {
        pair: hub
        for pair, hub in held_out.items()
        if pair in {(m.user_id, m.item_id) for m in source.corpus.interactions}
    }
    assert [(r["user_id"], r["item_id"], r["rating"], r["timestamp"]) for r in made] == [
        (m.user_id, m.item_id, m.rating, m.timestamp) for m in source.corpus.interactions
    ]
    card = DatasetCard.load(out / "README.md")
    assert (card.data.license, card.data.language) == ("other", None)
    assert [entry["config_name"] for entry in card.data.to_dict()["configs"]] == [
        "dialogues",
        "items",
        "interactions",
    ]
    assert (
        yaml.safe_load((out / "README.md").read_text().split("---\n")[1])["pretty_name"]
        == source.name
    )


def test_huggingface_never_answers_with_another_exports_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders of one name and one cache: what `datasets` would take for the same dataset."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    users = {}
    for number in (3, 5):
        folder = published_folder(tmp_path / str(number) / "Movie", users=number)
        out = export_release(
            Source("Movie", folder), "huggingface", tmp_path / f"out-{number}" / "huggingface"
        ).path
        loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
        users[number] = sum(split.num_rows for split in loaded.values())
    assert users == {3: 3, 5: 5}


def test_chat(source: Source, tmp_path: Path) -> None:
    out = export_release(source, "chat", tmp_path / "out").path
    wanted = told(source.corpus)
    by_line = {
        split: (out / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
        for split in ("train", "valid", "test")
    }
    seen = set()
    for entry in lines(out / "index.jsonl"):
        row = json.loads(by_line[entry["split"]][entry["line"] - 1])
        assert list(row) == ["messages"]
        messages = row["messages"]
        assert [m["role"] for m in messages][:: len(messages) - 1] == ["system", "assistant"]
        assert all(
            first["role"] != second["role"]
            for first, second in zip(messages, messages[1:], strict=False)
        )
        spoken = [
            ("agent" if m["role"] == "assistant" else "user", m["content"]) for m in messages[1:]
        ]
        spoken += [("user", entry["closing"])] if entry["closing"] else []
        user, targets, said = wanted[entry["dialogue_id"]]
        assert (entry["user_id"], tuple(entry["targets"])) == (user, targets)
        assert spoken == [(role, text) for role, text, _ in said]
        assert entry["split"] == source.split_of[user]
        seen.add(entry["dialogue_id"])
    assert seen == set(wanted)
    assert sum(map(len, by_line.values())) == len(wanted)


def test_chat_shows_the_history_and_never_the_target(source: Source, tmp_path: Path) -> None:
    out = export_release(source, "chat", tmp_path / "out").path
    split = {
        entry["user_id"]: (entry["split"], entry["line"]) for entry in lines(out / "index.jsonl")
    }
    for dialogue in source.corpus.dialogues:
        side, line = split[str(dialogue.user_id)]
        system = lines(out / f"{side}.jsonl")[line - 1]["messages"][0]["content"]
        known = [
            " ".join(source.title(item).split())
            for item in source.corpus.history[str(dialogue.user_id)]
        ]
        bullets = [bullet.split(" (rated ")[0] for bullet in system.split("\n- ")[1:]]
        assert sorted(bullets) == sorted(known)


def test_chat_holds_no_empty_message_and_roles_in_turn(tmp_path: Path) -> None:
    folder = published_folder(tmp_path / "Movie", users=3)
    text = (
        (folder / "Conversation.txt")
        .read_text()
        .replace("Agent: Then try None next.", "Agent:\n\nUser: And?\n\nAgent: None.", 1)
    )
    (folder / "Conversation.txt").write_text(text)
    out = export_release(Source("Movie", folder), "chat", tmp_path / "out").path
    messages = [
        row["messages"]
        for split in ("train", "valid", "test")
        for row in lines(out / f"{split}.jsonl")
    ]
    assert all(
        [message["role"] for message in told] == ["system", "user", "assistant"]
        for told in messages
    )
    assert len(messages) == 3
    assert ["I liked Solaris.\nAnd?", "None."] in [
        [message["content"] for message in told[1:]] for told in messages
    ]
    assert all(message["content"].strip() for told in messages for message in told)


def test_json_lines_open_in_polars_duckdb_and_datasets(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    for kind, key in (("chat", "messages"), ("contexts", "context")):
        out = export_release(source, kind, tmp_path / kind).path
        for split in ("train", "valid", "test"):
            path = out / f"{split}.jsonl"
            wanted = [len(row[key]) for row in lines(path)]
            loaded = datasets.load_dataset(
                "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
            )
            assert (
                [len(row) for row in loaded[key]]
                == pl.read_ndjson(path)[key].list.len().to_list()
                == wanted
            )
            assert wanted
            assert duckdb.sql(f"SELECT len({key}) FROM read_json('{path}')").fetchall() == [
                (length,) for length in wanted
            ]


def test_the_published_datasets_own_scripts_read_the_four_files(
    source: Source, tmp_path: Path
) -> None:
    """As people read them who know the published files only: line by line, split at empty lines."""
    out = export_release(source, "llm-redial", tmp_path / "out").path
    said: dict[str, list[str]] = {}
    for block in (out / "Conversation.txt").read_text(encoding="utf-8").strip().split("\n\n"):
        if block.isdigit():
            said[block] = []
        else:
            said[list(said)[-1]].append(block)
    found: Said = {}
    for line in (out / "final_data.jsonl").open(encoding="utf-8"):
        for user, value in json.loads(line).items():
            for number, conversation in enumerate(value["Conversation"], 1):
                entry = conversation[f"conversation_{number}"]
                name, items = str(entry["conversation_id"]), tuple(entry["rec_item"])
                assert items == (value["user_might_like"][number - 1],)
                pairs = [block.split(": ", 1) for block in said[name]]
                turns = [({"User": "user", "Agent": "agent"}[role], text) for role, text in pairs]
                found[name] = (user, items, turns)  # type: ignore[assignment]
    wanted = {
        key: (user, targets, [(role, text) for role, text, _ in turns])
        for key, (user, targets, turns) in told(source.corpus).items()
    }
    assert found == wanted


def test_crslab(source: Source, tmp_path: Path) -> None:
    """Follow CRSLab's ReDialDataset (crslab/data/dataset/redial/redial.py) field by field."""
    out = export_release(source, "crslab", tmp_path / "out").path
    entity2id = json.loads((out / "entity2id.json").read_text(encoding="utf-8"))
    id2entity = {number: entity for entity, number in entity2id.items()}
    assert len(id2entity) == len(entity2id)
    assert min(id2entity) == 1
    assert max(id2entity) == len(entity2id)
    assert json.loads((out / "movie_ids.json").read_text()) == list(entity2id.values())
    assert json.loads((out / "dbpedia_subkg.json").read_text()) == {}
    assert max(json.loads((out / "concept2id.json").read_text()).values()) + 1 == 1
    assert [line for line in (out / "conceptnet_subkg.txt").open(encoding="utf-8")] == []
    found: Said = {}
    for split in ("train", "valid", "test"):
        for conversation in json.loads((out / f"{split}_data.json").read_text(encoding="utf-8")):
            said = []
            for utterance in conversation["dialog"]:
                assert isinstance(utterance["text"], str)
                assert utterance["entity"] == utterance["word"] == []
                movies = [entity2id[movie] for movie in utterance["movies"]]
                role = {"Seeker": "user", "Recommender": "agent"}[utterance["role"]]
                said.append((role, utterance["text"], tuple(id2entity[movie] for movie in movies)))
            found[conversation["conv_id"]] = (
                conversation["user_id"],
                tuple(conversation["targets"]),
                said,
            )
    assert found == told(source.corpus)
    assert (
        json.loads((out / "item_titles.json").read_text(encoding="utf-8")) == source.corpus.titles
    )
    # without this marker CRSLab would delete the folder and download ReDial in its place
    assert [(out / place / ".built").read_text().split("\n")[1] for place in ("", "nltk")] == [
        "1.0",
        "0.31",
    ]


def test_crslab_as_its_package_wants_it(source: Source, tmp_path: Path) -> None:
    """CRSLab 0.1.2 wants utterances as tokens and a vocabulary; all else is as above."""
    out = export_release(source, "crslab", tmp_path / "out").path
    numbers = json.loads((out / "nltk" / "token2id.json").read_text(encoding="utf-8"))
    assert list(numbers)[:4] == ["__pad__", "__start__", "__end__", "__unk__"]
    assert list(numbers)[-1] == "_split_"
    assert sorted(numbers.values()) == list(range(len(numbers)))
    for split in ("train", "valid", "test"):
        plain, cut = (
            json.loads((place / f"{split}_data.json").read_text(encoding="utf-8"))
            for place in (out, out / "nltk")
        )
        for one, other in zip(plain, cut, strict=True):
            assert [{**said, "text": tokens(said["text"])} for said in one["dialog"]] == other[
                "dialog"
            ]
            assert split != "train" or all(
                token in numbers for said in other["dialog"] for token in said["text"]
            )
    assert (out / "nltk" / "entity2id.json").read_bytes() == (out / "entity2id.json").read_bytes()


def test_tokens_are_words_and_marks() -> None:
    assert tokens("I don't like 1917 (2019), really!") == [
        "I",
        "don't",
        "like",
        "1917",
        "(",
        "2019",
        ")",
        ",",
        "really",
        "!",
    ]


def atomic(path: Path) -> pd.DataFrame:
    """Read an atomic file as RecBole's `Dataset._load_feat` does, types from the header."""
    with path.open(encoding="utf-8") as file:
        head = file.readline()[:-1].split("\t")
    dtype = {column: np.float64 if column.endswith(":float") else str for column in head}
    frame = pd.read_csv(
        path, delimiter="\t", usecols=head, dtype=dtype, encoding="utf-8", engine="python"
    )
    assert not frame.isna().any().any()
    return frame.rename(columns=lambda column: column.split(":")[0])


def test_recbole(source: Source, tmp_path: Path) -> None:
    out = export_release(source, "recbole", tmp_path / "out").path / source.file_name
    corpus = source.corpus
    made = atomic(out / f"{source.file_name}.inter")
    assert [(unquote(u), unquote(i)) for u, i in zip(made.user_id, made.item_id, strict=True)] == [
        (m.user_id, m.item_id) for m in corpus.interactions
    ]
    if corpus.interactions[0].rating is not None:
        assert list(zip(made.rating, made.timestamp, strict=True)) == [
            (m.rating, m.timestamp) for m in corpus.interactions
        ]
    items = atomic(out / f"{source.file_name}.item")
    assert {
        unquote(item): title.split() for item, title in zip(items.item_id, items.title, strict=True)
    } == {item: title.replace('"', "'").split() for item, title in corpus.titles.items()}
    users = atomic(out / f"{source.file_name}.user")
    assert {
        unquote(user): split for user, split in zip(users.user_id, users.split, strict=True)
    } == source.split_of
    assert users.dialogues.sum() == len(corpus.dialogues)


def test_every_id_comes_back_from_its_token() -> None:
    wild = [chr(number) for number in range(1, 0x300)] + [
        "a b",
        "%41",
        "\u2028",
        "\ufeffx",
        *(MISSING - {""}),
    ]
    assert len({token(identity) for identity in wild}) == len(set(wild))
    for identity in wild:
        assert unquote(token(identity)) == identity
        assert token(identity) not in MISSING
        assert len(token(identity).split()) == 1
    assert token("B000A5") == "B000A5"


def test_ids_that_pandas_reads_as_missing_are_escaped() -> None:
    from pandas._libs.parsers import STR_NA_VALUES

    assert MISSING == STR_NA_VALUES


def test_contexts(source: Source, tmp_path: Path) -> None:
    out = export_release(source, "contexts", tmp_path / "out").path
    rows = [row for split in ("train", "valid", "test") for row in lines(out / f"{split}.jsonl")]
    wanted = told(source.corpus)
    for row in rows:
        user, targets, said = wanted[row["dialogue_id"]]
        assert [(u["role"], u["text"], tuple(u["items"])) for u in row["context"]] == said[
            : row["turn"]
        ]
        role, text, items = said[row["turn"]]
        assert (role, text) == ("agent", row["response"])
        assert row["target"] in items
        assert all(row["target"] not in used for _, _, used in said[: row["turn"]])
        assert row["final"] == (row["target"] in targets)
        history = [
            item
            for item in source.corpus.history[user]
            if not (row["final"] and item == row["target"])
        ]
        assert row["history"] == history
        assert row["history_titles"] == [source.title(item) for item in history]
        assert row["target_title"] == source.title(row["target"])
    samples = recommendation_samples(read_corpus(source.folder)).samples
    finals = {(row["dialogue_id"], row["turn"], row["target"]) for row in rows if row["final"]}
    assert finals == {(s.dialogue_id, s.turn, s.target) for s in samples if not s.named_before}
    assert finals
    assert len({row["context_id"] for row in rows}) == len(rows)
