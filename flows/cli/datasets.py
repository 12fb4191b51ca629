"""`redial select`, `merge` and `rebuild`: datasets made of releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import JsonOption, ReleaseArgument, app, comma_list
from flows.cli.completion import complete_corpus
from flows.cli.console import ERR, OUT, Bars, print_json, print_plain
from flows.cli.views import show_facts
from tasks.errors import UserError
from tasks.settings import Home

if TYPE_CHECKING:
    from flows.rebuild import Rebuilt
    from tasks.derive import Selection
    from tasks.release import FoundRelease


@app.command(epilog="Example: redial select demo --recommendations 3 --users 50 --to demo-small")
def select(
    ctx: typer.Context,
    release: ReleaseArgument,
    to: Annotated[Path, typer.Option(help="Folder to make", show_default=False)],
    recommendations: Annotated[
        str, typer.Option(help="Numbers of recommendations with commas, such as 2,3")
    ] = "",
    templates: Annotated[
        str, typer.Option(help="Template ids with commas, or the beginnings of some")
    ] = "",
    users: Annotated[
        int | None, typer.Option(min=1, help="Draw so many users, with all dialogues that fit")
    ] = None,
    balance: Annotated[
        str,
        typer.Option(help="Take equally many dialogues of each: template or recommendations"),
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of the draws")] = 2024,
    as_json: JsonOption = False,
) -> None:
    """Write some dialogues of a release as a release of its own, which says where it came from."""
    from tasks.derive import select_dialogues

    home: Home = ctx.obj
    selection = _selection(recommendations, templates, users, balance, seed)
    counts = select_dialogues(_found(home, release), selection, to.expanduser().absolute())
    if as_json:
        print_json({"path": str(to), "selected": selection.words(), "rows": dict(counts)})
    else:
        show_facts(OUT, counts, f"{to}: {'; '.join(selection.words())}")


def _selection(
    recommendations: str, templates: str, users: int | None, balance: str, seed: int
) -> Selection:
    from tasks.derive import BALANCES, Selection

    numbers = comma_list(recommendations)
    if not set(numbers) <= {"1", "2", "3"}:
        raise UserError("--recommendations takes 1, 2 and 3, with commas between them")
    if balance and balance not in BALANCES:
        raise UserError(f"--balance takes {' or '.join(BALANCES)}, not {balance[:40]!r}")
    return Selection(
        recommendations=tuple(map(int, numbers)),
        templates=tuple(comma_list(templates)),
        users=users,
        balance=next((known for known in BALANCES if known == balance), None),
        seed=seed,
    )


@app.command(epilog="Example: redial merge books movies_and_tv --name all")
def merge(
    ctx: typer.Context,
    releases: Annotated[
        list[str],
        typer.Argument(
            help="Domains' names (their latest releases), or releases' versions or folders",
            show_default=False,
            autocompletion=complete_corpus,
        ),
    ],
    name: Annotated[str, typer.Option(help="What the merged dataset is called")],
    users_apart: Annotated[
        bool,
        typer.Option(
            "--users-apart", help="Take users of one id in two domains for different people"
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put releases of several domains together as one dataset, with Table 3 and its total.

    Each item's id gets its domain's name in front.
    """
    from tasks.derive import merge_releases
    from tasks.exports import comparison_text

    home: Home = ctx.obj
    sources = [_found(home, release) for release in releases]
    merged = merge_releases(home, sources, name, users_apart=users_apart)
    for conflict in merged.conflicts:
        ERR.print(f"  {conflict}", markup=False)
    if as_json:
        print_json(
            {
                "path": str(merged.release.path),
                "version": merged.release.version,
                "rows": dict(merged.release.counts),
                "shared_users": merged.shared_users,
                "conflicts": list(merged.conflicts),
                "table_3": merged.table_3,
            }
        )
        return
    print_plain(comparison_text(merged.table_3))
    facts = {"users in several domains": merged.shared_users, **merged.release.counts}
    show_facts(OUT, facts, str(merged.release.path))


@app.command(epilog="Example: redial rebuild demo --sources data/demo")
def rebuild(
    ctx: typer.Context,
    release: ReleaseArgument,
    sources: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the source files; what was selected or merged needs none",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a release again from the settings it carries; say whether the bytes are the same.

    Answers come from the domain's warehouse, and from the mock model where it wrote; nothing is
    paid for. What was selected or merged is made again from its releases. Exit code 1 if anything
    differs.
    """
    from dataclasses import asdict

    from flows.rebuild import rebuild as run_rebuild

    home: Home = ctx.obj
    found = _found(home, release)
    with Bars() as bars:
        rebuilt = run_rebuild(home, found, sources.expanduser() if sources else None, bars)
    if as_json:
        print_json({**asdict(rebuilt), "same": rebuilt.is_same})
    else:
        _show_rebuilt(rebuilt, found.version)
    if not rebuilt.is_same:
        raise typer.Exit(1)


def _show_rebuilt(rebuilt: Rebuilt, version: str) -> None:
    for cause in rebuilt.causes:
        OUT.print(f"different here: {cause}", markup=False)
    if rebuilt.problem:
        OUT.print(rebuilt.problem, markup=False)
    elif rebuilt.is_same:
        OUT.print(f"the same bytes: {version}", markup=False)
    else:
        OUT.print(f"not the same: {', '.join(rebuilt.files)}", markup=False)


def _found(home: Home, name: str) -> FoundRelease:
    from tasks.release import find_release, unknown_corpus

    found = find_release(home, name)
    if found is None:
        raise unknown_corpus(home, name)
    return found
