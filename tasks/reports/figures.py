"""Which charts a report has, and which numbers stand on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from tasks.reports.bias import RatingBias
from tasks.reports.charts import bars, lines
from tasks.reports.popularity import Popularity
from tasks.reports.structure_stats import GoalUse, Lengths, Templates
from tasks.warehouse import Rows

STEP = 5  # words
MOST_WORDS = 80  # longer utterances share the last bar
MOST_POINTS = 200
GROUP_NAMES = {
    "source": "source",
    "core": "core",
    "user": "user's own, used",
    "others": "other people's, used",
}


def charts_of(
    lengths: Lengths,
    goals: GoalUse,
    templates: Templates,
    ratings: RatingBias,
    popularity: Popularity,
) -> dict[str, Markup]:
    """Return the report's charts by name; one that has nothing to show is left out."""
    drawn = {
        "words": _words(lengths.words),
        "utterances": _utterances(lengths.utterances),
        "sequences": _coverage(goals.coverage),
        "templates": _uses(templates.uses),
        "ratings": _ratings(ratings.ratings),
        "shifted": _shifted(ratings.shifted),
        "tenths": _tenths(popularity.tenths),
        "curves": _curves(popularity.curves),
    }
    return {name: chart for name, chart in drawn.items() if chart is not None}


def _words(rows: Rows) -> Markup | None:
    if not rows:
        return None
    last = min(MOST_WORDS, max(row["words"] for row in rows)) // STEP
    counts = {role: [0] * (last + 1) for role in ("user", "agent")}
    for row in rows:
        if row["role"] in counts:
            counts[row["role"]][min(row["words"] // STEP, last)] += row["utterances"]
    series = {role: _percent(values) for role, values in counts.items()}
    labels = [f"{step * STEP}–{step * STEP + STEP - 1}" for step in range(last)] + [
        f"{last * STEP}+"
    ]
    return bars(
        "words",
        "Words per utterance, by role",
        labels,
        series,
        x="words in the utterance",
        y="% of the role's utterances",
    )


def _utterances(found: Rows) -> Markup | None:
    if not found:
        return None
    rows = {row["utterances"]: row for row in found}
    span = range(min(rows), max(rows) + 1)
    series = {
        kind: _percent([rows[length][kind] if length in rows else 0 for length in span])
        for kind in ("planned", "accepted")
    }
    about = "Utterances per dialogue, planned and accepted"
    return bars(
        "utterances",
        about,
        [str(length) for length in span],
        series,
        x="utterances in the dialogue",
        y="% of dialogues",
    )


def _coverage(coverage: Sequence[float]) -> Markup | None:
    if not coverage:
        return None
    places = _places(len(coverage))
    points = ([0, *(place + 1 for place in places)], [0.0, *(coverage[place] for place in places)])
    about = "Share of dialogues that the most frequent goal sequences cover"
    return lines(
        "sequences",
        about,
        {"dialogues covered": points},
        x="most frequent sequences taken together",
        y="% of dialogues",
    )


def _uses(uses: Sequence[int]) -> Markup | None:
    if not any(uses):
        return None
    counted = Counter(uses)
    most = max(counted)
    width = max(1, -(-(most + 1) // 20))
    steps = range(0, most + 1, width)
    values = [float(sum(counted[use] for use in range(step, step + width))) for step in steps]
    labels = [str(step) if width == 1 else f"{step}–{step + width - 1}" for step in steps]
    return bars(
        "templates",
        "Templates by accepted dialogues",
        labels,
        {"templates": values},
        x="accepted dialogues",
        y="templates",
    )


def _ratings(rows: Rows) -> Markup | None:
    if not rows:
        return None
    stars = sorted({row["rating"] for row in rows})
    groups = {row["who"]: row["place"] for row in rows}
    counts = {(row["who"], row["rating"]): row["reviews"] for row in rows}
    ordered = sorted(groups, key=lambda who: groups[who])
    series = {
        GROUP_NAMES[who]: _percent([counts.get((who, star), 0) for star in stars])
        for who in ordered
    }
    return bars(
        "ratings",
        "Ratings by group of reviews",
        [f"{star:g}" for star in stars],
        series,
        x="rating",
        y="% of the group's reviews",
    )


def _shifted(rows: Rows) -> Markup | None:
    if not rows:
        return None
    values = sorted({row["rating"] for row in rows})
    counts = {(row["judged"], row["rating"]): row["reviews"] for row in rows}
    series = {
        judged: _percent([counts.get((judged, value), 0) for value in values])
        for judged in ("as given", "per user")
    }
    labels = [f"{value:g}" for value in values]
    return bars(
        "shifted",
        "Ratings before and after normalisation",
        labels,
        series,
        x="rating as judged",
        y="% of core reviews",
    )


def _tenths(rows: Rows) -> Markup | None:
    if not rows:
        return None
    series = {
        "what users did": _percent([row["history"] for row in rows]),
        "what is recommended": _percent([row["recommended"] for row in rows]),
    }
    labels = [f"{row['tenth']}" for row in rows]
    return bars(
        "tenths",
        "Share of each tenth of the items",
        labels,
        series,
        x="tenth of the items, most reviewed first",
        y="% of times",
    )


def _curves(curves: dict[str, list[float]]) -> Markup | None:
    if not any(any(curve) for curve in curves.values()):
        return None
    series = {name: (list(range(101)), curve) for name, curve in curves.items()}
    return lines(
        "curves",
        "Concentration on few items",
        series,
        x="% of the items, those with the most times first",
        y="% of times",
        even=True,
    )


def _percent(values: Sequence[float]) -> list[float]:
    total = sum(values)
    return [100.0 * value / total if total else 0.0 for value in values]


def _places(size: int) -> list[int]:
    """Return at most so many places of a long curve as a chart can show, the last among them."""
    if size <= MOST_POINTS:
        return list(range(size))
    return sorted({round(number * (size - 1) / (MOST_POINTS - 1)) for number in range(MOST_POINTS)})
