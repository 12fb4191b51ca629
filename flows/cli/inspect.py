"""The commands that only look: `redial funnel`, `rejected`, `history`, `stats`, `show`, `why`.

What takes long to import is imported by the command that needs it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli.app import DialogueArgument, DomainArgument, JsonOption, OfDomainOption, app
from flows.cli.console import OUT, print_json
from flows.cli.views import (
    PARTS_OF_COST,
    show_causes,
    show_dialogue,
    show_facts,
    show_rows,
    show_why,
    shown_cost,
)
from tasks.settings import Home, load_domain


@app.command(epilog="Example: redial funnel demo")
def funnel(
    ctx: typer.Context,
    domain: DomainArgument,
    by_template: Annotated[
        bool, typer.Option("--by-template", help="Show every template's own line")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what became of every source line, MIGHT_LIKES item and brief of a domain.

    The shares add up to 100 %.
    """
    from tasks.funnel import cost_totals, read_funnel
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        found = read_funnel(con)
        total = cost_totals(con, "")
    shown = {name: value for name, value in total.items() if name in PARTS_OF_COST}
    cost = {**shown, **{name: value for name, value in total.items() if "accepted" in name}}
    if as_json:
        print_json({**asdict(found), "cost": cost})
        return
    show_rows(OUT, found.stages, f"stages of {domain}")
    show_rows(OUT, found.set_aside, "source lines set aside")
    show_rows(OUT, found.might_likes, "MIGHT_LIKES and their briefs")
    show_rows(OUT, found.verdicts, "how the briefs ended")
    if found.judged:
        show_rows(OUT, found.judged, "accepted dialogues and the judge")
    show_rows(OUT, found.attempts, "attempts")
    show_rows(OUT, found.rules, "rules broken (a dialogue may break several)")
    if found.not_judged:
        show_rows(OUT, found.not_judged, "rules that do not judge in this language, or in part")
    if found.causes:
        show_causes(OUT, found.causes, domain)
    show_facts(OUT, shown_cost(cost), "cost, and what it would be without repair")
    if by_template:
        show_rows(OUT, found.templates, "templates")


@app.command(epilog="Example: redial rejected demo --kind broken_line")
def rejected(
    ctx: typer.Context,
    domain: DomainArgument,
    kind: Annotated[
        str | None, typer.Option(help="Show the lines of this kind alone, such as bad_rating")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Show at most so many lines")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the source lines that were not used, by kind, and the rules that dialogues broke.

    Of a rule, `root_causes` counts the dialogues whose finding follows from no other rule's.
    """
    from tasks.funnel import read_funnel
    from tasks.ingest import read_rejected
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        rejected_lines = read_rejected(con, kind, limit)
        rules = read_funnel(con).rules
    if as_json:
        print_json({**asdict(rejected_lines), "rules": rules})
        return
    show_rows(OUT, rejected_lines.kinds, f"lines of {domain} that were not used")
    if rejected_lines.kinds:
        show_rows(OUT, rejected_lines.lines, f"the first {len(rejected_lines.lines)}")
    show_rows(OUT, rules, "rules broken by dialogues (one may break several)")


@app.command(epilog="Example: redial history demo")
def history(ctx: typer.Context, domain: DomainArgument, as_json: JsonOption = False) -> None:
    """Show what each run of a domain came to, from the first to the last.

    What changed by more than chance is marked.
    """
    from tasks.history import change_lines, history_json, history_page, history_rows, read_history
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        found = read_history(con, domain)
    if as_json:
        print_json(history_json(found))
        return
    narrow = [
        {name: value for name, value in row.items() if name != "95 % interval"}
        for row in history_rows(found)
    ]
    show_rows(OUT, narrow, f"runs of {domain} that asked for something")
    for line in change_lines(found):
        OUT.print(line, markup=False)
    page = history_page(home, domain)
    if page.is_file():
        OUT.print(f"page: {page}", markup=False)


@app.command("why", epilog="Example: redial why 3f2a")
def why_command(
    ctx: typer.Context,
    dialogue_id: DialogueArgument,
    domain: OfDomainOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show why a dialogue was accepted or rejected.

    Shows its brief, each attempt, and each broken rule with the offending words.
    """
    from tasks.dialogue_store import find_dialogue
    from tasks.quality import load_suites, rule_sentences
    from tasks.repair import why
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    found = find_dialogue(home, dialogue_id, domain)
    judged_by = load_domain(home, found.domain).quality
    suites = load_suites(home, judged_by.suites, judged_by.severities)
    with read_warehouse(home.warehouse(found.domain)) as con:
        story = why(con, found.domain, found.dialogue_id, rule_sentences(suites))
    if as_json:
        print_json(asdict(story))
    else:
        show_why(OUT, story)


@app.command(epilog="Example: redial stats demo")
def stats(
    ctx: typer.Context,
    corpus: Annotated[
        str,
        typer.Argument(
            help="A domain, a release, a folder in the published layout, or a file of "
            "another corpus",
            show_default=False,
        ),
    ],
    semantic: Annotated[
        bool,
        typer.Option(
            "--semantic",
            help="Show as well how alike utterances and dialogues are by sense (extra `semantic`)",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Count a corpus as the paper's Table 3 does."""
    from flows.build_ending import table_3
    from tasks.evaluation import read_corpus
    from tasks.release import corpus_path, find_release
    from tasks.semantic import check_semantic, diversity, shown_diversity
    from tasks.statistics import folder_statistics, read_spoken, warehouse_statistics
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    if semantic:
        check_semantic()
    if home.is_domain(corpus):
        with read_warehouse(home.warehouse(corpus)) as con:
            counted = warehouse_statistics(con)
            spoken = read_spoken(con) if semantic else []
    elif found := find_release(home, corpus):
        counted = folder_statistics(found.path)
        spoken = read_corpus(found.path).spoken() if semantic else []
    else:
        read = read_corpus(corpus_path(home, corpus))
        counted, spoken = read.statistics(), read.spoken()
    figures = table_3(counted)
    varied = shown_diversity(diversity(spoken)) if semantic else {}
    if as_json:
        print_json({**figures, **varied})
        return
    show_facts(OUT, figures, f"statistics of {corpus} (Table 3)")
    if varied:
        show_facts(OUT, varied, "how alike by sense")


@app.command(epilog="Example: redial show 3f2a")
def show(
    ctx: typer.Context,
    dialogue_id: DialogueArgument,
    domain: OfDomainOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show one dialogue: what it was planned from, and what was said."""
    from tasks.dialogue_store import find_dialogue, read_dialogue
    from tasks.warehouse import read_warehouse

    home: Home = ctx.obj
    found = find_dialogue(home, dialogue_id, domain)
    with read_warehouse(home.warehouse(found.domain)) as con:
        shown = read_dialogue(con, found)
    if as_json:
        print_json(asdict(shown))
    else:
        show_dialogue(OUT, shown)
