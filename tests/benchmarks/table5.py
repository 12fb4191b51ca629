"""Table 5 in miniature with a real model: zero-shot, few-shot and fine-tuned, written and ranked.

    python -m tests.benchmarks.table5 FOLDER [--users 600] [--epochs 3] [--questions 100]
    python -m tests.benchmarks.table5 FOLDER --corpus PATH [--max-tokens 1024] ...

Makes a corpus whose tastes are known, or takes a given one, fine-tunes SmolLM2-135M-Instruct on its training part with
and without the history, evaluates everything by the product's own commands, and prints Table 5 with
intervals and the paired differences. FOLDER keeps corpus, adapters and answers: a call that was
killed goes on where it was, and one after the end asks nothing again.

The corpus: five tastes, each with twenty titles of real words, one of which is of the taste, as a
real catalogue's are. A user has one taste, names it in three dialogues of four, and rated four
titles; one in five of them is another taste's. The target is of the user's taste, its first titles
more often. So popularity alone cannot know the taste, a dialogue does not always tell it, and a
model has to learn which titles there are, which go with a taste, and which of those are wanted.

Commands that need nothing from one another run side by side, each with one thread: two threads of
one process wait for each other wherever the machine has other work.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.evaluation.metrics import difference, scores
from tasks.fingerprint import unit
from tests.support.command import redial_command

TASTES = {
    "sailing": "Anchor Tide Mast Captain Harbour Lighthouse Voyage Compass Sailor Shore".split(),
    "gardening": "Orchard Rose Seed Garden Tulip Hedge Blossom Meadow Ivy Lawn".split(),
    "astronomy": "Comet Moon Planet Galaxy Telescope Star Eclipse Orbit Nebula Sky".split(),
    "baking": "Bread Oven Flour Cake Butter Crust Pastry Dough Cinnamon Kitchen".split(),
    "chess": "Pawn Knight Bishop Queen Rook Gambit Checkmate King Castle Board".split(),
}
TITLES_A_TASTE, RATED = 20, 4
FIRST = "Amber Silent Hollow Scarlet Distant Gilded Broken Northern Velvet Second".split()
NAMES = "Ada Ben Cleo Dan Eve Finn Gwen Hugo Ida Jack Kate Liam Mona Nils Olga Paul".split()
TOWNS = "Leeds York Bath Derby Lyon Oslo Turin Porto Ghent Delft Basel Graz Bonn Nice".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SETTINGS = """name: tastes
base_model: {model}
rank: 16
alpha: 32
dropout: 0.0
learning_rate: {rate}
decay: true
epochs: {epochs}
batch: 4
accumulate: 1
precision: auto
list_length: 5
max_tokens: {max_tokens}
answer_tokens: 96
"""
SOURCES = {"dialogue": "--no-history", "dialogue + history": "--history"}
HOW = {"generate": "", "likelihood": ", likelihood"}


def titles() -> dict[str, str]:
    """Return a title for each item: a word of its taste after one that any title may have."""
    return {
        # 3 has no factor in common with 10, and the tens shift: no two items have one title.
        f"{taste}-{number}": f"The {FIRST[(number * 3 + number // 10) % 10]} {words[number % 10]}"
        for taste, words in TASTES.items()
        for number in range(TITLES_A_TASTE)
    }


def drawn(user: int, purpose: str, most: int) -> int:
    """Return a number below `most`, small ones more often."""
    return int(unit(1, purpose, user) ** 2 * most)


def one_of(words: Sequence[str], purpose: str, user: int) -> str:
    return words[int(unit(1, purpose, user) * len(words))]


def dialogue(user: int, known: Mapping[str, str]) -> dict[str, object]:
    tastes = list(TASTES)
    taste = tastes[user % len(tastes)]
    target = f"{taste}-{drawn(user, 'target', TITLES_A_TASTE)}"
    rated: dict[str, None] = {}
    for place in range(RATED * 3):
        other = unit(1, "other", user, place) < 0.2
        of = one_of(tastes, f"taste {place}", user) if other else taste
        rated[f"{of}-{drawn(user, f'rated {place}', TITLES_A_TASTE)}"] = None
    about = f" about {taste}" if unit(1, "named", user) < 0.75 else ""
    said = (
        f"Hello, I am {one_of(NAMES, 'name', user)} from {one_of(TOWNS, 'town', user)}. I would "
        f"like something{about} for {one_of(DAYS, 'day', user)}.",
        f"Then {known[target]} is for you.",
    )
    return {
        "dialogue_id": f"d{user}",
        "user_id": f"u{user}",
        "history": [item for item in rated if item != target][:RATED],
        "targets": [target],
        "utterances": [
            {"role": "user", "text": said[0], "items": []},
            {"role": "agent", "text": said[1], "items": [target]},
        ],
        "titles": known,
    }


def write_corpus(path: Path, users: int) -> None:
    known = titles()
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(dialogue(user, known)) for user in range(users)]
    path.write_text("".join(f"{line}\n" for line in lines))


@dataclass
class Command:
    """A `redial evaluate` command that runs, with a data folder of its own."""

    words: Sequence[str]
    folder: Path
    threads: int

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._began = time.perf_counter()
        with (self.folder / "stdout").open("w") as out, (self.folder / "stderr").open("w") as err:
            self._process = subprocess.Popen(
                redial_command(self.folder / "data", "evaluate", *self.words),
                stdout=out,
                stderr=err,
                env={**os.environ, "OMP_NUM_THREADS": str(self.threads)},
            )

    def output(self) -> str:
        """Wait for its end and return what it printed."""
        code = self._process.wait()
        told = f"redial evaluate {' '.join(self.words)}"
        print(f"{time.perf_counter() - self._began:7.0f} s  {told}", flush=True)
        if code:
            sys.exit((self.folder / "stderr").read_text())
        return (self.folder / "stdout").read_text()


def paired(ranks: pl.DataFrame, first: Mapping[str, str], second: Mapping[str, str]) -> str:
    """Return the difference in Recall@10 and NDCG@10 on the same questions, with intervals."""
    sides = [ranks.filter(**side).sort("question") for side in (first, second)]
    if sides[0].is_empty() or sides[0]["question"].to_list() != sides[1]["question"].to_list():
        return "not both there"
    clusters = sides[0]["cluster"].to_list()
    parts = []
    for metric in ("recall", "ndcg"):
        values = [scores(side["rank"].to_list(), metric, 10) for side in sides]  # type: ignore[arg-type]
        found = difference(values[0], values[1], clusters)
        parts.append(f"{metric}@10 {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]")
    return ", ".join(parts)


def differences(ranks: pl.DataFrame, base: str, adapters: Mapping[str, str]) -> None:
    for source, adapter in adapters.items():
        for told, how in HOW.items():
            asked = {"model": base, "input": source}
            tuned = {"model": adapter, "input": source, "setting": f"fine-tuned{how}"}
            print(f"\n{source}, {told}: fine-tuned less")
            for name in ("zero-shot", "few-shot"):
                print(f"  {name:11} {paired(ranks, tuned, asked | {'setting': f'{name}{how}'})}")
            for name in ("popularity", "itemknn"):
                other = {"model": name, "setting": "reference"}
                print(f"  {name:11} {paired(ranks, tuned, other)}")
    print("\nwith the history less without it")
    for told, how in HOW.items():
        for setting in ("zero-shot", "few-shot", "fine-tuned"):
            sides = [
                {"input": source, "setting": f"{setting}{how}"}
                | {"model": adapters[source] if setting == "fine-tuned" else base}
                for source in ("dialogue + history", "dialogue")
            ]
            print(f"  {told}, {setting:11} {paired(ranks, *sides)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=600)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--corpus", help="a release's folder or a file, in place of the tastes")
    parser.add_argument("--noun", default="book", help="what an item is called")
    parser.add_argument("--max-tokens", type=int, default=1024, help="of an example, when trained")
    parser.add_argument("--base-model", default="local/smollm2")
    parser.add_argument("--rate", type=float, default=0.001)
    parser.add_argument("--settings", default="zero-shot,few-shot", help="how the base is asked")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    given = parser.parse_args()
    began, folder = time.perf_counter(), given.folder.resolve()
    corpus, settings = folder / "tastes.jsonl", folder / "tastes.yaml"
    if given.corpus:
        corpus = Path(given.corpus).resolve()
    else:
        write_corpus(corpus, given.users)
    settings.write_text(
        SETTINGS.format(
            model=given.base_model,
            rate=given.rate,
            epochs=given.epochs,
            max_tokens=given.max_tokens,
        )
    )
    base = f"local/{settings}"
    split = (
        str(corpus),
        "--test-share",
        "0.3",
        "--noun",
        given.noun,
        "--profile",
        "recommend_paper",
    )
    trainings = {
        source: Command(
            ("finetune", *split, "--base", base, option), folder / option.strip("-"), given.threads
        )
        for source, option in SOURCES.items()
    }
    adapters = {source: run.output().splitlines()[0] for source, run in trainings.items()}
    models = ",".join([base, *adapters.values()])
    evaluations = {
        rank: Command(
            ("recommend", *split, "--questions", str(given.questions), "--setting", given.settings)
            + ("--rank", rank, "--out", str(folder / rank / "tables"), "--model", named),
            folder / rank,
            given.threads,
        )
        for rank, named in (
            ("likelihood", f"random,popularity,itemknn,{models}"),
            ("generate", models),
        )
    }
    for run in evaluations.values():
        print(run.output())
    tables = [folder / rank / "tables" for rank in evaluations]
    for table in tables:
        print((table / "table5.md").read_text())
    differences(pl.concat(pl.read_parquet(t / "ranks.parquet") for t in tables), base, adapters)
    print(f"\n{(time.perf_counter() - began) / 60:.1f} minutes, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
