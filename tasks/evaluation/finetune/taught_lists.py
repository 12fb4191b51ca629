"""The ranked lists that a recommender is taught: the right title first, then what fits next."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from tasks.evaluation.finetune.training_record import question_hash
from tasks.evaluation.references import Knowledge, is_liked
from tasks.evaluation.samples import Sample
from tasks.evaluation.splits import Split

Lists = Callable[[Sample], tuple[str, ...]]


def taught_lists(split: Split, known: Knowledge, length: int) -> Lists:
    """Return what gives the list of items that is taught for a sample.

    The target comes first. Then follow, each once:

    1. what the same user was recommended later, in the training samples' order, and what else the
       user is known to have liked later;
    2. what users who liked the target liked most;
    3. what most users rated.

    All of it is from the training samples and from what reference recommenders may know. Left out
    are items the user knows already and the user's targets in validation and test.

    Args:
        split: whose training samples are taught.
        known: what may be known before the test.
        length: items in a list, at most.
    """
    held_out: dict[str, set[str]] = defaultdict(set)
    for sample in (*split.valid, *split.test):
        held_out[sample.cluster].add(sample.target)
    later = _Later(split.train, known)
    together = _Together(known)

    def items(sample: Sample) -> tuple[str, ...]:
        unwanted = {*sample.history, *sample.mentioned, *held_out[sample.cluster]}
        chosen = [sample.target]
        for item in _chained(later.after(sample), together.with_item(sample.target)):
            if len(chosen) >= length:
                break
            if item not in unwanted and item in known.titles and item not in chosen:
                chosen.append(item)
        return tuple(chosen)

    return items


def teachable(split: Split) -> list[Sample]:
    """Return the training samples that give away no answer of validation and test.

    Left out are those whose target the same user has there, and those that say the same.
    """
    held_out = (*split.valid, *split.test)
    targets = {(sample.cluster, sample.target) for sample in held_out}
    said = set(map(question_hash, held_out))
    return [
        sample
        for sample in split.train
        if not ((sample.cluster, sample.target) in targets or question_hash(sample) in said)
    ]


def _chained(*parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        yield from part


class _Later:
    """What a user liked after a sample."""

    def __init__(self, train: Sequence[Sample], known: Knowledge) -> None:
        self._recommended: dict[str, list[tuple[tuple[int, int], str]]] = defaultdict(list)
        for sample in train:
            self._recommended[sample.cluster].append(
                ((sample.position, sample.turn), sample.target)
            )
        self._rated: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for made in known.interactions:
            if made.timestamp is not None and is_liked(made):
                self._rated[made.user_id].append((made.timestamp, made.item_id))

    def after(self, sample: Sample) -> list[str]:
        place = (sample.position, sample.turn)
        recommended = sorted(self._recommended[sample.cluster])
        found = [item for where, item in recommended if where >= place]
        if sample.timestamp is not None and sample.user_id is not None:
            rated = sorted(self._rated.get(sample.user_id, []))
            found += [item for time, item in rated if time > sample.timestamp]
        return found


class _Together:
    """Which items the same users like; the more popular first where that is equal."""

    def __init__(self, known: Knowledge) -> None:
        self._items_of: dict[str, set[str]] = defaultdict(set)
        self._users_of: dict[str, set[str]] = defaultdict(set)
        for made in filter(is_liked, known.interactions):
            self._items_of[made.user_id].add(made.item_id)
            self._users_of[made.item_id].add(made.user_id)
        popular = known.popularity()
        self._popular = sorted(known.titles, key=lambda item: (-popular.get(item, 0), item))
        self._place = {item: place for place, item in enumerate(self._popular)}

    def with_item(self, item: str) -> list[str]:
        shared: Counter[str] = Counter()
        for user in self._users_of.get(item, ()):
            shared.update(self._items_of[user])
        known = [other for other in shared if other in self._place]
        near = sorted(known, key=lambda other: (-shared[other], self._place[other]))
        return [*near, *self._popular]
