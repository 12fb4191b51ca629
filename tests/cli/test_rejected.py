"""`redial rejected`: source lines by kind, and broken rules with their root causes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.settings import Home
from tasks.warehouse import open_warehouse
from tests.support.report_warehouse import fill
from tests.support.served import demo_like


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """40 dialogues; of those that broke a rule, one finding follows from another rule's."""
    home = Home(data=tmp_path_factory.mktemp("data"))
    demo_like(home.data, "shop", title="shop")
    with open_warehouse(home.warehouse("shop")) as con:
        fill(con, 40)
        con.execute(
            """
            UPDATE rejections SET because = 'slots-filled'
            WHERE rule = 'readable'
              AND dialogue_id = (SELECT min(dialogue_id) FROM rejections WHERE rule = 'readable')
            """
        )
    return home


def test_rules_are_shown_with_their_root_causes(home: Home) -> None:
    command = ["--data", str(home.data), "rejected", "shop"]
    done = CliRunner().invoke(app, [*command, "--json"])
    assert done.exit_code == 0, done.exception
    answer = json.loads(done.stdout)
    assert set(answer) == {"kinds", "lines", "rules"}
    readable = next(row for row in answer["rules"] if row["rule"] == "readable")
    assert readable["dialogues"] == 2
    assert readable["root_causes"] == 1
    shown = CliRunner().invoke(app, command).stdout
    assert "root_causes" in shown
    assert "readable" in shown
