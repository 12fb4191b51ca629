"""Which languages the accepted dialogues are in, whatever was asked for."""

from __future__ import annotations

from typing import Final

import duckdb

from tasks.languages import FoundLanguages, find_languages
from tasks.quality.lexicon import Lexicon

# The titles of a brief say nothing of its speakers' language.
_ACCEPTED_TEXTS: Final = """
WITH titled AS (
    SELECT dialogue_id, list(title ORDER BY length(title) DESC, title) AS titles
    FROM brief_items
    GROUP BY dialogue_id
), accepted AS (
    SELECT dialogue_id, attempt
    FROM verdicts
    WHERE verdict = 'accepted'
)
SELECT
    list_reduce(
        list_prepend(text, coalesce(titles, [])), lambda bare, title: replace(bare, title, '~')
    ) AS bare
FROM utterances
JOIN accepted USING (dialogue_id, attempt)
LEFT JOIN titled USING (dialogue_id)
"""


def spoken_languages(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> FoundLanguages:
    """Return how many utterances of the accepted dialogues are in which language. Only reads."""
    return find_languages(con.sql(_ACCEPTED_TEXTS).pl()["bare"], lexicon.languages)
