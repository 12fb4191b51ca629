"""What a user can get wrong: one clear line, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest

from flows.server.ephemeral import PrivateServer
from tests.support.command import environment_with, run_redial

REVIEW = {
    "reviewerID": "u",
    "asin": "i",
    "reviewText": "a fine thing",
    "overall": 5.0,
    "unixReviewTime": 1_300_000_000,
}
DOMAIN = (
    "noun: thing\nsources: {{format: amazon_2014, reviews: [{path}]}}\nuntitled: use_id\n{more}"
)


def redial(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_API_KEY") and name != "PREFECT_API_URL"
    }
    return run_redial(data, *arguments, environment={**kept, **environment})


def assert_told(done: subprocess.CompletedProcess[str], words: str, data: Path) -> None:
    assert done.returncode == 2, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("redial: ")]
    assert len(told) == 1
    assert words in told[0]
    assert "Traceback" not in done.stderr and "leaked" not in done.stderr
    assert not list((data / "releases").rglob("*")) if (data / "releases").exists() else True


def domain(data: Path, name: str, text: str) -> None:
    (data / "domains").mkdir(parents=True, exist_ok=True)
    (data / "domains" / f"{name}.yaml").write_text(text, encoding="utf-8")


def reviews(path: Path, count: int = 30) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as out:
        for number in range(count):
            out.write(json.dumps({**REVIEW, "reviewerID": f"u{number}"}) + "\n")
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", "unknown domain 'nowhere'"),
        ("../../etc/passwd", "is not a domain name"),
        ("it's", "is not a domain name"),
        ('"; DROP TABLE briefs; --', "is not a domain name"),
    ],
)
def test_a_domain_that_is_none(tmp_path: Path, name: str, words: str) -> None:
    assert_told(redial(tmp_path, "build", name), words, tmp_path)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("nuon: typo\n", "nuon: is not a known setting"),
        ("quality: [\n", "is not valid YAML"),
        ("generate: {model: offline/poet}\n", "unknown model 'offline/poet'"),
        ("generate: {model: nobody/knows}\n", "litellm knows no such provider"),
        ("generate: {model: openai/gpt-4o-mini}\n", "needs OPENAI_API_KEY in the environment"),
        ("generate: {profile: nothing}\n", "nothing"),
        ("briefs: {templates: nothing}\n", "unknown template set 'nothing'"),
    ],
)
def test_a_domain_file_that_cannot_work(tmp_path: Path, more: str, words: str) -> None:
    domain(tmp_path, "shop", DOMAIN.format(path=reviews(tmp_path / "r.json.gz"), more=more))
    done = redial(tmp_path, "build", "shop")
    assert_told(done, words, tmp_path)
    assert not (tmp_path / "warehouse").exists()


def test_a_source_that_is_missing_or_empty_stops_before_anything_starts(tmp_path: Path) -> None:
    domain(tmp_path, "shop", DOMAIN.format(path="gone.json.gz", more=""))
    assert_told(redial(tmp_path, "build", "shop"), "there is no source file", tmp_path)
    (tmp_path / "domains" / "gone.json.gz").touch()
    assert_told(redial(tmp_path, "build", "shop"), "is empty", tmp_path)
    assert not (tmp_path / "warehouse").exists()


def test_sources_and_warehouses_that_cannot_be_used_stop_before_anything_starts(
    tmp_path: Path,
) -> None:
    source = reviews(tmp_path / "r.json.gz")
    domain(tmp_path, "folder", DOMAIN.format(path=tmp_path, more=""))
    (tmp_path / "loop.json").symlink_to("loop.json")
    domain(tmp_path, "loop", DOMAIN.format(path=tmp_path / "loop.json", more=""))
    (tmp_path / "page.json.gz").write_text("<html>Please log in</html>")
    domain(tmp_path, "page", DOMAIN.format(path=tmp_path / "page.json.gz", more=""))
    domain(tmp_path, "pattern", DOMAIN.format(path="'r*.json.gz'", more=""))
    domain(
        tmp_path, "twice", DOMAIN.format(path=f"{source}, {tmp_path}/domains/../r.json.gz", more="")
    )
    domain(tmp_path, "shop", DOMAIN.format(path=source, more=""))
    domain(
        tmp_path,
        "ten",
        DOMAIN.format(path=source, more="").replace("]}", "], rating_scale: [1, 10]}"),
    )
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "shop.duckdb").write_bytes(b"notes, not a database " * 1000)
    for name, words in (
        ("folder", "is not a file"),
        ("twice", "is listed twice as a source"),
        ("shop", "put a good copy there, or move it away"),
        ("page", "is a web page"),
        ("loop", "there is no source file"),
        ("pattern", "a pattern stands for no files here, list each"),
        ("ten", "set both, such as 7.75 and 3.25"),
    ):
        assert_told(redial(tmp_path, "build", name), words, tmp_path)
    assert not (tmp_path / "prefect").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_source_nobody_may_read(tmp_path: Path) -> None:
    reviews(tmp_path / "r.json.gz").chmod(0)
    domain(tmp_path, "shop", DOMAIN.format(path=tmp_path / "r.json.gz", more=""))
    assert_told(redial(tmp_path, "build", "shop"), "cannot be read: permission denied", tmp_path)


def test_sources_that_cannot_be_read_stop_the_run_in_one_line(
    tmp_path: Path, flow_server: PrivateServer
) -> None:
    good = reviews(tmp_path / "good.json.gz", 400).read_bytes()
    cases = {
        "plain": (b"this is no gzip file at all\n", "plain.json.gz"),
        "cut": (good[: len(good) // 2], "cut.json.gz"),
        "columns": (gzip.compress(b'{"user": 1, "stars": 2}\n' * 50), "columns.json.gz"),
        "nobody": (good, "no user left"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / f"{name}.json.gz").write_bytes(content)
        domain(tmp_path, name, DOMAIN.format(path=tmp_path / f"{name}.json.gz", more=""))
        done = run_redial(tmp_path, "build", name, environment=environment_with(flow_server))
        assert_told(done, words, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert_told(redial(locked, "build", "demo"), "cannot be written", locked)


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = redial(tmp_path / "file", "build", "demo")
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("build", "demo", "--data", "elsewhere"),
            "--data stands before the command: redial --data FOLDER build ...",
        ),
        (
            ("buld", "demo"),
            "Did you mean 'build', 'rebuild'?; `redial --help` tells how it is called",
        ),
        (("build",), "Missing argument 'domain'; `redial build --help` tells how it is called"),
        (
            ("build", "demo", "--max-dialogs", "3"),
            "No such option: --max-dialogs (Possible options: --max-dialogues)",
        ),
        (("build", "demo", "--rpm", "fast"), "Invalid value for '--rpm'"),
    ],
)
def test_a_command_called_in_a_wrong_way_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = redial(tmp_path, *arguments)
    assert_told(done, words, tmp_path)
    assert done.stderr.count("\n") == 1


def test_no_command_shows_the_help(tmp_path: Path) -> None:
    done = redial(tmp_path, "templates")
    assert (
        done.returncode,
        "Usage: redial templates" in done.stdout + done.stderr,
        "Traceback" in done.stderr,
    ) == (2, True, False)


def test_options_out_of_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIAL_PSEUDONYM_KEY", "too short")
    for arguments, words in (
        (("--max-dialogues", "0"), "--max-dialogues"),
        (("--profile", "sonnet"), "profile"),
        (("--set", "preprocess.core"), "is not of the form"),
        (("--set", "preprocess.cores=1"), "preprocess.cores: is not a known setting"),
        (("--pseudonymise",), "REDIAL_PSEUDONYM_KEY holds 9 bytes"),
        (("--set", "name=other"), "`name` cannot be set"),
        (("--api-base", "http://[::1/v1"), "api_base: has a host or port that cannot be read"),
    ):
        assert_told(redial(tmp_path, "build", "demo", *arguments), words, tmp_path)


def test_looking_before_building_says_what_to_do(tmp_path: Path) -> None:
    for arguments, words in (
        (("funnel", "demo"), "run `redial build demo` first"),
        (("stats", "demo"), "run `redial build demo` first"),
        (("stats", "no-such-thing"), "is neither a domain"),
        (("show", "0123456789abcdef"), "there is no dialogue"),
        (("show", "../x"), "is not a dialogue id"),
        (("templates", "check", "nothing"), "unknown template set"),
    ):
        assert_told(redial(tmp_path, *arguments), words, tmp_path)
