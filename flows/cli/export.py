"""`redial export` and `redial compare`: what people take away, and how it compares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import JsonOption, ReleaseArgument, app, comma_list
from flows.cli.console import OUT, print_json, print_plain
from flows.cli.views import show_facts
from tasks.addresses import is_address
from tasks.errors import UserError
from tasks.settings import Home

if TYPE_CHECKING:
    from tasks.exports import Source


@app.command(epilog="Example: redial export demo --to huggingface --out demo-hub")
def export(
    ctx: typer.Context,
    release: ReleaseArgument,
    to: Annotated[
        str,
        typer.Option(
            help="Formats with commas: llm-redial, parquet, huggingface, chat, crslab, "
            "recbole, contexts; or all"
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            help="Folder to make, or a store's address, as s3://BUCKET/FOLDER; with several "
            "formats, one in it for each"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a release for the tools that use it.

    An earlier, untouched export in the same folder is replaced.
    """
    from tasks.exports import FORMATS, find_source

    home: Home = ctx.obj
    formats = list(FORMATS if to.strip() == "all" else dict.fromkeys(comma_list(to)))
    if unknown := [name for name in formats if name not in FORMATS]:
        raise UserError(f"unknown export {unknown[0][:80]!r}: known are {', '.join(FORMATS)}")
    if not formats:
        raise UserError(f"--to names no format: known are {', '.join(FORMATS)}")
    source = find_source(home, release)
    base = (out or str(home.data / "exports" / source.file_name)).rstrip("/")
    alone = out is not None and len(formats) == 1
    written = [
        (name, *_write(home, source, name, base if alone else f"{base}/{name}")) for name in formats
    ]
    if as_json:
        print_json(
            [
                {"format": name, "path": place, "rows": dict(counts)}
                for name, place, counts in written
            ]
        )
        return
    for name, place, counts in written:
        show_facts(OUT, counts, f"{name}: {place}")


def _write(home: Home, source: Source, name: str, place: str) -> tuple[str, Mapping[str, int]]:
    """Write one export to a folder or an address; return where it is and what was counted."""
    from tasks.exports import export_release, publish_export

    if is_address(place):
        return place, publish_export(source, name, place, home.data / "exports")
    info = export_release(source, name, Path(place))
    return str(info.path), info.counts


@app.command(epilog="Example: redial compare demo ../redial/test_data.jsonl --markdown")
def compare(
    ctx: typer.Context,
    corpora: Annotated[
        list[str],
        typer.Argument(
            help="Domains, releases, folders in the published layout, or files of other corpora",
            show_default=False,
        ),
    ],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Answer in Markdown")] = False,
    as_json: JsonOption = False,
) -> None:
    """Count corpora side by side as the paper's Table 1 and Table 3 do."""
    from tasks.exports import (
        compare_corpora,
        comparison_markdown,
        comparison_text,
        table_1,
        table_3,
    )

    home: Home = ctx.obj
    comparison = compare_corpora(home, corpora)
    one, three = table_1(comparison), table_3(comparison)
    if as_json:
        print_json({"table_1": one, "table_3": three})
    elif as_markdown:
        print_plain(f"{comparison_markdown(one)}\n{comparison_markdown(three)}")
    else:
        print_plain(f"Table 1\n{comparison_text(one)}\nTable 3\n{comparison_text(three)}")
