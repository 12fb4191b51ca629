"""Lineage as text: lines for a terminal, Markdown for a run's page.

Nothing of a review or an answer is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.lineage.records import Asked, AttemptLineage, DialogueLineage, ReleaseLineage
from tasks.web import markdown_cell, markdown_code, markdown_table

_RUN = ("run_id", "state", "started_at", "finished_at", "config_hash", "code_version")
WHOSE = {"own": "the user's review", "other": "another's review", "none": "no review"}


def dialogue_lines(traced: DialogueLineage) -> Iterator[str]:
    """Yield a dialogue's lineage, from the source files to the releases that have it."""
    brief = traced.brief
    at = f" at attempt {brief['attempt']}" if brief["attempt"] else ""
    yield f"dialogue {traced.dialogue_id} of {traced.domain}: {traced.verdict}{at}"
    yield from _section(
        "source files", (f"{row['file']}  sha256 {row['sha256']}" for row in traced.sources)
    )
    yield from _section("reviews and preferences", (_review(row) for row in traced.reviews))
    target = f"target {brief['target_title'] or '-'} ({brief['target_item_id']}, MIGHT_LIKES)"
    template = f"template {brief['template_id']} of {brief['turns']} turns"
    plan = f"dialogue {brief['position']} of user {brief['user_id']}, {template}, {target}"
    yield from _section("brief", [plan])
    for attempt in traced.attempts:
        yield from _attempt(attempt)
    yield from _section("releases", (_release(row) for row in traced.releases))
    yield from _section("runs", (_run(row) for row in traced.runs))


def release_lines(traced: ReleaseLineage) -> Iterator[str]:
    """Yield a release's lineage."""
    release = traced.release
    yield f"release {release['version']} of {traced.domain}: {release['dialogues']:,} dialogues"
    yield from _section(
        "source files", (f"{row['file']}  sha256 {row['sha256']}" for row in traced.sources)
    )
    yield from _section(
        "rests on", [f"{traced.source_reviews:,} reviews, {traced.templates:,} templates"]
    )
    yield from _section("written by", (_model(row) for row in traced.models))
    yield from _section(
        "accepted",
        (
            f"{number:,} dialogues at attempt {attempt}"
            for attempt, number in traced.attempts.items()
        ),
    )
    yield from _section(
        "released",
        [
            f"settings {release['config_hash']}",
            f"code {release['code_version']}",
            f"run {release['run_id']}",
        ],
    )
    yield from _section("runs", (_run(row) for row in traced.runs))
    yield f"one dialogue's way: redial lineage {traced.example}"


def release_markdown(traced: ReleaseLineage) -> str:
    """Return a release's lineage as Markdown."""
    release = traced.release
    facts = {
        "dialogues": f"{release['dialogues']:,}",
        "rests on": f"{traced.source_reviews:,} reviews, {traced.templates:,} templates",
        "accepted": ", ".join(
            f"{number:,} at attempt {attempt}" for attempt, number in traced.attempts.items()
        ),
        "settings": release["config_hash"],
        "code": release["code_version"],
        "run": release["run_id"],
    }
    models = ([row["model"], row["model_returned"], row["answers"]] for row in traced.models)
    runs = ([row[name] for name in _RUN] for row in traced.runs)
    return "\n".join(
        [
            f"# Release {markdown_cell(release['version'])} of {markdown_cell(traced.domain)}\n",
            markdown_table(("what", "value"), list(facts.items())),
            "## Source files\n",
            markdown_table(
                ("file", "SHA-256"), [[row["file"], row["sha256"]] for row in traced.sources]
            ),
            "## Written by\n",
            markdown_table(("model", "as returned", "answers"), models),
            "## Runs\n",
            markdown_table(("run", "state", "started", "finished", "settings", "code"), runs),
            "One dialogue's way from the source line to the release: "
            f"{markdown_code(f'redial lineage {traced.example}')}",
        ]
    )


def _section(title: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    yield title
    none = True
    for line in lines:
        none = False
        yield f"  {line}"
    if none:
        yield "  none"


def _review(row: Mapping[str, Any]) -> str:
    item = f"{row['title']} ({row['item_id']}, {row['collection']})"
    if row["review_id"] is None:
        return f"slot {row['slot']}: {item}, {WHOSE['none']}"
    rating = "-" if row["rating"] is None else f"{row['rating']:g}"
    edition = (
        f" of {row['source_item_id']}"
        if row["source_item_id"] not in (None, row["item_id"])
        else ""
    )
    place = f"{row['source_file']} line {row['source_line']}{edition}, rated {rating}"
    return f"slot {row['slot']}: {item}, {WHOSE[row['whose']]} {row['review_id']}: {place}"


def _attempt(attempt: AttemptLineage) -> Iterator[str]:
    lines = [_asked(one) for one in attempt.asked]
    if attempt.error:
        lines.append(f"error: {attempt.error}")
    if attempt.passed:
        lines.append(f"rules passed: {', '.join(attempt.passed)}")
    if attempt.broken:
        lines.append(f"rules broken: {', '.join(_fault(row) for row in attempt.broken)}")
    yield from _section(
        f"attempt {attempt.attempt}: {attempt.status}, "
        f"rollout {attempt.rollout}, profile {attempt.profile}",
        lines,
    )


def _fault(row: Mapping[str, Any]) -> str:
    turn = f", turn {row['turn']}" if row["turn"] else ""
    return f"{row['rule']} ({row['severity']}{turn})"


def _asked(one: Asked) -> str:
    turn = f"turn {one.turn}, {one.side}: " if one.turn else ""
    prompt = f"{turn}prompt cannot be rebuilt from today's code and tables"
    if one.prompt is not None:
        characters = sum(len(message["content"]) for message in one.prompt)
        prompt = f"{turn}prompt of {characters:,} characters (rebuilt, same key)"
    if one.model is None:
        return f"{prompt} -> request {one.request_key} -> no answer in the store"
    cost = "price unknown" if one.cost_usd is None else f"${one.cost_usd:g}"
    tokens = f"{one.prompt_tokens or 0:,} + {one.completion_tokens or 0:,} tokens"
    answer = (
        f"{one.model_returned or one.model}, {one.finish_reason}, {tokens}, {cost}, "
        f"{one.asked_at}, run {one.run_id}"
    )
    return f"{prompt} -> request {one.request_key} -> {answer}"


def _release(row: Mapping[str, Any]) -> str:
    return (
        f"{row['version']}, {row['made_at']}, "
        f"settings {row['config_hash']}, code {row['code_version']}, run {row['run_id']}"
    )


def _run(row: Mapping[str, Any]) -> str:
    ended = row["finished_at"] or "not ended"
    return (
        f"{row['run_id']}: {row['state']}, {row['started_at']} to {ended}, "
        f"settings {row['config_hash']}, code {row['code_version']}"
    )


def _model(row: Mapping[str, Any]) -> str:
    cost = "price unknown" if row["cost_usd"] is None else f"${row['cost_usd']:.4f}"
    return f"{row['model']} (as {row['model_returned']}): {row['answers']:,} answers, {cost}"
