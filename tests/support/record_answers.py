"""Records a model's or a person's answers to our prompts, and replays them.

    python -m tests.support.record_answers serve FOLDER
    python -m tests.support.record_answers fill FOLDER --data DATA --profile paper
    python -m tests.support.record_answers keep FOLDER --data DATA --profile paper --writer WHO

tests/recorded/README.md says what each is for.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from tasks.briefs import Brief, load_briefs
from tasks.goals import load_goals
from tasks.prompts import load_profile, render
from tasks.settings import Domain, Home, load_domain
from tests.support.model_server import serve
from tests.support.recorded_answers import (
    SEED,
    Recorded,
    matched,
    read_recorded,
    with_their_reviews,
)
from tests.support.replayed import keep_answer, message_key
from tests.support.server_state import Behaviour

_REVIEWS = """
SELECT other_review_id
FROM brief_items
WHERE dialogue_id = ?
ORDER BY slot
"""


def prompts(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    domain: Domain,
    profile: str,
    ids: Sequence[str] | None = None,
) -> Iterator[tuple[Brief, Sequence[Mapping[str, str]]]]:
    """Yield briefs of a warehouse, all or some, with the messages that ask for their dialogues."""
    words = load_profile(home, profile, domain.language)
    goals = load_goals(home, domain.language).worded(domain.noun, domain.verb)
    for brief in load_briefs(con, domain, ids):
        yield brief, render(words, goals, brief).messages


async def _serve(folder: Path, port: int) -> None:
    _, chosen = await serve(Behaviour(answers="recorded", folder=str(folder)), port)
    print(f"port {chosen}", flush=True)
    await asyncio.Event().wait()


def _fill(given: argparse.Namespace, con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Write the answers of a profile that fit a warehouse where the server finds them."""
    answers = matched(con, read_recorded(given.set, given.profile))
    domain = load_domain(home, given.domain)
    with with_their_reviews(con, answers):
        for brief, messages in prompts(con, home, domain, given.profile, list(answers)):
            keep_answer(given.folder, messages, answers[brief.dialogue_id].answer)
    print(f"{len(answers)} answers", file=sys.stderr)


def _keep(given: argparse.Namespace, con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Print the lines of answers to prompts for whole dialogues, to be kept in tests/recorded."""
    domain = load_domain(home, given.domain)
    for brief, messages in prompts(con, home, domain, given.profile):
        path = given.folder / "answers" / f"{message_key(messages)}.txt"
        if path.exists():
            reviews = [row[0] for row in con.execute(_REVIEWS, [brief.dialogue_id]).fetchall()]
            text = path.read_text("utf-8").strip()
            print(_recorded(given, brief, reviews, text).as_line())


def _recorded(
    given: argparse.Namespace, brief: Brief, reviews: Sequence[str | None], text: str
) -> Recorded:
    return Recorded(
        domain=given.domain,
        seed=given.seed,
        profile=given.profile,
        template=brief.template.template_id,
        items=tuple(item.item_id for item in brief.items),
        other_reviews=tuple(reviews),
        dialogue_id=brief.dialogue_id,
        answer=text,
        writer=given.writer,
    )


def main() -> None:
    """Serve, fill or keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=["serve", "fill", "keep"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--domain", default="demo")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--profile", default="grounded")
    parser.add_argument("--set", default="good")
    parser.add_argument("--writer", default="")
    given = parser.parse_args()
    if given.do == "serve":
        asyncio.run(_serve(given.folder, given.port))
        return
    home = Home.find(given.data)
    with duckdb.connect(str(home.warehouse(given.domain))) as con:
        (_fill if given.do == "fill" else _keep)(given, con, home)


if __name__ == "__main__":
    main()
