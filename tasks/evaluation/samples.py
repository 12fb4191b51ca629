"""Recommendation samples (4.2): what was said up to the agent's recommending turn, and the item it recommends there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
        """What samples are resampled together by: the user, or the dialogue where users are not told apart."""
        return (
            f"user {self.user_id}" if self.user_id is not None else f"dialogue {self.dialogue_id}"
        )

    @property
    def mentioned(self) -> frozenset[str]:
        """Items named in the context."""
        return frozenset(item for utterance in self.context for item in utterance.items)


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
    agent_turns = [
        (turn, said) for turn, said in enumerate(dialogue.utterances) if said.role == "agent"
    ]
    if not dialogue.targets:
        yield from (
            (turn, item)
            for turn, said in agent_turns
            for item in dict.fromkeys(said.items)
            if item in titles
        )
        return
    for target in dialogue.targets:
        turn = next((turn for turn, said in agent_turns if target in said.items), None)
        if target not in titles:
            skipped["target without a title"] += 1
        elif turn is None:
            skipped["no agent's turn names the target"] += 1
        else:
            yield turn, target


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
    return any(target in said.items or names(said.text, title) for said in context)
