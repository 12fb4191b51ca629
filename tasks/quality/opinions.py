"""Lexical checks of what an utterance thinks and decides, and of the language it is in.

Sentiment is judged only where a sub-goal tells the user's opinion of an item (lexicon: `goals`).
Words of praise and of blame are counted, clear ones twice; a word with a negation up to three words
before it changes sides, and the brief's own titles are taken out first ("The Great Escape" praises
nothing), as are greetings and wishes. An utterance is wrong when it speaks for the other side only:
a count of 2 or more there and 0 on its own side; one more for each word like "but" or "although"
that hints that it is mixed, up to two. What is mixed, mild or unclear passes; finer judgement is
the evaluation's job.

A decision is wrong when no word of it stands there at all, or when a clear phrase of the opposite
stands there without a clear one of its own. What was not seen yet ("never heard of it") decides
nothing; clear acceptance that a word like "but" turns rejects nothing and accepts nothing ("Sounds
good, but it is too long").
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tasks.quality.lexicon import Language, Lexicon, for_polars, phrases, words

ENOUGH = 2  # praise or blame, clear words counted twice, from which an utterance takes a side
MOST_DOUBT = 2  # how much more it takes when it sounds mixed
FOREIGN_WORDS = 3  # foreign function words from which an utterance may count as foreign
MANY_WORDS = 9  # of which one at least is a function word in any language
FOREIGN_LETTERS = 0.3  # share of letters of another script from which it does
LATIN = frozenset({"en", "de", "fr", "es", "it", "pt", "nl"})


def sentiment_error(language: Language) -> pl.Expr:
    """Return whether an utterance contradicts its `opinion` (LIKES, DISLIKES or NULL), by the text in `bare`."""
    told = pl.col("bare").str.replace_all(for_polars(phrases(language.courtesies)), "~")
    praised, unpraised = _counted(told, language.clear_praise, language.praise, language.negation)
    blamed, unblamed = _counted(told, language.clear_blame, language.blame, language.negation)
    good, bad = praised - unpraised, blamed - unblamed + unpraised
    enough = ENOUGH + told.str.count_matches(words(language.mixed)).clip(0, MOST_DOUBT).cast(
        pl.Int64
    )
    return (
        pl.when(pl.col("opinion") == "DISLIKES")
        .then((good >= enough) & (bad <= 0))
        .when(pl.col("opinion") == "LIKES")
        .then((bad >= enough) & (good <= 0))
        .otherwise(False)
    )


def _counted(
    told: pl.Expr, clear: Sequence[str], mild: Sequence[str], negation: Sequence[str]
) -> tuple[pl.Expr, pl.Expr]:
    """Return how much an utterance says of a kind, and how much of that is negated; clear words count twice."""
    denied = rf"{words(negation)} +(?:[a-zA-Z'\u2019-]+ +){{0,2}}"
    weighed = [(2, words(clear)), (1, words(mild))]
    said = [weight * told.str.count_matches(form).cast(pl.Int64) for weight, form in weighed]
    unsaid = [
        weight * told.str.count_matches(denied + form).cast(pl.Int64) for weight, form in weighed
    ]
    return said[0] + said[1], unsaid[0] + unsaid[1]


def decision_error(language: Language) -> pl.Expr:
    """Return whether an utterance contradicts its `decision` (accept, reject or NULL), by the text in `bare`."""
    text = pl.col("bare").str.replace_all(for_polars(phrases(language.not_yet)), "~")
    acceptance, rejection = (
        for_polars(phrases(language.clear_acceptance)),
        for_polars(phrases(language.clear_rejection)),
    )
    clearly_in, clearly_out = text.str.contains(acceptance), text.str.contains(rejection)
    accepts = clearly_in | text.str.contains(
        words(language.accepts + language.praise + language.clear_praise)
    )
    rejects = clearly_out | text.str.contains(
        words(language.rejects + language.blame + language.clear_blame)
    )
    turned = text.str.contains(words(language.turned))
    return (
        pl.when(pl.col("decision") == "accept")
        .then(~accepts | (clearly_out & ~clearly_in))
        .when(pl.col("decision") == "reject")
        .then(~rejects | (clearly_in & ~clearly_out & ~turned))
        .otherwise(False)
    )


def _unheard_of(language: Language) -> pl.Expr:
    """Return whether an utterance of many words, titles aside, has no function word and hardly another common one."""
    if not language.common_words:
        return pl.lit(False)
    telling = [word for word in language.function_words if len(word) > 1]
    doubtful = (pl.col("words") >= MANY_WORDS) & ~pl.col("bare").str.contains(words(telling))
    told = pl.when(doubtful).then(pl.col("bare")).otherwise(pl.lit(""))
    many, common = (
        told.str.count_matches(" ", literal=True) + 1,
        told.str.count_matches(words(language.common_words)),
    )
    return (many >= MANY_WORDS) & (common * MANY_WORDS < many)


def foreign_language(lexicon: Lexicon, code: str) -> pl.Expr:
    """Return whether an utterance is in another language than `code`.

    That is: more foreign function words than own ones, no own one in many words, or another script.
    """
    own = lexicon.languages[code].function_words
    foreign = sorted(
        {
            word
            for name, other in lexicon.languages.items()
            if name != code
            for word in other.function_words
        }
        - set(own)
    )
    text = pl.col("bare")
    strange = text.str.count_matches(words(foreign))
    speaks_another = (
        (strange >= FOREIGN_WORDS) & (strange > text.str.count_matches(words(own)))
    ) | _unheard_of(lexicon.languages[code])
    if code not in LATIN:
        return speaks_another
    other_script = text.str.count_matches(r"[\p{L}--\p{Latin}]")
    return speaks_another | (other_script > FOREIGN_LETTERS * text.str.len_chars())
