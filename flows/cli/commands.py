"""The commands by name; the module of one is imported when it is called, and no other.

All of them together take half a second to import, which `redial --help` would wait for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Command:
    """A command as the help of `redial` shows it, and the module that registers it.

    `parts` are the modules that add commands below it.
    """

    module: str
    summary: str
    parts: tuple[str, ...] = ()


COMMANDS: Mapping[str, Command] = {
    "build": Command(
        "flows.cli.build", "Build a domain's dataset: reviews in, released dialogues out."
    ),
    "retry": Command(
        "flows.cli.build",
        "Ask again for chosen briefs of the last build, whatever is stored for them.",
    ),
    "fetch": Command(
        "flows.cli.build", "Download a domain's source files from the addresses in its file."
    ),
    "plan": Command(
        "flows.cli.build",
        "Estimate dialogues, tokens, dollars and hours for one or several models.",
    ),
    "init": Command(
        "flows.cli.init",
        "Write a project folder: a domain, deployments, places for own templates, prompts, suites.",
    ),
    "diff": Command("flows.cli.diff", "Compare two runs, releases or domains."),
    "export": Command("flows.cli.export", "Write a release for the tools that use it."),
    "compare": Command(
        "flows.cli.export",
        "Count corpora side by side as the paper's Table 1 and Table 3 do.",
    ),
    "select": Command(
        "flows.cli.datasets",
        "Write some dialogues of a release as a release of its own, which says where it came from.",
    ),
    "merge": Command(
        "flows.cli.datasets",
        "Put releases of several domains together as one dataset, with Table 3 and its total.",
    ),
    "rebuild": Command(
        "flows.cli.datasets",
        "Make a release again from the settings it carries; say whether the bytes are the same.",
    ),
    "erase": Command(
        "flows.cli.erase",
        "Erase users from a domain: warehouse, answers, pages, exports and releases.",
    ),
    "upgrade": Command(
        "flows.cli.upgrade",
        "Bring a domain's warehouse of an earlier version up to date; paid answers stay.",
    ),
    "funnel": Command(
        "flows.cli.inspect",
        "Show what became of every source line, MIGHT_LIKES item and brief of a domain.",
    ),
    "rejected": Command(
        "flows.cli.inspect",
        "Show the source lines that were not used, by kind, and the rules that dialogues broke.",
    ),
    "history": Command(
        "flows.cli.inspect",
        "Show what each run of a domain came to, from the first to the last.",
    ),
    "why": Command("flows.cli.inspect", "Show why a dialogue was accepted or rejected."),
    "stats": Command("flows.cli.inspect", "Count a corpus as the paper's Table 3 does."),
    "show": Command(
        "flows.cli.inspect", "Show one dialogue: what it was planned from, and what was said."
    ),
    "lineage": Command("flows.cli.lineage", "Show what a dialogue or a release was made from."),
    "list": Command(
        "flows.cli.listing",
        "List domains, releases and runs, with the names by which other commands take them.",
    ),
    "probe": Command(
        "flows.cli.probe",
        "Find out with at most three answers what a model on its server can do.",
    ),
    "report": Command(
        "flows.cli.review", "Write a domain's report and Data Docs, of its last run."
    ),
    "browse": Command(
        "flows.cli.review", "Look through every domain's dialogues in a web browser."
    ),
    "marks": Command(
        "flows.cli.review",
        "Show or export every mark and comment that people gave a domain's dialogues.",
    ),
    "serve": Command(
        "flows.cli.serve",
        "Start a Prefect server, a work pool with workers and every deployment of prefect.yaml.",
    ),
    "backfill": Command(
        "flows.cli.serve",
        "Build many domains, each as a run of its own; one that fails stops no other.",
    ),
    "annotate": Command(
        "flows.cli.annotate",
        "Let people grade utterances and compare conversations on a local page.",
    ),
    "calibrate": Command(
        "flows.cli.calibrate",
        "Plant defects in accepted dialogues and measure what rules and judges see of them.",
    ),
    "evaluate": Command(
        "flows.cli.evaluate",
        "Evaluate a corpus: recommendation, dialogue quality, responses.",
        parts=("flows.cli.finetune", "flows.cli.answers"),
    ),
    "templates": Command(
        "flows.cli.templates",
        "Look at dialogue templates, prove them legal, make more from the grammar.",
    ),
}


class Commands(TyperGroup):
    """`redial` as Typer sees it: all commands by name, none imported before it is asked for."""

    def __init__(self, **given: Any) -> None:
        """Take what Typer gives a group; `commands` has those whose modules are imported."""
        super().__init__(**given)
        self.registered = dict(self.commands)
        self.commands: Any = _Imported()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help from the summaries, without importing a command."""
        self._overview().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return the commands and options that begin so, without importing a command."""
        # Typer looks for commands in that of the context.
        ctx.command = self._overview()
        return ctx.command.shell_complete(ctx, incomplete)

    def _overview(self) -> TyperGroup:
        """Return a group that can be looked at: names and summaries alone."""
        shown: Any = {name: TyperCommand(name, help=one.summary) for name, one in COMMANDS.items()}
        return TyperGroup(
            name=self.name,
            help=self.help,
            params=self.params,
            commands=shown,
            context_settings=self.context_settings,
        )


class _Imported(Mapping[str, Any]):
    """Every command by name, imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        from flows.cli.app import app

        command = COMMANDS[name]
        for module in (command.module, *command.parts):
            import_module(module)
        group: Any = typer.main.get_group(app)
        return group.registered[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)
