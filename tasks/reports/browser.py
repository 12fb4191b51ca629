"""The browser: a local page over the warehouses, to find dialogues and see each beside what it was made from. It only reads."""

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
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tasks.errors import UserError
from tasks.funnel import verdicts
from tasks.goals import load_goals
from tasks.lineage import dialogue_lineage
from tasks.quality import load_suites
from tasks.reports.builds import last_build
from tasks.reports.finding import Filters, choices, find
from tasks.reports.request_replay import replay
from tasks.reports.telling import broken_rules, common_words, tell
from tasks.settings import DOMAIN_NAME, Home
from tasks.warehouse import read_idle_warehouse
from tasks.web import environment, local_app, serve_local

HERE = Path(__file__).resolve().parent
_DIALOGUE = re.compile(r"[0-9a-f]{16}")


def browser_app(home: Home, hosts: Iterable[str] = ()) -> Starlette:
    """Return the browser of a data folder as an ASGI application, for loopback and the names in `hosts`.

    A warehouse is opened for the time of one page, read-only, so that a build can start while the browser is open; while a build runs,
    the page says so.
    """
    pages = _Pages(home)
    return local_app(
        [
            Route("/", pages.welcome),
            Mount("/static", StaticFiles(directory=HERE / "static")),
            Route("/domains/{domain}", pages.listed),
            Route("/domains/{domain}/{dialogue_id}", pages.shown),
        ],
        hosts,
    )


def serve_browser(home: Home, *, port: int = 8766) -> None:
    """Serve the browser on 127.0.0.1 until interrupted. Raises UserError when the port is taken."""
    serve_local(browser_app(home), port)


class _Pages:
    def __init__(self, home: Home) -> None:
        self._home = home
        self._templates = environment(HERE / "pages")

    async def welcome(self, request: Request) -> Response:
        return await self._answer("domains.html", self._domains)

    async def listed(self, request: Request) -> Response:
        filters, page = Filters.of(request.query_params), _number(request.query_params.get("page", ""))
        return await self._answer("listed.html", lambda: self._found(request.path_params["domain"], filters, page))

    async def shown(self, request: Request) -> Response:
        attempt = _number(request.query_params.get("attempt", ""))
        return await self._answer(
            "shown.html", lambda: self._dialogue(request.path_params["domain"], request.path_params["dialogue_id"], attempt)
        )

    async def _answer(self, page: str, look: Callable[[], dict[str, Any]]) -> HTMLResponse:
        """Look something up beside the event loop and show it; what the user can put right is shown on a page of its own."""
        try:
            shown = await run_in_threadpool(look)
        except UserError as error:
            return HTMLResponse(self._templates.get_template("problem.html").render(problem=str(error)), 404)
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
            found, known = find(con, filters, page), choices(con)
        link = urlencode(filters.set())
        return {
            "domain": domain,
            "filters": asdict(filters),
            "filtered": bool(filters.set()),
            "found": found,
            "choices": known,
            "link": link,
        }

    def _dialogue(self, domain: str, dialogue_id: str, attempt: int) -> dict[str, Any]:
        if not _DIALOGUE.fullmatch(dialogue_id):
            raise UserError(f"{dialogue_id[:40]!r} is not a dialogue's id: 16 hexadecimal digits")
        goals = load_goals(self._home)
        with read_idle_warehouse(self._home, _checked_name(domain)) as con:
            traced = dialogue_lineage(con, domain, dialogue_id)
            build = last_build(con, self._home, domain)
            asked = [one.attempt for one in traced.attempts] or [1]
            chosen = attempt if attempt in asked else traced.brief["attempt"] or asked[-1]
            told = tell(con, [dialogue_id], common_words(con), goals)
            evidence = broken_rules(con, dialogue_id)
            requests = replay(con, self._home, build.domain, dialogue_id, chosen)
        shown = next((one for one in told if one.attempt == chosen), None)
        settings = build.domain
        suites = load_suites(self._home, settings.quality.suites, settings.quality.severities)
        return {
            "domain": domain,
            "brief": told[0].brief,
            "told": shown,
            "told_brief": told[0],
            "attempts": asked,
            "attempt": chosen,
            "requests": requests,
            "lineage": traced,
            "evidence": evidence,
            "sentences": {rule.rule: rule.says for suite in suites for rule in suite.rules},
            "goal_names": {goal: spec.name for goal, spec in goals.worded(settings.noun, settings.verb).items()},
        }


def _checked_name(domain: str) -> str:
    """Return a domain's name. Raises UserError on what is no plain name."""
    if not DOMAIN_NAME.fullmatch(domain):
        raise UserError(f"{domain[:40]!r} is not a domain's name")
    return domain


def _number(text: str) -> int:
    """Return a small whole number out of an address, 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
