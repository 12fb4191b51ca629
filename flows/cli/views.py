"""How results look on the terminal, as tables of rich; nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from flows.cli.console import terminal_text

if TYPE_CHECKING:
    from flows.build_result import BuildResult
    from tasks.dialogue_store import Shown
    from tasks.repair import Attempt, Broken, Why

UPPER_BOUNDS = "upper bounds"
PARTS_OF_COST = frozenset({"cached tokens", "reasoning tokens", UPPER_BOUNDS})
MOST_RAW = 2_000  # characters of an answer that could not be read
_SPELLED = re.compile(r"\\u([0-9a-f]{4})")  # how evidence writes characters that cannot be seen


def show_rows(
    console: Console, rows: Sequence[Mapping[str, Any]], title: str | None = None
) -> None:
    """Show rows as a table; numbers to the right, everything escaped."""
    if not rows:
        console.print(f"{title or 'table'}: nothing to show", markup=False)
        return
    table = Table(
        title=_markup(title) if title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for name in rows[0]:
        numeric = all(isinstance(row[name], int | float) or row[name] is None for row in rows)
        table.add_column(
            _markup(str(name)), justify="right" if numeric else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    console.print(table)


def show_facts(console: Console, facts: Mapping[str, Any], title: str | None = None) -> None:
    """Show names and values, one a line."""
    if title:
        console.print(f"[bold]{_markup(title)}[/]")
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        console.print(f"  {name:<{width}}  {_cell(value)}", markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, list | tuple):
        return terminal_text(", ".join(map(str, value)))
    return terminal_text(str(value))


def show_result(console: Console, result: BuildResult) -> None:
    """Show a build's end: where the release is, the funnel, Table 3."""
    show_rows(console, result.funnel, "funnel")
    if result.rules:
        show_rows(console, result.rules, "rules broken")
    if result.causes:
        show_causes(console, result.causes, result.domain)
    show_facts(console, result.statistics, "statistics (Table 3)")
    show_facts(console, shown_cost(result.cost), "cost")
    if result.message:
        console.print(f"stopped early ({result.state}): {result.message}", markup=False)
    for alert in result.alerts:
        console.print(f"alert: {alert}", markup=False)
    for name, page in result.pages.items():
        console.print(f"{name}: {page}", markup=False)
    if result.key_file:
        console.print(
            f"key of the pseudonyms (keep it secret, and keep it): {result.key_file}", markup=False
        )
    console.print(f"release: {result.release or 'none'}", markup=False)


def shown_cost(cost: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was paid as a person reads it: without parts of which there are none."""
    shown = {name: value for name, value in cost.items() if value or name not in PARTS_OF_COST}
    if cost.get(UPPER_BOUNDS):
        shown[UPPER_BOUNDS] = f"{cost[UPPER_BOUNDS]:,} answers, cached tokens at the full price"
    return shown


def show_causes(console: Console, causes: list[dict[str, Any]], domain: str) -> None:
    """Show why briefs failed or were rejected, each cause with the command to see an example."""
    shown = [
        {name: row[name] for name in ("verdict", "cause", "briefs")}
        | {"see": f"redial why {domain}/{row['example']}"}
        for row in causes
    ]
    show_rows(console, shown, "why briefs failed or were rejected (one cause each)")


def show_dialogue(console: Console, shown: Shown) -> None:
    """Show a dialogue as people would read it, above it what it was planned from."""
    facts = {
        "domain": shown.domain,
        "user": shown.user_id,
        "dialogue of user": shown.position,
        "template": shown.template_id,
        "verdict": f"{shown.verdict} at attempt {shown.attempt}"
        if shown.attempt
        else shown.verdict,
    }
    show_facts(console, facts, f"dialogue {shown.dialogue_id}")
    show_rows(console, shown.items, "items")
    for turn in shown.utterances:
        colour = "cyan" if turn["role"] == "user" else "green"
        goals = _markup(" + ".join(turn["goals"]))
        console.print(
            f"[{colour}]{turn['turn']:>2} {turn['role']:<5}[/] {_markup(turn['text'])} "
            f"[dim]{goals}[/]"
        )


def show_why(console: Console, story: Why) -> None:
    """Show a dialogue's story: brief, then each attempt with the faulty pieces marked."""
    brief = {
        name: story.brief[name] for name in ("user_id", "position", "template_id", "target_item_id")
    }
    show_facts(
        console,
        {"domain": story.domain, **brief, "verdict": story.verdict},
        f"dialogue {story.dialogue_id}",
    )
    show_rows(console, story.items, "items")
    for attempt in story.attempts:
        _show_attempt(console, attempt)


def _show_attempt(console: Console, attempt: Attempt) -> None:
    ended = (
        ""
        if attempt.finish_reason == "stop"
        else f", finish reason {attempt.finish_reason or 'none'}"
    )
    title = f"[bold]attempt {attempt.attempt}: {_markup(attempt.status)}{_markup(ended)}[/]"
    console.print(f"\n{title} {_markup(attempt.error)}")
    for root in [fault for fault in attempt.broken if fault.because is None]:
        _show_fault(console, root)
    for follower in [fault for fault in attempt.broken if fault.because is not None]:
        _show_follower(console, follower)
    for turn in attempt.utterances:
        text = Text(terminal_text(f" {turn['turn']:>2} {turn['role']:<5} {turn['text']}"))
        faults = [
            one.evidence for one in attempt.broken if one.evidence and one.turn == turn["turn"]
        ]
        spelled = (_SPELLED.sub(lambda code: chr(int(code[1], 16)), piece) for piece in faults)
        text.highlight_words([terminal_text(piece) for piece in spelled], "reverse red")
        console.print(text)
    by_turn = [one for one in attempt.requests if one["turn"]]
    if by_turn:
        columns = ("turn", "side", "request_key", "model", "finish_reason")
        show_rows(console, [{name: one[name] for name in columns} for one in by_turn], "requests")
    if not attempt.utterances and attempt.text:
        console.print(terminal_text(attempt.text[:MOST_RAW]), markup=False)


def _show_fault(console: Console, fault: Broken) -> None:
    colour = "red" if fault.severity == "reject" else "yellow"
    title = f"[{colour}]{fault.severity} {fault.rule}[/], {_place(fault)}"
    console.print(f"  {title}: {_markup(fault.sentence)}")
    console.print(f"    [{colour}]{_markup(fault.evidence)}[/]")


def _show_follower(console: Console, fault: Broken) -> None:
    """Show a finding that follows from another one in a single line."""
    cause = f"[dim]because of: {fault.because}[/]"
    console.print(f"    {fault.rule}, {_place(fault)}, {cause}: {_markup(fault.evidence)}")


def _place(fault: Broken) -> str:
    return f"turn {fault.turn}" if fault.turn else "whole dialogue"


def _markup(text: str) -> str:
    """Return foreign text escaped for rich's markup."""
    return escape(terminal_text(text))
