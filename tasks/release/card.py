"""The short card beside a release's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.fingerprint import fingerprint
from tasks.release.hub import dataset_header
from tasks.release.integrity import sums_of
from tasks.settings import MOCK_MODEL
from tasks.web import markdown_cell, markdown_code, markdown_table

CARD = "README.md"
_FIRST = "dialogues"  # the table that is loaded where none is named
# Facts of a run that belong to what was made. A run's id, its time and its folders do not: equal
# inputs must give equal files.
CARD_FACTS = (
    "title",
    "noun",
    "model",
    "profile",
    "rollout",
    "seed",
    "suites",
    "judge",
    "judged",
    "judged_rest",
    "left",
    "config_hash",
    "run_hash",
    "code_version",
    "mixed",
)
_LABELS = {
    "title": "domain",
    "noun": "an item is a",
    "config_hash": "hash of the settings",
    "run_hash": "hash of settings, sources and code",
    "code_version": "code",
    "mixed": "made by several versions",
    "suites": "suites every dialogue passed",
    "judge": "read by",
    "judged": "dialogues read by a judge",
    "judged_rest": "defects that a judge would find in the others",
    "left": "defects that are left",
}
_FILES = """\
| file | what |
|---|---|
| `item_map.json` | item id to title, as conversations say it; two items may share a title, but \
never within one conversation |
| `user_ids.json` | user id to number, in order of appearance |
| `final_data.jsonl` | one line a user: history (likes in time order, then dislikes), items to \
recommend, conversations |
| `Conversation.txt` | the conversations' text, under their ids |
| `parquet/` | the same and more as tables: sub-goals and items of every utterance, ratings, \
templates |
| `contracts/` | a data contract (ODCS) for each table, and one for all: `datacontract test \
contracts/release.odcs.yaml` |
| `croissant.json` | the files and columns in Croissant, for `mlcroissant` and whatever else \
reads it |
| `SHA256SUMS` | check with `sha256sum -c SHA256SUMS` |

`datasets.load_dataset(FOLDER)` opens the table `dialogues`, `load_dataset(FOLDER, "utterances")` \
that one, and so on.
Equal sources, settings, code and library versions give these very bytes, whoever runs them;
`redial lineage` tells the runs that wrote them here.
"""
_OFFLINE = """\
**Who wrote this.** The dialogues come from the mock model `offline/writer`. It is no language \
model: it fills English phrase tables with
the templates' items and short pieces of the reviews. Use such a release to try the pipeline and \
your tools, not to judge what a
language model would write.
"""
_MODEL = """\
**Who wrote this.** The dialogues were written by {model} from dialogue templates, real \
preferences and reviews. They are synthetic:
no person said these sentences. What the items are like is what reviewers said of them, and may \
be wrong.
"""
_PSEUDONYMS = """\
User and dialogue ids are keyed hashes, and the times of ratings are left out (`timestamp` is \
empty). That hides the ids, not the
histories: whoever holds the source reviews can still recognise users by which items they rated \
and how.
"""


def card(
    domain: str,
    counts: Mapping[str, int],
    run: Mapping[str, Any],
    tables: Path,
    *,
    pseudonyms: bool,
) -> str:
    """Return the card: a YAML header by which the tables load, and Markdown.

    Of the run it has `CARD_FACTS` alone.

    Args:
        domain: the domain's name, shown where the run has no title.
        counts: rows of each published table.
        run: facts of the run.
        tables: the folder of the tables; the card will be beside it.
        pseudonyms: True if users and dialogues have keyed hashes for ids.
    """
    title = str(run.get("title") or domain)
    others = (name for name in counts if name != _FIRST)
    configs = {name: {"train": f"{tables.name}/{name}.parquet"} for name in (_FIRST, *others)}
    header = dataset_header(title, counts[_FIRST], configs, fingerprint(sums_of(tables)))
    return header + _markdown(title, counts, run, pseudonyms)


def _markdown(
    title: str, counts: Mapping[str, int], run: Mapping[str, Any], pseudonyms: bool
) -> str:
    facts = {name: run[name] for name in CARD_FACTS if run.get(name) not in (None, "", [], ())}
    model = str(facts.get("model", MOCK_MODEL))
    rows = [(_LABELS.get(name, name), _listed(value)) for name, value in facts.items()]
    rows += [(f"rows of {name}", f"{count:,}") for name, count in counts.items()]
    table = markdown_table(("fact", "value"), rows)
    written = _OFFLINE if model == MOCK_MODEL else _MODEL.format(model=markdown_code(model))
    return (
        f"# {markdown_cell(title)}: conversational recommendation in the LLM-REDIAL layout\n\n"
        "Each conversation is built from what one user really rated: items of the user's history "
        "are talked over, and the last\n"
        "recommendation is an item the user later liked (Liang et al. 2024). User-centric: a "
        "user's conversations share one history.\n\n"
        f"{written}\n{_PSEUDONYMS + chr(10) if pseudonyms else ''}{table}\n{_FILES}"
    )


def _listed(value: Any) -> str:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    return ", ".join(map(str, value)) if listed else str(value)
