"""RecBole's atomic files: tables with tabs, each column's type in its header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tasks.exports.source import Source

# What pandas, with which RecBole reads, takes for a missing value.
MISSING = frozenset(
    (
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
    )
    + ("n/a", "nan", "null")
)
_UNSAFE = re.compile(r"[\s%\"\x00-\x1f\x7f]")


def write_recbole(source: Source, folder: Path) -> dict[str, int]:
    """Write NAME/NAME.inter, .item and .user, with the folder as RecBole's `data_path`.

    NAME is the dataset. Ids are unchanged, except that characters that would break a row are
    percent-encoded (%09), as is the first character of an id that pandas would read as a missing
    value; `urllib.parse.unquote` decodes every id. Quotation marks in titles become apostrophes.
    Rating and time are columns only where the release has them.
    """
    corpus, name = source.corpus, source.file_name
    rated = all(
        made.rating is not None and made.timestamp is not None for made in corpus.interactions
    )
    place = folder / name
    place.mkdir()
    rated_columns = ["rating:float", "timestamp:float"] if rated else []
    rows = (
        [
            token(made.user_id),
            token(made.item_id),
            *([f"{made.rating:g}", str(made.timestamp)] if rated else []),
        ]
        for made in corpus.interactions
    )
    counts = {
        "interactions": _write(
            place / f"{name}.inter", ["user_id:token", "item_id:token", *rated_columns], rows
        )
    }
    items = ([token(item), words(corpus.titles[item])] for item in sorted(corpus.titles))
    counts["items"] = _write(place / f"{name}.item", ["item_id:token", "title:token_seq"], items)
    dialogues: dict[str, int] = {}
    for dialogue in corpus.dialogues:
        dialogues[str(dialogue.user_id)] = dialogues.get(str(dialogue.user_id), 0) + 1
    users = ([token(user), str(count), source.split_of[user]] for user, count in dialogues.items())
    counts["users"] = _write(
        place / f"{name}.user", ["user_id:token", "dialogues:float", "split:token"], users
    )
    return {"dialogues": len(corpus.dialogues), **counts}


def token(identity: str) -> str:
    """Return an id as one cell that every reader of tables takes for the same text."""
    safe = _UNSAFE.sub(_quoted, identity)
    if safe and safe in MISSING:
        return f"%{ord(safe[0]):02X}{safe[1:]}"
    return safe


def _quoted(unsafe: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in unsafe[0].encode())


def words(title: str) -> str:
    """Return a title as words between spaces.

    One that pandas takes for a missing value gets a space behind it, which RecBole drops.
    """
    text = " ".join(title.replace('"', "'").replace("\x00", " ").split())
    return f"{text} " if text in MISSING else text


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(header) + "\n")
        for row in rows:
            file.write("\t".join(row) + "\n")
            count += 1
    return count
