"""Ends a run whose answers are of no use, before more of them are paid for.

An answer is of no use when it says nothing, or when it cannot be read as what was asked for.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from tasks.llm.errors import CallError, RunStopped
from tasks.llm.values import CUT_OFF, Answer
from tasks.redaction import one_line

RECENT = 25  # answers that are looked back on, once a run has begun well
MOST_UNUSABLE = 20  # of the recent ones
# Of answers that can be read one in so many is looked at, once as many in a row as are looked back
# on could be: reading each would take a good part of what a call takes of the processor.
LOOK_AT_ONE_IN = 16
LONGEST_SHOWN = 200  # characters of the answer that is shown

ReadProblem = Callable[[str], str]
"""Returns why the text of an answer cannot be read; empty when it can."""


def _readable(text: str) -> str:
    return ""


@dataclass(frozen=True)
class Useless:
    """A paid answer of no use: why, and its text where it has one."""

    reason: str
    text: str = ""


class AnswerWatch:
    """Counts paid answers that are of no use.

    The run must end when the first `first` answers are of no use, or 20 of the last 25. Calls in
    flight still arrive, so at most `first` plus these are paid for. 0 switches the watch off.
    """

    def __init__(self, first: int, read_problem: ReadProblem | None = None) -> None:
        """Take the least number of answers, and what finds answers that cannot be read."""
        self._first = first
        self._read_problem = read_problem or _readable
        self._useful = 0
        self._in_a_row = 0  # answers since the last one of no use
        self._recent: deque[Useless | None] = deque(maxlen=max(RECENT, first))
        self._in_batches: list[Useless] = []  # since the last batch that was of use

    def answered(self, answer: Answer, problem: str = "") -> None:
        """Count an answer, and what is known to be wrong with it whatever its text says.

        Raises RunStopped when the run must end.
        """
        if problem:
            self._count(Useless(problem, answer.text))
            return
        self._in_a_row += 1
        if self._in_a_row > RECENT and self._in_a_row % LOOK_AT_ONE_IN:
            return
        useless = self.problem_of(answer)
        if useless is None:
            self._useful += 1
            self._recent.append(None)
        else:
            self._count(useless)

    def unusable(self, error: CallError) -> None:
        """Count a billed reply without an answer. Raises RunStopped when the run must end."""
        self._count(Useless(error.message))

    def problem_of(self, answer: Answer) -> Useless | None:
        """Return why an answer is of no use; None if it can be read, or if the watch is off."""
        reason = self._read_problem(answer.text) if self._first else ""
        if not reason:
            return None
        if answer.finish_reason in CUT_OFF:
            reason = f"cut at max_tokens, {reason}: raise generate.max_tokens"
        return Useless(reason, answer.text)

    def check_batch(self, useless: list[Useless], answers: int) -> None:
        """Raise RunStopped when too many of a batch's answers are of no use.

        Those of the batches before it count as well, if these were of no use either.

        Args:
            useless: those that are.
            answers: how many of the batch were paid for.
        """
        is_useless = len(useless) * RECENT >= answers * MOST_UNUSABLE
        self._in_batches = [*self._in_batches, *useless] if is_useless else []
        if self._first and len(self._in_batches) >= self._first:
            what = f"{len(useless)} of {answers} answers of a batch are unusable"
            raise _stop(what, self._in_batches)

    def _count(self, useless: Useless) -> None:
        self._in_a_row = 0
        self._recent.append(useless)
        if not self._first:
            return
        found = [one for one in self._recent if one is not None]
        if not self._useful and len(found) >= self._first:
            raise _stop(f"all {len(found)} answers are unusable", found)
        latest = list(self._recent)[-RECENT:]
        found = [one for one in latest if one is not None]
        if len(found) >= MOST_UNUSABLE:
            raise _stop(f"{len(found)} of the last {len(latest)} answers are unusable", found)


def _stop(what: str, useless: list[Useless]) -> RunStopped:
    """Return the reason to end a run, with the commonest cause and one of the answers."""
    ((reason, times), *others) = Counter(one.reason for one in useless).most_common()
    why = f"{reason} ({times} of {len(useless)})" if others else reason
    shown = next((one.text for one in useless if one.reason == reason and one.text), "")
    return RunStopped("answers", f"{what}: {why}{one_answer(shown)}")


def one_answer(text: str) -> str:
    """Return the end of a line that shows one of the answers; empty where there is none."""
    if not text.strip():
        return ""
    visible = "".join(each if each.isprintable() else " " for each in text[: 2 * LONGEST_SHOWN])
    return f"; one of them: {one_line(visible, LONGEST_SHOWN)}"
