"""The rollout of a repair: one targeted request, its answer laid over the rejected dialogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.briefs import Brief
from tasks.llm import Ask, Transcript
from tasks.prompts import Instructed, Profile, as_transcript, render_repair, repair_scope
from tasks.repair.briefs import BriefToRepair
from tasks.repair.merging import merge_turns


@dataclass(frozen=True)
class Mend:
    """Asks once for what was broken. Works on `BriefToRepair`; `attempt` counts from 2.

    The transcript is the whole dialogue again, so that everything after it need not know of repairs.
    """

    profile: Profile
    goals: Mapping[str, Instructed]
    attempt: int
    name: str = "repair"

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Ask for the repair of one dialogue. Raises TypeError on a brief without findings, and whatever `ask` raises."""
        if not isinstance(brief, BriefToRepair):
            raise TypeError("only a rejected brief can be repaired")
        prompt = render_repair(self.profile, self.goals, brief, brief.previous, brief.findings)
        answer = await ask(prompt.messages, response_format=prompt.response_format, attempt=self.attempt)
        scope = repair_scope(self.profile, brief, brief.findings)
        text = as_transcript(self.profile, merge_turns(brief.previous, answer.text, scope)) if scope else answer.text
        return Transcript(brief.dialogue_id, self.attempt, "answered", text, answer.finish_reason, (answer.request_key,))
