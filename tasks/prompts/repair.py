"""A rejected dialogue's second, targeted request: the same brief, what was wrong, and which turns to write anew."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template as Text

from tasks.briefs import Brief
from tasks.prompts.data_fence import fence
from tasks.prompts.profiles import Profile
from tasks.prompts.rendering import Goals, places, render, response_format, template_lines
from tasks.prompts.values import Finding, Prompt

EVIDENCE_CHARACTERS = 300  # enough to find the piece again, and no more tokens than that
PREVIOUS_CHARACTERS = 12_000  # a runaway answer is shown up to here


def repair_scope(profile: Profile, brief: Brief, findings: Sequence[Finding]) -> tuple[int, ...]:
    """Return the turns a repair will ask for, in order; empty means the whole dialogue.

    Single turns are asked for when the profile allows it, every finding names a turn of the
    template, and at least one turn is sound.
    """
    turns = len(brief.template.turns)
    broken = {finding.turn for finding in findings}
    named = sorted(turn for turn in broken if turn is not None and 1 <= turn <= turns)
    if (
        profile.repair != "turns"
        or not findings
        or len(named) != len(broken)
        or len(named) == turns
    ):
        return ()
    return tuple(named)


def render_repair(
    profile: Profile, goals: Goals, brief: Brief, previous_text: str, findings: Sequence[Finding]
) -> Prompt:
    """Render the second request for a brief whose dialogue was rejected.

    The first request and the rejected answer go before it as they were; the findings follow as
    data. Which turns are asked for is what `repair_scope` says; for single turns the answer is
    `{"turns": [{"turn": 3, "role": ..., "text": ...}]}`.

    Raises:
        KeyError: the brief's template has a sub-goal that `goals` lacks.
    """
    first = render(profile, goals, brief)
    scope = repair_scope(profile, brief, findings)
    values = {
        **places(profile, brief),
        "findings": fence({"findings": [_told(finding) for finding in findings]}),
        "asked": ", ".join(map(str, scope)) or "all",
        "template": template_lines(profile, goals, brief.template.turns, scope),
    }
    words = profile.repair_turns if scope else profile.repair_dialogue
    return Prompt(
        (
            *first.messages,
            {"role": "assistant", "content": previous_text[:PREVIOUS_CHARACTERS] or "(no answer)"},
            {"role": "user", "content": Text(words).substitute(values)},
        ),
        response_format(profile, numbered=bool(scope)),
    )


def _told(finding: Finding) -> dict[str, str | int | None]:
    return {
        "turn": finding.turn,
        "rule": finding.rule,
        "what": finding.sentence,
        "evidence": finding.evidence[:EVIDENCE_CHARACTERS],
    }
