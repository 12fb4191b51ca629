"""What models answered, how it was read, and what matched: for a person to look through."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.evaluation.matching import Ranking
from tasks.evaluation.metrics import rank
from tasks.evaluation.samples import Sample
from tasks.llm import Message
from tasks.web import markdown_cell, markdown_table, shortened

LOG = "answers.jsonl"
_MOST_SHOWN = 4000  # characters of a question or an answer on the page


@dataclass(frozen=True)
class AnswerRead:
    """One question to a model, the raw answer, and how it was read.

    Attributes:
        model: with `setting` and `input`, the row of Table 5 it counts for.
        question: the messages' text; `question_id` is the sample's id.
        answer: the raw text, None where no answer came.
        entries: each entry of the answer with what it was taken for, and the item it names.
        target: the right title; `rank` is its place in the ranking, from 1.
    """

    model: str
    setting: str
    input: str
    question_id: str
    question: str
    answer: str | None
    entries: tuple[tuple[str, str, str | None], ...]
    target: str
    rank: int | None

    @property
    def readable(self) -> bool:
        """Whether there is anything in the answer that is more than an echo."""
        return any(kind != "echo" for _, kind, _ in self.entries)


def answer_log(
    named: tuple[str, str, str],
    samples: Sequence[Sample],
    asked: Sequence[Sequence[Message]],
    texts: Sequence[str | None],
    rankings: Sequence[Ranking | None],
) -> Iterator[AnswerRead]:
    """Yield what a model was asked and what became of its answers.

    `named` has the model, the setting and the input.
    """
    for sample, messages, text, ranking in zip(samples, asked, texts, rankings, strict=True):
        entries = ranking.entries if ranking is not None else ()
        yield AnswerRead(
            *named,
            sample.sample_id,
            "\n\n".join(message["content"] for message in messages),
            text,
            tuple((entry.text, entry.kind, entry.item_id) for entry in entries),
            sample.title,
            rank(ranking.items, sample.target) if ranking is not None else None,
        )


def log_lines(answers: Sequence[AnswerRead]) -> str:
    """Return answers as JSON lines."""
    return "".join(f"{json.dumps(asdict(answer))}\n" for answer in answers)


def read_log(path: Path) -> list[AnswerRead]:
    """Return the answers of an evaluation. Raises UserError if it left none, or they are broken."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        raise UserError(
            f"there is no {path}: `redial evaluate recommend` with a model writes it"
        ) from None
    try:
        return [_answer(json.loads(line)) for line in lines]
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{path} is not the answers of an evaluation") from None


def _answer(content: dict[str, object]) -> AnswerRead:
    entries = content["entries"]
    if not isinstance(entries, list):
        raise TypeError("entries")
    fields = {**content, "entries": tuple(tuple(entry) for entry in entries)}
    return AnswerRead(**fields)  # type: ignore[arg-type]


def answers_markdown(answers: Sequence[AnswerRead]) -> str:
    """Return answers as a page, other people's text escaped."""
    return "\n\n".join(map(_one, answers)) + "\n"


def _one(answer: AnswerRead) -> str:
    place = f"place {answer.rank}" if answer.rank else "not in the ranking"
    head = f"## {answer.model}, {answer.setting}, {answer.input}: {answer.question_id}"
    shown = "(no answer)" if answer.answer is None else shortened(answer.answer, _MOST_SHOWN)
    entries = [(number, *entry) for number, entry in enumerate(answer.entries, 1)]
    read = markdown_table(["", "entry", "read as", "item"], entries) if entries else "nothing"
    return "\n\n".join(
        [
            f"## {markdown_cell(head.removeprefix('## '))}",
            f"Asked: {markdown_cell(shortened(answer.question, _MOST_SHOWN))}",
            f"Answered: {markdown_cell(shown)}",
            f"Right: {markdown_cell(answer.target)} ({place})",
            f"Read:\n\n{read}",
        ]
    )
