"""ARCHITECTURE.md's table of tables is the warehouse's own; `python -m tests.docs.test_architecture` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tasks.warehouse import TABLES

PAGE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"
BEGIN, END = "<!-- tables -->\n", "<!-- /tables -->"


def wanted() -> str:
    rows = [
        f"| `{table.name}` | {table.grain} | {', '.join(table.key)} |" for table in TABLES.values()
    ]
    return "\n".join(["| table | one row is | key |", "|---|---|---|", *rows]) + "\n"


def test_the_page_lists_every_table_with_its_grain() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0] == wanted()


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + BEGIN + wanted() + END + rest.split(END)[1], encoding="utf-8")
