"""A generation in a process of its own, to be killed: `python -m tests.support.generation_process FOLDER '{"api_base": ...}' COUNT`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tasks.generate import Single, Work, generate_transcripts
from tasks.settings import Generate, Home
from tasks.warehouse import domain_lock, open_warehouse
from tests.support import made_up_briefs

DOMAIN = "killed"
PROJECT = Path(__file__).resolve().parents[2]


def start(
    folder: Path, settings: dict[str, Any], count: int, *, group: bool = False
) -> subprocess.Popen[str]:
    """Start such a process, as the leader of a group if wanted; it prints its counts when it ends by itself."""
    command = [
        sys.executable,
        "-m",
        "tests.support.generation_process",
        str(folder),
        json.dumps(settings),
        str(count),
    ]
    environment = {**os.environ, "OPENAI_API_KEY": os.environ.get("OPENAI_API_KEY", "sk-killed")}
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=group,
    )


def main(folder: Path, settings: Generate, count: int) -> None:
    """Generate as a flow would: under the domain's lock, with the owner's connection."""
    home = Home(data=folder)
    work = Work(
        made_up_briefs.ids(count), made_up_briefs.fetch, Single(made_up_briefs.render), "small"
    )
    with domain_lock(home, DOMAIN, patience_s=20), open_warehouse(home.warehouse(DOMAIN)) as con:
        counts = asyncio.run(generate_transcripts(con, work, settings, home.journals(DOMAIN), "r1"))
    stopped = counts.stopped.reason if counts.stopped else ""
    ended = {
        "answered": counts.answered,
        "recovered": counts.recovered,
        "sent": counts.usage.sent,
        "stopped": stopped,
    }
    print(json.dumps(ended))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Generate(**json.loads(sys.argv[2])), int(sys.argv[3]))
