"""Computes the facts that suites judge, a few thousand dialogues at a time.

What follows from the plan is computed in SQL, what follows from the text in polars.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb
import numpy as np
import polars as pl

from tasks.languages import Language, for_polars, phrases, spelled_expression
from tasks.quality import near_duplicates, plan_facts
from tasks.quality.fitting import can_judge
from tasks.quality.hints import hint_facts
from tasks.quality.judge_facts import read_verdicts
from tasks.quality.lexicon import Lexicon
from tasks.quality.near_duplicates import Shingles
from tasks.quality.nearness import no_sense_facts, sense_facts
from tasks.quality.opinions import decision_error, foreign_language, sentiment_error
from tasks.quality.roles import role_facts
from tasks.quality.text_patterns import (
    PERSONAL,
    QUOTED,
    garbled_pattern,
    template_pattern,
    titles_in_quotes,
)
from tasks.quality.told import read_brief_texts, told_facts
from tasks.warehouse import create_table
from tasks.word_runs import OwnedTokens, tokenise

CHUNK: Final = 5_000  # dialogues: about 8 MB of text, 50 MB with everything made from it
_TABLES = ("dialogue_facts", "utterance_facts")

# Dialogues accepted at an earlier attempt: later ones must not say the same again.
_ACCEPTED_BEFORE: Final = """
CREATE OR REPLACE TEMP TABLE accepted_before AS
WITH broken AS (
    SELECT DISTINCT dialogue_id, attempt FROM rejections WHERE severity = 'reject'
)
SELECT
    d.dialogue_id,
    d.attempt,
    row_number() OVER (ORDER BY d.attempt, d.dialogue_id) - 1 AS place
FROM dialogue_facts d
ANTI JOIN broken USING (dialogue_id, attempt)
WHERE d.attempt < $attempt
"""
_ACCEPTED_TEXTS: Final = """
WITH chunk AS (
    SELECT dialogue_id FROM accepted_before WHERE place >= $from AND place < $until
), titled AS (
    SELECT dialogue_id, list(title ORDER BY length(title) DESC, title) AS titles
    FROM brief_items
    SEMI JOIN chunk USING (dialogue_id)
    GROUP BY dialogue_id
)
SELECT
    place,
    list_reduce(list_prepend(text, titles), lambda bare, title: replace(bare, title, '~')) AS bare
FROM accepted_before
JOIN utterances USING (dialogue_id, attempt)
JOIN titled USING (dialogue_id)
ORDER BY place, turn
"""
# $before: how many dialogues were accepted before; they come first in `pair_rows`.
_NEAR_DUPLICATES: Final = """
CREATE OR REPLACE TEMP TABLE near_duplicates AS
WITH numbered AS (
    SELECT dialogue_id, place FROM accepted_before
    UNION ALL
    SELECT dialogue_id, place + $before FROM fact_queue
)
SELECT later - $before AS place, later.dialogue_id, earlier.dialogue_id AS other_id
FROM pair_rows
JOIN numbered later ON later.place = pair_rows.later
JOIN numbered earlier ON earlier.place = pair_rows.earlier
"""


def compute_facts(
    con: duckdb.DuckDBPyConnection,
    lexicon: Lexicon,
    language: str,
    attempt: int,
    semantic_threads: int = 0,
) -> int:
    """Fill `dialogue_facts` and `utterance_facts` for one attempt, in place of its earlier rows.

    Reads dialogues, utterances, judge_answers, briefs, brief_items, template_turns, reviews, and
    the rejections of earlier attempts; every column is documented in expectations/facts.yaml.
    Leaves the temporary tables `near_duplicates` (place, dialogue_id, other_id) and `judge_pieces`
    (dialogue_id, turn, kind, piece) for the evidence.
    `semantic_threads` are those of sentence embeddings; with 0 the facts that need them are 0.

    Returns:
        The number of dialogues.
    """
    for table in (*_TABLES, "rejections", "judge_answers"):
        create_table(con, table)
    for table in _TABLES:
        con.execute(f"DELETE FROM {table} WHERE attempt = ?", [attempt])
    con.execute(plan_facts.QUEUE, {"attempt": attempt})
    con.execute(plan_facts.BRIEFED)
    read_verdicts(con, attempt)
    con.execute(plan_facts.EXPECTED, {name: list(ids) for name, ids in lexicon.goals})
    made = [
        _utterance_facts(con, lexicon, language, begin, semantic_threads)
        for begin in _begins(con, "fact_queue")
    ]
    _note_near_duplicates(con, [*_accepted_before(con, attempt), *made], lexicon.near_duplicate)
    con.execute(plan_facts.DIALOGUES, {"attempt": attempt})
    (judged,) = con.execute("SELECT count(*) FROM fact_queue").fetchall()[0]
    for table in ("fact_queue", "briefed", "expected_by_turn", "judge_read", "judge_faults"):
        con.execute(f"DROP TABLE {table}")
    return int(judged)


def _begins(con: duckdb.DuckDBPyConnection, queue: str) -> Iterator[int]:
    (total,) = con.execute(f"SELECT count(*) FROM {queue}").fetchall()[0]
    yield from range(0, total, CHUNK)


def _utterance_facts(
    con: duckdb.DuckDBPyConnection, lexicon: Lexicon, language: str, begin: int, threads: int
) -> Shingles:
    """Write the utterance facts of the dialogues from `begin` on; return their shingles."""
    within = {"from": begin, "until": begin + CHUNK}
    said = con.sql(plan_facts.UTTERANCES, params=within).pl()
    texts = read_brief_texts(con, within)
    tokens, owners = tokenise(said["bare"]), said["place"].to_numpy()
    known = lexicon.language(language)
    said = measured(said, known).with_columns(
        **text_facts(lexicon, language),
        **told_facts(said, OwnedTokens(tokens, owners), texts, lexicon, language),
        **hint_facts(said, OwnedTokens(tokens, owners), texts, known),
        **opinion_facts(said, known),
        **role_facts(said, known),
        unknown_titles=_unknown_titles(con, said),
        **(sense_facts(said, texts, threads) if threads else no_sense_facts()),
    )
    wanted = [column[0] for column in con.execute("DESCRIBE utterance_facts").fetchall()]
    con.register("fact_rows", said.select(wanted))
    con.execute("INSERT INTO utterance_facts BY NAME SELECT * FROM fact_rows")
    con.unregister("fact_rows")
    return near_duplicates.shingles(tokens, owners - begin, _size(con, "fact_queue", begin))


def text_facts(lexicon: Lexicon, language: str) -> dict[str, pl.Expr]:
    """Return the facts made from one utterance's text, by name.

    They read the columns text, bare, words and names_user.
    """
    text, bare = pl.col("text"), spelled_expression("bare")
    known = lexicon.language(language)
    foreign = foreign_language(lexicon, language) if known.function_words else pl.lit(False)
    return {
        "garbled": text.str.contains(garbled_pattern(known)),
        "template_left": bare.str.contains(for_polars(template_pattern(known))),
        "empty": ~text.str.contains(r"[\p{L}\p{N}]"),
        "personal_data": bare.str.contains(for_polars(PERSONAL)) | pl.col("names_user"),
        "wording_leak": bare.str.contains(for_polars(lexicon.wording_pattern(language))),
        "foreign_language": foreign,
        "chatbot_habit": bare.str.contains(for_polars(phrases(known.chatbot))),
    }


def measured(said: pl.DataFrame, language: Language) -> pl.DataFrame:
    """Return utterances with `words` in what the language's limit counts.

    That is characters other than white space, a title as one, where its pack says so.
    """
    if language.longest is None or language.longest.unit == "words":
        return said
    characters = pl.col("bare").str.count_matches(r"\S").cast(pl.Int32)
    return said.with_columns(words=characters)


def opinion_facts(said: pl.DataFrame, language: Language) -> dict[str, pl.Series]:
    """Return whether each utterance contradicts the opinion or the decision it should express.

    Reads the columns bare, opinion and decision. Only utterances that should express one are
    judged, and only in a language whose pack has the words for it.
    """
    none = pl.repeat(False, len(said), dtype=pl.Boolean, eager=True)
    facts = {
        "opinion": ("sentiment_error", sentiment_error(language)),
        "decision": ("decision_error", decision_error(language)),
    }
    errors = {}
    for expected, (name, is_wrong) in facts.items():
        rows = said[expected].is_not_null().arg_true()
        errors[name] = none
        if len(rows) and can_judge(name, language):
            errors[name] = none.clone().scatter(rows, said[rows].select(is_wrong).to_series())
    return errors


def _unknown_titles(con: duckdb.DuckDBPyConnection, said: pl.DataFrame) -> pl.Series:
    """Return how many titles in quotation marks each utterance has that its brief does not."""
    counts = pl.repeat(0, len(said), dtype=pl.Int32, eager=True)
    rows = said["bare"].str.contains(QUOTED).arg_true()
    if not len(rows):
        return counts
    quoting = said[rows]
    places = quoting["place"].unique().to_list()
    own: dict[int, list[str]] = {}
    for place, title in con.execute(plan_facts.TITLES, {"places": places}).fetchall():
        own.setdefault(place, []).append(title)
    found = [
        len(titles_in_quotes(text, own.get(place, ())))
        for place, text in quoting.select("place", "bare").iter_rows()
    ]
    return counts.scatter(rows, pl.Series(found, dtype=pl.Int32))


def _size(con: duckdb.DuckDBPyConnection, queue: str, begin: int) -> int:
    (total,) = con.execute(f"SELECT count(*) FROM {queue}").fetchall()[0]
    return int(min(CHUNK, total - begin))


def _accepted_before(con: duckdb.DuckDBPyConnection, attempt: int) -> list[Shingles]:
    con.execute(_ACCEPTED_BEFORE, {"attempt": attempt})
    made = []
    for begin in _begins(con, "accepted_before"):
        said = con.sql(_ACCEPTED_TEXTS, params={"from": begin, "until": begin + CHUNK}).pl()
        owners = said["place"].to_numpy() - begin
        size = _size(con, "accepted_before", begin)
        made.append(near_duplicates.shingles(tokenise(said["bare"]), owners, size))
    return made


def _note_near_duplicates(
    con: duckdb.DuckDBPyConnection, made: list[Shingles], least: float
) -> None:
    """Fill `near_duplicates`: each dialogue that says nearly the same as an earlier one.

    Dialogues accepted before come first, and are never the later of a pair.
    """
    (before,) = con.execute("SELECT count(*) FROM accepted_before").fetchall()[0]
    found = near_duplicates.near_duplicates(near_duplicates.join(made), least)
    new = [(later, earlier) for later, earlier in found.items() if later >= before]
    pairs = np.array(new, np.int64).reshape(-1, 2)
    con.register("pair_rows", pl.DataFrame({"later": pairs[:, 0], "earlier": pairs[:, 1]}))
    con.execute(
        _NEAR_DUPLICATES,
        {"before": before},
    )
    con.unregister("pair_rows")
    con.execute("DROP TABLE accepted_before")
