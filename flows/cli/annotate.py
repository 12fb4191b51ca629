"""`redial annotate`: people grade utterances and compare conversations on a local page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import app
from flows.cli.console import OUT
from flows.cli.views import show_rows
from tasks.settings import Home

if TYPE_CHECKING:
    from tasks.evaluation.quality import DefectTask, PairTask, UtteranceTask

annotate = typer.Typer(
    help="Let people grade utterances and compare conversations on a local page.",
    no_args_is_help=True,
)
app.add_typer(annotate, name="annotate")

StudyArgument = Annotated[Path, typer.Argument(help="The study's file", show_default=False)]


@annotate.command(epilog="Example: redial annotate new study.sqlite demo ../redial/test_data.jsonl")
def new(
    ctx: typer.Context,
    study: StudyArgument,
    corpora: Annotated[
        list[str],
        typer.Argument(
            help="Domains or paths; the first is compared with each other one", show_default=False
        ),
    ],
    dialogues: Annotated[
        int, typer.Option(help="Dialogues of each corpus whose utterances are graded", min=0)
    ] = 10,
    pairs: Annotated[
        int, typer.Option(help="Pairs of conversations in each comparison", min=0)
    ] = 50,
    defects: Annotated[
        int,
        typer.Option(
            help="Accepted dialogues of the first domain in which to look for a defect", min=0
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of every draw")] = 2024,
) -> None:
    """Draw a study's tasks, blind and shuffled as in the paper."""
    from flows.evaluation.setup import find_corpora
    from tasks.evaluation.annotate import Study
    from tasks.evaluation.quality import pair_tasks, utterance_tasks

    home: Home = ctx.obj
    read = find_corpora(home, corpora)
    tasks: list[UtteranceTask | PairTask | DefectTask] = []
    tasks += utterance_tasks(read, dialogues=dialogues, seed=seed)
    if len(read) > 1:
        tasks += pair_tasks(read[0], read[1:], pairs=pairs, seed=seed)
    if defects:
        tasks += _defect_tasks(home, corpora[0], defects, seed)
    made = Study.create(study, tasks, seed=seed)
    OUT.print(
        f"{study}: {len(made.tasks):,} tasks; `redial annotate open {study}` shows them",
        markup=False,
    )


def _defect_tasks(home: Home, name: str, count: int, seed: int) -> list[DefectTask]:
    """Return tasks over accepted dialogues of a domain. Raises UserError where it is none."""
    from tasks.calibration import draw_sample
    from tasks.evaluation.quality import defect_tasks
    from tasks.settings import load_domain
    from tasks.warehouse import read_warehouse

    domain = load_domain(home, name)
    with read_warehouse(home.warehouse(name)) as con:
        sample = draw_sample(con, domain, released=count, of_kind=0, seed=seed)
    drawn = {one.dialogue.dialogue_id: one.dialogue for one in sample}
    return defect_tasks(name, drawn, seed=seed)


@annotate.command("open", epilog="Example: redial annotate open study.sqlite --port 8765")
def open_study(
    study: StudyArgument,
    port: Annotated[int, typer.Option(help="Port on loopback", min=1024, max=65535)] = 8765,
) -> None:
    """Serve a study on this machine; each annotator opens the page and gives a name.

    Every answer is kept at once.
    """
    from tasks.evaluation.annotate import Study, serve_annotation

    opened = Study(study)
    OUT.print(f"http://127.0.0.1:{port} - Ctrl-C ends it")
    OUT.file.flush()
    serve_annotation(opened, port=port)


@annotate.command(epilog="Example: redial annotate progress study.sqlite")
def progress(study: StudyArgument) -> None:
    """Show how far each annotator is."""
    from tasks.evaluation.annotate import Study

    show_rows(OUT, [vars(row) for row in Study(study).progress()], str(study))


@annotate.command(epilog="Example: redial annotate results study.sqlite")
def results(
    study: StudyArgument,
    corpus: Annotated[
        str | None,
        typer.Option(
            help="Corpus that Figure 4 compares with the others; the one compared most if not given"
        ),
    ] = None,
) -> None:
    """Print what people said: Table 4, Figure 4, how far they agree."""
    from collections import Counter

    from tasks.evaluation.annotate import Study
    from tasks.evaluation.quality import quality_page

    opened = Study(study)
    compared = Counter(
        name for task in opened.pair_tasks for name in (task.first_corpus, task.second_corpus)
    )
    most = max(sorted(compared), key=lambda name: compared[name], default="")
    page = quality_page(corpus or most, opened.tasks, {}, opened)
    OUT.print(page.text, markup=False)
    defects = Counter(one.kind for one in opened.defects())
    if defects:
        rows = [{"defect": kind, "answers": count} for kind, count in defects.most_common()]
        show_rows(OUT, rows, "defects that people see")


@annotate.command("export", epilog="Example: redial annotate export study.sqlite answers.jsonl")
def export_answers(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="JSON lines to write", show_default=False)],
) -> None:
    """Write every answer as JSON lines."""
    from tasks.evaluation.annotate import Study

    OUT.print(f"{Study(study).export_answers(file):,} answers written to {file}", markup=False)


@annotate.command("import", epilog="Example: redial annotate import study.sqlite answers.jsonl")
def import_answers(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="JSON lines to read", show_default=False)],
) -> None:
    """Take in answers from a copy of the study, all or none."""
    from tasks.evaluation.annotate import Study

    OUT.print(f"{Study(study).import_answers(file):,} answers taken in from {file}", markup=False)
