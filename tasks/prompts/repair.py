"""The second request for a rejected dialogue: the same brief, its faults, the turns to rewrite."""

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
    """Return the turns that a repair requests, in order; empty means the whole dialogue.

    Single turns are requested if the profile allows it, every finding names a turn of the
    template, and at least one turn has no finding.
    """
    if profile.repair != "turns" or not findings:
        return ()
    turns = len(brief.template.turns)
    broken = {finding.turn or 0 for finding in findings}
    is_partial = len(broken) < turns and all(1 <= turn <= turns for turn in broken)
    return tuple(sorted(broken)) if is_partial else ()


def render_repair(
    profile: Profile, goals: Goals, brief: Brief, previous_text: str, findings: Sequence[Finding]
) -> Prompt:
    """Render the second request for a brief whose dialogue was rejected.

    The first request and the rejected answer come first, unchanged; the findings follow as data.
    It requests the turns of `repair_scope`; for single turns the answer is
    `{"turns": [{"turn": 3, "role": ..., "text": ...}]}`.

    Raises:
        KeyError: the brief's template has a sub-goal that `goals` lacks.
    """
    first = render(profile, goals, brief)
    scope = repair_scope(profile, brief, findings)
    values = {
        **places(profile, brief),
        "findings": fence({"findings": [_as_json(finding) for finding in findings]}),
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
        response_format(profile, brief, scope),
    )


def _as_json(finding: Finding) -> dict[str, str | int | None]:
    return {
        "turn": finding.turn,
        "rule": finding.rule,
        "what": finding.sentence,
        "evidence": finding.evidence[:EVIDENCE_CHARACTERS],
    }
