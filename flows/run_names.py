"""Names of runs: what is done, on what, and a number.

An example is `build demo 187 briefs gpt-4o-mini #12`.

A name that a person gave stays. The number is one more than the highest among the names of the
server's runs of that flow on that domain or corpus; once in a run's name it stays with it, also
when the run is taken up again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

import httpx
import prefect
from coolname.data import config
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from tasks.redaction import redact
from tasks.visible_text import visible

_LATEST = 50  # runs that are looked at for the highest number
_LONGEST = 40  # characters of one part
_PAGES = Path(prefect.__file__).parent / "server"
_CLASSIC = ("ui", "index-*.js", "`(andromedae\\.[^`]*)`")  # files, and the list of words within
_NEWER = ("ui-v2", "deployment_._id.run-*.js", "`(Aardvark\\.[^`]*)`")
_GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu"
    "|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega"
)
_OF_CLASSIC = re.compile(rf"(?:{_GREEK})\d{{0,3}}-([a-z-]+?)(?:-(?:[a-z]|[a-z]{{4,11}}))?")
_OF_NEWER = re.compile(
    r"(?:Awesome|Rustic|Small|Gorgeous|Fantastic|Sleek|Intelligent|Unbranded"
    r"|Refined|Licensed|Generic|Practical|Ergonomic"
    r"|Handcrafted|Tasty|Handmade|Incredible)-(.{1,6})"
)


async def name_run(flow: str, subject: str, *details: str) -> None:
    """Name the run this is called in, or update its name, unless a person named it.

    Args:
        flow: what is done, such as `build`.
        subject: on what; numbers count the runs of a flow on one subject.
        details: what else tells the run from others.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    run, head, last = (
        context.flow_run,
        _plain(f"{flow} {subject}"),
        _plain(details[-1] if details else ""),
    )
    body = " ".join(filter(None, (head, *map(_plain, details))))
    try:
        async with get_client() as client:
            name = (
                await client.read_flow_run(run.id)
            ).name  # it may have been renamed since the run began
            number = _own_number(name, head, last)
            if number is None and not is_generated(name):
                return
            run.name = await _set(client, run.id, head, body, number)
    except httpx.HTTPError as error:  # a name is not worth a run
        get_run_logger().warning("the run could not be named: %s", type(error).__name__)


async def _set(
    client: PrefectClient, run_id: UUID, head: str, body: str, number: int | None
) -> str:
    """Give the run its name, with a number that no other run has."""
    free = await _highest(client, head) + 1 if number is None else number
    while True:
        await client.set_flow_run_name(run_id, f"{body} #{free}")
        others = [
            other
            for other, taken in await _numbered(client, head)
            if taken == free and other != run_id
        ]
        if number is not None or not others:
            return f"{body} #{free}"
        # Both may have seen the other.
        free = await _highest(client, head) + 1 + sum(other < run_id for other in others)


async def _highest(client: PrefectClient, head: str) -> int:
    return max((number for _, number in await _numbered(client, head)), default=0)


async def _numbered(client: PrefectClient, head: str) -> list[tuple[UUID, int]]:
    """Return the latest runs of a flow on a subject that have a number, with it."""
    chosen = FlowRunFilter(name=FlowRunFilterName(like_=f"{head} "))
    runs = await client.read_flow_runs(
        flow_run_filter=chosen, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=_LATEST
    )
    numbers = ((run.id, _number_in(run.name, head)) for run in runs)
    return [(run_id, number) for run_id, number in numbers if number is not None]


def _number_in(name: str, head: str) -> int | None:
    """Return the number at the end of a name that begins with `head`, None if there is none."""
    match = re.search(r" #(\d+)$", name)
    return int(match[1]) if match and name.startswith(f"{head} ") else None


def _own_number(name: str, head: str, last: str) -> int | None:
    """Return the number in a name given here before, None in one that a person gave."""
    form = rf"{re.escape(head)}( [\d,]+ briefs)?{re.escape(f' {last}' if last else '')} #\d+"
    return _number_in(name, head) if re.fullmatch(form, name) else None


def listed(names: Sequence[str]) -> str:
    """Return a list of names, shortened to what a run's name has room for."""
    first = short(names[0]) if names else "nothing"
    return f"{first} and {len(names) - 1:,} more" if len(names) > 1 else first


def short(name: str) -> str:
    """Return the last part of a model string or a path: `gpt-4o-mini` of `openai/gpt-4o-mini`."""
    return PurePath(name).name or name


def _plain(part: str) -> str:
    """Return a part of a name as one short line of plain words."""
    return " ".join(visible(redact(part)).replace("#", "").split())[:_LONGEST]


def is_generated(name: str) -> bool:
    """Return True if nobody gave a run this name: Prefect made it up.

    Prefect marks no such name. The server makes up `agile-wombat`, from the package coolname. Both
    user interfaces fill their form with a name, which comes back as if it was typed:
    `beta-orionis`, `zeta42-gondor-void` in the classic one, `Rustic-Ferret` in the newer. Their
    words are read from the pages that come with Prefect; where they cannot be found a name counts
    as given.
    """
    return (
        _is_of_server(name)
        or _is_of_pages(name, _OF_CLASSIC, _CLASSIC)
        or _is_of_pages(name, _OF_NEWER, _NEWER)
    )


def _is_of_server(name: str) -> bool:
    adjective, _, noun = name.partition("-")
    return adjective in _coolname_words("adj_any") and noun in _coolname_words("subj")


@cache
def _coolname_words(kind: str) -> frozenset[str]:
    return frozenset(_words_of(kind))


def _words_of(kind: str) -> Iterator[str]:
    listed: Any = config[kind]
    yield from listed.get("words", ())
    for below in listed.get("lists", ()):
        yield from _words_of(below)


def _is_of_pages(name: str, form: re.Pattern[str], words: tuple[str, str, str]) -> bool:
    match = form.fullmatch(name)
    known = _page_words(*words) if match else frozenset()
    return match is not None and (match[1] in known or name.partition("-")[2] in known)


@cache
def _page_words(folder: str, files: str, pattern: str) -> frozenset[str]:
    """Return the words of a list in the pages of a user interface, none if it is not there."""
    for file in sorted((_PAGES / folder / "assets").glob(files)):
        match = re.search(pattern, file.read_text("utf-8", "replace"))
        if match:
            return frozenset(match[1].split("."))
    return frozenset()
