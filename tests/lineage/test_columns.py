"""What is stated of each stage's columns is true of tables, published files and stages."""

from __future__ import annotations

import re

from flows.pipeline import PIPELINE, REPAIR
from tasks.lineage import EXTERNAL, kind_of, stage_columns
from tasks.release.published_tables import PUBLISHED_TABLES
from tasks.settings import Home
from tasks.warehouse import TABLES
from tests.support.demo_stages import TABLES_OF_NO_STAGE, all_stages, tables_written

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
    assert written == set(TABLES) - TABLES_OF_NO_STAGE | set(PUBLISHED)


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
    for name, stated in all_stages(Home(), attempts=3).items():
        written = tables_written(stated) | set(stated.stage.also_writes)
        assert set(stage_columns()[kind_of(name)].writes) == written, name


def test_each_stage_of_the_pipeline_names_the_tables_that_it_reads() -> None:
    for stage in PIPELINE:
        stated = stage_columns()["repair" if stage is REPAIR else stage.name].reads()
        named = {table for rows in stage.reads for table in rows.tables}
        own = {*stage.writes, *stage.also_writes}
        read = set(stated) & set(TABLES)
        assert named <= read <= named | own, stage.name


def test_what_a_stage_reads_was_written_before_it() -> None:
    there = set(EXTERNAL)
    for stage, said in stage_columns().items():
        there |= set(said.writes)
        # Of the attempt before.
        later = {"rejections", "dialogues", "utterances"} if stage == "repair" else set()
        assert set(said.reads()) <= there | later, stage
