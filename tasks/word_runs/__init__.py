"""Runs of words that texts share: one definition of a word, for two texts and for many at once.

| used by | asks for |
|---------|----------|
| the rule `no-copied-review` | the length of the longest run, of many utterances (`copied_words`) |
| the evidence of that rule | the longest run itself (`longest_shared`) |
| the rule `no-near-copy` | utterances that may have one (`near_copying`), `longest_near_copy` |
| the rules on what is said of items | whether a word is in a text of the brief (`are_known`) |
| the browser | the runs that begin at each word of an utterance (`SharedRuns`) |
| the mock model | whether there is a run of six words (`shares_run`) |
"""

from tasks.word_runs.batches import (
    Hashes,
    OwnedTokens,
    Places,
    Tokens,
    are_known,
    copied_words,
    near_copying,
    runs,
    scramble,
    tokenise,
)
from tasks.word_runs.near_copies import NearCopy, longest_near_copy
from tasks.word_runs.pairs import Run, SharedRuns, longest_shared, shares_run
from tasks.word_runs.words import Word, texts_of, words_of

__all__ = [
    "Hashes",
    "NearCopy",
    "OwnedTokens",
    "Places",
    "Run",
    "SharedRuns",
    "Tokens",
    "Word",
    "are_known",
    "copied_words",
    "longest_near_copy",
    "longest_shared",
    "near_copying",
    "runs",
    "scramble",
    "shares_run",
    "texts_of",
    "tokenise",
    "words_of",
]
