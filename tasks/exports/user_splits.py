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
    """Split a corpus's users by time: last ones test, those before validation, others training.

    A user's time is that of their last recommendation.

    All dialogues of a user are in one split, so no history is in two; and no training dialogue's
    target was rated after the last target of a test user, so nothing is learnt from the future.
    Each held-out split takes the users that reach a tenth of the dialogues, at least one user, as
    long as one is left for training. In a corpus without times users are drawn with a fixed seed.
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
