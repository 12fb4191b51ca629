"""Room: judge. A language model reads each dialogue against its brief, for the quality gate.

Dialogues with their briefs go in, verdicts come out: per turn its claims about items with the
sentence that decides, opinion, decision, sub-goals, speaker, a target given away, contradictions.
`JudgeRollout` asks for one verdict; prompt.py has the request, answer.py what is read of the
answer, faults.py what is wrong with the dialogue by it.
"""

from tasks.judge.answer import Unreadable, read_verdict
from tasks.judge.asked_with import each_judge, judge_settings
from tasks.judge.dialogues import to_judge, with_dialogues
from tasks.judge.due import (
    expected_doubts,
    forget_verdicts,
    is_drawn,
    stored_verdicts,
    to_be_confirmed,
    to_be_judged,
)
from tasks.judge.faults import faults, from_json
from tasks.judge.forecast import forecast_dialogues
from tasks.judge.kinds import FAULT_KINDS, FaultKind
from tasks.judge.prompt import (
    JudgeWords,
    load_judge_words,
    render_judge,
    sentences_of,
)
from tasks.judge.rollout import Judge, JudgeRollout
from tasks.judge.values import DialogueToJudge, Fault

__all__ = [
    "FAULT_KINDS",
    "DialogueToJudge",
    "Fault",
    "FaultKind",
    "Judge",
    "JudgeRollout",
    "JudgeWords",
    "Unreadable",
    "each_judge",
    "expected_doubts",
    "faults",
    "from_json",
    "forecast_dialogues",
    "forget_verdicts",
    "is_drawn",
    "judge_settings",
    "load_judge_words",
    "read_verdict",
    "render_judge",
    "sentences_of",
    "stored_verdicts",
    "to_be_confirmed",
    "to_be_judged",
    "to_judge",
    "with_dialogues",
]
