"""Lineage and `why` of a dual rollout say which request is which turn and whose."""

from __future__ import annotations

import json
from pathlib import Path

from flows.options import BuildOptions
from flows.trace import trace
from tasks.lineage import DialogueLineage, dialogue_lines
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.support.command import run_redial
from tests.support.plain_build import plain_dialogues

DUAL = BuildOptions(
    max_dialogues=2, max_attempts=1, settings={"generate": {"rollout": "dual", "misbehave": {}}}
)
TURNS = """
SELECT dialogue_id, list((turn, role) ORDER BY turn)
FROM briefs
JOIN template_turns USING (template_id)
GROUP BY dialogue_id
"""


def test_each_request_names_its_turn_and_side(tmp_path: Path) -> None:
    home = Home.find(tmp_path / "data")
    plain_dialogues(home, "demo", DUAL, "dual")
    with read_warehouse(home.warehouse("demo")) as con:
        planned = dict(con.execute(TURNS).fetchall())
    assert len(planned) == 2
    for dialogue_id, turns in planned.items():
        traced = trace(home, dialogue_id)
        assert isinstance(traced, DialogueLineage)
        (attempt,) = traced.attempts
        assert [(one.turn, one.side) for one in attempt.asked] == turns
        lines = [line for line in dialogue_lines(traced) if "-> request" in line]
        for line, (turn, side), one in zip(lines, turns, attempt.asked, strict=True):
            assert line.strip().startswith(f"turn {turn}, {side}: prompt of ")
            assert one.request_key in line
    done = run_redial(home.data, "why", dialogue_id, "--json")
    (told,) = json.loads(done.stdout)["attempts"]
    assert [(one["turn"], one["side"]) for one in told["requests"]] == turns
    shown = run_redial(home.data, "why", dialogue_id)
    assert "side" in shown.stdout and told["requests"][0]["request_key"][:8] in shown.stdout
