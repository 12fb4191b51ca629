"""One study in one SQLite file: what is to be judged, and every answer as it comes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tasks.errors import UserError
from tasks.evaluation.annotate.names import check_annotator
from tasks.evaluation.corpora import Dialogue, Utterance
from tasks.evaluation.corpora.lines import json_lines
from tasks.evaluation.quality.values import CHOICES, HIGHEST, LOWEST, METRICS, Choice, PairTask, Preference, Rating, UtteranceTask
from tasks.fingerprint import fingerprint, unit

Task = UtteranceTask | PairTask
Answer = dict[
    str, Any
]  # {"fluency": 2, ...} for an utterance, {"choice": "first", "shown_first": corpus, "shown_second": corpus} for a pair

_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (seed INTEGER NOT NULL, fingerprint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (task_id TEXT PRIMARY KEY, place INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    annotator TEXT NOT NULL, task_id TEXT NOT NULL REFERENCES tasks, answer TEXT NOT NULL, PRIMARY KEY (annotator, task_id)
);
"""


@dataclass(frozen=True)
class Progress:
    """How far one annotator is."""

    annotator: str
    answered: int
    tasks: int


class Study:
    """The tasks of a study in each annotator's own order, and the answers. Every answer is on disk before `answer` returns."""

    def __init__(self, path: Path) -> None:
        """Open a study. Raises UserError when there is none or the file is something else."""
        self.path = path
        if not path.is_file():
            raise UserError(f"there is no study {path}: create one first")
        try:
            with self._open() as con:
                self.seed = int(con.execute("SELECT seed FROM study").fetchone()[0])
                rows = con.execute("SELECT kind, body FROM tasks ORDER BY place").fetchall()
        except (sqlite3.Error, TypeError):
            raise UserError(f"{path} is not a study") from None
        self.tasks: tuple[Task, ...] = tuple(_task(kind, json.loads(body)) for kind, body in rows)
        self._by_id = {task.task_id: task for task in self.tasks}

    @classmethod
    def create(cls, path: Path, tasks: Sequence[Task], *, seed: int = 0) -> Study:
        """Create a study, or open it where the same one stands. Raises UserError when another stands there or it cannot be written."""
        if not tasks:
            raise UserError("there is nothing to judge: draw some dialogues first")
        bodies = [(task.task_id, place, _kind(task), json.dumps(asdict(task), ensure_ascii=False)) for place, task in enumerate(tasks)]
        print_ = fingerprint([seed, bodies])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as con, con:
                con.executescript(_SCHEMA)
                standing = con.execute("SELECT fingerprint FROM study").fetchone()
                if standing and standing[0] != print_:
                    raise UserError(f"{path} holds another study: give this one another file")
                if not standing:
                    con.execute("INSERT INTO study VALUES (?, ?)", (seed, print_))
                    con.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?)", bodies)
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"the study {path} cannot be written: {error}") from None
        return cls(path)

    @property
    def utterance_tasks(self) -> list[UtteranceTask]:
        """The utterances to grade."""
        return [task for task in self.tasks if isinstance(task, UtteranceTask)]

    @property
    def pair_tasks(self) -> list[PairTask]:
        """The conversations to compare."""
        return [task for task in self.tasks if isinstance(task, PairTask)]

    def order(self, annotator: str) -> list[Task]:
        """Return the tasks as one annotator sees them: dialogues shuffled, their utterances in order, pairs after them, sides shuffled."""
        check_annotator(annotator)

        def _place(task: Task) -> tuple[int, float, int]:
            if isinstance(task, UtteranceTask):
                return (0, unit(self.seed, "order", annotator, task.corpus, task.dialogue_id), task.turn)
            return (1, unit(self.seed, "order", annotator, task.task_id), 0)

        return [self._as_shown(task, annotator) for task in sorted(self.tasks, key=_place)]

    def answers(self, annotator: str) -> dict[str, Answer]:
        """Return one annotator's answers by task."""
        with self._open() as con:
            rows = con.execute("SELECT task_id, answer FROM answers WHERE annotator = ?", (annotator,)).fetchall()
        return {task_id: json.loads(answer) for task_id, answer in rows}

    def answer(self, annotator: str, task_id: str, given: Answer) -> None:
        """Keep an answer; a second one to the same task replaces the first. Raises UserError when it is none."""
        check_annotator(annotator)
        task = self._by_id.get(task_id)
        if task is None:
            raise UserError(f"this study has no task {task_id[:40]!r}")
        kept = self._checked(task, annotator, given)
        with self._open() as con, con:
            con.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (annotator, task_id, json.dumps(kept)))

    def progress(self) -> list[Progress]:
        """Return how far everybody is, in order of name."""
        with self._open() as con:
            rows = con.execute("SELECT annotator, count(*) FROM answers GROUP BY annotator ORDER BY annotator").fetchall()
        return [Progress(annotator, answered, len(self.tasks)) for annotator, answered in rows]

    def ratings(self) -> list[Rating]:
        """Return every score of every annotator."""
        return [
            Rating(task_id, annotator, metric, answer[metric])
            for annotator, task_id, answer in self._all()
            if isinstance(self._by_id[task_id], UtteranceTask)
            for metric in METRICS
        ]

    def preferences(self) -> list[Preference]:
        """Return every choice between two conversations."""
        return [
            Preference(task_id, annotator, answer["choice"], answer["shown_first"], answer["shown_second"])
            for annotator, task_id, answer in self._all()
            if isinstance(self._by_id[task_id], PairTask)
        ]

    def export_answers(self, path: Path) -> int:
        """Write every answer as JSON lines and return how many. Raises OSError."""
        lines = [json.dumps({"annotator": a, "task_id": t, "answer": given}, ensure_ascii=False) + "\n" for a, t, given in self._all()]
        path.write_text("".join(lines), encoding="utf-8")
        return len(lines)

    def import_answers(self, path: Path) -> int:
        """Take in answers exported from a copy of this study, replacing older ones, all or none, and return how many.

        Raises:
            UserError: a line is no answer, or answers a task this study does not have.
        """
        rows = []
        for number, line in enumerate(json_lines(path), 1):
            task = self._by_id.get(str(line.get("task_id")))
            if task is None or not isinstance(line.get("answer"), dict):
                raise UserError(f"{path}, answer {number}, does not belong to this study")
            annotator = str(line.get("annotator"))
            check_annotator(annotator)
            rows.append((annotator, task.task_id, json.dumps(self._checked(task, annotator, line["answer"]))))
        with self._open() as con, con:
            con.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
        return len(rows)

    def _as_shown(self, task: Task, annotator: str) -> Task:
        if isinstance(task, PairTask) and unit(self.seed, "side", annotator, task.task_id) < 0.5:
            return task.turned()
        return task

    def _checked(self, task: Task, annotator: str, given: Answer) -> Answer:
        if isinstance(task, UtteranceTask):
            grades = {metric: given.get(metric) for metric in METRICS}
            if not all(isinstance(grade, int) and LOWEST <= grade <= HIGHEST for grade in grades.values()):
                raise UserError(f"each of {', '.join(METRICS)} needs a grade from {LOWEST} to {HIGHEST}")
            return {str(metric): grade for metric, grade in grades.items()}
        choice: Choice | None = given.get("choice")
        if choice not in CHOICES:
            raise UserError(f"choose one of {', '.join(CHOICES)}")
        shown = self._as_shown(task, annotator)
        assert isinstance(shown, PairTask)
        return {"choice": choice, "shown_first": shown.first_corpus, "shown_second": shown.second_corpus}

    def _all(self) -> list[tuple[str, str, Answer]]:
        with self._open() as con:
            rows = con.execute("SELECT annotator, task_id, answer FROM answers ORDER BY annotator, task_id").fetchall()
        return [(annotator, task_id, json.loads(answer)) for annotator, task_id, answer in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30)) as con:
            con.execute("PRAGMA synchronous = FULL")
            yield con


def _kind(task: Task) -> Literal["utterance", "pair"]:
    return "utterance" if isinstance(task, UtteranceTask) else "pair"


def _task(kind: str, body: dict[str, Any]) -> Task:
    if kind == "utterance":
        return UtteranceTask(
            body["task_id"], body["corpus"], body["dialogue_id"], body["turn"], _said(body["context"]), _said([body["utterance"]])[0]
        )
    return PairTask(body["task_id"], body["first_corpus"], body["second_corpus"], _dialogue(body["first"]), _dialogue(body["second"]))


def _dialogue(body: dict[str, Any]) -> Dialogue:
    return Dialogue(body["dialogue_id"], _said(body["utterances"]))


def _said(entries: Sequence[dict[str, Any]]) -> tuple[Utterance, ...]:
    return tuple(Utterance(entry["role"], entry["text"]) for entry in entries)
