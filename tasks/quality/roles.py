"""Whether an utterance does what its turn is for, as its speaker and in agreement with itself.

| fact | an utterance that |
|---|---|
| `wrong_speaker` | tells of a life that the agent does not have, or recommends as the user |
| `goal_missed` | asks nothing or thanks nobody where its sub-goals say so |
| `self_contradiction` | says of an item that it was seen, where its user says that it was not |

To have given an opinion of an item is to have seen it: who denies it later contradicts that.

Each needs a clear sign. What is quoted is not the speaker's own, and is left out.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from tasks.languages import Language, for_polars, phrases, spelled_expression, words

QUOTATION: Final = (
    '["\u201c][^"\u201c\u201d]*["\u201d]|\u201e[^\u201c\u201e]*\u201c'
    "|[\u300c\u300e][^\u300d\u300f]*[\u300d\u300f]"
)


def role_facts(said: pl.DataFrame, language: Language) -> dict[str, pl.Series]:
    """Return the facts above.

    Reads the columns place, bare, role, asks, requests, thanks, opinion (what the turn is to say of
    an item) and subject (the item talked about). A language without the words for a fact leaves it
    False.
    """
    own = said.select(
        "place",
        "subject",
        "role",
        speech=spelled_expression("bare").str.replace_all(QUOTATION, "~"),
        asks=pl.col("asks"),
        requests=pl.col("requests"),
        thanks=pl.col("thanks"),
        tells_opinion=pl.col("opinion").is_not_null(),
    )
    is_agent = own["role"] == "agent"
    is_user = own["role"] == "user"
    seen = _where(own, is_user, phrases(language.claims_seen))
    unseen = _where(own, is_user, phrases(language.claims_unseen))
    asking = rf"[?\uff1f]|{phrases(language.asking)}" if language.asking else ""
    requesting = f"{asking}|{phrases(language.requesting)}" if language.requesting else ""
    missed = _missing(own, "asks", asking) | _missing(own, "requests", requesting)
    missed |= _missing(own, "thanks", words(language.thanking) if language.thanking else "")
    return {
        "wrong_speaker": _where(own, is_agent, phrases(language.own_life))
        | _tells_of_itself(own, is_agent, language)
        | _where(own, is_user, phrases(language.agents_words)),
        "goal_missed": missed,
        "self_contradiction": _contradicted(own, seen, unseen)
        | _denied(own, is_user, phrases(language.denies_seeing)),
    }


def _tells_of_itself(own: pl.DataFrame, rows: pl.Series, language: Language) -> pl.Series:
    """Return whether an agent calls something its own, or did something, that an agent does not."""
    found = pl.repeat(False, len(own), dtype=pl.Boolean, eager=True)
    places = rows.fill_null(value=False).arg_true()
    if not len(places):
        return found
    mine = rf"{words(language.mine)} (?:(?:own|old|late|whole|little|younger|older|best) )?"
    did = rf"{words(language.speaker)} (?:[a-z]+ly |just |never |always |still |even |also )?"
    speech = own["speech"][places]
    things = _matches(speech, mine + words(language.own_things))
    done = did + words(language.deeds)
    deeds = _matches(speech, done) - _matches(speech, did + words(language.agents_deeds))
    return found.scatter(places, (things > 0) | (deeds > 0))


def _matches(texts: pl.Series, pattern: str) -> pl.Series:
    return texts.str.count_matches(pattern).cast(pl.Int64)


def _where(own: pl.DataFrame, rows: pl.Series, pattern: str) -> pl.Series:
    """Return whether a text matches a pattern; only `rows` are searched, others are False."""
    found = pl.repeat(False, len(own), dtype=pl.Boolean, eager=True)
    places = rows.fill_null(value=False).arg_true()
    if not len(places):
        return found
    return found.scatter(places, own["speech"][places].str.contains(for_polars(pattern)))


def _missing(own: pl.DataFrame, due: str, pattern: str) -> pl.Series:
    """Return whether something is due in a turn and no word of it stands there."""
    rows = own[due].fill_null(value=False)
    if not pattern:
        return pl.repeat(False, len(own), dtype=pl.Boolean, eager=True)
    return rows & ~_where(own, rows, pattern)


def _contradicted(own: pl.DataFrame, seen: pl.Series, unseen: pl.Series) -> pl.Series:
    """Return the later utterance of each two in which one user says both of one item."""
    claims = own.select("place", "subject", seen=seen & ~unseen, unseen=unseen & ~seen)
    group = ["place", "subject"]
    before_seen = pl.col("seen").cum_max().shift(1, fill_value=False).over(group)
    before_unseen = pl.col("unseen").cum_max().shift(1, fill_value=False).over(group)
    contradicts = (pl.col("seen") & before_unseen) | (pl.col("unseen") & before_seen)
    return claims.select(contradicts & pl.col("subject").is_not_null()).to_series()


def _denied(own: pl.DataFrame, rows: pl.Series, pattern: str) -> pl.Series:
    """Return the utterances that deny having seen what their user gave an opinion of before."""
    denies = _where(own, rows & ~own["tells_opinion"], pattern)
    claims = own.select("place", "subject", told=rows & own["tells_opinion"])
    told_before = pl.col("told").cum_max().shift(1, fill_value=False).over(["place", "subject"])
    is_known = claims.select(told_before & pl.col("subject").is_not_null()).to_series()
    return denies & is_known.fill_null(value=False)
