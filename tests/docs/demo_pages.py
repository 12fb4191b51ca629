"""What the README and the tutorial show of the demo: taken from a build of it, and put into the pages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.docs.pages import DOCS, PROJECT, blocks
from tests.support.command import environment_without, redial_command

README = PROJECT / "README.md"
DEMO_PAGES = (README, DOCS / "tutorial.md")
BLOCK = re.compile(
    r"(?P<begin><!-- (?P<name>\w+) -->\n(?:```\w+\n.*?```\n\n)?```\n)"
    r".*?(?P<end>```\n<!-- /(?P=name) -->)",
    re.DOTALL,
)
DIALOGUE_ID = re.compile(r"\b[0-9a-f]{16}\b")
UTTERANCE = re.compile(r"^ +\d+ (?:user|agent) ", re.MULTILINE)
REPAIRED = """
WITH repaired AS (
  SELECT dialogue_id FROM verdicts WHERE verdict = 'accepted' AND attempt = 2
),
short AS (
  SELECT dialogue_id FROM brief_items
  GROUP BY dialogue_id HAVING count(*) = 2 AND bool_or(slot = 1 AND collection = 'LIKES')
),
findings AS (
  SELECT dialogue_id, count(*) AS found, any_value(rule) AS rule
  FROM rejections WHERE attempt = 1 GROUP BY dialogue_id
)
SELECT dialogue_id FROM repaired JOIN short USING (dialogue_id) JOIN findings USING (dialogue_id)
ORDER BY found, rule <> 'slots-filled', dialogue_id LIMIT 1
"""


def demo_outputs(data: Path, built: str) -> dict[str, str]:
    """Return what the pages show, by the name of its place.

    Args:
        data: the data folder of the build.
        built: what `redial build demo` printed.
    """
    dialogue = repaired_dialogue(data)
    shown = UTTERANCE.split(redial(data, "show", dialogue))[0]
    why = UTTERANCE.split(redial(data, "why", dialogue))[0]
    return {
        "demo": built,
        "funnel": f"{_part(built, 'funnel', 'rules broken')}...\n{_part(built, 'statistics', 'cost')}",
        "show": _stripped(shown),
        "why": _stripped(why[why.index("attempt 1") :]),
        "example": run_example(data),
        "dialogue": dialogue,
    }


def refreshed(page: str, outputs: dict[str, str]) -> str:
    """Return a page with every output in its place."""
    filled = BLOCK.sub(lambda found: found["begin"] + outputs[found["name"]] + found["end"], page)
    return DIALOGUE_ID.sub(outputs["dialogue"], filled)


def repaired_dialogue(data: Path) -> str:
    """Return the id of a short dialogue with one finding, accepted at its second attempt."""
    with read_warehouse(Home(data=data).warehouse("demo")) as con:
        return str(con.execute(REPAIRED).fetchall()[0][0])


def redial(data: Path, *arguments: str) -> str:
    """Run a command of redial on a data folder; return what it prints."""
    return _printed(redial_command(data, *arguments), {})


def run_example(data: Path) -> str:
    """Run the Python example of the README on a data folder; return what it prints."""
    (example,) = blocks(README, "python")
    offline = {"REDIAL_DATA": str(data), "HF_HOME": str(data / "cache"), "HF_HUB_OFFLINE": "1"}
    return _printed([sys.executable, "-c", example], offline)


def _printed(command: list[str], variables: dict[str, str]) -> str:
    kept = {**environment_without("PREFECT_API_URL"), **variables}
    done = subprocess.run(
        command, cwd=PROJECT, env=kept, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _part(text: str, first: str, after: str) -> str:
    """Return the lines from one that begins with `first` up to one that begins with `after`."""
    start = text.index(f"\n{first}") + 1
    return text[start : text.index(f"\n{after}", start) + 1]


def _stripped(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines())
