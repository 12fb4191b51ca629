"""Asks a model for its verdict on one dialogue; a verdict that cannot be read is asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tasks.briefs import Brief
from tasks.judge.answer import Unreadable, answer_problem, read_verdict
from tasks.judge.faults import as_json, faults
from tasks.judge.prompt import JudgeWords, ask_again, render_judge, sentences_of
from tasks.judge.values import DialogueToJudge
from tasks.llm import Ask, Transcript
from tasks.prompts import Instructed

TRIES: Final = 2  # requests for one verdict
Judge = Literal["judge", "confirm"]


@dataclass(frozen=True)
class JudgeRollout:
    """Works on `DialogueToJudge`; picklable.

    The transcript holds the faults that the verdict finds, as JSON: `[]` where there are none. It
    has the status "failed" where no answer could be read.

    Attributes:
        words: what the judge is asked.
        goals: sub-goals by id, in the domain's words.
        most_review_words: reviews are cut there.
        attempt: the attempt that wrote the dialogues.
        name: "judge" for the first judge, "confirm" for the one that confirms what it rejects.
    """

    words: JudgeWords
    goals: Mapping[str, Instructed]
    most_review_words: int
    attempt: int
    name: Judge = "judge"

    @staticmethod
    def read_problem(text: str) -> str:
        """Return why an answer is no verdict; empty if it may be one."""
        return answer_problem(text)

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Ask for the verdict on one dialogue.

        Raises TypeError on a brief without a dialogue, and what `ask` raises.
        """
        if not isinstance(brief, DialogueToJudge):
            raise TypeError("only a dialogue can be judged")
        turns = len(brief.template.turns)
        first = prompt = render_judge(self.words, self.goals, brief, self.most_review_words)
        keys: list[str] = []
        problem = ""
        for _ in range(TRIES):
            answer = await ask(prompt.messages, response_format=prompt.response_format)
            keys.append(answer.request_key)
            try:
                verdict = read_verdict(answer.text, turns)
            except Unreadable as unreadable:
                problem = str(unreadable)
                prompt = ask_again(self.words, first, answer.text, problem, turns)
                continue
            found = faults(brief, verdict, sentences_of(brief, self.most_review_words))
            finish = answer.finish_reason
            return self._transcript(brief, "answered", as_json(found), finish, keys)
        return self._transcript(brief, "failed", "", "", keys, f"no verdict: {problem}")

    def _transcript(
        self,
        brief: Brief,
        status: Literal["answered", "failed"],
        text: str,
        finish: str,
        keys: Sequence[str],
        error: str = "",
    ) -> Transcript:
        return Transcript(brief.dialogue_id, self.attempt, status, text, finish, tuple(keys), error)
