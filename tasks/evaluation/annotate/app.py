"""The annotation page: plain forms that work with the keyboard, served on loopback only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tasks.evaluation.annotate.study import Answer, AnsweredElsewhere, Study
from tasks.evaluation.quality import DEFECTS, HIGHEST, LOWEST, METRICS, DefectTask, PairTask
from tasks.web import environment, local_app, read_form, serve_local

HERE = Path(__file__).resolve().parent
MOST_BYTES = 4096  # of one form
# What each grade means, in short (App. D.1).
GRADES = {
    "fluency": (
        "severe errors, hard to understand",
        "some errors or halting, yet understandable",
        "fluent, no errors",
    ),
    "informativeness": (
        "says nothing, or repeats",
        "some information, little detail",
        "rich and detailed",
    ),
    "logic": (
        "contradicts itself or misses the question",
        "some flaws of logic",
        "logical in its context",
    ),
    "coherence": (
        "no connection with what came before",
        "follows on, with breaks",
        "clearly connected",
    ),
}


def annotation_app(study: Study) -> Starlette:
    """Return the page of a study as an ASGI application.

    Everything from dialogues is escaped; pages load nothing from elsewhere; only requests to a
    loopback name from this very page are taken, so that no other site open in the same browser can
    answer for the annotator.
    """
    pages = _Pages(study)
    return local_app(
        [
            Route("/", pages.welcome),
            Route("/rate", pages.start),
            Route("/rate/{annotator}", pages.show),
            Route("/rate/{annotator}/{task_id}", pages.take, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
    )


def serve_annotation(study: Study, *, port: int = 8765) -> None:
    """Serve a study on 127.0.0.1 until interrupted. Raises UserError when the port is taken."""
    serve_local(annotation_app(study), port)


class _Pages:
    def __init__(self, study: Study) -> None:
        self._study = study
        self._templates = environment(HERE / "pages")

    async def welcome(self, request: Request) -> Response:
        """Ask for a name and show how far everybody is."""
        return self._page("welcome.html", progress=await run_in_threadpool(self._study.progress))

    async def start(self, request: Request) -> Response:
        """Go to a name's own tasks."""
        name = await run_in_threadpool(
            self._study.known_as, request.query_params.get("annotator", "")
        )
        return RedirectResponse(f"/rate/{quote(name)}", 303)

    async def show(self, request: Request) -> Response:
        """Show the task asked for, else the first one not answered yet."""
        annotator = await run_in_threadpool(self._study.known_as, request.path_params["annotator"])
        order = await run_in_threadpool(self._study.order, annotator)
        answers = await run_in_threadpool(self._study.answers, annotator)
        unanswered = next(
            (place for place, task in enumerate(order) if task.task_id not in answers), len(order)
        )
        wanted = request.query_params.get("at", "")
        place = (
            min(int(wanted), len(order) - 1)
            if wanted.isascii() and wanted.isdigit() and len(wanted) < 9
            else unanswered
        )
        if place == len(order):
            return self._page("done.html", annotator=annotator, tasks=len(order))
        task = order[place]
        page = "pair.html" if isinstance(task, PairTask) else "utterance.html"
        if isinstance(task, DefectTask):
            page = "defect.html"
        seen = await run_in_threadpool(self._study.state, annotator, task.task_id)
        shown: dict[str, Any] = {"annotator": annotator, "place": place, "tasks": len(order)}
        shown |= {"answered": len(answers), "task": task, "seen": seen, "defects": DEFECTS}
        return self._page(
            page, **shown, given=answers.get(task.task_id, {}), metrics=METRICS, grades=GRADES
        )

    async def take(self, request: Request) -> Response:
        """Store an answer and go on.

        One that would replace an answer this page has not shown is not stored, and the sender gets
        a message.
        """
        annotator, task_id = request.path_params["annotator"], request.path_params["task_id"]
        form = await read_form(request, MOST_BYTES)
        seen = form.get("seen", [""])[0]
        try:
            await run_in_threadpool(
                partial(self._study.answer, annotator, task_id, _answer(form), seen=seen)
            )
        except AnsweredElsewhere:
            return await self._conflict(annotator, task_id, _answer(form))
        return RedirectResponse(f"/rate/{quote(annotator)}", 303)

    async def _conflict(self, annotator: str, task_id: str, given: Answer) -> Response:
        known = await run_in_threadpool(self._study.known_as, annotator)
        order = await run_in_threadpool(self._study.order, known)
        kept = (await run_in_threadpool(self._study.answers, known)).get(task_id, {})
        place = next(place for place, task in enumerate(order) if task.task_id == task_id)
        names = [*METRICS, "choice", "defect", "turn"]
        rows = [
            (name, kept.get(name, "-"), given.get(name, "-"))
            for name in names
            if name in kept or name in given
        ]
        return self._page("conflict.html", status=409, annotator=known, place=place, rows=rows)

    def _page(self, name: str, *, status: int = 200, **shown: object) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(name).render(**shown), status)


def _answer(form: dict[str, list[str]]) -> Answer:
    given: Answer = {
        name: int(form[name][0])
        for name in METRICS
        if name in form and form[name][0] in _GRADES_AS_TEXT
    }
    turn = form.get("turn", [""])[0]
    if turn.isascii() and turn.isdigit() and len(turn) < 4:
        given["turn"] = int(turn)
    return given | {name: form[name][0] for name in ("choice", "defect") if name in form}


_GRADES_AS_TEXT = {str(grade) for grade in range(LOWEST, HIGHEST + 1)}
