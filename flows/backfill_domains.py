"""Which domains a backfill builds: those it names, or all there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.options import BuildOptions
from flows.run_states import FINE
from tasks.errors import UserError
from tasks.settings import Domain, Home, load_domain, merge

ALL = "all"
NOT_FETCHED = "Not fetched"  # in a backfill's table, of a domain that has no run


@dataclass(frozen=True)
class Chosen:
    """The domains of one backfill.

    Attributes:
        build: those to build, each once.
        not_fetched: why each of the others is left out, by its name.
    """

    build: tuple[str, ...]
    not_fetched: Mapping[str, str]


def wants_all(domains: Sequence[str] | str) -> bool:
    """Return True for `all`, by itself or in a list."""
    return ALL in ([domains] if isinstance(domains, str) else domains)


def choose_domains(home: Home, domains: Sequence[str] | str) -> Chosen:
    """Return the domains of a backfill as the domain files are now.

    With `all`, domains whose source files have an address and were never downloaded are left out;
    whatever else is wrong with a domain is for its own run to say.
    """
    if not wants_all(domains):
        return Chosen(tuple(dict.fromkeys(domains)), {})
    missing = {name: _not_fetched(home, name) for name in sorted(home.domain_files())}
    return Chosen(
        tuple(name for name, reason in missing.items() if not reason),
        {name: reason for name, reason in missing.items() if reason},
    )


def growing(home: Home, domain: str, options: BuildOptions) -> BuildOptions:
    """Return the options with `briefs.grow` on, unless they or the domain file say otherwise."""
    try:
        own = load_domain(home, domain, options.over()).briefs.grow
    except UserError:  # the domain's own run tells what is wrong
        return options
    if own is not None:
        return options
    grown = merge(options.settings, {"briefs": {"grow": True}})
    return options.model_copy(update={"settings": grown})


def is_fine(state: str) -> bool:
    """Return True if a domain's state in the table of a backfill is no failure."""
    return state in FINE or state == NOT_FETCHED


def _not_fetched(home: Home, name: str) -> str:
    try:
        domain = load_domain(home, name)
    except UserError:
        return ""
    return (
        f"its source files are not here; `redial fetch {name}` downloads them"
        if _is_unfetched(domain)
        else ""
    )


def _is_unfetched(domain: Domain) -> bool:
    missing = [
        source
        for source in (*domain.sources.reviews, *domain.sources.metadata)
        if not Path(source.path).exists()
    ]
    return bool(missing) and all(source.url for source in missing)
