"""The forms of flows are kept for as long as the code that gives them stays the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.server.flow_forms import read_forms
from tasks.errors import UserError

REPORT = "flows/report.py:report"


def test_forms_are_read_from_the_code_once(tmp_path: Path) -> None:
    kept = tmp_path / "prefect" / "flow_forms.json"
    first = read_forms([REPORT], kept)
    assert first[REPORT].name == "report"
    assert set(first[REPORT].parameters["properties"]) == {"domain", "data"}
    content = json.loads(kept.read_text("utf-8"))
    assert read_forms([REPORT], kept) == first
    content["forms"][REPORT]["name"] = "kept"
    kept.write_text(json.dumps(content), "utf-8")
    assert read_forms([REPORT], kept)[REPORT].name == "kept"
    content["made_by"][0] = "other code"
    kept.write_text(json.dumps(content), "utf-8")
    assert read_forms([REPORT], kept) == first


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"made_by": [], "forms": {}}'])
def test_a_file_that_holds_no_forms_is_written_anew(tmp_path: Path, content: str) -> None:
    kept = tmp_path / "flow_forms.json"
    kept.write_text(content, "utf-8")
    assert read_forms([REPORT], kept)[REPORT].name == "report"
    assert REPORT in json.loads(kept.read_text("utf-8"))["forms"]


def test_flows_of_others_are_never_kept(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.py"
    theirs.write_text("from prefect import flow\n\n\n@flow\ndef one(): ...\n", "utf-8")
    kept = tmp_path / "flow_forms.json"
    assert read_forms([f"{theirs}:one"], kept)[f"{theirs}:one"].name == "one"
    assert not kept.exists()
    with pytest.raises(UserError, match="cannot be loaded"):
        read_forms([f"{tmp_path}/nothing.py:one"], kept)
