"""The data contracts and the Croissant description of a release.

They are compared with its tables and read with the tools of the standards.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from tasks.release import (
    PseudonymKey,
    Release,
    check_release,
    find_release,
    verify_release,
    write_release,
)
from tasks.release.contracts import CONTRACTS, WHOLE
from tasks.release.croissant import CROISSANT, NO_LICENCE
from tasks.release.integrity import SUMS, sums_of
from tasks.release.published import PUBLISHED
from tasks.release.published_tables import PUBLISHED_TABLES
from tasks.settings import Home
from tests.support.hostile_release import our_release
from tests.support.plain_build import BuiltDemo
from tests.support.small_warehouse import small_warehouse

open_data_contract_standard = pytest.importorskip("open_data_contract_standard")
mlcroissant = pytest.importorskip("mlcroissant")


@pytest.fixture(scope="module")
def release(repaired_demo: BuiltDemo) -> Path:
    return repaired_demo.release.path


@pytest.fixture(params=["built", "hostile", "pseudonymised"])
def any_release(request: pytest.FixtureRequest, release: Path, tmp_path: Path) -> Path:
    if request.param == "hostile":
        return our_release(tmp_path)
    if request.param == "pseudonymised":
        key = PseudonymKey(b"0123456789abcdef", None)
        wild = {"title": "A: '\x1b[2J' --- \n| B", "license": "CC-BY: \u202e'"}
        return write_release(
            small_warehouse(), Home(data=tmp_path), "demo", run=wild, pseudonymise_key=key
        ).path
    return release


def contracts_of(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted((folder / CONTRACTS).iterdir())
    return {
        file.name.removesuffix(".odcs.yaml"): yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in files
    }


def test_tables_queries_and_files_name_the_same_columns(release: Path) -> None:
    assert list(PUBLISHED_TABLES) == list(PUBLISHED)
    assert {path.stem for path in (release / "parquet").iterdir()} == set(PUBLISHED_TABLES)
    for name, table in PUBLISHED_TABLES.items():
        assert pq.read_schema(release / "parquet" / f"{name}.parquet").names == list(
            table.columns
        ), name


def test_keys_references_and_values_hold_in_the_files(release: Path) -> None:
    con = duckdb.connect()
    for name in PUBLISHED_TABLES:
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM '{release / 'parquet' / name}.parquet'")
    for name, table in PUBLISHED_TABLES.items():
        key = ", ".join(table.key)
        assert (
            con.execute(f"SELECT {key} FROM {name} GROUP BY ALL HAVING count(*) > 1").fetchall()
            == []
        ), name
        for column, said in table.columns.items():
            empty = con.execute(f"SELECT count(*) FROM {name} WHERE {column} IS NULL").fetchall()[
                0
            ][0]
            assert not empty or said.nullable, (name, column)
            found = {
                value
                for (value,) in con.execute(
                    f"SELECT DISTINCT {column}::VARCHAR FROM {name}"
                ).fetchall()
            }
            assert not said.values or found <= set(said.values), (name, column)
            if said.references:
                other, _, key = said.references.partition(".")
                strays = (
                    f"SELECT * FROM {name} ANTI JOIN {other} ON {name}.{column} = {other}.{key}"
                )
                assert con.execute(strays).fetchall() == [], (name, column)


def test_contracts_follow_the_schema_of_the_standard(any_release: Path) -> None:
    schema = json.loads(
        Path(open_data_contract_standard.__file__)
        .with_name("schema.json")
        .read_text(encoding="utf-8")
    )
    validator = jsonschema.validators.validator_for(schema)(schema)
    contracts = contracts_of(any_release)
    assert set(contracts) == {*PUBLISHED_TABLES, WHOLE}
    for name, contract in contracts.items():
        assert list(validator.iter_errors(contract)) == [], name
    # It does object to what is wrong.
    assert list(validator.iter_errors(contracts["users"] | {"kind": "Poem"}))


def test_a_contract_says_the_types_of_its_file(release: Path) -> None:
    sql = {"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE"}
    for name, contract in contracts_of(release).items():
        assert [table["name"] for table in contract["schema"]] == (
            list(PUBLISHED_TABLES) if name == WHOLE else [name]
        )
        for table in contract["schema"]:
            fields = pq.read_schema(release / "parquet" / f"{table['name']}.parquet")
            said = {
                column["name"]: column.get("items", column)["physicalType"]
                for column in table["properties"]
            }
            listed = {
                column["name"] for column in table["properties"] if column["logicalType"] == "array"
            }
            held = {
                field.name: str(field.type).removeprefix("list<element: ").removesuffix(">")
                for field in fields
            }
            assert said == {column: sql[kind] for column, kind in held.items()}
            assert listed == {field.name for field in fields if str(field.type).startswith("list")}


def test_mlcroissant_reads_every_record(any_release: Path) -> None:
    dataset = mlcroissant.Dataset(str(any_release / CROISSANT))
    assert not dataset.metadata.issues.errors
    assert [
        warning
        for warning in dataset.metadata.issues.warnings
        if "datePublished" not in str(warning)
    ] == []
    for name in PUBLISHED_TABLES:
        rows = pq.read_table(any_release / "parquet" / f"{name}.parquet").to_pylist()
        assert [plain(record) for record in dataset.records(name)] == rows, name


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as Parquet's own reader gives it: names without their table, text as text."""
    return {name.partition("/")[2]: _plain(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(held) for held in value]
    return (
        value.decode()
        if isinstance(value, bytes)
        else value.item()
        if isinstance(value, np.generic)
        else value
    )


def test_the_description_lists_every_file_with_its_hash_its_licence_and_citation(
    release: Path,
) -> None:
    described = json.loads((release / CROISSANT).read_text(encoding="utf-8"))
    there = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    listed = {file["contentUrl"]: file["sha256"] for file in described["distribution"]}
    assert set(listed) == there - {CROISSANT, SUMS}
    assert all(
        sha256((release / path).read_bytes()).hexdigest() == digest
        for path, digest in listed.items()
    )
    assert described["license"] == "https://spdx.org/licenses/Apache-2.0"
    assert "LLM-REDIAL" in described["citeAs"]
    assert described["version"].startswith("1.1.0+")
    assert described["inLanguage"] == "en"
    assert "Demo movies" in described["name"]


def test_without_a_stated_licence_the_description_says_so(tmp_path: Path) -> None:
    folder = write_release(small_warehouse(), Home(data=tmp_path), "demo", run={}).path
    assert json.loads((folder / CROISSANT).read_text(encoding="utf-8"))["license"] == NO_LICENCE


def test_equal_tables_have_equal_versions_and_others_have_not(tmp_path: Path) -> None:
    def version(place: str, fewer: bool) -> str:
        con = small_warehouse()
        if fewer:
            con.execute("UPDATE verdicts SET verdict = 'rejected' WHERE dialogue_id = 'd4'")
        folder = write_release(con, Home(data=tmp_path / place), "demo", run={}).path
        return str(json.loads((folder / CROISSANT).read_text(encoding="utf-8"))["version"])

    assert version("a", False) == version("b", False) != version("c", True)


def test_mlcroissant_notices_a_changed_table(release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    table = copy / "parquet" / "users.parquet"
    pq.write_table(pq.read_table(table).slice(1), table)
    with pytest.raises(Exception, match=r"Download\(parquet/users"):
        list(mlcroissant.Dataset(str(copy / CROISSANT)).records("users"))


def test_contracts_and_description_are_under_the_checksums(release: Path, tmp_path: Path) -> None:
    assert check_release(release) == []
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    (copy / CROISSANT).write_text("{}", encoding="utf-8")
    assert check_release(copy) == [f"{CROISSANT} is not what {SUMS} says"]


def test_a_release_of_before_reads_without_them(release: Path, tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    before = Path(shutil.copytree(release, home.releases("demo") / "before"))
    shutil.rmtree(before / CONTRACTS)
    for name in (CROISSANT, SUMS):
        (before / name).unlink()
    (before / SUMS).write_text(sums_of(before), encoding="utf-8")
    version = sha256((before / SUMS).read_bytes()).hexdigest()[:12]
    old = before.rename(before.with_name(version))
    (old.parent / "latest").write_text(version + "\n", encoding="utf-8")
    verify_release(old)
    assert check_release(old) == []
    found = find_release(home, f"demo/{version}")
    assert found
    assert (loaded := Release.load(found.path)).users == Release.load(release).users
    assert loaded.conversations == Release.load(release).conversations


# The tool needs another DuckDB than ours, so it has an environment of its own.


@pytest.fixture(scope="module")
def datacontract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `datacontract` command, installed beside nothing of ours."""
    folder = tmp_path_factory.mktemp("datacontract")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "datacontract-cli[duckdb]==1.2.8",
    ]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(
            f"datacontract-cli cannot be installed here: {done.stderr.strip().splitlines()[-1:]}"
        )
    return folder / "bin" / "datacontract"


def run_datacontract(
    command: Path, folder: Path, *arguments: str
) -> tuple[int, list[dict[str, Any]]]:
    """Run the tool in a release's folder; return its exit code and its checks."""
    report = folder.parent / "checks.json"
    report.unlink(missing_ok=True)
    said = ["--output", str(report), "--output-format", "json"]
    done = subprocess.run(
        [str(command), *arguments, *said],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
    )
    return done.returncode, json.loads(report.read_text(encoding="utf-8"))["checks"]


@pytest.mark.heavy
def test_datacontract_accepts_every_contract(
    datacontract: Path, release: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(release, tmp_path / "release"))
    for name in (*PUBLISHED_TABLES, WHOLE):
        contract = f"{CONTRACTS}/{name}.odcs.yaml"
        code, checks = run_datacontract(datacontract, folder, "lint", contract)
        assert (code, {check["result"] for check in checks}) == (0, {"passed"}), name
        code, checks = run_datacontract(datacontract, folder, "test", contract)
        assert code == 0, (
            name,
            [check for check in checks if check["result"] not in ("passed", "warning")],
        )
        # the tool does not look at the types of Parquet columns; all else must be checked
        unchecked = [
            check
            for check in checks
            if check["result"] == "warning" and "Checking types" not in check["reason"]
        ]
        assert unchecked == [], name
        assert sum(check["result"] == "passed" for check in checks) > 5, name


@pytest.mark.heavy
def test_datacontract_refuses_what_breaks_the_contract(
    datacontract: Path, release: Path, tmp_path: Path
) -> None:
    """A key that stands twice, a value that is none, a reference to nothing, an empty cell."""
    changes = {
        "users": "SELECT * FROM t UNION ALL (SELECT * FROM t LIMIT 1)",
        "brief_items": "SELECT * REPLACE "
        "(CASE WHEN slot = 1 THEN 'LOVES' ELSE collection END AS collection) FROM t",
        "dialogues": "SELECT * REPLACE ('nobody' AS user_id) FROM t",
        "items": "SELECT * REPLACE (NULL::VARCHAR AS title) FROM t",
    }
    for number, (name, query) in enumerate(changes.items()):
        folder = Path(shutil.copytree(release, tmp_path / str(number) / "release"))
        path = folder / "parquet" / f"{name}.parquet"
        with duckdb.connect() as con:
            con.execute(f"CREATE TABLE t AS SELECT * FROM '{path}'")
            con.execute(f"COPY ({query}) TO '{path}'")
        code, checks = run_datacontract(
            datacontract, folder, "test", f"{CONTRACTS}/{WHOLE}.odcs.yaml"
        )
        assert code == 1, name
        assert [check for check in checks if check["result"] == "failed"], name
