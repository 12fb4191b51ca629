"""Corpora side by side: the paper's Table 1 and Table 3 for every corpus that can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus, read_corpus
from tasks.release import corpus_path, find_release
from tasks.settings import Home, load_domain
from tasks.statistics import Statistics
from tasks.web import markdown_table, visible

Figure = int | float | str | None

_DOMAINS = {"ReDial": "movie", "INSPIRED": "movie", "OpenDialKG": "movie, book"}
_TABLE_3: Mapping[str, Callable[[Statistics], Figure]] = {
    "#Dialogues": lambda counted: counted.dialogues,
    "#Utterances": lambda counted: counted.utterances,
    "#Tokens": lambda counted: counted.tokens,
    "#4-Grams": lambda counted: counted.four_grams,
    "#Users": lambda counted: counted.users,
    "#Items": lambda counted: counted.items,
    "Avg. #Dialogues per User": lambda counted: counted.dialogues_per_user,
    "Avg. #Utterances per Dialogue": lambda counted: counted.utterances_per_dialogue,
}


@dataclass(frozen=True)
class Compared:
    """One corpus in the comparison; `domains` is None where they are unknown."""

    name: str
    domains: str | None
    user_centric: bool
    counted: Statistics


def compare_corpora(home: Home, corpora: Sequence[str]) -> list[Compared]:
    """Count each corpus: a release, a published folder, or a file of another dataset.

    Other datasets are ReDial, OpenDialKG, INSPIRED and JSON lines.

    One corpus is in memory at a time. Equal names get their file or folder, then a number.

    Raises:
        UserError: there is none, or one is not there or not readable.
    """
    if not corpora:
        raise UserError("name at least one corpus to compare")
    compared = [_compared(home, corpus) for corpus in corpora]
    names = distinct_names([corpus.name for corpus in compared], corpora)
    return [replace(corpus, name=name) for corpus, name in zip(compared, names, strict=True)]


def table_1(compared: Sequence[Compared]) -> list[dict[str, Figure]]:
    """Return Table 1: one row a corpus."""
    return [
        {
            "Dataset": corpus.name,
            "#Dialogues": corpus.counted.dialogues,
            "#Utterances": corpus.counted.utterances,
            "#Tokens": corpus.counted.tokens,
            "#4-Grams": corpus.counted.four_grams,
            "Domains": corpus.domains,
            "User-Centric": "Yes" if corpus.user_centric else "No",
        }
        for corpus in compared
    ]


def table_3(compared: Sequence[Compared]) -> list[dict[str, Figure]]:
    """Return Table 3: one row a figure, one column a corpus."""
    rows: list[dict[str, Figure]] = []
    for name, figure in _TABLE_3.items():
        figures = {corpus.name: figure(corpus.counted) for corpus in compared}
        rows.append({"": name, **figures})
    return rows


def comparison_markdown(rows: Sequence[Mapping[str, Figure]]) -> str:
    """Return a table of Markdown, numbers to the right; names come from folders and are escaped."""
    head = list(rows[0])
    numbers = {column for column, name in enumerate(head) if _is_numeric(name, rows)}
    return markdown_table(head, ([_shown(row[name]) for name in head] for row in rows), numbers)


def comparison_text(rows: Sequence[Mapping[str, Figure]]) -> str:
    """Return a table as aligned text, as wide as it needs: numbers to the right, one row a line."""
    head = list(rows[0])
    cells = [
        [_plain(name) for name in head],
        *([_plain(_shown(row[name])) for name in head] for row in rows),
    ]
    widths = [max(len(line[at]) for line in cells) for at in range(len(head))]
    left = [not _is_numeric(name, rows) for name in head]
    lines = []
    for row in cells:
        aligned = (
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(row, widths, left, strict=True)
        )
        lines.append("  ".join(aligned).rstrip() + "\n")
    return "".join(lines)


def _is_numeric(column: str, rows: Sequence[Mapping[str, Figure]]) -> bool:
    return not any(isinstance(row[column], str) for row in rows)


def _compared(home: Home, name: str) -> Compared:
    release = find_release(home, name)
    if release:
        corpus = replace(read_corpus(release.path), name=release.named)
        ours = release.domain in home.domain_files()
        return _counted(corpus, load_domain(home, str(release.domain)).noun if ours else None)
    corpus = read_corpus(corpus_path(home, name))
    return _counted(corpus, _DOMAINS.get(corpus.name))


def _counted(corpus: Corpus, domains: str | None) -> Compared:
    user_centric = any(dialogue.user_id is not None for dialogue in corpus.dialogues)
    return Compared(corpus.name, domains, user_centric, corpus.statistics())


def distinct_names(names: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Return distinct names of corpora: equal ones get their file or folder, then a number."""
    apart: list[str] = []
    for name, path in zip(names, paths, strict=True):
        longer = (
            _longer(name, Path(path)) if names.count(name) > 1 and Path(path).exists() else name
        )
        known, number = longer, 2
        while known in apart:
            known, number = f"{longer} ({number})", number + 1
        apart.append(known)
    return apart


def _longer(name: str, path: Path) -> str:
    """Return a corpus's name with the distinct part of its path, as in ReDial (train_data)."""
    stem = path.name.split(".")[0]
    return (
        f"{name} ({stem})"
        if path.is_file() and stem != name
        else f"{path.resolve().parent.name}/{name}"
    )


def _shown(value: Figure) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _plain(text: str) -> str:
    return visible(" ".join(text.split()))
