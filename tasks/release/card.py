"""The short card beside a release's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.fingerprint import fingerprint
from tasks.release.croissant import CITATION, NO_LICENCE
from tasks.release.facts import stated
from tasks.release.hub import dataset_header
from tasks.release.integrity import sums_of
from tasks.release.made_by import MADE_BY
from tasks.settings import MOCK_MODEL
from tasks.web import markdown_cell, markdown_code, markdown_table

CARD = "README.md"
_FIRST = "dialogues"  # the table that is loaded where none is named
_LABELS = {
    "title": "domain",
    "noun": "an item is a",
    "config_hash": "hash of the settings",
    "run_hash": "hash of settings, sources and code",
    "code_version": "code",
    "mixed": "made by several versions",
    "suites": "suites every dialogue passed",
    "languages": "language found in the utterances",
    "not_judged": "rules that did not judge in this language",
    "judge": "read by",
    "judged": "dialogues read by a judge",
    "judged_rest": "defects that a judge would find in the others",
    "left": "defects that are left",
    "made_of": "made of the releases",
    "erased": "left out at the request of users",
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
| `facts.json` | the facts above, for programs |
{made_by}\
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
_MADE_BY = """\
| `made_by/` | what made it: settings, goals, templates, prompts, suites, hashes of the sources, \
versions; `redial rebuild` makes it again |
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
    more: str = "",
) -> str:
    """Return the card: a YAML header by which the tables load, and Markdown.

    Of the run it has the facts in `CARD_FACTS` alone.

    Args:
        domain: the domain's name, shown where the run has no title.
        counts: rows of each published table.
        run: facts of the run.
        tables: the folder of the tables; the card will be beside it.
        pseudonyms: True if users and dialogues have keyed hashes for ids.
        more: Markdown for the end.
    """
    title = str(run.get("title") or domain)
    others = (name for name in counts if name != _FIRST)
    configs = {name: {"train": f"{tables.name}/{name}.parquet"} for name in (_FIRST, *others)}
    header = dataset_header(title, counts[_FIRST], configs, fingerprint(sums_of(tables)))
    made_by = _MADE_BY if (tables.parent / MADE_BY).is_dir() else ""
    files = _FILES.replace("{made_by}", made_by)
    licence = str(run.get("license") or NO_LICENCE)
    text = _markdown(title, counts, run, pseudonyms)
    return f"{header}{text}{files}{_cited(licence)}{more}"


def _markdown(
    title: str, counts: Mapping[str, int], run: Mapping[str, Any], pseudonyms: bool
) -> str:
    facts = stated(run)
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
        f"{written}\n{_PSEUDONYMS + chr(10) if pseudonyms else ''}{table}\n"
    )


def _cited(licence: str) -> str:
    return (
        f"\n## Licence and citation\n\nLicence: {markdown_cell(licence)}\n\n"
        "Cite the method, and name the version of this release:\n\n"
        f"```bibtex\n{CITATION}\n```\n"
    )


def _listed(value: Any) -> str:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    return ", ".join(map(str, value)) if listed else str(value)
