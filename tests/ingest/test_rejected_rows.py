"""A build that bad lines stop leaves them in the warehouse, and the line it prints names the command that shows them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from flows.server.ephemeral import PrivateServer
from tasks.errors import UserError
from tasks.ingest import TooManyBadLines, ingest, read_rejected, store_rejected_lines
from tasks.settings import Domain
from tasks.warehouse import open_warehouse, read_warehouse, transaction
from tests.support.command import environment_with, run_redial

GOOD = {
    "reviewerID": "A1",
    "asin": "B1",
    "overall": 5.0,
    "reviewText": "It works well.",
    "unixReviewTime": 1393545600,
}


def write(path: Path, good: int, bad: int) -> Path:
    lines = [
        json.dumps({**GOOD, "reviewerID": f"A{number}", "overall": 9 if number >= good else 5})
        for number in range(good + bad)
    ]
    path.write_text("\n".join([*lines, "{broken"]) + "\n", encoding="utf-8")
    return path


def domain(path: Path, **more: object) -> Domain:
    return Domain.model_validate(
        {"name": "bad", "sources": {"format": "amazon_2014", "reviews": [str(path)]}, **more}
    )


def ingest_as_a_stage_does(warehouse: Path, of: Domain) -> None:
    with open_warehouse(warehouse) as con:
        try:
            with transaction(con):
                ingest(con, of)
        except TooManyBadLines as refused:
            with transaction(con):
                store_rejected_lines(con, refused)
            raise


def test_the_lines_that_stop_a_stage_are_kept_and_the_rest_is_rolled_back(tmp_path: Path) -> None:
    warehouse = tmp_path / "bad.duckdb"
    ingest_as_a_stage_does(warehouse, domain(write(tmp_path / "good.json", 300, 0)))
    with pytest.raises(UserError, match="`redial rejected bad` lists these lines"):
        ingest_as_a_stage_does(warehouse, domain(write(tmp_path / "r.json", 3, 2)))
    with read_warehouse(warehouse) as con:
        found = read_rejected(con, None, 10)
        assert con.execute("SELECT count(*) FROM raw_reviews").fetchall() == [(300,)]
        assert read_rejected(con, "off_scale", 1).lines == [
            {"file": "r.json", "line": 4, "kind": "off_scale", "detail": "'9' is outside 1 to 5"}
        ]
    assert [(row["kind"], row["lines"], row["first_line"]) for row in found.kinds] == [
        ("off_scale", 2, 4),
        ("broken_line", 1, 6),
    ]
    assert [row["line"] for row in found.lines] == [4, 5, 6]


def test_files_read_before_the_one_that_stops_the_stage_keep_their_lines_too(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    sources = {
        "format": "amazon_2014",
        "reviews": [str(write(tmp_path / "1.json", 300, 1)), str(write(tmp_path / "2.json", 1, 2))],
    }
    with pytest.raises(TooManyBadLines) as failed:
        ingest(con, Domain.model_validate({"name": "bad", "sources": sources}))
    store_rejected_lines(con, failed.value)
    assert con.execute(
        "SELECT source_file, count(*) FROM rejected_rows GROUP BY ALL ORDER BY ALL"
    ).fetchall() == [
        ("1.json", 2),
        ("2.json", 3),
    ]


def test_a_refused_build_leaves_its_lines_to_be_looked_at(
    tmp_path: Path, flow_server: PrivateServer
) -> None:
    data = tmp_path / "data"
    (data / "domains").mkdir(parents=True)
    path = write(tmp_path / "r.json", 3, 2)
    (data / "domains" / "bad.yaml").write_text(
        f"sources:\n  format: amazon_2014\n  reviews: [{path}]\n", encoding="utf-8"
    )
    environment = environment_with(flow_server)
    refused = run_redial(data, "build", "bad", environment=environment)
    assert refused.returncode == 2
    assert "`redial rejected bad` lists these lines" in refused.stderr
    shown = run_redial(data, "rejected", "bad", "--json")
    assert shown.returncode == 0, shown.stderr
    assert [row["line"] for row in json.loads(shown.stdout)["lines"]] == [4, 5, 6]
    for_people = run_redial(data, "rejected", "bad", "--kind", "off_scale")
    assert "off_scale" in for_people.stdout
    assert "'9' is outside 1 to 5" in for_people.stdout
