"""Draws what is to be judged, blind and shuffled as in the paper (4.1.1, 4.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus, Dialogue
from tasks.evaluation.quality.values import PairTask, UtteranceTask
from tasks.fingerprint import content_id, unit

DIALOGUES = 10  # dialogues of each corpus whose utterances are scored (4.1.1)
PAIRS = 50  # pairs of conversations in each comparison (4.1.2)


def utterance_tasks(
    corpora: Sequence[Corpus], *, dialogues: int = DIALOGUES, seed: int = 0
) -> list[UtteranceTask]:
    """Return every utterance of some dialogues of each corpus.

    Dialogues are shuffled over all corpora, utterances in order.

    Raises:
        UserError: two corpora of one name, or one without a dialogue.
    """
    _checked(corpora)
    chosen = []
    for corpus in corpora:
        chosen += [(corpus.name, dialogue) for dialogue in _draw(corpus, dialogues, seed)]
    chosen.sort(key=lambda entry: unit(seed, "order", entry[0], entry[1].dialogue_id))
    return list(chain.from_iterable(_of_dialogue(name, dialogue) for name, dialogue in chosen))


def pair_tasks(
    first: Corpus, others: Sequence[Corpus], *, pairs: int = PAIRS, seed: int = 0
) -> list[PairTask]:
    """Return random pairs of one corpus with each other one, sides and order shuffled.

    A corpus with too few dialogues gives as many pairs as it has.

    Raises:
        UserError: two corpora of one name, or one without a dialogue.
    """
    _checked([first, *others])
    tasks = []
    for other in others:
        for mine, theirs in zip(
            _draw(first, pairs, seed, other.name),
            _draw(other, pairs, seed, first.name),
            strict=False,
        ):
            task = PairTask(
                content_id(["pair", first.name, mine.dialogue_id, other.name, theirs.dialogue_id]),
                first.name,
                other.name,
                mine,
                theirs,
            )
            tasks.append(task if unit(seed, "side", task.task_id) < 0.5 else task.turned())
    return sorted(tasks, key=lambda task: unit(seed, "order", task.task_id))


def _checked(corpora: Sequence[Corpus]) -> None:
    names = [corpus.name for corpus in corpora]
    if len(set(names)) < len(names):
        raise UserError(
            f"two corpora are called alike ({', '.join(names)}): give each its own name"
        )
    for corpus in corpora:
        if not any(dialogue.utterances for dialogue in corpus.dialogues):
            raise UserError(f"the corpus {corpus.name} has no dialogue with an utterance")


def _draw(corpus: Corpus, count: int, seed: int, purpose: str = "utterances") -> list[Dialogue]:
    spoken = [
        (number, dialogue)
        for number, dialogue in enumerate(corpus.dialogues)
        if dialogue.utterances
    ]
    spoken.sort(key=lambda entry: unit(seed, "draw", purpose, corpus.name, entry[0]))
    return [dialogue for _, dialogue in spoken[:count]]


def _of_dialogue(corpus: str, dialogue: Dialogue) -> list[UtteranceTask]:
    return [
        UtteranceTask(
            content_id(["utterance", corpus, dialogue.dialogue_id, turn]),
            corpus,
            dialogue.dialogue_id,
            turn,
            dialogue.utterances[:turn],
            utterance,
        )
        for turn, utterance in enumerate(dialogue.utterances)
    ]
