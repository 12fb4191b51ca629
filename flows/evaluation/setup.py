"""What evaluations work on: a corpus by name or path, its samples and split, and output files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from flows.options import SampleOptions
from tasks.errors import UserError
from tasks.evaluation import (
    Benchmark,
    Corpus,
    RecommendProfile,
    Result,
    draw_questions,
    load_recommend_profile,
    ranks_table,
    read_corpus,
    split_corpus,
    table5,
    table5_markdown,
    table5_text,
)
from tasks.evaluation.references import catalogue_reviews, knowledge
from tasks.exports import distinct_names
from tasks.files import replacing, write_atomically
from tasks.release import corpus_path, find_release
from tasks.settings import Home, load_domain
from tasks.warehouse import read_warehouse

# What is recommended in corpora that everybody knows.
_NOUNS = {
    "ReDial": "movie",
    "INSPIRED": "movie",
}


@dataclass(frozen=True)
class Evaluation:
    """A corpus ready to be asked about."""

    name: str
    benchmark: Benchmark
    profile: RecommendProfile


def find_corpus(home: Home, corpus: str) -> Corpus:
    """Read a corpus: a release by any name it has, or whatever is at a path.

    Raises UserError.
    """
    release = find_release(home, corpus)
    if release:
        return replace(read_corpus(release.path), name=release.named)
    return read_corpus(corpus_path(home, corpus))


def domain_of(home: Home, corpus: str) -> str | None:
    """Return the domain that a corpus is a release of, if that has a domain file here.

    Raises UserError.
    """
    release = find_release(home, corpus)
    return release.domain if release and release.domain in home.domain_files() else None


def name_of(home: Home, corpus: str) -> str:
    """Return what a corpus is called in the names of files.

    That is the domain, or the name of its own file or folder. Raises UserError.
    """
    release = find_release(home, corpus)
    return release.named if release else Path(corpus).resolve().name


def find_corpora(home: Home, corpora: Sequence[str]) -> list[Corpus]:
    """Read corpora, with different names. Raises UserError."""
    loaded = [find_corpus(home, corpus) for corpus in corpora]
    names = distinct_names([corpus.name for corpus in loaded], corpora)
    return [replace(corpus, name=name) for corpus, name in zip(loaded, names, strict=True)]


def prepare(
    home: Home,
    corpus: str,
    parted: SampleOptions,
    questions: int | None,
    seed: int,
) -> Evaluation:
    """Cut a corpus into questions and what may be learnt before them.

    Raises UserError when it gives no question.
    """
    loaded = find_corpus(home, corpus)
    split = split_corpus(loaded, corpus, parted.split, parted.test_share, seed=seed)
    reviews, called = None, _NOUNS.get(loaded.name, "item")
    domain = domain_of(home, corpus)
    if domain:
        called = load_domain(home, domain).noun
    if domain and home.warehouse(domain).exists():
        with read_warehouse(home.warehouse(domain)) as con:
            reviews = catalogue_reviews(con)
    drawn = draw_questions(split, questions, seed)
    ready = Benchmark(
        loaded,
        split,
        drawn,
        knowledge(loaded, split, reviews),
        parted.noun or called,
        seed,
    )
    return Evaluation(name_of(home, corpus), ready, load_recommend_profile(home, parted.profile))


def save_table5(
    folder: Path,
    results: Sequence[Result],
    ranks: Sequence[dict[str, object]],
    protocol: Sequence[dict[str, object]] = (),
) -> None:
    """Write Table 5 as text, Markdown and Parquet, and scores by the protocol of He et al.

    Beside it the place of the right item for every question, from which pairs can be compared.

    Raises UserError when that cannot be.
    """
    frames = {"table5": table5(results), "ranks": ranks_table(ranks)} | (
        {"he2023": pl.DataFrame(protocol, infer_schema_length=None)} if protocol else {}
    )
    files: dict[str, str | Callable[[Path], None]] = {
        "table5.txt": table5_text(results) + "\n",
        "table5.md": table5_markdown(results),
    }
    files |= {f"{name}.parquet": frame.write_parquet for name, frame in frames.items()}
    save(folder, files | ({"he2023.csv": frames["he2023"].write_csv()} if protocol else {}))


def save(folder: Path, files: dict[str, str | Callable[[Path], None]]) -> None:
    """Write files whole into a folder.

    Each is a text, or a function that writes to the path it is given.
    """
    try:
        for name, content in files.items():
            if isinstance(content, str):
                write_atomically(folder / name, content)
            else:
                with replacing(folder / name) as aside:
                    content(aside)
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be written: {error.strerror}") from None


def task_run_name(what: str, model: str) -> str:
    """Return a task run's name with a model's name in it.

    Prefect would otherwise read the model's name as a template.
    """
    return f"{what}-{model}".replace("{", "{{").replace("}", "}}")
