"""Runs of words that texts share: one definition of a word, for two texts and for many at once.

| used by | asks for |
|---------|----------|
| the rule `no-copied-review` | the length of the longest run, of many utterances (`copied_words`) |
| the evidence of that rule | the longest run itself (`longest_shared`) |
| the browser | the runs that begin at each word of an utterance (`SharedRuns`) |
| the mock model | whether there is a run of six words (`shares_run`) |
"""

from tasks.word_runs.batches import Hashes, Places, Tokens, copied_words, runs, scramble, tokenise
from tasks.word_runs.pairs import Run, SharedRuns, longest_shared, shares_run
from tasks.word_runs.words import Word, texts_of, words_of

__all__ = [
    "Hashes",
    "Places",
    "Run",
    "SharedRuns",
    "Tokens",
    "Word",
    "copied_words",
    "longest_shared",
    "runs",
    "scramble",
    "shares_run",
    "texts_of",
    "tokenise",
    "words_of",
]
