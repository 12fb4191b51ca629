"""The warehouse of a domain: one DuckDB file.

Start with `connection.open_warehouse` and `read_warehouse`. `tables` defines every table and its
grain; `stage_records` records what each stage wrote, from which inputs; `arrow` moves data between
Python and DuckDB.
"""

from tasks.warehouse.arrow import integers, sql_function, stream_into, strings
from tasks.warehouse.connection import (
    DATABASE_IO_ERROR,
    Connection,
    WarehouseHeld,
    check_warehouse,
    domain_lock,
    open_warehouse,
    read_idle_warehouse,
    read_warehouse,
)
from tasks.warehouse.queries import Rows, one_row, rows, transaction
from tasks.warehouse.session import WarehouseSession
from tasks.warehouse.stage_records import (
    StageRecord,
    forget_stages,
    is_unchanged,
    made_from,
    read_inputs,
    read_record,
    record_stage,
    table_hash,
    why_redone,
)
from tasks.warehouse.tables import TABLES, Table, create_table, create_tables
from tasks.warehouse.upgrade import Upgraded, upgrade_warehouse

__all__ = [
    "DATABASE_IO_ERROR",
    "TABLES",
    "Connection",
    "Rows",
    "StageRecord",
    "Table",
    "Upgraded",
    "WarehouseHeld",
    "WarehouseSession",
    "check_warehouse",
    "create_table",
    "create_tables",
    "domain_lock",
    "forget_stages",
    "integers",
    "is_unchanged",
    "made_from",
    "one_row",
    "open_warehouse",
    "read_idle_warehouse",
    "read_inputs",
    "read_record",
    "read_warehouse",
    "record_stage",
    "rows",
    "sql_function",
    "stream_into",
    "strings",
    "table_hash",
    "transaction",
    "upgrade_warehouse",
    "why_redone",
]
