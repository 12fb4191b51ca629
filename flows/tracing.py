"""`redial lineage`: finds what is meant, makes the requests again that were once asked, and gathers the way from source to release."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from pydantic import ValidationError

from flows import steps
from flows.stages import Context
from tasks.errors import UserError
from tasks.lineage import DialogueLineage, Rebuilt, ReleaseLineage, dialogue_lineage, release_lineage
from tasks.llm import Answer, answers_by_key, make_request
from tasks.llm.values import Message
from tasks.lookup import find_dialogue
from tasks.settings import Domain, Home
from tasks.warehouse import read_warehouse


class _Unknown(Exception):
    """The store has no answer to a request made again: it is not the one that was asked."""


def trace(home: Home, of: str) -> DialogueLineage | ReleaseLineage:
    """Trace a dialogue by its id, or a release by its folder or version. Raises UserError when there is no such thing."""
    found = find_release(home, of)
    if found is not None:
        domain, version = found
        with read_warehouse(home.warehouse(domain)) as con:
            return release_lineage(con, domain, version)
    dialogue = find_dialogue(home, of)
    with read_warehouse(home.warehouse(dialogue.domain)) as con:
        config = _config_of(con, dialogue.dialogue_id)
        context = Context(home, config, "lineage") if config else None
        rules = sorted(steps.rule_sentences(home, config)) if config else []
        rebuilt = asyncio.run(_rebuild(con, context, dialogue.dialogue_id)) if context else {}
        return dialogue_lineage(con, dialogue.domain, dialogue.dialogue_id, rules, rebuilt)


def find_release(home: Home, of: str) -> tuple[str, str] | None:
    """Return a release's domain and version, given as its folder, as DOMAIN/VERSION, as VERSION or as DOMAIN/latest; None if it is none."""
    path = Path(of)
    for folder in (path.resolve(), home.data / "releases" / of):
        if folder.name == "latest" and folder.is_file():
            return folder.parent.name, folder.read_text("utf-8").strip()
        if folder.is_dir() and folder.parent.parent.name == "releases":
            return folder.parent.name, folder.name
    if path.name != of:
        return None
    found = [folder for folder in (home.data / "releases").glob("*/*") if folder.name == of and folder.is_dir()]
    return (found[0].parent.name, of) if len(found) == 1 else None


def _config_of(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> Domain | None:
    """Return the settings of the run that last asked for the dialogue, as it wrote them down; None if it is not known."""
    rows = con.execute(
        "SELECT r.config FROM transcripts t JOIN runs r USING (run_id) WHERE t.dialogue_id = ? ORDER BY t.attempt DESC LIMIT 1",
        [dialogue_id],
    ).fetchall()
    try:
        return Domain.model_validate(json.loads(rows[0][0], object_hook=_with_numbers)) if rows else None
    except ValidationError:
        return None  # settings of an older version, which today's code cannot read


def _with_numbers(values: dict[str, Any]) -> dict[str | int, Any]:
    """Make numbers of the keys that are some: JSON turns them into text."""
    return {int(key) if key.isdigit() else key: value for key, value in values.items()}


async def _rebuild(con: duckdb.DuckDBPyConnection, context: Context, dialogue_id: str) -> dict[int, list[Rebuilt]]:
    """Run each attempt's rollout again with the stored answers, and note every request it makes."""
    attempts = con.execute("SELECT attempt FROM transcripts WHERE dialogue_id = ? ORDER BY attempt", [dialogue_id]).fetchall()
    rebuilt: dict[int, list[Rebuilt]] = {}
    for (attempt,) in attempts:
        ask = _Again(con, context.domain)
        work = steps.work(con, context, attempt, [dialogue_id])
        with suppress(_Unknown, UserError):  # what was made up to there still tells which requests are the same
            await work.rollout(work.fetch([dialogue_id])[0], ask)
        rebuilt[attempt] = ask.made
    return rebuilt


class _Again:
    """An `Ask` that answers from the store alone and remembers what it was asked."""

    def __init__(self, con: duckdb.DuckDBPyConnection, domain: Domain) -> None:
        """Answer from a warehouse, with the settings of a domain."""
        self._con, self._domain = con, domain
        self.made: list[Rebuilt] = []

    async def __call__(
        self, messages: tuple[Message, ...], *, response_format: Mapping[str, Any] | None = None, attempt: int = 1
    ) -> Answer:
        """Return the stored answer. Raises _Unknown when there is none."""
        key = make_request(self._domain.generate, messages, response_format, attempt).key
        self.made.append(Rebuilt(key, messages))
        found = answers_by_key(self._con, [key])
        if key not in found:
            raise _Unknown
        return found[key]
