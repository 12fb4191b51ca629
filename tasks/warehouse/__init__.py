"""The domain's DuckDB file: how it is opened, every table's definition and grain, and the record of what each stage wrote."""

from tasks.warehouse.lock import domain_lock
from tasks.warehouse.opening import WarehouseHeld, attach_read_only, check_warehouse, open_warehouse, read_warehouse
from tasks.warehouse.rows import Rows, one_row, rows
from tasks.warehouse.stages import StageRecord, bears, made_from, record_stage, table_hash
from tasks.warehouse.tables import TABLES, Table, create_table, create_tables
from tasks.warehouse.transactions import transaction

__all__ = [
    "TABLES",
    "Rows",
    "StageRecord",
    "Table",
    "WarehouseHeld",
    "attach_read_only",
    "bears",
    "check_warehouse",
    "create_table",
    "create_tables",
    "domain_lock",
    "made_from",
    "one_row",
    "open_warehouse",
    "read_warehouse",
    "record_stage",
    "rows",
    "table_hash",
    "transaction",
]
