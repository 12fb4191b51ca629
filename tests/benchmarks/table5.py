"""Table 5 in miniature with a real model: zero-shot, few-shot and fine-tuned, written and ranked.

    python -m tests.benchmarks.table5 FOLDER [--users 240] [--epochs 3] [--questions 60]

Makes a corpus whose tastes are known, fine-tunes `local/smollm2` on its training part with and
without the history, evaluates everything by the product's own commands, and prints Table 5 with
intervals and the paired differences. FOLDER keeps corpus, adapters and answers, so a second call
asks nothing again.

The corpus: six tastes, each with twelve titles of real words that do not give the taste away. A
user has one taste, names it in the dialogue, and rated four titles of it; one in five titles of a
history is another taste's. The target is of the user's taste, its first titles more often. So
popularity alone cannot know the taste, and a model has to learn which titles go with which.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from tasks.evaluation.metrics import difference, scores
from tasks.fingerprint import unit
from tests.support.command import redial_command

TASTES = ("sailing", "gardening", "astronomy", "baking", "chess", "railways")
TITLES_A_TASTE, RATED = 12, 4
FIRST = ("Amber", "Silent", "Hollow", "Scarlet", "Distant", "Gilded", "Broken", "Northern")
SECOND = ("Harbour", "Letter", "Orchard", "Window", "Summer", "Mirror", "Bridge", "Lantern", "Road")
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo")
BASE = "local/smollm2"


def titles() -> dict[str, str]:
    """Return a title of two words for each item, drawn without regard to its taste."""
    pairs = [f"The {first} {second}" for first in FIRST for second in SECOND]
    pairs.sort(key=lambda title: unit(1, "title", title))
    items = [f"{taste}-{number}" for taste in TASTES for number in range(TITLES_A_TASTE)]
    return dict(zip(items, pairs, strict=True))


def drawn(user: int, purpose: str, most: int) -> int:
    """Return a number below `most`, small ones more often."""
    return int(unit(1, purpose, user) ** 2 * most)


def dialogue(user: int, known: dict[str, str]) -> dict[str, object]:
    taste = TASTES[user % len(TASTES)]
    target = f"{taste}-{drawn(user, 'target', TITLES_A_TASTE)}"
    rated: dict[str, None] = {}
    for place in range(RATED * 3):
        other = unit(1, "other", user, place) < 0.2
        of = TASTES[int(unit(1, "taste", user, place) * len(TASTES))] if other else taste
        rated[f"{of}-{drawn(user, f'rated {place}', TITLES_A_TASTE)}"] = None
    history = [item for item in rated if item != target][:RATED]
    said = (
        f"Hello, {NAMES[user % len(NAMES)]} here, for the {user + 1}th time in this library. I am in "
        f"the mood for something about {taste}.",
        "What do you look for in it?",
        f"A story in which {taste} matters from the first page to the last.",
        f"Then {known[target]} is for you.",
    )
    turns = [
        {"role": "agent" if place % 2 else "user", "text": text, "items": []}
        for place, text in enumerate(said)
    ]
    turns[-1]["items"] = [target]
    return {
        "dialogue_id": f"d{user}",
        "user_id": f"u{user}",
        "history": history,
        "targets": [target],
        "utterances": turns,
        "titles": known,
    }


def write_corpus(path: Path, users: int) -> None:
    known = titles()
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(dialogue(user, known)) for user in range(users)]
    path.write_text("".join(f"{line}\n" for line in lines))


def redial(data: Path, *words: str) -> str:
    began = time.perf_counter()
    done = subprocess.run(
        redial_command(data, "evaluate", *words), stdout=subprocess.PIPE, text=True, check=True
    )
    print(f"{time.perf_counter() - began:7.0f} s  redial evaluate {' '.join(words)}", flush=True)
    return done.stdout


def paired(ranks: pl.DataFrame, first: dict[str, str], second: dict[str, str]) -> str:
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


def differences(ranks: pl.DataFrame, adapters: dict[str, str]) -> None:
    reference = {"setting": "reference"}
    for source in ("dialogue", "dialogue + history"):
        for how in ("", ", likelihood"):
            base = {"model": BASE, "input": source, "setting": f"zero-shot{how}"}
            tuned = {"model": adapters[source], "input": source, "setting": f"fine-tuned{how}"}
            print(f"\n{source}{how or ', written'}")
            print(f"  fine-tuned - zero-shot   {paired(ranks, tuned, base)}")
            for name in ("popularity", "itemknn"):
                other = {"model": name, **reference}
                print(f"  fine-tuned - {name:<11} {paired(ranks, tuned, other)}")
    print("\nwith the history - without")
    for how in ("", ", likelihood"):
        sides = [
            {"model": adapters[source], "setting": f"fine-tuned{how}"}
            for source in ("dialogue + history", "dialogue")
        ]
        print(f"  fine-tuned{how:<14} {paired(ranks, *sides)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=240)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--few-shot", action="store_true", help="ask few-shot as well")
    given = parser.parse_args()
    corpus, data = given.folder / "tastes.jsonl", given.folder / "data"
    write_corpus(corpus, given.users)
    split = (str(corpus), "--test-share", "0.3", "--noun", "book")
    adapters = {}
    for source, option in (("dialogue", "--no-history"), ("dialogue + history", "--history")):
        epochs = ("--epochs", str(given.epochs))
        told = redial(data, "finetune", *split, "--base", BASE, option, *epochs)
        adapters[source] = told.splitlines()[0]
    models = ",".join([BASE, *adapters.values()])
    settings = "zero-shot,few-shot" if given.few_shot else "zero-shot"
    frames = []
    for rank in ("likelihood", "generate"):
        out = given.folder / rank
        named = f"random,popularity,itemknn,{models}" if rank == "likelihood" else models
        words = ("--model", named, "--setting", settings, "--rank", rank, "--out", str(out))
        print(redial(data, "recommend", *split, "--questions", str(given.questions), *words))
        frames.append(pl.read_parquet(out / "ranks.parquet"))
    differences(pl.concat(frames), adapters)


if __name__ == "__main__":
    sys.exit(main())
