"""What is stated of each stage's columns is true of tables, published files and stages."""

from __future__ import annotations

import re

from tasks.lineage import EXTERNAL, kind_of, stage_columns
from tasks.release.published_tables import PUBLISHED_TABLES
from tasks.settings import Home
from tasks.warehouse import TABLES
from tests.support.demo_stages import all_stages, tables_written

# What the pipeline writes of itself, whatever stage runs, and what people write of its dialogues.
RECORDS = {
    "marks",
    "run_figures",
    "runs",
    "stage_inputs",
    "stages",
}
PUBLISHED = {
    f"parquet/{name}.parquet": list(table.columns) for name, table in PUBLISHED_TABLES.items()
}


def columns_of(table: str) -> list[str]:
    """Return the real columns of a table, a published file or an input from outside."""
    if table in EXTERNAL:
        return list(EXTERNAL[table])
    return PUBLISHED.get(table) or TABLES[table].column_names()


def test_every_column_of_every_table_is_stated() -> None:
    written: set[str] = set()
    for stage, said in stage_columns().items():
        for table, columns in said.writes.items():
            assert list(columns) == columns_of(table), (stage, table)
        written |= set(said.writes)
    assert written == set(TABLES) - RECORDS | set(PUBLISHED)


def test_every_input_column_is_there() -> None:
    for stage, said in stage_columns().items():
        refs = [
            *said.decides,
            *(
                ref
                for columns in said.writes.values()
                for made in columns.values()
                for ref in made.inputs
            ),
        ]
        assert refs
        for ref in refs:
            assert ref.column in columns_of(ref.table), (stage, ref)


def test_a_copied_column_has_one_input_of_its_type() -> None:
    for said in stage_columns().values():
        for table, columns in said.writes.items():
            for column, made in columns.items():
                if made.copied and made.inputs[0].table in TABLES and table in TABLES:
                    assert len(made.inputs) == 1
                    assert type_of(table, column) == type_of(
                        made.inputs[0].table, made.inputs[0].column
                    ), (table, column)


def type_of(table: str, column: str) -> str:
    found = re.search(rf"(?:^|, ){column} (\w+(?:\[\])?)", TABLES[table].columns)
    assert found
    return found[1]


def test_each_stage_writes_the_tables_that_are_stated() -> None:
    beside = {
        "generate": {"responses", "unusable_answers"},
        "repair": {"responses", "unusable_answers"},
        "quality": {"gates"},
    }
    for name, stage in all_stages(Home(), attempts=3).items():
        kind = kind_of(name)
        hashed = tables_written(stage)
        assert set(stage_columns()[kind].writes) == hashed | beside.get(kind, set()), name


def test_what_a_stage_reads_was_written_before_it() -> None:
    there = set(EXTERNAL)
    for stage, said in stage_columns().items():
        there |= set(said.writes)
        # Of the attempt before.
        later = {"rejections", "dialogues", "utterances"} if stage == "repair" else set()
        assert set(said.reads()) <= there | later, stage
