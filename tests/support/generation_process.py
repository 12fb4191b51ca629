"""A generation in a process of its own, to be killed. Its arguments: FOLDER '{"api_base": ...}' COUNT."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tasks.generate import Single, Work, generate_transcripts
from tasks.settings import Generate, Home
from tasks.warehouse import domain_lock, open_warehouse
from tests.support import made_up_briefs
from tests.support.forked import Forked, fork

DOMAIN = "killed"


def start(folder: Path, settings: dict[str, Any], count: int, *, group: bool = False) -> Forked:
    """Start such a process, as the leader of a group if wanted; it prints its counts when it ends by itself."""
    environment = {**os.environ, "OPENAI_API_KEY": os.environ.get("OPENAI_API_KEY", "sk-killed")}
    words = (str(folder), json.dumps(settings), str(count))
    entry = "tests.support.generation_process:main"
    return fork(entry, *words, environment=environment, leads_group=group)


def main() -> None:
    """Generate as a flow would: under the domain's lock, with the owner's connection."""
    folder, count = Path(sys.argv[1]), int(sys.argv[3])
    settings = Generate(**json.loads(sys.argv[2]))
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
