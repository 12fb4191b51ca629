"""What a user can get wrong about source files ends in one clear line."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import zstandard

from tasks.errors import UserError
from tasks.ingest import loader
from tasks.ingest.compression import prefetched
from tasks.ingest.lines import MAX_LINE

COLUMNS = {"user": "u", "item": "i", "rating": "r", "text": "t"}


def test_missing_file(tmp_path: Path, run):
    with pytest.raises(UserError, match="there is no file .*gone.json"):
        run(tmp_path / "gone.json")


@pytest.mark.parametrize("name", ["r.json", "r.json.gz"])
def test_empty_file(name, tmp_path: Path, run):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError, match="is empty"):
        run(tmp_path / name)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_nothing_but_blank_lines(content, write, run):
    with pytest.raises(UserError, match="no usable review in 0 lines"):
        run(write("r.json.gz", content))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_name_that_claims_a_packing(suffix, tmp_path: Path, run, review):
    path = tmp_path / f"r.json{suffix}"
    path.write_text(json.dumps(review()))
    with pytest.raises(UserError, match=f"r.json{suffix} is not .* though its name says so"):
        run(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("kept", [0.2, 0.9, 0.9999])
def test_truncated(pack, kept, tmp_path: Path, run, review):
    packed = pack(
        "\n".join(
            json.dumps(review(asin=f"B{number}", reviewText=f"{number * 7919 % 9973} words"))
            for number in range(20_000)
        ).encode()
    )
    path = tmp_path / "r.json"
    path.write_bytes(packed[: int(len(packed) * kept)])
    with pytest.raises(UserError, match="is cut short"):
        run(path)


def test_damaged_gzip(tmp_path: Path, run, review):
    packed = bytearray(
        gzip.compress(
            "\n".join(json.dumps(review(asin=f"B{number}")) for number in range(9000)).encode()
        )
    )
    packed[-6] ^= 0xFF
    (tmp_path / "r.json.gz").write_bytes(packed)
    with pytest.raises(UserError, match="is damaged"):
        run(tmp_path / "r.json.gz")


@pytest.mark.parametrize(
    ("head", "what"), [(b"PK\x03\x04rest", "ZIP"), (b"BZh91AY", "bzip2"), (b"\xfd7zXZ\0", "xz")]
)
def test_foreign_packings(head, what, tmp_path: Path, run):
    (tmp_path / "r.json").write_bytes(head)
    with pytest.raises(UserError, match=what):
        run(tmp_path / "r.json")


@pytest.mark.parametrize(
    "inside",
    [gzip.compress(b"{}", mtime=0), b"r.json".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 300],
)
def test_packed_twice_or_an_archive(inside, write, run):
    with pytest.raises(UserError, match="holds a compressed file or an archive"):
        run(write("r.json.gz", inside))


def test_json_array(write, run, review):
    with pytest.raises(UserError, match="one JSON array; JSON lines are needed"):
        run(write("r.json", "[\n" + json.dumps(review()) + "\n]"))


def test_wrong_fields_are_named_with_those_found(write, run):
    lines = [{"user_id": "A", "asin": "B", "rating": 5.0, "text": "x", "timestamp": 1}]
    with pytest.raises(
        UserError,
        match=r"no field for user \(reviewerID\), rating \(overall\), .*it has: asin, rating, text, timestamp, user_id",
    ):
        run(write("r.json", lines))


@pytest.mark.parametrize("name", ["r.csv", "r.tsv"])
def test_wrong_columns_are_named_with_those_found(name, write, run):
    with pytest.raises(UserError, match="has no column t; it has: u, i, r, words"):
        run(write(name, "u,i,r,words\na,b,1,c\n"), format="columns", columns=COLUMNS)


def test_no_usable_row(write, run, review):
    with pytest.raises(UserError, match=r"no usable review in 2 lines \(2 empty_text\)"):
        run(write("r.json", [review(reviewText=""), review(reviewText=" ")]))


def test_damaged_parquet(tmp_path: Path, run):
    (tmp_path / "r.parquet").write_bytes(b"PAR1" + b"junk" * 20)
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        run(tmp_path / "r.parquet", format="columns", columns=COLUMNS)


def test_folder_as_a_file(tmp_path: Path, run):
    with pytest.raises(UserError, match="cannot be read"):
        run(tmp_path)


def test_a_mistake_inside_a_transaction_can_be_rolled_back_and_tried_again(
    con: duckdb.DuckDBPyConnection, write, run, rows, review
):
    run(write("good.json", [review()]))
    con.begin()
    with pytest.raises(UserError):
        run(write("bad.json", ["{"] * 50))
    con.rollback()
    assert rows("SELECT count(*) FROM raw_reviews") == [(1,)]
    con.begin()
    run(write("good.json", [review(), review(asin="B2")]))
    con.commit()
    assert rows("SELECT count(*) FROM raw_reviews") == [(2,)]


def test_a_hopeless_file_is_not_read_to_its_end(
    write, run, review, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loader, "_MAX_REJECTED", 100)
    lines = [json.dumps(review())] + ["{" + "x" * 80] * 200_000
    with pytest.raises(UserError, match=r"unusable") as failed:
        run(write("r.json", lines))
    assert " of 200001 lines" not in str(failed.value)


@pytest.mark.parametrize("content", ["\n \n", "x" * (MAX_LINE + 1) + "\na,b,1,c\n"])
def test_a_table_without_a_header(content, write, run):
    with pytest.raises(UserError, match="has no header"):
        run(write("r.csv", content), format="columns", columns=COLUMNS)


def test_what_ends_unpacking_early_comes_out_of_the_thread():
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        list(prefetched(broken()))


def test_a_reader_that_stops_early_stops_the_making():
    made: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            made.append(1)
            yield b"piece"

    before = set(threading.enumerate())
    pieces = prefetched(endless())
    assert next(pieces) == b"piece"
    (worker,) = set(threading.enumerate()) - before
    pieces.close()
    worker.join(timeout=10)
    assert not worker.is_alive()
    assert len(made) < 25
