"""Writes the prompts by which a judge is asked about recorded dialogues, for somebody to answer.

    python -m tests.support.record_judge ANSWERS.jsonl FOLDER
    python -m tests.support.record_judge --check ANSWERS.jsonl VERDICTS.jsonl

ANSWERS.jsonl has one answer a line: domain, seed, profile, answer, and template and items (ids) or
the messages that were answered. FOLDER gets one file a dialogue, KEY.json, with the key and the
messages of the request; what is asked for is said in them. An answer belongs to its key, which
depends on the dialogue alone, not on the words of the prompt. `--check` reads answers, as lines of
key and answer, and says what they find in which dialogues.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tasks.judge import (
    DialogueToJudge,
    Fault,
    JudgeRollout,
    Unreadable,
    faults,
    read_verdict,
    render_judge,
    sentences_of,
)
from tests.support.recorded import (
    Recorded,
    by_domain,
    dialogue_key,
    judge_rollout,
    read_rows,
    recorded_warehouse,
    to_be_judged,
)


def recorded_dialogues(
    answers: Path,
) -> Iterator[tuple[Recorded, DialogueToJudge, JudgeRollout]]:
    """Yield each answer that fits a brief of today, its dialogue, and how a judge is asked."""
    for (name, seed), rows in by_domain(read_rows(answers)).items():
        with (
            tempfile.TemporaryDirectory() as place,
            recorded_warehouse(Path(place), name, seed, rows) as (con, domain, matched, _),
        ):
            dialogues = to_be_judged(con, domain, matched)
            for one, dialogue in zip(matched, dialogues, strict=True):
                yield one, dialogue, judge_rollout(domain, one.row["profile"])


def write_prompts(answers: Path, folder: Path) -> list[str]:
    """Write the prompt of each recorded dialogue that fits a brief of today; return their keys."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = []
    for _, dialogue, rollout in recorded_dialogues(answers):
        prompt = render_judge(rollout.words, rollout.goals, dialogue, rollout.most_review_words)
        keys.append(dialogue_key(dialogue))
        content = {"key": keys[-1], "messages": list(prompt.messages)}
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (folder / f"{keys[-1]}.json").write_text(text + "\n", encoding="utf-8")
    return keys


def found_by(
    verdicts: Mapping[str, str], dialogue: DialogueToJudge, rollout: JudgeRollout
) -> list[Fault] | None:
    """Return what a recorded verdict finds in a dialogue; None if there is none.

    Raises Unreadable.
    """
    answer = verdicts.get(dialogue_key(dialogue))
    if answer is None:
        return None
    read = read_verdict(answer, len(dialogue.template.turns))
    return faults(dialogue, read, sentences_of(dialogue, rollout.most_review_words))


def check(answers: Path, verdicts: Path) -> None:
    """Print what recorded verdicts find in recorded dialogues."""
    known = {row["key"]: row["answer"] for row in read_rows(verdicts)}
    for one, dialogue, rollout in recorded_dialogues(answers):
        planted = f"{one.row.get('kind', 'good')} in turn {one.row.get('turn', '-')}"
        try:
            found = found_by(known, dialogue, rollout)
        except Unreadable as problem:
            print(f"{dialogue_key(dialogue)} {planted}: unreadable, {problem}")
            continue
        said = "no verdict" if found is None else ", ".join(map(_in_short, found)) or "nothing"
        print(f"{dialogue_key(dialogue)} {planted}: {said}")


def _in_short(fault: Fault) -> str:
    return f"{fault.kind} in turn {fault.turn} ({fault.piece[:60]})"


def main() -> None:
    """Write the prompts and say how many there are."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("answers", type=Path)
    arguments.add_argument("place", type=Path)
    given = arguments.parse_args()
    if given.check:
        check(given.answers, given.place)
        return
    lost = len(read_rows(given.answers)) - len(write_prompts(given.answers, given.place))
    print(f"prompts are in {given.place}; {lost} answers fit no brief of today")


if __name__ == "__main__":
    main()
