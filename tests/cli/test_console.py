"""What the terminal shows of a build's stages."""

from __future__ import annotations

from flows.cli import console


def test_a_stage_that_runs_again_says_why() -> None:
    with console.ERR.capture() as shown:
        bars = console.Bars()
        bars.stage("ingest", "running", "settings.untitled changed")
        bars.stage("ingest", "redone", "settings.untitled changed; 2,468 rows")
        bars.stage("briefs", "cached", "[20] rows")
    assert shown.get().splitlines() == [
        "  ingest       redone: settings.untitled changed; 2,468 rows",
        "  briefs       cached  [20] rows",
    ]
