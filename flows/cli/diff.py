"""`redial diff`: two runs, releases or domains side by side."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import JsonOption, app
from flows.cli.completion import complete_corpus
from flows.cli.console import OUT, print_json
from flows.cli.views import show_facts, show_rows
from tasks.settings import Home

if TYPE_CHECKING:
    from tasks.diff import Beside, Change, Diff

MOST_TEMPLATES = 20  # rows of one table on a terminal
_HELP = (
    "A domain, a release (path, DOMAIN/VERSION, DOMAIN/latest, or `latest` of the "
    "other's domain) or a run's id"
)
_SideArgument = Annotated[
    str, typer.Argument(help=_HELP, show_default=False, autocompletion=complete_corpus)
]


@app.command(epilog="Example: redial diff demo/54000cbf59aa demo/latest --page diff.html")
def diff(
    ctx: typer.Context,
    first: _SideArgument,
    second: _SideArgument,
    dialogue: Annotated[
        str,
        typer.Option(help="Show this dialogue of both sides, by its id or the first digits of it"),
    ] = "",
    page: Annotated[
        Path | None,
        typer.Option(help="Write the comparison as one HTML file, dialogues side by side"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs, releases or domains.

    Shows settings, dialogues, acceptance and cost, with 95 % intervals.
    """
    from tasks.diff import (
        compare_sides,
        find_pair,
        lay_beside,
        read_sides,
        read_turns_of,
        render_diff,
        write_diff,
    )

    home: Home = ctx.obj
    sides = read_sides(home, first, second)
    difference = compare_sides(*sides)
    shown = find_pair(*sides, difference.matched, dialogue) if dialogue else None
    read_turns = partial(read_turns_of, home)
    if page:
        write_diff(page, render_diff(difference, read_turns, shown))
    beside = lay_beside(difference, shown, read_turns) if shown else None
    if as_json:
        print_json(
            {
                **difference.as_json(),
                **({"dialogue": beside.as_json()} if beside else {}),
                **({"page": str(page)} if page else {}),
            }
        )
        return
    _show(difference)
    if beside:
        _show_beside(beside)
    if page:
        OUT.print(f"page: {page}", markup=False)


def _show(difference: Diff) -> None:
    from tasks.diff import tables_of

    one, other = difference.first.summary(), difference.second.summary()
    show_rows(
        OUT,
        [{"": name, "A": one.get(name), "B": other.get(name)} for name in {**one, **other}],
        "A and B",
    )
    show_rows(
        OUT,
        difference.settings or [{"setting": "none", "first": None, "second": None}],
        "settings that differ",
    )
    for title, changes in tables_of(difference):
        least = sorted(changes, key=lambda change: -change.n_first - change.n_second)[
            :MOST_TEMPLATES
        ]
        rest = (
            f" (the {len(least)} most used of {len(changes)})" if len(least) < len(changes) else ""
        )
        show_rows(OUT, [_row(change) for change in least], f"{title.lower()}{rest}")
    if difference.counts is None:
        OUT.print(
            "the dialogues of one side are not on record any more: a later run has replaced them",
            markup=False,
        )
    else:
        show_facts(OUT, difference.counts, "dialogues")


def _row(change: Change) -> dict[str, str | int]:
    from tasks.diff import interval_text

    return {
        "": f"{change.name} (%)" if change.unit == "share" else change.name,
        "A [95 %]": interval_text(change.first, change.unit),
        "of": change.n_first,
        "B [95 %]": interval_text(change.second, change.unit),
        "of ": change.n_second,
        "B less A [95 %]": interval_text(change.difference, change.unit, sign=True)
        + (" *" if change.is_clear else ""),
        "pairs": change.pairs,
    }


def _show_beside(beside: Beside) -> None:
    for name, one in (("A", beside.first), ("B", beside.second)):
        heading = f"{one.dialogue_id}, {one.verdict}" if one else "not on this side"
        OUT.print(f"\n{name}: {heading}", markup=False)
        side = "first" if name == "A" else "second"
        for row in beside.rows:
            if row[side]:
                mark = " " if row["same"] else "*"
                OUT.print(
                    f" {mark}{row[side].turn:>2} {row[side].role:<5} {row[side].text}", markup=False
                )
