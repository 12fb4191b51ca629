"""Every table of a domain's warehouse: its grain in one sentence, its columns, its key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import duckdb

from tasks.warehouse.queries import transaction


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: its name.
        grain: what one row is.
        columns: the SQL column list.
        key: the primary key's columns.
        added: number of columns at the end that warehouses of earlier versions lack; opening one
            for writing adds them.
        since_first: False for a table that earlier versions did not have. A warehouse without it
            can be read, and the next build creates it.
    """

    name: str
    grain: str
    columns: str
    key: tuple[str, ...]
    added: int = 0
    since_first: bool = True

    def ddl(self) -> str:
        """Return the statement that creates the table if it is not there.

        Keys are checked by tests and suites: an index on text keys would need more memory than the
        data.
        """
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({self.columns})"

    def column_names(self) -> list[str]:
        """Return the names of the columns in order."""
        return [column.split()[0] for column in _BETWEEN_COLUMNS.split(self.columns)]

    def additions(self) -> list[str]:
        """Return the statements that bring the table of an earlier version up to date."""
        columns = _BETWEEN_COLUMNS.split(self.columns)[len(self.column_names()) - self.added :]
        return [f"ALTER TABLE {self.name} ADD COLUMN IF NOT EXISTS {column}" for column in columns]

    def is_earlier(self, columns: list[str]) -> bool:
        """Return True if these are the columns that an earlier version gave the table."""
        names = self.column_names()
        is_shorter = len(names) - self.added <= len(columns) < len(names)
        return is_shorter and names[: len(columns)] == columns


_BETWEEN_COLUMNS = re.compile(r",\s*(?![^()]*\))")  # not within DECIMAL(9, 6)
_PLAIN = "VARCHAR USING COMPRESSION uncompressed"
"""Text of the two large review tables.

Compression would halve the file and nearly double the time of ingest and preprocessing.
"""

_ALL = (
    Table(
        "raw_reviews",
        "One usable source review of the item its source line names; the first of each (user, "
        "item), or (user, work), in source order.",
        f"review_id {_PLAIN}, user_id {_PLAIN}, item_id {_PLAIN}, rating DOUBLE, text {_PLAIN}, "
        "timestamp BIGINT, "
        f"source_file {_PLAIN}, source_line BIGINT",
        ("review_id",),
    ),
    Table(
        "rejected_rows",
        "One source line that is not used, with the kind of its defect.",
        "source_file VARCHAR, source_line BIGINT, kind VARCHAR, detail VARCHAR",
        ("source_file", "source_line", "kind"),
    ),
    Table(
        "items",
        "One reviewed item with its cleaned title, the title as published, and the work it stands "
        "under in reviews and dialogues.",
        "item_id VARCHAR, title VARCHAR, title_original VARCHAR, work_id VARCHAR",
        ("item_id",),
    ),
    Table(
        "reviews",
        "One review that passed preprocessing up to its word count; `core` says whether user and "
        "item have enough of them.",
        f"review_id {_PLAIN}, user_id {_PLAIN}, item_id {_PLAIN}, rating DOUBLE, text {_PLAIN}, "
        "words INTEGER, timestamp BIGINT, "
        "source_order BIGINT, core BOOLEAN",
        ("review_id",),
    ),
    Table(
        "preferences",
        "One item a user rated as liked or disliked, in its collection (LIKES, DISLIKES, "
        "MIGHT_LIKES) and its place in time.",
        "user_id VARCHAR, item_id VARCHAR, collection VARCHAR, position INTEGER, rating DOUBLE, "
        "timestamp BIGINT, review_id VARCHAR",
        ("user_id", "item_id"),
    ),
    Table(
        "template_turns",
        "One turn of one dialogue template: who speaks, which sub-goals, which item slots it "
        "brings in or may speak of.",
        "template_id VARCHAR, recommendations INTEGER, turn INTEGER, role VARCHAR, goals "
        "VARCHAR[], introduces INTEGER[], refers INTEGER[]",
        ("template_id", "turn"),
    ),
    Table(
        "template_slots",
        "One item slot of one dialogue template: the collection it is filled from and the reviews "
        "its sub-goals need.",
        "template_id VARCHAR, slot INTEGER, collection VARCHAR, user_review BOOLEAN, other_review "
        "BOOLEAN",
        ("template_id", "slot"),
    ),
    Table(
        "briefs",
        "One dialogue to write.",
        "dialogue_id VARCHAR, user_id VARCHAR, position INTEGER, target_item_id VARCHAR, "
        "template_id VARCHAR, "
        "recommendations INTEGER, turns INTEGER, brief_order BIGINT",
        ("dialogue_id",),
    ),
    Table(
        "brief_items",
        "One item slot of one brief, filled with an item and the reviews that may be drawn on.",
        "dialogue_id VARCHAR, slot INTEGER, item_id VARCHAR, title VARCHAR, collection VARCHAR, "
        "user_review_id VARCHAR, other_review_id VARCHAR",
        ("dialogue_id", "slot"),
    ),
    Table(
        "unplanned",
        "One MIGHT_LIKES item that got no brief, and why.",
        "user_id VARCHAR, item_id VARCHAR, reason VARCHAR",
        ("user_id", "item_id"),
    ),
    Table(
        "responses",
        "One paid answer of a model (or of the mock model), whatever run asked for it; "
        "outlives runs and settings.",
        "request_key VARCHAR, dialogue_id VARCHAR, attempt INTEGER, model VARCHAR, api_base "
        "VARCHAR, text VARCHAR, "
        "finish_reason VARCHAR, prompt_tokens BIGINT, completion_tokens BIGINT, cost_usd DOUBLE, "
        "latency_s DOUBLE, "
        "model_returned VARCHAR, provider_id VARCHAR, retries INTEGER, run_id VARCHAR, asked_at "
        "TIMESTAMP, batch_id VARCHAR, "
        "usage_estimated BOOLEAN DEFAULT false, outdated BOOLEAN DEFAULT false, "
        "cached_tokens BIGINT, cache_write_tokens BIGINT, reasoning_tokens BIGINT, "
        "cost_is_upper_bound BOOLEAN DEFAULT false",
        ("request_key",),
        added=6,
    ),
    Table(
        "unusable_answers",
        "One billed call that brought no answer that can be used, with its cause and its "
        "forecast; never replayed.",
        "request_key VARCHAR, dialogue_id VARCHAR, attempt INTEGER, model VARCHAR, problem "
        "VARCHAR, prompt_tokens BIGINT, "
        "completion_tokens BIGINT, cost_usd DOUBLE, run_id VARCHAR, asked_at TIMESTAMP",
        ("request_key", "asked_at"),
    ),
    Table(
        "transcripts",
        "One attempt at one brief: what the rollout made of its answers, or why there is none.",
        "dialogue_id VARCHAR, attempt INTEGER, status VARCHAR, text VARCHAR, finish_reason "
        "VARCHAR, error VARCHAR, "
        "request_keys VARCHAR[], profile VARCHAR, rollout VARCHAR, run_id VARCHAR",
        ("dialogue_id", "attempt"),
    ),
    Table(
        "dialogues",
        "One attempt that was answered, parsed as far as it could be.",
        "dialogue_id VARCHAR, attempt INTEGER, user_id VARCHAR, template_id VARCHAR, utterances "
        "INTEGER, complete BOOLEAN, "
        "parse_error VARCHAR, finish_reason VARCHAR",
        ("dialogue_id", "attempt"),
    ),
    Table(
        "utterances",
        "One utterance of one attempt, tied to its goals and to the items it names.",
        "dialogue_id VARCHAR, attempt INTEGER, turn INTEGER, role VARCHAR, text VARCHAR, goals "
        "VARCHAR[], item_ids VARCHAR[], "
        "words INTEGER",
        ("dialogue_id", "attempt", "turn"),
    ),
    Table(
        "judge_answers",
        "One verdict of a judge on one attempt: the faults it finds as JSON, or why there is no "
        "verdict; `rollout` says which judge, the first or the one that confirms.",
        "dialogue_id VARCHAR, attempt INTEGER, status VARCHAR, text VARCHAR, finish_reason "
        "VARCHAR, error VARCHAR, "
        "request_keys VARCHAR[], profile VARCHAR, rollout VARCHAR, run_id VARCHAR",
        ("dialogue_id", "attempt", "rollout"),
        since_first=False,
    ),
    Table(
        "dialogue_facts",
        "One attempt in numbers and booleans, as the suites judge it; documented in "
        "expectations/facts.yaml.",
        "dialogue_id VARCHAR, attempt INTEGER, complete BOOLEAN, utterances INTEGER, "
        "length_difference INTEGER, garbled INTEGER, "
        "template_left INTEGER, longest_words INTEGER, empty_turns INTEGER, role_errors INTEGER, "
        "missing_items INTEGER, "
        "foreign_items INTEGER, unknown_titles INTEGER, early_targets INTEGER, sentiment_errors "
        "INTEGER, decision_errors INTEGER, "
        "copied_words INTEGER, wording_leaks INTEGER, personal_data INTEGER, foreign_turns "
        "INTEGER, near_duplicates INTEGER, near_copied_words INTEGER, unsupported_names INTEGER, "
        "unsupported_facts INTEGER, unsupported_details INTEGER, other_works INTEGER, "
        "chatbot_habits INTEGER, wrong_speakers INTEGER, goals_missed INTEGER, "
        "target_hints INTEGER, self_contradictions INTEGER, judged INTEGER DEFAULT 0, "
        "judge_unread INTEGER DEFAULT 0, judge_contradicted INTEGER DEFAULT 0, "
        "judge_not_told INTEGER DEFAULT 0, judge_opinion INTEGER DEFAULT 0, judge_decision "
        "INTEGER DEFAULT 0, judge_goals INTEGER DEFAULT 0, judge_speech INTEGER DEFAULT 0, "
        "judge_gives_away INTEGER DEFAULT 0, judge_self_contradiction INTEGER DEFAULT 0, "
        "target_nearness INTEGER DEFAULT 0, target_allusion INTEGER, "
        "far_claims INTEGER DEFAULT 0",
        ("dialogue_id", "attempt"),
        added=23,
    ),
    Table(
        "utterance_facts",
        "One utterance of one attempt in numbers and booleans; documented in "
        "expectations/facts.yaml.",
        "dialogue_id VARCHAR, attempt INTEGER, turn INTEGER, words INTEGER, garbled BOOLEAN, "
        "template_left BOOLEAN, empty BOOLEAN, "
        "role_error BOOLEAN, missing_items INTEGER, foreign_items INTEGER, unknown_titles "
        "INTEGER, early_target BOOLEAN, "
        "sentiment_error BOOLEAN, decision_error BOOLEAN, copied_words INTEGER, wording_leak "
        "BOOLEAN, "
        "personal_data BOOLEAN, foreign_language BOOLEAN, near_copied_words INTEGER, "
        "unsupported_names INTEGER, unsupported_facts INTEGER, unsupported_details INTEGER, "
        "other_works INTEGER, chatbot_habit BOOLEAN, wrong_speaker BOOLEAN, goal_missed BOOLEAN, "
        "target_hint INTEGER, self_contradiction BOOLEAN, judge_contradicted INTEGER DEFAULT 0, "
        "judge_not_told INTEGER DEFAULT 0, judge_opinion INTEGER DEFAULT 0, judge_decision "
        "INTEGER DEFAULT 0, judge_goals INTEGER DEFAULT 0, judge_speech INTEGER DEFAULT 0, "
        "judge_gives_away INTEGER DEFAULT 0, judge_self_contradiction INTEGER DEFAULT 0, "
        "target_nearness INTEGER DEFAULT 0, target_allusion INTEGER, "
        "far_claims INTEGER DEFAULT 0",
        ("dialogue_id", "attempt", "turn"),
        added=21,
    ),
    Table(
        "rejections",
        "One rule that one attempt broke in one turn (0: the whole dialogue), the offending "
        "piece, and the rule it follows from.",
        "dialogue_id VARCHAR, attempt INTEGER, rule VARCHAR, severity VARCHAR, turn INTEGER, "
        "evidence VARCHAR, because VARCHAR",
        ("dialogue_id", "attempt", "rule", "turn"),
        added=1,
    ),
    Table(
        "gates",
        "One gate that dialogues went through (an attempt's, or that of what is published), with "
        "what the Data Docs show of it as JSON.",
        "gate VARCHAR, title VARCHAR, place INTEGER, judged BIGINT, rejected BIGINT, judged_at "
        "TIMESTAMP, suites VARCHAR",
        ("gate",),
        since_first=False,
    ),
    Table(
        "verdicts",
        "One brief and how it ended: accepted, rejected, failed or unasked, at which attempt.",
        "dialogue_id VARCHAR, verdict VARCHAR, attempt INTEGER",
        ("dialogue_id",),
    ),
    Table(
        "releases",
        "One release written from this warehouse.",
        "version VARCHAR, run_id VARCHAR, config_hash VARCHAR, code_version VARCHAR, dialogues "
        "BIGINT, made_at TIMESTAMP",
        ("version",),
    ),
    Table(
        "released_dialogues",
        "One dialogue in one release, at the attempt that was released.",
        "version VARCHAR, dialogue_id VARCHAR, attempt INTEGER",
        ("version", "dialogue_id"),
    ),
    Table(
        "marks",
        "One judgement of a dialogue by a person: a mark, a comment or both, of the words they "
        "read; outlives dialogues and runs.",
        "mark_id VARCHAR, dialogue_id VARCHAR, attempt INTEGER, text_hash VARCHAR, mark VARCHAR, "
        "comment VARCHAR, who VARCHAR, "
        "marked_at TIMESTAMP",
        ("mark_id",),
        since_first=False,
    ),
    Table(
        "calibrations",
        "What one reader (a rule, all rules, a judge) said of dialogues of one kind, when it was "
        "last measured; `found` counts those it rejects.",
        "reader VARCHAR, source VARCHAR, kind VARCHAR, dialogues BIGINT, found BIGINT, run_id "
        "VARCHAR, measured_at TIMESTAMP",
        ("reader", "source", "kind"),
        since_first=False,
    ),
    Table(
        "judge_agreements",
        "Of how many dialogues two judges said the same when they were last measured: that both "
        "reject, only one of them, or neither.",
        "first_judge VARCHAR, second_judge VARCHAR, both_reject BIGINT, first_rejects BIGINT, "
        "second_rejects BIGINT, neither_rejects BIGINT, run_id VARCHAR, measured_at TIMESTAMP",
        ("first_judge", "second_judge"),
        since_first=False,
    ),
    Table(
        "stages",
        "One stage and the inputs and content of what it last wrote.",
        "stage VARCHAR, input_hash VARCHAR, output_hash VARCHAR, rows BIGINT, tables VARCHAR[], "
        "run_id VARCHAR, finished_at TIMESTAMP",
        ("stage",),
    ),
    Table(
        "stage_inputs",
        "What one stage was last made from, part by part, as JSON (tasks/stage_inputs.py).",
        "stage VARCHAR, input_hash VARCHAR, inputs VARCHAR",
        ("stage",),
        since_first=False,
    ),
    Table(
        "runs",
        "One run of a flow over this domain.",
        "run_id VARCHAR, flow_run_id VARCHAR, flow VARCHAR, config_hash VARCHAR, config VARCHAR, "
        "code_version VARCHAR, "
        "sources VARCHAR, started_at TIMESTAMP, finished_at TIMESTAMP, state VARCHAR, counts "
        "VARCHAR",
        ("run_id",),
    ),
    Table(
        "run_figures",
        "One figure of one run that asked for something: a share, a mean, an amount, or one bin "
        "of a fact's distribution.",
        "run_id VARCHAR, kind VARCHAR, name VARCHAR, bin INTEGER, value DOUBLE, total BIGINT, "
        "spread DOUBLE",
        ("run_id", "kind", "name", "bin"),
        since_first=False,
    ),
)

LAYOUT: Final = 1
"""Version of the tables' layout. Raise it with each change other than columns added at the end."""
_BEARS = re.compile(r"layout (\d{1,6})")
_LAYOUT = "SELECT comment FROM duckdb_tables() WHERE table_name = 'runs' AND comment IS NOT NULL"
_COLUMNS = """
SELECT table_name, list(column_name ORDER BY column_index)
FROM duckdb_columns()
GROUP BY ALL
"""
TABLES: dict[str, Table] = {table.name: table for table in _ALL}


def create_table(con: duckdb.DuckDBPyConnection, name: str, *, replace: bool = False) -> None:
    """Create one table of the warehouse; with `replace` an existing one is dropped first.

    Raises KeyError.
    """
    if replace:
        con.execute(f"DROP TABLE IF EXISTS {TABLES[name].name}")
    con.execute(TABLES[name].ddl())


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create missing tables and update those of an earlier version, all of them or none."""
    with transaction(con):
        for name, table in TABLES.items():
            create_table(con, name)
            for statement in table.additions():
                con.execute(statement)
        if layout_of(con) < LAYOUT:
            con.execute(f"COMMENT ON TABLE runs IS 'layout {LAYOUT:d}'")


def layout_of(con: duckdb.DuckDBPyConnection) -> int:
    """Return the version of a warehouse's layout; 0 for one without."""
    for (comment,) in con.execute(_LAYOUT).fetchall():
        found = _BEARS.fullmatch(comment)
        if found:
            return int(found[1])
    return 0


def schema_mismatches(con: duckdb.DuckDBPyConnection) -> tuple[list[str], list[str]]:
    """Return how a warehouse's tables differ from these.

    Returns:
        The names of the tables that `create_tables` would create or extend, and of those with
        other columns.
    """
    found = dict(con.execute(_COLUMNS).fetchall())
    present = [table for table in TABLES.values() if table.name in found]
    behind = {table.name for table in present if table.is_earlier(found[table.name])}
    current = {table.name for table in present if found[table.name] == table.column_names()}
    missing = [name for name in TABLES if name not in found or name in behind]
    return missing, [table.name for table in present if table.name not in behind | current]
