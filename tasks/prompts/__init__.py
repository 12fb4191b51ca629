"""Prompts (2.5.1, Fig. 3).

In: a `Brief` and a prompt profile of goal_specs/prompts. Out: the messages of one request, as a
`Prompt`. Start with `rendering.render`; `dual` writes turn by turn, `repair` asks again. Text of
reviews is in a prompt only as data, by `data_fence`.
"""

from tasks.prompts.answer_schema import object_schema, schema_format
from tasks.prompts.data_fence import CLOSE, OPEN, cut_to_words, fence
from tasks.prompts.dual import as_transcript, render_agent_turn, render_user_turn, spoken_text
from tasks.prompts.profiles import Profile, load_profile
from tasks.prompts.rendering import Goals, render, template_lines
from tasks.prompts.repair import render_repair, repair_scope
from tasks.prompts.values import Finding, Instructed, Message, Prompt, Spoken

__all__ = [
    "CLOSE",
    "OPEN",
    "Finding",
    "Goals",
    "Instructed",
    "Message",
    "Profile",
    "Prompt",
    "Spoken",
    "as_transcript",
    "cut_to_words",
    "fence",
    "load_profile",
    "object_schema",
    "render",
    "render_agent_turn",
    "render_repair",
    "render_user_turn",
    "repair_scope",
    "schema_format",
    "spoken_text",
    "template_lines",
]
