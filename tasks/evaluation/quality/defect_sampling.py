"""Dialogues in which people look for defects, with the reviews that they were written from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tasks.evaluation.corpora import Dialogue, Utterance
from tasks.evaluation.quality.values import DefectTask
from tasks.fingerprint import content_id, unit

if TYPE_CHECKING:
    from tasks.briefs import BriefItem
    from tasks.judge import DialogueToJudge


def defect_tasks(
    domain: str, dialogues: Mapping[str, DialogueToJudge], *, seed: int = 0
) -> list[DefectTask]:
    """Return a task for each of some dialogues of a domain, shuffled.

    Args:
        domain: the domain's name.
        dialogues: by their ids in the warehouse, with their briefs.
        seed: of the order.
    """
    tasks = [_task(domain, dialogue) for dialogue in dialogues.values()]
    return sorted(tasks, key=lambda task: unit(seed, "order", task.task_id))


def _task(domain: str, dialogue: DialogueToJudge) -> DefectTask:
    said = tuple(
        Utterance("agent" if turn.role == "agent" else "user", turn.text)
        for turn in dialogue.spoken
    )
    return DefectTask(
        content_id(["defect", domain, dialogue.dialogue_id]),
        domain,
        tuple(_told(dialogue.items)),
        Dialogue(dialogue.dialogue_id, said),
    )


def _told(items: Iterable[BriefItem]) -> Iterable[str]:
    """Yield what is known of each item: its title and collection, and the reviews drawn on."""
    for item in items:
        yield f"{item.title} ({item.collection.lower().replace('_', ' ')})"
        if item.user_review:
            yield f"The user wrote: {item.user_review}"
        if item.other_review:
            yield f"Somebody else wrote: {item.other_review}"
