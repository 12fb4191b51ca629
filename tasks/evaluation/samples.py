"""Recommendation samples (4.2): the dialogue before a recommendation, and its item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from tasks.evaluation.corpora import Corpus, Dialogue, Utterance
from tasks.titles import names


@dataclass(frozen=True)
class Sample:
    """One question to a recommender.

    Attributes:
        context: the utterances before the recommending turn.
        target: the item the agent's turn recommends; `title` is its title.
        turn: that turn's number in the dialogue, from 0; `response` is its text.
        history: the user's history in the corpus's order, without the target, which some published
            histories hold; empty where there is
            none.
        named_before: whether the context already names the target; such samples are reported apart.
        timestamp: when the user rated the target, Unix seconds; None where the corpus does not
            tell.
    """

    sample_id: str
    dialogue_id: str
    user_id: str | None
    position: int
    turn: int
    context: tuple[Utterance, ...]
    target: str
    title: str
    response: str
    history: tuple[str, ...]
    named_before: bool
    timestamp: int | None = None

    @property
    def cluster(self) -> str:
        """The cluster of a sample for resampling: the user, or the dialogue without known users."""
        return (
            f"user {self.user_id}" if self.user_id is not None else f"dialogue {self.dialogue_id}"
        )

    @property
    def mentioned(self) -> frozenset[str]:
        """Items named in the context."""
        return frozenset(chain.from_iterable(utterance.items for utterance in self.context))


@dataclass(frozen=True)
class SampleSet:
    """The samples of a corpus, and how many targets gave none, by reason."""

    samples: tuple[Sample, ...]
    skipped: Mapping[str, int]


def recommendation_samples(corpus: Corpus) -> SampleSet:
    """Cut a corpus into samples.

    A dialogue that was made to recommend certain items (`targets`) gives one sample for each, cut
    before the first agent's turn that
    names it: the context holds nothing of the recommendation. In other corpora every item an
    agent's turn names is a target, one sample each, as He et al. (2023) do.
    """
    times = {(made.user_id, made.item_id): made.timestamp for made in corpus.interactions}
    skipped: Counter[str] = Counter()
    samples: list[Sample] = []
    for number, dialogue in enumerate(corpus.dialogues):
        for turn, target in _targets(dialogue, corpus.titles, skipped):
            samples.append(
                _sample(corpus, dialogue, f"{number}-{turn}-{target}", turn, target, times)
            )
    return SampleSet(tuple(samples), dict(skipped))


def _targets(
    dialogue: Dialogue, titles: Mapping[str, str], skipped: Counter[str]
) -> Iterator[tuple[int, str]]:
    """Yield the turn and the item of each recommendation; count those that cannot be used."""
    agent_items = {
        turn: dict.fromkeys(utterance.items)
        for turn, utterance in enumerate(dialogue.utterances)
        if utterance.role == "agent"
    }
    if not dialogue.targets:
        for turn, items in agent_items.items():
            yield from ((turn, item) for item in items if item in titles)
        return
    for target in dialogue.targets:
        turns = (turn for turn, items in agent_items.items() if target in items)
        first = next(turns, None)
        if target not in titles:
            skipped["target without a title"] += 1
        elif first is None:
            skipped["no agent's turn names the target"] += 1
        else:
            yield first, target


def _sample(
    corpus: Corpus,
    dialogue: Dialogue,
    sample_id: str,
    turn: int,
    target: str,
    times: Mapping[tuple[str, str], int | None],
) -> Sample:
    context, title = dialogue.utterances[:turn], corpus.titles[target]
    user = dialogue.user_id
    return Sample(
        sample_id,
        dialogue.dialogue_id,
        user,
        dialogue.position,
        turn,
        context,
        target,
        title,
        dialogue.utterances[turn].text,
        tuple(item for item in corpus.history.get(user, ()) if item != target)
        if user is not None
        else (),
        _named(context, target, title),
        times.get((user, target)) if user is not None else None,
    )


def _named(context: Sequence[Utterance], target: str, title: str) -> bool:
    return any(target in utterance.items or names(utterance.text, title) for utterance in context)
