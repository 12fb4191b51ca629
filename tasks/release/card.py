"""The short card that lies beside a release's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CARD = "README.md"
OFFLINE_MODEL = "offline/writer"
# Facts of a run that belong to what was made. A run's id, its time and its folders do not: equal inputs must give equal files.
CARD_FACTS = ("title", "noun", "model", "profile", "rollout", "seed", "suites", "config_hash", "run_hash", "code_version", "mixed")
_LABELS = {
    "title": "domain",
    "noun": "an item is a",
    "config_hash": "hash of the settings",
    "run_hash": "hash of settings, sources and code",
    "code_version": "code",
    "mixed": "made by several versions",
    "suites": "suites every dialogue passed",
}
_FILES = """\
| file | what |
|---|---|
| `item_map.json` | item id to title; a title stands for one id |
| `user_ids.json` | user id to number, in order of appearance |
| `final_data.jsonl` | one line a user: history (likes in time order, then dislikes), items to recommend, conversations |
| `Conversation.txt` | the conversations' text, under their ids |
| `parquet/` | the same and more as tables: sub-goals and items of every utterance, ratings, templates |
| `SHA256SUMS` | check with `sha256sum -c SHA256SUMS` |

Equal sources, settings, code and library versions give these very bytes, whoever runs them;
`redial lineage` tells the runs that wrote them here.
"""
_OFFLINE = """\
**Who wrote this.** The dialogues come from the embedded writer `offline/writer`. It is no language model: it is a deterministic surface
realiser that puts templates and short pieces of the reviews into English sentences. Use such a release to try the pipeline and
your tools, not to judge what a language model would write.
"""
_MODEL = """\
**Who wrote this.** The dialogues were written by `{model}` from dialogue templates, real preferences and reviews. They are synthetic:
no person said these sentences. What the items are like is what reviewers said of them, and may be wrong.
"""
_PSEUDONYMS = """\
User and dialogue ids are keyed hashes. That hides the ids, not the histories: whoever holds the source reviews can still recognise a
user by what he rated.
"""


def card(domain: str, counts: Mapping[str, int], run: Mapping[str, Any], *, pseudonyms: bool) -> str:
    """Return the card's Markdown. Only `CARD_FACTS` of the run are told."""
    facts = {name: run[name] for name in CARD_FACTS if run.get(name) not in (None, "", [], ())}
    model = str(facts.get("model", OFFLINE_MODEL))
    rows = [(_LABELS.get(name, name), _cell(value)) for name, value in facts.items()]
    rows += [(f"rows of {name}", f"{rows_:,}") for name, rows_ in counts.items()]
    table = "\n".join(f"| {label} | {value} |" for label, value in rows)
    written = _OFFLINE if model == OFFLINE_MODEL else _MODEL.format(model=_cell(model))
    return (
        f"# {_cell(run.get('title') or domain)}: conversational recommendation in the LLM-REDIAL layout\n\n"
        "Each conversation is built from what one user really rated: items of the user's history are talked over, and the last\n"
        "recommendation is an item the user later liked (Liang et al. 2024). User-centric: a user's conversations share his history.\n\n"
        f"{written}\n{_PSEUDONYMS + chr(10) if pseudonyms else ''}| fact | value |\n|---|---|\n{table}\n\n{_FILES}"
    )


def _cell(value: Any) -> str:
    """Return a value as one table cell: names come from settings files, so bars and line ends are taken out."""
    text = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
    return " ".join(text.replace("|", "/").replace("<", "&lt;").split())
