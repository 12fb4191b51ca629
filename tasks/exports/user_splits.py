"""Training, validation and test by user and time at once."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from tasks.evaluation.corpora import Corpus
from tasks.fingerprint import unit

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
HELD_OUT = 0.1  # share of the dialogues in each of validation and test


def split_users(corpus: Corpus) -> dict[str, SplitName]:
    """Part a corpus's users: whoever was recommended something last of all is test, those before them validation, all others training.

    A user is on one side with all his dialogues, so no history is seen in two splits; and no
    training dialogue's target was rated after the last target of a test user, so the future is not
    learnt from. Each held-out side takes the users that reach a tenth of the dialogues, at least
    one user, as long as one is left for training. Where the corpus tells no times, users go by a
    fixed draw.
    """
    dialogues = Counter(str(dialogue.user_id) for dialogue in corpus.dialogues)
    rated = {(made.user_id, made.item_id): made.timestamp or 0 for made in corpus.interactions}
    last: dict[str, int] = {}
    for dialogue in corpus.dialogues:
        user = str(dialogue.user_id)
        last[user] = max(
            last.get(user, 0), *(rated.get((user, item), 0) for item in dialogue.targets), 0
        )
    latest_first = sorted(dialogues, key=lambda user: (-last[user], unit(0, "split", user)))
    wanted = HELD_OUT * len(corpus.dialogues)
    sides: dict[str, SplitName] = dict.fromkeys(dialogues, "train")
    names: list[SplitName] = ["test", "valid"]
    taken = 0
    for user in latest_first[:-1]:
        sides[user] = names[0]
        taken += dialogues[user]
        if taken >= wanted:
            names, taken = names[1:], 0
            if not names:
                break
    return sides
