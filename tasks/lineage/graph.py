"""The pipeline and one dialogue's path through it, laid out as boxes and arrows in pixels.

Pure functions of what was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tasks.lineage.columns import StageColumns, stage_columns
from tasks.lineage.records import AttemptLineage, DialogueLineage

WIDTH, HEIGHT, GAP, ROW, EDGE = 158, 46, 18, 96, 14
FILES: Final = "release files"
_FIRST_STAGES: Final = (
    "ingest",
    "preprocess",
    "briefs",
    "generate",
    "dialogues",
    "judge",
    "quality",
    "verdicts",
    "release",
)


@dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
        kind: what it shows: `source`, `table`, `stage` or `step`.
        title: its first line.
        detail: its second line.
        x: of its left edge, in pixels.
        y: of its upper edge, in pixels.
        anchor: id of what it leads to on the page.
    """

    name: str
    kind: str
    title: str
    detail: str
    x: int
    y: int
    anchor: str


@dataclass(frozen=True)
class Arrow:
    """One arrow as an SVG path; `of` is the box it is shown with.

    One that leads up, to a repair, is dashed.
    """

    path: str
    of: str
    upwards: bool = False


@dataclass(frozen=True)
class Drawing:
    """Boxes and arrows, and the size of it all."""

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    width: int
    height: int

    def arrows_of(self, name: str) -> list[Arrow]:
        """Return the arrows shown with a box."""
        return [arrow for arrow in self.arrows if arrow.of == name]


@dataclass(frozen=True)
class Counts:
    """What the boxes of the pipeline say.

    Attributes:
        tables: rows of each table.
        stages: for each stage of the record (generate-2, say) the rows of its first table.
        sources: source files with their SHA-256.
        release: version of the newest release, and its dialogues; empty if there is none.
        model: who writes.
    """

    tables: Mapping[str, int]
    stages: Mapping[str, int]
    sources: Mapping[str, str]
    release: str
    dialogues: int
    model: str


@dataclass(frozen=True)
class AttemptOutcome:
    """What one attempt came to: utterances that were parsed, and the facts that are not zero."""

    utterances: int
    facts: Mapping[str, int]


def anchor(name: str) -> str:
    """Return the id of what a box leads to."""
    return "".join(sign if sign.isalnum() else "-" for sign in name)


def box_of(stage: str) -> str:
    """Return the name of a stage's box; a table may have the stage's name."""
    return f"stage {stage}"


def stage_reads_and_writes() -> dict[str, StageColumns]:
    """Return the stages as the page shows them: a repair is a later attempt of `generate`."""
    stages = stage_columns()
    return {stage: stages[stage] for stage in stages if stage in _FIRST_STAGES}


def pipeline_drawing(counts: Counts) -> Drawing:
    """Lay out the stages and tables of a domain.

    Sources are on top, each stage is above what it is the first to write.
    """
    rows = [_sources(counts)]
    placed: set[str] = set()
    for stage, columns in stage_reads_and_writes().items():
        written = [entry for entry in _written(columns, counts) if entry[0] not in placed]
        placed |= {name for name, *_ in written}
        rows.append([(box_of(stage), "stage", stage, _stage_detail(stage, counts))])
        rows.append(written)
    boxes = _placed(rows)
    return _drawing(boxes, _pipeline_links(bool(counts.stages.get("generate-2"))))


def path_drawing(traced: DialogueLineage, outcomes: Mapping[int, AttemptOutcome]) -> Drawing:
    """Lay out one dialogue's path.

    Source files, reviews and brief; a row for each attempt; verdict and releases.
    """
    rows = [_beginning(traced)]
    links = [("sources", "reviews"), ("reviews", "brief")]
    before = "brief"
    for attempt in traced.attempts:
        row = _attempt_row(attempt, outcomes.get(attempt.attempt, AttemptOutcome(0, {})))
        names = [name for name, *_ in row]
        links += list(zip([before, *names], names, strict=False))
        before = names[-1]
        rows.append(row)
    rows.append(_end(traced))
    names = [name for name, *_ in rows[-1]]
    links += [(before, names[0]), *((names[0], name) for name in names[1:])]
    return _drawing(_placed(rows, left=True), links)


_Entry = tuple[str, str, str, str]  # name, kind, title, detail


def _sources(counts: Counts) -> list[_Entry]:
    files = [
        (f"source {name}", "source", name, f"sha256 {digest[:12]}")
        for name, digest in counts.sources.items()
    ]
    return [*files, ("model", "source", counts.model, "writes the answers")]


def _written(columns: StageColumns, counts: Counts) -> Iterator[_Entry]:
    for table in columns.writes:
        if not table.endswith(".parquet"):
            yield table, "table", table, _many(counts.tables.get(table, 0), "row")
    writes_files = any(table.endswith(".parquet") for table in columns.writes)
    if writes_files and counts.release:
        yield FILES, "table", FILES, f"{counts.release}: {_many(counts.dialogues, 'dialogue')}"


def _stage_detail(stage: str, counts: Counts) -> str:
    if stage == "release":
        return counts.release or "not yet"
    attempts = [rows for name, rows in counts.stages.items() if name.partition("-")[0] == stage]
    return " + ".join(f"{rows:,}" for rows in attempts) + (" rows" if attempts else "not yet")


def _pipeline_links(repairs: bool) -> list[tuple[str, str]]:
    links: list[tuple[str, str]] = []
    for stage, columns in stage_reads_and_writes().items():
        read = set(columns.inputs())
        if stage == "generate" and repairs:
            read |= set(stage_columns()["repair"].reads())
        links += [(table, box_of(stage)) for table in sorted(read - set(columns.writes))]
        for table in columns.writes:
            links.append((box_of(stage), FILES if table.endswith(".parquet") else table))
    return list(dict.fromkeys(links))


def _beginning(traced: DialogueLineage) -> list[_Entry]:
    reviews = [row for row in traced.reviews if row["review_id"]]
    slots = {row["slot"] for row in traced.reviews}
    brief = f"{traced.brief['template_id']}, {_many(len(slots), 'slot')}"
    files = ", ".join(row["file"] for row in traced.sources)
    return [
        ("sources", "source", _many(len(traced.sources), "source file"), files),
        ("reviews", "step", _many(len(reviews), "review"), f"user {traced.brief['user_id']}"),
        ("brief", "step", f"brief {traced.dialogue_id}", brief),
    ]


def _attempt_row(attempt: AttemptLineage, outcome: AttemptOutcome) -> list[_Entry]:
    number, asked = attempt.attempt, attempt.asked
    keys = asked[0].request_key[:12] if asked else "none"
    if len(asked) > 1:
        keys += f" and {len(asked) - 1} more"
    tokens = sum((request.completion_tokens or 0) for request in asked)
    broken = sorted({str(fault["rule"]) for fault in attempt.broken})
    rules = ", ".join(broken) or f"{_many(len(attempt.passed), 'rule')} kept"
    utterances = _many(outcome.utterances, "utterance")
    return [
        (f"request {number}", "step", f"request, attempt {number}", keys),
        (f"answer {number}", "step", f"answer: {attempt.status}", _many(tokens, "token")),
        (f"utterances {number}", "step", utterances, f"profile {attempt.profile}"),
        (f"facts {number}", "step", "facts and rules", rules),
    ]


def _end(traced: DialogueLineage) -> list[_Entry]:
    at = f"at attempt {traced.brief['attempt']}" if traced.brief["attempt"] else "no attempt"
    releases = [
        (f"release {row['version']}", "table", "release", str(row["version"]))
        for row in traced.releases
    ]
    return [("verdict", "step", traced.verdict, at), *releases]


def _placed(rows: Sequence[Sequence[_Entry]], left: bool = False) -> list[Box]:
    widest = max(len(row) for row in rows) * (WIDTH + GAP) - GAP
    boxes = []
    for number, row in enumerate(row for row in rows if row):
        wide = len(row) * (WIDTH + GAP) - GAP
        begin = EDGE + (0 if left else (widest - wide) // 2)
        for place, (name, kind, title, detail) in enumerate(row):
            x, y = begin + place * (WIDTH + GAP), EDGE + number * ROW
            boxes.append(Box(name, kind, title, detail, x, y, anchor(name)))
    return boxes


def _drawing(boxes: Sequence[Box], links: Sequence[tuple[str, str]]) -> Drawing:
    there = {box.name: box for box in boxes}
    arrows = []
    for begin, end in _with_files(links, boxes):
        if begin in there and end in there:
            arrows.append(_arrow(there[begin], there[end]))
    width = max(box.x for box in boxes) + WIDTH + EDGE
    return Drawing(boxes, arrows, width, max(box.y for box in boxes) + HEIGHT + EDGE)


def _with_files(
    links: Sequence[tuple[str, str]], boxes: Sequence[Box]
) -> Iterator[tuple[str, str]]:
    """Yield the links; one from source files in general becomes one from each."""
    files = [box.name for box in boxes if box.name.startswith("source ")]
    for begin, end in links:
        if begin == "source:reviews":
            yield from ((file, end) for file in files)
        else:
            yield begin, end


def _arrow(begin: Box, end: Box) -> Arrow:
    of = begin.name if begin.kind == "stage" else end.name
    if begin.y == end.y:
        path = f"M{begin.x + WIDTH},{begin.y + HEIGHT // 2} H{end.x - 2}"
        return Arrow(path, of)
    upwards = begin.y > end.y
    y0, y1 = (begin.y, end.y + HEIGHT) if upwards else (begin.y + HEIGHT, end.y - 2)
    x0, x1 = begin.x + WIDTH // 2, end.x + WIDTH // 2
    middle = (y0 + y1) // 2
    return Arrow(f"M{x0},{y0} C{x0},{middle} {x1},{middle} {x1},{y1}", of, upwards)


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
