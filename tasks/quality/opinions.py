"""Lexical checks of an utterance's opinion, of its decision, and of its language.

Sentiment is judged only where a sub-goal asks for the user's opinion of an item (lexicon: `goals`).
Words of praise and of blame are counted, clear ones twice and whole expressions three times; a
word with a negation up to three words before it changes sides, and the brief's own titles are taken
out first ("The Great Escape" praises nothing), as are greetings and wishes. An utterance is wrong
when it speaks for the other side only: a count of 2 or more there and 0 on its own side; one more
for each word like "but" or "although" that hints that it is mixed, up to two. What is mixed, mild
or unclear passes; finer judgement is the evaluation's job.

A decision is wrong if the utterance has no word for it, or a clear phrase for the opposite and no
clear one for itself. What was not seen yet ("never heard of it") decides nothing; clear acceptance
before a word like "but" rejects nothing and accepts nothing ("Sounds good, but it is too long").
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tasks.languages import Language, for_polars, phrases, spelled_expression, words
from tasks.quality.lexicon import Lexicon

ENOUGH = 2  # praise or blame from which an utterance takes a side; clear words count twice
MOST_DOUBT = 2  # how much more it takes when it sounds mixed
FOREIGN_WORDS = 3  # foreign function words from which an utterance may count as foreign
MANY_WORDS = 9  # at least one of so many is a function word, in any language
MANY_LETTERS = 20  # and of so many letters, where words are not separated by spaces
FOREIGN_LETTERS = 0.3  # share of letters of another script from which it does


def sentiment_error(language: Language) -> pl.Expr:
    """Return whether the text in `bare` contradicts its `opinion` (LIKES, DISLIKES or NULL)."""
    spelled = spelled_expression("bare")
    text = spelled.str.replace_all(for_polars(phrases(language.courtesies)), "~")
    praised, unpraised = _counted(
        text, language.clear_praise, language.praise, language.praising, language
    )
    blamed, unblamed = _counted(
        text, language.clear_blame, language.blame, language.blaming, language
    )
    good, bad = praised - unpraised, blamed - unblamed + unpraised
    doubt = text.str.count_matches(words(language.mixed)).clip(0, MOST_DOUBT)
    enough = ENOUGH + doubt.cast(pl.Int64)
    return (
        pl.when(pl.col("opinion") == "DISLIKES")
        .then((good >= enough) & (bad <= 0))
        .when(pl.col("opinion") == "LIKES")
        .then((bad >= enough) & (good <= 0))
        .otherwise(False)
    )


def _counted(
    text: pl.Expr,
    clear: Sequence[str],
    mild: Sequence[str],
    expressions: Sequence[str],
    language: Language,
) -> tuple[pl.Expr, pl.Expr]:
    """Return how many words of a kind a text has, and how many of them are negated.

    Clear words count twice, whole expressions three times.
    """
    negated = rf"{words(language.negation)} +(?:[a-zA-Z'\u2019-]+ +){{0,2}}"
    whole = for_polars(phrases(expressions))
    said = 2 * _matches(text, words(clear)) + _matches(text, words(mild))
    unsaid = 2 * _matches(text, negated + words(clear)) + _matches(text, negated + words(mild))
    if expressions:
        said = said + 3 * _matches(text, whole)
        unsaid = unsaid + 3 * _matches(text, negated + whole)
    if language.negation_behind:
        behind = rf"(?: +[a-zA-Z'\u2019-]+){{0,2}} +{words(language.negation_behind)}"
        unsaid = unsaid + 2 * _matches(text, words(clear) + behind)
        unsaid = unsaid + _matches(text, words(mild) + behind)
    return said, unsaid


def _matches(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.count_matches(pattern).cast(pl.Int64)


def decision_error(language: Language) -> pl.Expr:
    """Return whether the text in `bare` contradicts its `decision` (accept, reject or NULL)."""
    spelled = spelled_expression("bare")
    text = spelled.str.replace_all(for_polars(phrases(language.not_yet)), "~")
    clearly_in = text.str.contains(for_polars(phrases(language.clear_acceptance)))
    clearly_out = text.str.contains(for_polars(phrases(language.clear_rejection)))
    accepting = words(language.accepts + language.praise + language.clear_praise)
    rejecting = words(language.rejects + language.blame + language.clear_blame)
    accepts = clearly_in | text.str.contains(accepting)
    rejects = clearly_out | text.str.contains(rejecting)
    turned = text.str.contains(words(language.turned))
    return (
        pl.when(pl.col("decision") == "accept")
        .then(~accepts | (clearly_out & ~clearly_in))
        .when(pl.col("decision") == "reject")
        .then(~rejects | (clearly_in & ~clearly_out & ~turned))
        .otherwise(False)
    )


def _in_unknown_language(language: Language) -> pl.Expr:
    """Return whether an utterance of many words has no function word and hardly a common word.

    Titles do not count. Where words are not separated by spaces, many letters without a function
    word tell as much.
    """
    if language.is_unspaced:
        letters = pl.col("bare").str.count_matches(r"\p{L}")
        return (letters >= MANY_LETTERS) & ~pl.col("bare").str.contains(
            words(language.function_words)
        )
    if not language.common_words:
        return pl.lit(False)
    function_words = [word for word in language.function_words if len(word) > 1]
    has_none = ~spelled_expression("bare").str.contains(words(function_words))
    doubtful = (pl.col("words") >= MANY_WORDS) & has_none
    # The common words are many; only the doubtful texts are searched for them.
    text = pl.when(doubtful).then(spelled_expression("bare")).otherwise(pl.lit(""))
    total = text.str.count_matches(" ", literal=True) + 1
    common = text.str.count_matches(words(language.common_words))
    return (total >= MANY_WORDS) & (common * MANY_WORDS < total)


def foreign_language(lexicon: Lexicon, code: str) -> pl.Expr:
    """Return whether an utterance is in another language than `code`.

    That is: more foreign function words than own ones, no own one in many words, or another script.
    """
    language = lexicon.languages[code]
    own = language.function_words
    # A language of other scripts is recognised by its letters.
    others = [
        other
        for name, other in lexicon.languages.items()
        if name != code and not set(other.scripts).isdisjoint(language.scripts)
    ]
    foreign = set().union(*(other.function_words for other in others)) - set(own)
    text = spelled_expression("bare")
    foreign_count = text.str.count_matches(words(sorted(foreign)))
    own_count = text.str.count_matches(words(own))
    mostly_foreign = (foreign_count >= FOREIGN_WORDS) & (foreign_count > own_count)
    speaks_another = mostly_foreign | _in_unknown_language(language)
    bare = pl.col("bare")
    other_script = bare.str.count_matches(rf"[\p{{L}}--[{language.letters}]]")
    return speaks_another | (other_script > FOREIGN_LETTERS * bare.str.len_chars())
