"""Ends a run whose answers say nothing, before more of them are paid for."""

from __future__ import annotations

from collections import Counter, deque

from tasks.llm.errors import CallError, RunStopped

RECENT = 25  # answers that are looked back on, once a run has begun well
MOST_UNUSABLE = 20  # of the recent ones


class AnswerWatch:
    """Counts billed replies that hold no answer.

    The run must end when the first `first` replies hold none, or 20 of the last 25. Calls in flight
    still arrive, so at most `first` plus these are paid for. 0 switches the watch off.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._answered = 0
        self._recent: deque[CallError | None] = deque(maxlen=max(RECENT, first))

    def answered(self) -> None:
        """Count an answer."""
        self._answered += 1
        self._recent.append(None)

    def unusable(self, error: CallError) -> None:
        """Count a billed reply without an answer. Raises RunStopped when the run must end."""
        self._recent.append(error)
        if not self._first:
            return
        unusable = [error for error in self._recent if error is not None]
        if not self._answered and len(unusable) >= self._first:
            raise RunStopped(
                "answers", f"all {len(unusable)} answers are unusable: {_why(unusable)}"
            )
        latest = list(self._recent)[-RECENT:]
        unusable = [error for error in latest if error is not None]
        if len(unusable) >= MOST_UNUSABLE:
            raise RunStopped(
                "answers",
                f"{len(unusable)} of the last {len(latest)} answers are unusable: {_why(unusable)}",
            )


def _why(errors: list[CallError]) -> str:
    """Return the commonest cause, with its share when there are others."""
    ((message, times), *others) = Counter(error.message for error in errors).most_common()
    return f"{message} ({times} of {len(errors)})" if others else message
