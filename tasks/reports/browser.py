"""The browser: a local page over the warehouses.

It finds dialogues, shows each beside what it was made from, and takes marks.

Warehouses are only read; marks go to a log of their own (tasks/marks.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tasks.errors import UserError
from tasks.funnel import verdicts
from tasks.goals import load_goals
from tasks.lineage import dialogue_lineage
from tasks.marks import MARKS, append_mark, marks_by_dialogue, marks_of, read_log, read_marks
from tasks.quality import Suite, load_suites
from tasks.reports.builds import last_build
from tasks.reports.dialogue_search import Filters, choices, search
from tasks.reports.dialogue_view import broken_rules, build_view, common_words, said_hashes
from tasks.reports.mark_form import MarkForms, Read, remember_name, remembered_name
from tasks.reports.request_replay import replay
from tasks.settings import DOMAIN_NAME, Home
from tasks.warehouse import read_idle_warehouse
from tasks.web import environment, local_app, serve_local

HERE = Path(__file__).resolve().parent
_DIALOGUE = re.compile(r"[0-9a-f]{16}")
_MOST_DIGITS = 8  # of a number in an address


def browser_app(home: Home, hosts: Iterable[str] = (), *, marking: bool = True) -> Starlette:
    """Return the browser of a data folder as an ASGI application.

    It answers on loopback and under the names in `hosts`. Without `marking` nothing can be changed.

    A warehouse is opened for the time of one page, read-only, so that a build can start while the
    browser is open; while a build runs, the page says so.
    """
    pages = _Pages(home, marking=marking)
    routes: list[BaseRoute] = [
        Route("/", pages.welcome),
        Mount("/static", StaticFiles(directory=HERE / "static")),
        Route("/domains/{domain}", pages.listed),
        Route("/domains/{domain}/{dialogue_id}", pages.shown),
    ]
    if marking:
        marks = "/domains/{domain}/{dialogue_id}/marks"
        routes.append(Route(marks, pages.mark, methods=["POST"]))
    return local_app(routes, hosts)


def serve_browser(home: Home, *, port: int = 8766) -> None:
    """Serve the browser on 127.0.0.1 until interrupted. Raises UserError when the port is taken."""
    serve_local(browser_app(home), port)


class _Pages:
    def __init__(self, home: Home, *, marking: bool) -> None:
        self._home = home
        self._marking = marking
        self._forms = MarkForms()
        self._templates = environment(HERE / "pages")

    async def welcome(self, request: Request) -> Response:
        return await self._answer("domains.html", self._domains)

    async def listed(self, request: Request) -> Response:
        filters = Filters.of(request.query_params)
        page = _number(request.query_params.get("page", ""))
        return await self._answer(
            "listed.html", lambda: self._found(request.path_params["domain"], filters, page)
        )

    async def shown(self, request: Request) -> Response:
        attempt = _number(request.query_params.get("attempt", ""))
        domain, dialogue_id = request.path_params["domain"], request.path_params["dialogue_id"]
        who = remembered_name(request)
        return await self._answer(
            "shown.html", lambda: {**self._dialogue(domain, dialogue_id, attempt), "who": who}
        )

    async def mark(self, request: Request) -> Response:
        """Keep a mark and show the dialogue again, also while a build holds the warehouse."""
        domain, dialogue_id = request.path_params["domain"], request.path_params["dialogue_id"]
        _checked_name(domain)
        mark = await self._forms.take(request, domain, dialogue_id)
        await run_in_threadpool(append_mark, self._home, domain, mark)
        answer = RedirectResponse(
            f"/domains/{domain}/{dialogue_id}?attempt={mark.attempt}#marks", 303
        )
        remember_name(answer, mark.who)
        return answer

    async def _answer(self, page: str, look: Callable[[], dict[str, Any]]) -> HTMLResponse:
        """Look something up beside the event loop and show it.

        What the user can correct is shown on a page of its own.
        """
        try:
            shown = await run_in_threadpool(look)
        except UserError as error:
            return HTMLResponse(
                self._templates.get_template("problem.html").render(problem=str(error)), 404
            )
        return HTMLResponse(self._templates.get_template(page).render(**shown))

    def _domains(self) -> dict[str, Any]:
        rows = []
        for path in sorted((self._home.data / "warehouse").glob("*.duckdb")):
            if not DOMAIN_NAME.fullmatch(path.stem):
                continue
            try:
                with read_idle_warehouse(self._home, path.stem) as con:
                    rows.append({"domain": path.stem, "verdicts": verdicts(con), "problem": ""})
            except UserError as error:
                rows.append({"domain": path.stem, "verdicts": [], "problem": str(error)})
        return {"domains": rows, "folder": str(self._home.data / "warehouse")}

    def _found(self, domain: str, filters: Filters, page: int) -> dict[str, Any]:
        with read_idle_warehouse(self._home, _checked_name(domain)) as con:
            marks = marks_by_dialogue(read_marks(con, read_log(self._home, domain)), domain)
            results = search(con, filters, page, marks)
            known = choices(con)
        chosen = filters.set()
        filtered = {name: value for name, value in chosen.items() if name != "sort"}
        return {
            "domain": domain,
            "filters": asdict(filters),
            "filtered": bool(filtered),
            "marks": {
                row["dialogue_id"]: sorted(marks.get(row["dialogue_id"], ()))
                for row in results.dialogues
            },
            "found": results,
            "choices": known,
            "set": chosen,
            "link": urlencode(chosen),
            "unsorted": urlencode(filtered),
        }

    def _dialogue(self, domain: str, dialogue_id: str, attempt: int) -> dict[str, Any]:
        if not _DIALOGUE.fullmatch(dialogue_id):
            raise UserError(f"{dialogue_id[:40]!r} is not a dialogue's id: 16 hexadecimal digits")
        goals = load_goals(self._home)
        with read_idle_warehouse(self._home, _checked_name(domain)) as con:
            traced = dialogue_lineage(con, domain, dialogue_id)
            build = last_build(con, self._home, domain)
            attempts = [made.attempt for made in traced.attempts] or [1]
            chosen = traced.brief["attempt"] or attempts[-1]
            if attempt in attempts:
                chosen = attempt
            views = build_view(con, [dialogue_id], common_words(con), goals)
            evidence = broken_rules(con, dialogue_id)
            requests = replay(con, self._home, build.domain, dialogue_id, chosen)
            hashes = said_hashes(con, dialogue_id)
            every_mark = read_marks(con, read_log(self._home, domain))
        marks = marks_of(every_mark, domain, dialogue_id, hashes)
        read = Read(domain, dialogue_id, chosen, hashes.get(chosen, ""))
        shown = next((view for view in views if view.attempt == chosen), None)
        settings = build.domain
        suites = load_suites(self._home, settings.quality.suites, settings.quality.severities)
        worded = goals.worded(settings.noun, settings.verb)
        return {
            "domain": domain,
            "brief": views[0].brief,
            "told": shown,
            "told_brief": views[0],
            "attempts": attempts,
            "attempt": chosen,
            "requests": requests,
            "lineage": traced,
            "evidence": evidence,
            "sentences": _sentences(suites),
            "marks": marks,
            "marking": self._marking,
            "mark_choices": MARKS,
            "read": read,
            "token": self._forms.token(read) if self._marking else "",
            "goal_names": {goal: spec.name for goal, spec in worded.items()},
        }


def _sentences(suites: Iterable[Suite]) -> dict[str, str]:
    """Return what each rule says, by its name."""
    sentences: dict[str, str] = {}
    for suite in suites:
        sentences |= {rule.rule: rule.says for rule in suite.rules}
    return sentences


def _checked_name(domain: str) -> str:
    """Return a domain's name. Raises UserError on what is no plain name."""
    if not DOMAIN_NAME.fullmatch(domain):
        raise UserError(f"{domain[:40]!r} is not a domain's name")
    return domain


def _number(text: str) -> int:
    """Return a small whole number out of an address, 0 for anything else."""
    is_number = text.isascii() and text.isdigit()
    return int(text) if is_number and len(text) <= _MOST_DIGITS else 0
