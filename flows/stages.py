"""What a stage is: what it reads and writes, what its rows depend on, and what does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from flows.options import BuildOptions
from flows.specifications import LOADERS, Specifications
from tasks.code_identity import entry_modules, project_code
from tasks.errors import UserError
from tasks.goals import SubGoal
from tasks.machine import limit_libraries
from tasks.release import pseudonym_key
from tasks.settings import Domain, Home
from tasks.stage_inputs import StageInputs, made_by
from tasks.tombstones import Tombstones, read_tombstones, tombstone_file
from tasks.warehouse import Connection, StageRecord, WarehouseSession

# Both import Prefect, which a build that changes nothing does without (flows/unchanged.py).
if TYPE_CHECKING:
    from flows.dask_generation import Cluster
    from flows.lineage_events import LineageRecorder

Attempts = Literal["once", "this", "last", "earlier", "all"]
Records = Mapping[str, StageRecord]
"""What the stages of a run have written so far, by their names."""


@dataclass(frozen=True)
class Context:
    """What every stage of one run works on.

    Attributes:
        warehouse: its DuckDB file. A stage closes it at its end, so that between stages others can
            read it; whoever uses it next opens it again.
        sources: SHA-256 of each source file, review files first, in the domain's order.
        cluster: writes the dialogues in place of this process, if there is one.
        erased: who was erased from the domain; None where nobody was.
        lineage: sends OpenLineage events, if they are wanted.
    """

    home: Home
    specifications: Specifications
    run_id: str
    warehouse: WarehouseSession
    options: BuildOptions
    sources: Mapping[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None
    lineage: LineageRecorder | None = None
    erased: Tombstones | None = None

    @property
    def domain(self) -> Domain:
        """The settings of the domain."""
        return self.specifications.domain

    @property
    def goals(self) -> dict[str, SubGoal]:
        """The sub-goals in the domain's words, by id."""
        return self.specifications.goals.worded(self.domain.noun, self.domain.verb)


def new_context(
    home: Home,
    specifications: Specifications,
    run_id: str,
    options: BuildOptions = BuildOptions(),  # noqa: B008 - frozen
) -> Context:
    """Return the context of a run that begins; the warehouse is not opened yet.

    Raises UserError if the domain's tombstones cannot be read.
    """
    domain = specifications.domain
    machine = domain.machine.machine()
    limit_libraries(machine)
    warehouse = WarehouseSession(home.warehouse(domain.name), machine)
    erased = None
    if tombstone_file(home, domain.name).is_file():
        erased = read_tombstones(home, domain.name, pseudonym_key(home, domain.name).secret)
    return Context(home, specifications, run_id, warehouse, options, erased=erased)


@dataclass(frozen=True)
class Rows:
    """Tables that a stage reads and another one writes.

    Attributes:
        of: the stage that writes them.
        at: which of its attempts: this one, the last one, all earlier ones or all; `once` where it
            has none.
        optional: a domain may be without that stage.
    """

    of: str
    tables: tuple[str, ...]
    at: Attempts = "once"
    optional: bool = False

    def stages(self, attempt: int, records: Records) -> Iterator[str]:
        """Yield the names of the stages that write them."""
        for name in self._named(attempt, records):
            if name in records or not self.optional:
                yield name

    def _named(self, attempt: int, records: Records) -> Iterator[str]:
        if self.at == "once":
            yield self.of
        elif self.at == "this":
            yield f"{self.of}-{attempt}"
        elif self.at == "last":
            yield f"{self.of}-{attempt - 1}"
        elif self.at == "earlier":
            yield from (f"{self.of}-{number}" for number in range(1, attempt))
        else:
            yield from (name for name in records if name.startswith(f"{self.of}-"))


def _nothing(con: Connection) -> str:
    return ""


def _keep_nothing(con: Connection, refused: UserError) -> None:
    """Leave a stage that was stopped as its rollback left it."""


@dataclass(frozen=True)
class Stage:
    """One stage of the pipeline.

    Attributes:
        name: what it is called; with the attempt behind it where it has attempts.
        does: the functions that do it. All code they reach is part of its identity.
        run: calls them with an open connection, the context with the parts that the stage names,
            and the attempt. Returns the counts as a dataclass. Where a model is asked it takes the
            briefs' ids as well and returns the `Work` that flows/generation.py asks for in chunks.
        reads: rows of stages before it.
        writes: tables that hold its result; the first one's rows are counted.
        also_writes: tables that it writes to, though what they hold is no part of its result.
        settings: settings it depends on, dotted; a section names all that is in it.
        derived: the same where it is not a setting as it is: nested as in a domain file.
        specifications: parts of the specifications that it uses.
        modules: modules that its functions find by name, and so reach by no import.
        files: hashes of further data files it reads.
        sources: whether it reads the source files.
        unhashed: columns of its tables that are no part of its result.
        attempts: whether it runs once for each attempt.
        left_out: says what it left out, for the line with which it ends.
        keep: writes what is wanted of work that a user's mistake stopped, after it was rolled back.
    """

    name: str
    does: tuple[object, ...]
    run: Callable[..., Any]
    reads: tuple[Rows, ...] = ()
    writes: tuple[str, ...] = ()
    also_writes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    derived: Callable[[Context], Mapping[str, Any]] = lambda context: {}
    specifications: tuple[str, ...] = ()
    modules: Callable[[Context], tuple[str, ...]] = lambda context: ()
    files: Callable[[Context], Mapping[str, str]] = lambda context: {}
    sources: bool = False
    unhashed: tuple[str, ...] = ()
    attempts: bool = False
    left_out: Callable[[Connection], str] = _nothing
    keep: Callable[[Connection, UserError], None] = _keep_nothing

    def named(self, attempt: int) -> str:
        """Return the stage's name at an attempt."""
        return f"{self.name}-{attempt}" if self.attempts else self.name

    def work(self, con: Connection, context: Context, attempt: int, *ids: Sequence[str]) -> Any:
        """Do it, with the parts of the specifications that it names. Raises UserError."""
        return self.run(con, self._given(context), attempt, *ids)

    def rows(self, attempt: int) -> tuple[str, ...]:
        """Return the tables, or selections of tables, whose content is its result."""
        if not self.attempts:
            return self.writes
        chosen = f"* EXCLUDE ({', '.join(self.unhashed)})" if self.unhashed else "*"
        return tuple(
            f"(SELECT {chosen} FROM {table} WHERE attempt = {attempt:d})" for table in self.writes
        )

    def made_by(self, context: Context) -> StageInputs:
        """Return what it is made from, but for the rows of other stages."""
        given = self._given(context)
        loaders = [LOADERS[name].load for name in self.specifications]
        code = project_code().reached(
            *entry_modules([*self.does, *loaders]), *self.modules(context)
        )
        settings = {**_chosen(context.domain, self.settings), **self.derived(given)}
        files = {**given.specifications.files(), **self.files(given)}
        sources = context.sources if self.sources else {}
        return made_by(code, settings, files, sources)

    def inputs(self, context: Context, attempt: int, records: Records) -> StageInputs:
        """Return all that it is made from."""
        names = [name for rows in self.reads for name in rows.stages(attempt, records)]
        return self.made_by(context).after({name: records[name].output_hash for name in names})

    def _given(self, context: Context) -> Context:
        """Return the context with the parts of the specifications that it names, and no other."""
        return replace(context, specifications=context.specifications.only(self.specifications))


def _chosen(domain: Domain, names: tuple[str, ...]) -> dict[str, Any]:
    """Return some settings of a domain, nested as there."""
    sections = {name for name in names if "." not in name}
    chosen = domain.model_dump(mode="json", include=sections)
    for name in names:
        section, _, setting = name.partition(".")
        if setting:
            dumped = getattr(domain, section).model_dump(mode="json", include={setting})
            chosen.setdefault(section, {}).update(dumped)
    return chosen
