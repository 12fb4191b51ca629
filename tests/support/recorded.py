"""Dialogues that a capable model wrote, matched to today's briefs and read into a warehouse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tasks.briefs import Brief, load_briefs, plan_briefs
from tasks.dialogues import parse_transcripts
from tasks.fingerprint import content_id
from tasks.goals import load_goals
from tasks.ingest import ingest
from tasks.judge import (
    DialogueToJudge,
    JudgeRollout,
    load_judge_words,
    with_dialogues,
)
from tasks.mock_model.prompt_reader import read
from tasks.preprocess import preprocess
from tasks.prompts import load_profile
from tasks.settings import Domain, Home, load_domain
from tasks.templates import load_templates
from tasks.warehouse import open_warehouse

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Recorded:
    """One recorded answer in a warehouse: its row, and the dialogue and attempt it became."""

    row: Row
    dialogue_id: str
    attempt: int


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a JSON-lines file of recorded answers."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def by_domain(rows: Iterable[Row]) -> dict[tuple[str, int], list[Row]]:
    """Return rows by their domain and seed."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["domain"], row["seed"]), []).append(row)
    return groups


@contextmanager
def recorded_warehouse(
    folder: Path, name: str, seed: int, rows: Sequence[Row]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Domain, list[Recorded], list[Row]]]:
    """Within the block, a warehouse with a domain's briefs and recorded answers, parsed.

    Yields the connection, the domain, the answers that were matched to a brief, and those that
    were not. Several answers to one brief are its attempts.
    """
    home = Home.find(None)
    domain = load_domain(home, name, {"seed": seed})
    with open_warehouse(folder / f"{name}-{seed}.duckdb") as con:
        ingest(con, domain)
        preprocess(con, domain)
        plan_briefs(con, domain, load_templates(home, domain.briefs.templates).templates)
        matched, unmatched = _matched(con, domain, rows)
        _retell(con, matched)
        _store(con, matched)
        parse_transcripts(con, domain)
        yield con, domain, matched, unmatched


def judge_rollout(domain: Domain, profile: str, attempt: int = 1) -> JudgeRollout:
    """Return the rollout that asks for verdicts on dialogues of a prompt profile."""
    home = Home.find(None)
    return JudgeRollout(
        load_judge_words(home),
        load_goals(home, domain.language).worded(domain.noun, domain.verb),
        load_profile(home, profile, domain.language).max_review_words,
        attempt,
    )


def to_be_judged(
    con: duckdb.DuckDBPyConnection, domain: Domain, matched: Sequence[Recorded]
) -> list[DialogueToJudge]:
    """Return the dialogue of each recorded answer, as a judge reads it."""
    ids = list(dict.fromkeys(one.dialogue_id for one in matched))
    briefs = {brief.dialogue_id: brief for brief in load_briefs(con, domain, ids)}
    return [with_dialogues(con, [briefs[one.dialogue_id]], one.attempt)[0] for one in matched]


def dialogue_key(dialogue: DialogueToJudge) -> str:
    """Return the key of a dialogue to judge: its titles and its words, 16 hex digits.

    Verdicts that were recorded are found by it, whatever the words of the prompt have become.
    """
    titles = [item.title for item in dialogue.items]
    said = [
        {"turn": number, "speaker": turn.role, "text": turn.text}
        for number, turn in enumerate(dialogue.spoken, start=1)
    ]
    return content_id([titles, said])


def _matched(
    con: duckdb.DuckDBPyConnection, domain: Domain, rows: Sequence[Row]
) -> tuple[list[Recorded], list[Row]]:
    """Match answers to briefs by template and items, of their prompt where they name none."""
    by_ids: dict[tuple[Any, ...], str] = {}
    by_words: dict[tuple[Any, ...], str] = {}
    for brief in load_briefs(con, domain):
        by_ids[_ids_of(brief)] = by_words[_words_of(brief)] = brief.dialogue_id
        by_ids[(*_ids_of(brief), brief.user_id)] = brief.dialogue_id
    attempts: Counter[str] = Counter()
    matched, unmatched = [], []
    for row in rows:
        known = by_ids if "items" in row else by_words
        found = known.get(_ids_in(row) if "items" in row else _words_in(row))
        if found is None:
            unmatched.append(row)
            continue
        attempts[found] += 1
        matched.append(Recorded(row, found, attempts[found]))
    return matched, unmatched


def _ids_of(brief: Brief) -> tuple[Any, ...]:
    return (brief.template.template_id, *(item.item_id for item in brief.items))


def _ids_in(row: Row) -> tuple[Any, ...]:
    user = (row["user_id"],) if row.get("user_id") else ()
    return (row["template"], *row["items"], *user)


def _words_of(brief: Brief) -> tuple[Any, ...]:
    goals = tuple(turn.goals for turn in brief.template.turns)
    return (goals, *(item.title for item in brief.items))


def _words_in(row: Row) -> tuple[Any, ...]:
    asked = read(row["messages"])
    goals = tuple(line.goals for line in asked.lines)
    return (goals, *(asked.items[slot].title for slot in sorted(asked.items)))


def _retell(con: duckdb.DuckDBPyConnection, matched: Sequence[Recorded]) -> None:
    """Give the briefs the reviews that the answers retell, whichever a plan draws today."""
    rows = [
        (review_id, one.dialogue_id, slot)
        for one in matched
        for slot, review_id in enumerate(one.row.get("other_reviews", ()), start=1)
    ]
    if rows:
        con.executemany(
            "UPDATE brief_items SET other_review_id = ? WHERE dialogue_id = ? AND slot = ?", rows
        )


def _store(con: duckdb.DuckDBPyConnection, matched: Sequence[Recorded]) -> None:
    con.executemany(
        """
        INSERT INTO transcripts BY NAME
        SELECT
            $dialogue_id AS dialogue_id,
            $attempt AS attempt,
            'answered' AS status,
            $text AS text,
            'stop' AS finish_reason,
            '' AS error,
            [] AS request_keys,
            $profile AS profile,
            'single' AS rollout,
            'recorded' AS run_id
        """,
        [
            {
                "dialogue_id": one.dialogue_id,
                "attempt": one.attempt,
                "text": one.row["answer"],
                "profile": one.row["profile"],
            }
            for one in matched
        ],
    )
