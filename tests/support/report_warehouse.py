"""A warehouse of any size to report on, made with SQL alone: real templates, made-up people, items, reviews and speech."""

from __future__ import annotations

import json

import duckdb

from tasks.briefs.writer import create_brief_tables, store_templates
from tasks.settings import Domain, Home
from tasks.templates import load_templates
from tasks.warehouse import create_tables

HOSTILE = (
    "</mark><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">&lt;b&gt; {{ 7 * 7 }} "
    "\u202egnirts\u202c \x07\x1b[2J \u200b"
)
"""Markup, a template's braces, a text that turns round, a bell, an escape sequence, a space without width.
"""


def domain(name: str = "made", **preprocess: object) -> Domain:
    """Return the settings the made-up build ran with."""
    sources = {"format": "amazon_2014", "reviews": ["reviews.json.gz"]}
    return Domain.model_validate(
        {
            "name": name,
            "title": "Made up",
            "noun": "film",
            "verb": "seen",
            "sources": sources,
            "preprocess": preprocess,
        }
    )


def fill(
    con: duckdb.DuckDBPyConnection,
    dialogues: int,
    *,
    hostile: bool = False,
    chosen: Domain | None = None,
) -> None:
    """Fill every table a report or the browser reads: one user for two dialogues, nine of ten accepted.

    With `hostile` each text of a review, a model, a title, a user, a file and an error carries
    `HOSTILE`.
    """
    create_tables(con)
    create_brief_tables(con)
    store_templates(con, load_templates(Home(), "curated").templates)
    con.execute(
        "CREATE TEMP TABLE size AS SELECT $1::BIGINT AS dialogues, $2::VARCHAR AS bad",
        [dialogues, HOSTILE if hostile else ""],
    )
    for statement in _STATEMENTS:
        con.execute(statement)
    con.execute("DROP TABLE size")
    config = (chosen or domain()).model_dump_json()
    con.execute(
        "INSERT INTO runs VALUES ('run-1', 'run-1', 'build', repeat('c', 64), ?, '0.1+test', ?, "
        "TIMESTAMP '2026-01-02 03:04:05', TIMESTAMP '2026-01-02 03:14:15', 'completed', '{}')",
        [config, json.dumps({})],
    )


_STATEMENTS = (
    """
    INSERT INTO items
    SELECT 'I' || i, 'Film number ' || i || bad, 'Film number ' || i || ' &amp; more' || bad, 'I' || i
    FROM size, range(greatest(20, dialogues // 20)) t(i)
    """,
    """
    INSERT INTO raw_reviews
    WITH people AS (SELECT u, bad, (SELECT count(*) FROM items) AS items FROM size, range(greatest(1, dialogues // 2)) t(u))
    SELECT md5(u || '-' || n), 'U' || u || bad, 'I' || ((u * 7 + n * n * 3) % items),
           [5.0, 4.0, 5.0, 1.0, 3.0][1 + (u + n) % 5],
           'The ' || ['lantern', 'harbour', 'orchard', 'quarry'][1 + n % 4] || ' scene and the motif' || (u * 12 + n)
           || ' stayed with me all week. ' || bad,
           1000000 + n, 'reviews.json.gz', u * 12 + n
    FROM people, range(12) s(n)
    """,
    "INSERT INTO rejected_rows SELECT 'reviews.json.gz', i, 'broken_line', bad FROM size, range(3) t(i)",
    "INSERT INTO reviews SELECT review_id, user_id, item_id, rating, text, 12, timestamp, source_line, true FROM raw_reviews",
    """
    INSERT INTO preferences
    WITH judged AS (SELECT *, row_number() OVER (PARTITION BY user_id, item_id ORDER BY source_line) AS again FROM raw_reviews)
    SELECT user_id, item_id, CASE WHEN rating < 3 THEN 'DISLIKES' WHEN source_line % 12 >= 9 THEN 'MIGHT_LIKES' ELSE 'LIKES' END,
           source_line % 12 + 1, rating, timestamp, review_id
    FROM judged WHERE again = 1 AND rating <> 3
    """,
    """
    INSERT INTO briefs
    WITH known AS (
        SELECT template_id, any_value(recommendations) AS recommendations, count(*) AS turns,
               row_number() OVER (ORDER BY template_id) - 1 AS place
        FROM template_turns GROUP BY template_id
    )
    SELECT substr(md5('d' || i), 1, 16), 'U' || (i // 2) || bad, i % 2 + 1, 'I' || ((i * i) % (SELECT count(*) FROM items)), k.template_id,
           k.recommendations, k.turns, i
    FROM size, range(dialogues) t(i) JOIN known k ON k.place = (t.i * 31) % (SELECT count(*) FROM known)
    """,
    """
    INSERT INTO brief_items
    SELECT b.dialogue_id, s.slot, i.item_id, i.title, s.collection,
           CASE WHEN s.user_review THEN md5((b.brief_order // 2) || '-' || s.slot) END,
           CASE WHEN s.other_review THEN md5((b.brief_order // 2) || '-' || (s.slot + 5)) END
    FROM briefs b JOIN template_slots s USING (template_id)
    JOIN items i ON i.item_id = 'I' || ((b.brief_order + s.slot) % (SELECT count(*) FROM items))
    """,
    """
    INSERT INTO verdicts
    SELECT dialogue_id, CASE brief_order % 20 WHEN 0 THEN 'rejected' WHEN 1 THEN 'failed' ELSE 'accepted' END,
           CASE WHEN brief_order % 20 <> 1 THEN 1 END
    FROM briefs
    """,
    """
    INSERT INTO utterances
    SELECT b.dialogue_id, 1, t.turn, t.role,
           'I thought about ' || coalesce(i.title, 'that') || ' and the motif' || (b.brief_order // 2 * 12 + coalesce(t.introduces[1], 0))
           || ' of it. ' || bad,
           t.goals, [i.item_id], 10 + (b.brief_order + t.turn) % 23
    FROM size, briefs b JOIN template_turns t USING (template_id)
    LEFT JOIN brief_items i ON i.dialogue_id = b.dialogue_id AND i.slot = t.introduces[1]
    WHERE b.brief_order % 20 <> 1
    """,
    """
    INSERT INTO dialogues
    SELECT dialogue_id, 1, user_id, template_id, turns, true, '', 'stop' FROM briefs WHERE brief_order % 20 <> 1
    """,
    """
    INSERT INTO dialogue_facts BY NAME SELECT dialogue_id, 1 AS attempt FROM briefs WHERE brief_order % 20 <> 1
    """,
    """
    INSERT INTO rejections
    SELECT dialogue_id, 1, 'readable', 'reject', 2, 'piece ' || bad, NULL FROM size, briefs WHERE brief_order % 20 = 0
    UNION ALL SELECT dialogue_id, 1, 'completely-generated', 'reject', 0, 'end ' || bad, NULL FROM size, briefs WHERE brief_order % 60 = 0
    """,
    """
    INSERT INTO transcripts
    SELECT dialogue_id, 1, CASE WHEN brief_order % 20 = 1 THEN 'failed' ELSE 'answered' END,
           CASE WHEN brief_order % 20 = 1 THEN '' ELSE 'raw ' || bad END, 'stop',
           CASE WHEN brief_order % 20 = 1 THEN 'refused ' || bad ELSE '' END,
           CASE WHEN brief_order % 20 = 1 THEN [] ELSE [md5(dialogue_id)] END, 'grounded', 'single', 'run-1'
    FROM size, briefs
    """,
    """
    INSERT INTO responses
    SELECT md5(dialogue_id), dialogue_id, 1, 'openai/gpt-4o-mini', NULL, 'raw ' || bad, 'stop', 1000, 300, 0.0005,
           2.0 + (brief_order % 7) / 10, 'gpt-4o-mini-2024', '', 0, 'run-1', TIMESTAMP '2026-01-02 03:04:06', '', false,
           false, 0, 0, 0, false
    FROM size, briefs WHERE brief_order % 20 <> 1
    """,
    "INSERT INTO releases SELECT 'v1', 'run-1', repeat('c', 64), '0.1+test', count(*), TIMESTAMP '2026-01-02 03:14:00' "
    "FROM verdicts WHERE verdict = 'accepted'",
)
