"""A dataset's life: built, grown twice, a user erased, merged, selected, made again elsewhere, upgraded; a server counts what it bills."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from flows.options import BuildOptions
from flows.server.ephemeral import PrivateServer
from tasks.release import check_release, latest_release, read_facts
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.briefs.test_growth import make_domain
from tests.support.command import environment_with, run_redial
from tests.support.model_process import ModelServer, model_server
from tests.support.plain_build import plain_build

MONTHS = (0.86, 0.93, 1.0)  # of the demo's reviews, which stand in order of time
MODEL = "openai/gpt-4o-mini"
MOST_PER_USER = """
SELECT user_id FROM briefs GROUP BY user_id ORDER BY count(*) DESC, user_id LIMIT 1
"""


@dataclass
class Walk:
    """One walk: its data folder, the server that is paid, and how a command and a build are run."""

    home: Home
    lines: list[str]
    server: ModelServer
    environment: dict[str, str]
    builder: Callable[[Walk, str, int], None]
    paid: int = 0

    def build(self, domain: str, dialogues: int) -> Path:
        self.builder(self, domain, dialogues)
        release = latest_release(self.home, domain)
        assert check_release(release) == []
        return release

    def redial(self, *words: str, home: Home | None = None) -> dict[str, Any]:
        done = run_redial((home or self.home).data, *words, "--json", environment=self.environment)
        assert done.returncode == 0, done.stderr + done.stdout
        assert "Warning" not in done.stderr
        return dict(json.loads(done.stdout))

    def sources(self, share: float) -> Path:
        """Put the reviews up to a month in place; return a folder with a copy of the sources."""
        raw, kept = self.home.data / "raw", self.home.data.parent / f"sources-{share}"
        (raw / "reviews.json").write_text(
            "".join(self.lines[: int(len(self.lines) * share)]), encoding="utf-8"
        )
        shutil.copytree(raw, kept, dirs_exist_ok=True)
        return kept

    def bill(self) -> int:
        """Return what was billed since the last time."""
        before, self.paid = self.paid, self.server.billed()
        return self.paid - before


def by_command(walk: Walk, domain: str, dialogues: int) -> None:
    where = ("--model", MODEL, "--api-base", walk.server.address)
    walk.redial("build", domain, *where, "--max-dialogues", str(dialogues))


def in_this_process(walk: Walk, domain: str, dialogues: int) -> None:
    options = BuildOptions(
        model=MODEL, api_base=walk.server.address, max_dialogues=dialogues, max_attempts=2
    )
    plain_build(walk.home, domain, options, run_id=f"{domain}-{walk.paid}-{dialogues}")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "of the test")
    with model_server(answers="mock", tokens="exact") as running:
        yield running


def start(
    folder: Path, server: ModelServer, flows: PrivateServer, builder: Callable[..., None]
) -> Walk:
    home, lines = make_domain(folder / "data")
    text = (home.data / "domains/lively.yaml").read_text(encoding="utf-8")
    for name, more in (("lively", "\nbriefs: {grow: true}\n"), ("other", "\n")):
        own = text.replace("seed: 2024", "seed: 5") if name == "other" else text
        (home.data / f"domains/{name}.yaml").write_text(own + more, encoding="utf-8")
    environment = {**environment_with(flows), "OPENAI_API_KEY": "of the test"}
    return Walk(Home.find(home.data), lines, server, environment, builder)


def said(release: Path) -> dict[str, list[Any]]:
    texts: dict[str, list[Any]] = {}
    for row in pq.read_table(release / "parquet/utterances.parquet").to_pylist():
        texts.setdefault(row["dialogue_id"], []).append((row["turn"], row["text"]))
    return texts


def grow(walk: Walk, sizes: list[int]) -> list[Path]:
    """Build month by month; what was released stays and only new dialogues are paid for."""
    releases: list[Path] = []
    for share, size in zip(MONTHS[-len(sizes) :], sizes, strict=True):
        walk.sources(share)
        before = said(releases[-1]) if releases else {}
        releases.append(walk.build("lively", size))
        after = said(releases[-1])
        assert {name: after.get(name) for name in before} == before
        if before:
            assert walk.bill() == len(after) - len(before) > 0
        else:
            assert walk.bill() >= len(after) == size
    return releases


def erase(walk: Walk, domain: str) -> str:
    with read_warehouse(walk.home.warehouse(domain)) as con:
        ((user,),) = con.execute(MOST_PER_USER).fetchall()
    told = walk.redial("erase", domain, user, "--yes")
    assert walk.bill() == 0 and told["versions"]
    assert (
        user
        not in pq.read_table(latest_release(walk.home, domain) / "parquet/users.parquet")[
            "user_id"
        ].to_pylist()
    )
    return str(user)


def derive(walk: Walk) -> None:
    """Merge two domains, take a part, and make both again elsewhere; nothing is paid for."""
    merged = walk.redial("merge", "lively", "other", "--name", "both")
    part = walk.home.data.parent / "part"
    walk.redial("select", "both", "--balance", "template", "--seed", "7", "--to", str(part))
    assert read_facts(part)["selected"] == ["balanced by template", "seed 7"]
    elsewhere = Home.find(walk.home.data.parent / "elsewhere")
    shutil.copytree(walk.home.data / "releases", elsewhere.data / "releases")
    for release in (merged["path"], str(part)):
        assert walk.redial("rebuild", release, home=elsewhere)["same"]
    assert walk.bill() == 0


def upgrade(walk: Walk, size: int) -> None:
    """Give the warehouse other columns, as another version has them, and bring it up to date."""
    before = said(latest_release(walk.home, "lively"))
    with duckdb.connect(str(walk.home.warehouse("lively"))) as con:
        con.execute("ALTER TABLE verdicts RENAME verdict TO outcome")
        con.execute("COMMENT ON TABLE runs IS NULL")
    told = walk.redial("upgrade", "lively")
    assert told["rows"]["responses"] and told["rows"]["briefs"]
    assert said(walk.build("lively", size)) == before
    assert walk.bill() == 0


def nothing_was_paid_twice(walk: Walk) -> None:
    assert set(walk.server.tally()["billed_keys"].values()) == {1}


def test_a_short_walk(tmp_path: Path, server: ModelServer, flow_server: PrivateServer) -> None:
    walk = start(tmp_path, server, flow_server, in_this_process)
    grow(walk, [8, 12])
    walk.build("other", 6)
    walk.bill()
    erase(walk, "lively")
    derive(walk)
    walk.build("lively", 12)
    walk.bill()
    upgrade(walk, 12)
    nothing_was_paid_twice(walk)


@pytest.mark.heavy
def test_the_walk_by_commands(
    tmp_path: Path, server: ModelServer, flow_server: PrivateServer
) -> None:
    walk = start(tmp_path, server, flow_server, by_command)
    first, second, third = grow(walk, [20, 30, 40])
    for release, share in ((first, MONTHS[0]), (second, MONTHS[1]), (third, MONTHS[2])):
        sources = str(walk.sources(share))
        assert walk.redial("rebuild", str(release), "--sources", sources)["same"]
    assert walk.build("lively", 40) == third
    walk.build("other", 15)
    assert walk.bill() >= 15
    user = erase(walk, "lively")
    after = walk.build("lively", 40)
    assert walk.bill() > 0  # dialogues that retold the user's reviews, and as many new ones
    kept = walk.home.data.parent / f"sources-{MONTHS[2]}"
    assert walk.redial("rebuild", str(after), "--sources", str(kept))["same"]
    derive(walk)
    refused = run_redial(walk.home.data, "erase", "lively", user, "--yes")
    assert refused.returncode == 0, refused.stderr
    upgrade(walk, 40)
    nothing_was_paid_twice(walk)
