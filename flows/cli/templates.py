"""`redial templates`: look at the dialogue templates, prove them legal, make more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.app import JsonOption, app
from flows.cli.console import OUT, print_json
from flows.cli.views import show_facts, show_rows
from tasks.errors import UserError
from tasks.settings import Home

if TYPE_CHECKING:
    from tasks.templates import Template

templates = typer.Typer(
    help="Look at dialogue templates, prove them legal, make more from the grammar.",
    no_args_is_help=True,
)
app.add_typer(templates, name="templates")

SetOption = Annotated[
    str,
    typer.Argument(help="Name of a template set: a file in goal_specs/templates, without .yaml"),
]


@templates.command("list", epilog="Example: redial templates list curated --json")
def list_templates(
    ctx: typer.Context, name: SetOption = "curated", as_json: JsonOption = False
) -> None:
    """List a set's templates.

    Recommendations, utterances, liked and disliked items used, sub-goals turn by turn.
    """
    from tasks.templates import load_templates

    home: Home = ctx.obj
    rows = [_row(template) for template in load_templates(home, name).templates]
    if as_json:
        print_json(rows)
    else:
        show_rows(OUT, rows)


@templates.command(epilog="Example: redial templates check curated")
def check(ctx: typer.Context, name: SetOption = "curated", as_json: JsonOption = False) -> None:
    """Prove every template of a set legal by the grammar and all of them distinct.

    Counts the sub-goals they use.
    """
    from tasks.templates import check_templates

    home: Home = ctx.obj
    report = check_templates(home, name)
    kinds = [
        {"recommendations": r, "utterances": u, "templates": n}
        for (r, u), n in report.by_kind.items()
    ]
    patterns = [
        {"recommendations": r, "likes": a, "dislikes": b, "templates": n}
        for (r, a, b), n in report.by_pattern.items()
    ]
    facts = {
        "set": report.name,
        "templates": report.templates,
        "sub-goals used": sum(1 for uses in report.goal_uses.values() if uses),
        "sub-goals unused": list(report.unused),
    }
    if as_json:
        print_json(
            {**facts, "kinds": kinds, "patterns": patterns, "goal_uses": dict(report.goal_uses)}
        )
        return
    show_facts(OUT, facts, "every template is legal, all are distinct")
    show_rows(OUT, kinds, "by kind")
    show_rows(OUT, patterns, "by items of the history")
    show_rows(
        OUT,
        [{"sub-goal": goal, "uses": uses} for goal, uses in report.goal_uses.items()],
        "by sub-goal",
    )


@templates.command(
    "expand", epilog="Example: redial templates expand --count 500 --seed 7 --save mine"
)
def expand_templates(
    ctx: typer.Context,
    count: Annotated[int, typer.Option(help="How many templates to sample", min=1)] = 10,
    every: Annotated[
        bool,
        typer.Option("--all", help="The grammar's first --count templates, in place of a sample"),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the sample")] = 2024,
    save: Annotated[
        str | None, typer.Option(help="Write them as a template set of this name")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make further templates from the grammar: a seeded sample, or the enumeration's beginning."""
    home: Home = ctx.obj
    made = list(_made(home, count, every, seed))
    if save:
        OUT.print(f"{len(made)} templates written to {_save(home, save, made, seed)}", markup=False)
    elif as_json:
        print_json([_row(template) for template in made])
    else:
        show_rows(OUT, [_row(template) for template in made])


def _made(home: Home, count: int, every: bool, seed: int) -> Iterator[Template]:
    from tasks.templates import expand

    return islice(expand(home, None, seed), count) if every else expand(home, count, seed)


def _save(home: Home, name: str, made: list[Template], seed: int) -> Path:
    from tasks.templates import SET_NAME, save_templates

    if not SET_NAME.fullmatch(name.lower()):
        raise UserError(
            f"{name[:80]!r} is not the name of a template set: use small letters, digits, "
            "dashes and underscores"
        )
    path = home.project / "goal_specs" / "templates" / f"{name.lower()}.yaml"
    if path.exists():
        raise UserError(f"{path} is there already: choose another name")
    save_templates(
        path,
        made,
        f"{len(made)} templates from the grammar, `redial templates expand --seed {seed}`.",
    )
    return path


def _row(template: Template) -> dict[str, Any]:
    from tasks.templates import pattern

    likes, dislikes = pattern(template)
    return {
        "template": template.template_id,
        "recommendations": template.recommendations,
        "utterances": len(template.turns),
        "likes": likes,
        "dislikes": dislikes,
        "turns": " | ".join(f"{turn.role}: {' + '.join(turn.goals)}" for turn in template.turns),
    }
