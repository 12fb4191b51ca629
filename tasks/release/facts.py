"""`facts.json`: what a release is, for programs, and for releases that are made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tasks.errors import UserError

FACTS: Final = "facts.json"
LAYOUT: Final = 1
"""Version of the layout of a release's files, raised when a reader must tell them apart."""
# Facts of a run that belong to what was made. A run's id, its time and its folders do not: equal
# inputs must give equal files.
CARD_FACTS: Final = (
    "title",
    "noun",
    "model",
    "profile",
    "rollout",
    "seed",
    "suites",
    "languages",
    "not_judged",
    "judge",
    "judged",
    "judged_rest",
    "left",
    "config_hash",
    "run_hash",
    "code_version",
    "mixed",
    "made_of",
    "selected",
    "erased",
)
_OTHER_FACTS: Final = ("license", "language", "pseudonyms")
_ROW = re.compile(r"^\| (\w[^|]*?) \| (.*?) \|$", re.MULTILINE)


def stated(facts: Mapping[str, Any], names: Sequence[str] = CARD_FACTS) -> dict[str, Any]:
    """Return the named facts that have a value, in the order of the names."""
    return {name: facts[name] for name in names if facts.get(name) not in (None, "", [], ())}


def write_facts(folder: Path, domain: str, facts: Mapping[str, Any]) -> None:
    """Write the facts that belong to what was made into a release."""
    kept = stated(facts, (*CARD_FACTS, *_OTHER_FACTS))
    content = {"layout": LAYOUT, "domain": domain, "facts": kept}
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (folder / FACTS).write_text(text, encoding="utf-8", newline="\n")


def read_facts(folder: Path) -> dict[str, Any]:
    """Read the facts of a release; of one of an earlier version, those on its card.

    Raises UserError if the file is damaged or of a later version.
    """
    path = folder / FACTS
    if not path.is_file():
        return _from_card(folder)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        layout, facts = content["layout"], dict(content["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged: take a good copy of the release") from None
    if layout != LAYOUT:
        raise UserError(
            f"{path} has layout {layout!r}, and this version reads up to {LAYOUT}: use a newer one"
        )
    return facts


def _from_card(folder: Path) -> dict[str, Any]:
    """Return the facts that an earlier version wrote on the card alone."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8")
    except OSError:
        return {}
    labels = {name: name for name in CARD_FACTS} | {"domain": "title", "an item is a": "noun"}
    rows = dict(_ROW.findall(text))
    return {labels[label]: value for label, value in rows.items() if label in labels}
