"""Data contracts of the published tables in the Open Data Contract Standard (ODCS).

`contracts/TABLE.odcs.yaml` describes one table alone; `contracts/release.odcs.yaml` all tables, and
which column refers to which. Of one release a contract has the domain and the title alone: equal
inputs give equal bytes, and the hash of a release cannot be within it. Paths of files are relative
to the release's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tasks.release.published_tables import (
    PUBLISHED_TABLES,
    SHAPE_VERSION,
    PublishedColumn,
    PublishedTable,
)
from tasks.web import visible

CONTRACTS: Final = "contracts"  # the folder of a release that holds them
WHOLE: Final = "release"  # the name of the contract of all tables; no table is called so
API_VERSION: Final = "v3.1.0"
SUFFIX: Final = ".odcs.yaml"
_PURPOSE = (
    "Conversational recommendation: dialogues built from what users really rated, "
    "in the layout of LLM-REDIAL."
)
_LIMITS = (
    "The dialogues are synthetic; what they say of items is what reviewers said and may be wrong. "
    "The terms of the source reviews hold for what is drawn from them."
)
# Names of types in Parquet -> logical types of the standard and SQL's.
_LOGICAL: Mapping[str, str] = {
    "string": "string",
    "int32": "integer",
    "int64": "integer",
    "double": "number",
}
_SQL: Mapping[str, str] = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
}


def write_contracts(folder: Path, tables: Path, *, domain: str, title: str) -> None:
    """Write the contracts into a new folder.

    Args:
        folder: the folder to make, beside that of the tables.
        tables: the folder of the Parquet files, which give the types.
        domain: the domain's name.
        title: what a person calls the domain.
    """
    folder.mkdir()
    shown = visible(" ".join(title.split()))
    schemas = {name: pq.read_schema(tables / f"{name}.parquet") for name in PUBLISHED_TABLES}
    contracts = {name: {name: schema} for name, schema in schemas.items()} | {WHOLE: schemas}
    for name, held in contracts.items():
        contract = data_contract(
            name, held, f"{tables.name}/{{model}}.parquet", domain=domain, title=shown
        )
        text = yaml.safe_dump(contract, sort_keys=False, allow_unicode=True, width=100)
        (folder / f"{name}{SUFFIX}").write_text(text, encoding="utf-8", newline="\n")


def data_contract(
    name: str, schemas: Mapping[str, pa.Schema], files: str, *, domain: str, title: str
) -> dict[str, Any]:
    """Return a contract of one or more published tables as YAML data.

    Args:
        name: the contract's name: that of its table, or `release`.
        schemas: the types of each table's file.
        files: where a table's file lies within the release, `{model}` standing for its name.
        domain: the domain's name.
        title: what a person calls the domain.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"urn:llm-redial:{domain}:{name}",
        "name": f"{title}: {name}",
        "version": SHAPE_VERSION,
        "status": "active",
        "domain": domain,
        "dataProduct": title,
        "description": {"purpose": _PURPOSE, "limitations": _LIMITS},
        "servers": [{"server": "release", "type": "local", "path": files, "format": "parquet"}],
        "schema": [_table(table, schema, schemas) for table, schema in schemas.items()],
    }


def _table(name: str, schema: pa.Schema, together: Mapping[str, pa.Schema]) -> dict[str, Any]:
    table = PUBLISHED_TABLES[name]
    return {
        "name": name,
        "physicalName": name,
        "physicalType": "file",
        "logicalType": "object",
        "description": table.grain,
        "properties": [_property(field, table, together) for field in schema],
        "quality": list(_checks(table)),
    }


def _property(
    field: pa.Field, table: PublishedTable, together: Mapping[str, pa.Schema]
) -> dict[str, Any]:
    column = table.columns[field.name]
    place = table.key.index(field.name) + 1 if field.name in table.key else 0
    described: dict[str, Any] = {
        "name": field.name,
        "description": column.about,
        **_types(field.type),
    }
    described["required"] = not column.nullable
    if place:
        described |= {"primaryKey": True, "primaryKeyPosition": place}
    described |= _allowed(column)
    if column.references.partition(".")[0] in together:
        described["relationships"] = [{"type": "foreignKey", "to": column.references}]
    return described


def _types(kind: pa.DataType) -> dict[str, Any]:
    """Return a column's logical and physical type, and for a list those of its entries."""
    if pa.types.is_list(kind):
        items = {
            "logicalType": _LOGICAL[str(kind.value_type)],
            "physicalType": _SQL[str(kind.value_type)],
        }
        return {"logicalType": "array", "physicalType": "LIST", "items": items}
    return {"logicalType": _LOGICAL[str(kind)], "physicalType": _SQL[str(kind)]}


def _allowed(column: PublishedColumn) -> dict[str, Any]:
    """Return which values a column may have, in the form that tools check."""
    if column.values:
        allowed = {"validValues": list(column.values)}
        return {
            "quality": [
                {"type": "library", "metric": "invalidValues", "arguments": allowed, "mustBe": 0}
            ]
        }
    if column.least is not None:
        return {"logicalTypeOptions": {"minimum": column.least}}
    return {}


def _checks(table: PublishedTable) -> Iterator[dict[str, Any]]:
    """Yield the checks of a table as a whole: it holds rows, and no two of one key."""
    yield {"type": "library", "metric": "rowCount", "mustBeGreaterThan": 0}
    key = {"properties": list(table.key)}
    yield {"type": "library", "metric": "duplicateValues", "arguments": key, "mustBe": 0}
