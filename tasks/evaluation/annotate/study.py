"""One study in one SQLite file: what is to be judged, and every answer as it comes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tasks.errors import UserError
from tasks.evaluation.annotate.names import check_annotator, same_annotator
from tasks.evaluation.corpora import Dialogue, Utterance, json_lines
from tasks.evaluation.quality import (
    CHOICES,
    DEFECTS,
    HIGHEST,
    LOWEST,
    METRICS,
    NO_DEFECT,
    Choice,
    Defect,
    DefectTask,
    PairTask,
    Preference,
    Rating,
    UtteranceTask,
)
from tasks.fingerprint import content_id, fingerprint, unit

Task = UtteranceTask | PairTask | DefectTask
Answer = dict[str, Any]
"""What an annotator answers.

For an utterance {"fluency": 2, ...}; for a pair {"choice": "first", "shown_first": corpus,
"shown_second": corpus}; for a dialogue to look for a defect in {"defect": kind, "turn": 3}.
"""

LAYOUT: Final = 1
"""Version of a study's tables, kept as its `user_version`; earlier ones have 0."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (
    seed INTEGER NOT NULL,
    fingerprint TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tasks (
    task_id TEXT PRIMARY KEY,
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
    annotator TEXT NOT NULL,
    task_id TEXT NOT NULL REFERENCES tasks,
    answer TEXT NOT NULL,
    PRIMARY KEY (annotator, task_id)
);
"""


class AnsweredElsewhere(UserError):
    """An answer was given to a task whose answer has changed since its page was opened."""


@dataclass(frozen=True)
class Progress:
    """How far one annotator is."""

    annotator: str
    answered: int
    tasks: int


class Study:
    """The tasks of a study in each annotator's own order, and the answers.

    Every answer is on disk before `answer` returns.
    """

    def __init__(self, path: Path) -> None:
        """Open a study. Raises UserError when there is none or the file is something else."""
        self.path = path
        if not path.is_file():
            raise UserError(f"there is no study {path}: create one first")
        try:
            with self._open() as con:
                _check_layout(con, path)
                self.seed = int(con.execute("SELECT seed FROM study").fetchone()[0])
                rows = con.execute("SELECT kind, body FROM tasks ORDER BY place").fetchall()
        except (sqlite3.Error, TypeError):
            raise UserError(f"{path} is not a study") from None
        self.tasks: tuple[Task, ...] = tuple(_task(kind, json.loads(body)) for kind, body in rows)
        self._by_id = {task.task_id: task for task in self.tasks}

    @classmethod
    def create(cls, path: Path, tasks: Sequence[Task], *, seed: int = 0) -> Study:
        """Create a study, or open it if the same one exists.

        Raises UserError when another one exists or it cannot be written.
        """
        if not tasks:
            raise UserError("there is nothing to judge: draw some dialogues first")
        bodies = [
            (task.task_id, place, _kind(task), json.dumps(asdict(task), ensure_ascii=False))
            for place, task in enumerate(tasks)
        ]
        print_ = fingerprint([seed, bodies])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as con, con:
                con.executescript(_SCHEMA)
                standing = con.execute("SELECT fingerprint FROM study").fetchone()
                if standing and standing[0] != print_:
                    raise UserError(f"{path} holds another study: give this one another file")
                if not standing:
                    con.execute(f"PRAGMA user_version = {LAYOUT:d}")
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

    def known_as(self, name: str) -> str:
        """Return the spelling an annotator has in this study; a new one's name as it is written.

        Raises UserError on no plain name.
        """
        with self._open() as con:
            return _known_as(con, name)

    def order(self, annotator: str) -> list[Task]:
        """Return the tasks in the order one annotator sees them.

        Dialogues are shuffled, their utterances in order; pairs come after them, their sides
        shuffled, and then the dialogues to look for defects in.
        """
        known = self.known_as(annotator)

        def _place(task: Task) -> tuple[int, float, int]:
            if isinstance(task, UtteranceTask):
                return (
                    0,
                    unit(self.seed, "order", known, task.corpus, task.dialogue_id),
                    task.turn,
                )
            later = 1 if isinstance(task, PairTask) else 2
            return (later, unit(self.seed, "order", known, task.task_id), 0)

        return [self._as_shown(task, known) for task in sorted(self.tasks, key=_place)]

    def answers(self, annotator: str) -> dict[str, Answer]:
        """Return one annotator's answers by task."""
        with self._open() as con:
            known = _known_as(con, annotator)
            rows = con.execute(
                "SELECT task_id, answer FROM answers WHERE annotator = ?", (known,)
            ).fetchall()
        return {task_id: json.loads(answer) for task_id, answer in rows}

    def state(self, annotator: str, task_id: str) -> str:
        """Return a fingerprint of an annotator's answer to a task and of the name's spelling."""
        with self._open() as con:
            return _state(con, _known_as(con, annotator), task_id)

    def answer(
        self, annotator: str, task_id: str, given: Answer, *, seen: str | None = None
    ) -> None:
        """Keep an answer; a second one to the same task replaces the first.

        Args:
            annotator: who answers, in any spelling of the name.
            task_id: what is answered.
            given: the answer.
            seen: the `state` the answer was given in; None replaces any answer.

        Raises:
            UserError: it is no answer.
            AnsweredElsewhere: something else was answered since `seen`; it stays.
        """
        task = self._by_id.get(task_id)
        if task is None:
            raise UserError(f"this study has no task {task_id[:40]!r}")
        with self._open() as con, con:
            con.execute("BEGIN IMMEDIATE")
            known = _known_as(con, annotator)
            kept = json.dumps(self._checked(task, known, given))
            if (
                seen is not None
                and seen != _state(con, known, task_id)
                and kept != _stored(con, known, task_id)
            ):
                raise AnsweredElsewhere(
                    f"task {task_id} was answered by {known} in another window in the meantime"
                )
            con.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (known, task_id, kept))

    def progress(self) -> list[Progress]:
        """Return how far everybody is, in order of name."""
        with self._open() as con:
            rows = con.execute(
                "SELECT annotator, count(*) FROM answers GROUP BY annotator ORDER BY annotator"
            ).fetchall()
        return [Progress(annotator, answered, len(self.tasks)) for annotator, answered in rows]

    def ratings(self) -> list[Rating]:
        """Return every score of every annotator."""
        ratings: list[Rating] = []
        for annotator, task_id, answer in self._all():
            if isinstance(self._by_id[task_id], UtteranceTask):
                ratings += [
                    Rating(task_id, annotator, metric, answer[metric]) for metric in METRICS
                ]
        return ratings

    def preferences(self) -> list[Preference]:
        """Return every choice between two conversations."""
        return [
            Preference(
                task_id, annotator, answer["choice"], answer["shown_first"], answer["shown_second"]
            )
            for annotator, task_id, answer in self._all()
            if isinstance(self._by_id[task_id], PairTask)
        ]

    def defects(self) -> list[Defect]:
        """Return what every annotator says of the dialogues to look for defects in."""
        found: list[Defect] = []
        for annotator, task_id, answer in self._all():
            task = self._by_id[task_id]
            if isinstance(task, DefectTask):
                said = (answer["defect"], answer["turn"])
                found.append(Defect(task.dialogue.dialogue_id, annotator, *said))
        return found

    def export_answers(self, path: Path) -> int:
        """Write every answer as JSON lines and return how many. Raises OSError."""
        lines = [
            json.dumps({"annotator": a, "task_id": t, "answer": given}, ensure_ascii=False) + "\n"
            for a, t, given in self._all()
        ]
        path.write_text("".join(lines), encoding="utf-8")
        return len(lines)

    def import_answers(self, path: Path) -> int:
        """Import answers exported from a copy of this study, all or none; return how many.

        Older answers are replaced.

        Raises:
            UserError: a line is no answer, or answers a task this study does not have.
        """
        rows: dict[tuple[str, str], str] = {}
        with self._open() as con, con:
            con.execute("BEGIN IMMEDIATE")
            for number, line in enumerate(json_lines(path), 1):
                task = self._by_id.get(str(line.get("task_id")))
                if task is None or not isinstance(line.get("answer"), dict):
                    raise UserError(f"{path}, answer {number}, does not belong to this study")
                known = _known_as(con, str(line.get("annotator")), [name for name, _ in rows])
                kept = json.dumps(self._checked(task, known, line["answer"]))
                if rows.setdefault((known, task.task_id), kept) != kept:
                    raise UserError(
                        f"{path}, answer {number}, is a second one of {known} to the same task: "
                        f"keep one of them"
                    )
            con.executemany(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                [(*key, kept) for key, kept in rows.items()],
            )
        return len(rows)

    def _as_shown(self, task: Task, annotator: str) -> Task:
        if isinstance(task, PairTask) and unit(self.seed, "side", annotator, task.task_id) < 0.5:
            return task.turned()
        return task

    def _checked(self, task: Task, annotator: str, given: Answer) -> Answer:
        if isinstance(task, UtteranceTask):
            grades = {metric: given.get(metric) for metric in METRICS}
            if not all(
                isinstance(grade, int) and LOWEST <= grade <= HIGHEST for grade in grades.values()
            ):
                raise UserError(
                    f"each of {', '.join(METRICS)} needs a grade from {LOWEST} to {HIGHEST}"
                )
            return {str(metric): grade for metric, grade in grades.items()}
        if isinstance(task, DefectTask):
            return _checked_defect(task, given)
        choice: Choice | None = given.get("choice")
        if choice not in CHOICES:
            raise UserError(f"choose one of {', '.join(CHOICES)}")
        shown = self._as_shown(task, annotator)
        assert isinstance(shown, PairTask)
        return {
            "choice": choice,
            "shown_first": shown.first_corpus,
            "shown_second": shown.second_corpus,
        }

    def _all(self) -> list[tuple[str, str, Answer]]:
        with self._open() as con:
            rows = con.execute(
                "SELECT annotator, task_id, answer FROM answers ORDER BY annotator, task_id"
            ).fetchall()
        return [(annotator, task_id, json.loads(answer)) for annotator, task_id, answer in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30)) as con:
            con.execute("PRAGMA synchronous = FULL")
            yield con


def _check_layout(con: sqlite3.Connection, path: Path) -> None:
    """Raise UserError if a newer version wrote a study."""
    ((layout,),) = con.execute("PRAGMA user_version").fetchall()
    if layout > LAYOUT:
        raise UserError(
            f"the study {path} has layout {layout}, and this version reads up to {LAYOUT}: use the "
            "version that wrote it, or a newer one"
        )


def _checked_defect(task: DefectTask, given: Answer) -> Answer:
    kind, turn = given.get("defect"), given.get("turn")
    if kind not in DEFECTS:
        raise UserError(f"choose one of {', '.join(DEFECTS)}")
    if kind == NO_DEFECT:
        return {"defect": kind, "turn": 0}
    turns = len(task.dialogue.utterances)
    if isinstance(turn, bool) or not isinstance(turn, int) or not 1 <= turn <= turns:
        raise UserError(f"say in which turn it is, from 1 to {turns}")
    return {"defect": kind, "turn": turn}


def _known_as(con: sqlite3.Connection, name: str, others: Sequence[str] = ()) -> str:
    """Return the spelling under which a name's answers are kept, or a new name's own form."""
    tidy = check_annotator(name)
    stored = [
        row[0]
        for row in con.execute(
            "SELECT DISTINCT annotator FROM answers ORDER BY annotator"
        ).fetchall()
    ]
    same = [known for known in (*stored, *others) if same_annotator(known) == same_annotator(tidy)]
    return tidy if tidy in same or not same else same[0]


def _stored(con: sqlite3.Connection, annotator: str, task_id: str) -> str | None:
    row = con.execute(
        "SELECT answer FROM answers WHERE annotator = ? AND task_id = ?", (annotator, task_id)
    ).fetchone()
    return str(row[0]) if row else None


def _state(con: sqlite3.Connection, annotator: str, task_id: str) -> str:
    return content_id([annotator, task_id, _stored(con, annotator, task_id)])


def _kind(task: Task) -> Literal["utterance", "pair", "defect"]:
    if isinstance(task, DefectTask):
        return "defect"
    return "utterance" if isinstance(task, UtteranceTask) else "pair"


def _task(kind: str, body: dict[str, Any]) -> Task:
    if kind == "utterance":
        return UtteranceTask(
            body["task_id"],
            body["corpus"],
            body["dialogue_id"],
            body["turn"],
            _said(body["context"]),
            _said([body["utterance"]])[0],
        )
    if kind == "defect":
        told = tuple(body["told"])
        return DefectTask(body["task_id"], body["corpus"], told, _dialogue(body["dialogue"]))
    return PairTask(
        body["task_id"],
        body["first_corpus"],
        body["second_corpus"],
        _dialogue(body["first"]),
        _dialogue(body["second"]),
    )


def _dialogue(body: dict[str, Any]) -> Dialogue:
    return Dialogue(body["dialogue_id"], _said(body["utterances"]))


def _said(entries: Sequence[dict[str, Any]]) -> tuple[Utterance, ...]:
    return tuple(Utterance(entry["role"], entry["text"]) for entry in entries)
