"""No text makes a reader raise, and none costs more than work in proportion to its length."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dialogues import parse
from tasks.evaluation.quality import METRICS, parse_choice, parse_grades
from tasks.model_output import (
    MOST,
    MOST_CHARACTERS,
    json_objects,
    message_text,
    parse_answer,
    read_or_else,
    reply_text,
)
from tasks.prompts import spoken_text
from tests.support import conversations as made
from tests.support.examples import examples

READERS: dict[str, Callable[[str], object]] = {
    "grounded": lambda text: parse(text, "grounded", (), ()),
    "paper": lambda text: parse(text, "paper", (), ()),
    "recommendations": parse_answer,
    "grades": parse_grades,
    "choice": parse_choice,
    "message": message_text,
    "reply": reply_text,
    "turn": spoken_text,
    "objects": lambda text: list(json_objects(text)),
}


def readers_agree_to_read(text: str) -> None:
    for name, reader in READERS.items():
        assert reader(text) is not None or name in {"grades", "choice"}
    for name in ("message", "reply", "turn"):
        str(READERS[name](text)).encode()  # storable
    for kind in ("grounded", "paper"):
        parsed = parse(text, kind, (), ())  # type: ignore[arg-type]
        assert parsed.utterances or parsed.parse_error
        for utterance in parsed.utterances:
            assert f"{utterance.role}{utterance.text}".encode() is not None


PIECES = st.sampled_from(
    [
        '{"',
        '"}',
        *"[]{},:|*_`'\"",
        '"turns": [',
        '"role": "user"',
        '"text": "',
        "User: ",
        "\n",
        "<think>",
        "</think>",
        "```",
        "<|im_end|>",
    ]
    + [
        "<|channel|>final",
        "<|message|>",
        "\\",
        "\\n",
        "\\ud83d",
        "\u201c",
        "\u300a",
        "1. ",
        "- ",
        "| ",
        "\ud800",
        "\x00",
        "\r",
        "Alien",
    ]
    + [
        ", and ",
        "You might like ",
        "0.9",
        "9" * 40,
        "fluency: 2",
        "better: 1",
        "{{item:1}}",
        "final list:\n",
        "//",
        "/*",
        "#",
    ]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=50).map("".join))
def test_no_text_raises(text: str) -> None:
    readers_agree_to_read(text)


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "latin-1", "utf-16-le"]))
def test_no_bytes_raise(content: bytes, encoding: str) -> None:
    readers_agree_to_read(
        content.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    )


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4_290, 4_400).map(lambda digits: int("9" * 4_000) * 10 ** (digits - 4_000))
    | st.floats()
    | st.text(max_size=5)
)
KEYS = st.sampled_from(
    [
        "turns",
        "role",
        "text",
        "title",
        "recommendations",
        "better",
        *METRICS,
        "1",
        "score",
        "metric",
    ]
)


def written(value: object) -> str:
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value)
    finally:
        sys.set_int_max_str_digits(4_300)


@settings(deadline=None)
@given(
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=10,
    )
)
def test_no_json_value_raises(value: object) -> None:
    readers_agree_to_read(written(value))


@settings(deadline=None, max_examples=examples(20))
@given(
    st.integers(1, 3_000),
    st.sampled_from(['{"turns": ', '{"title": ', "[", '[{"recommendations": ', '{"scores": ']),
    st.booleans(),
)
def test_no_nesting_raises(depth: int, opening: str, closed: bool) -> None:
    closing = "".join(
        "}" if bracket == "{" else "]" for bracket in reversed([c for c in opening if c in "{["])
    )
    readers_agree_to_read(opening * depth + '"x"' + (closing * depth if closed else ""))


HUGE = {
    "a number of 4,301 digits": (
        '{"turns": [{"role": "user", "text": "Hi."}, {"role": "agent", "text": "Ho."}], "seed": '
    )
    + "7" * 4_301
    + "}",
    "a longer number in Python's notation": (
        "{'turns': [{'role': 'user', 'text': 'Hi.'}], 'seed': %s}"
    )
    % ("7" * 9_000),
    "a number as a turn": '{"turns": [%s, {"role": "user", "text": "Hi."}]}' % ("7" * 5_000),
    "a float beyond all floats": '{"turns": [{"role": "user", "text": "Hi."}], "seed": 1e99999}',
    "a thousand lists": "[" * 1_000 + "]" * 1_000,
    "a thousand objects": '{"turns":' * 1_000 + "1" + "}" * 1_000,
    "lone surrogates": (
        '{"turns": [{"role": "\\ud800", "text": "\\udfff"}, {"role": "user", "text": "\\ud83d"}]}'
    ),
}


@pytest.mark.parametrize("name", HUGE)
def test_what_parsers_refuse_ends_no_stage(name: str) -> None:
    """Store each as an answer and read it as `dialogues-1` does, into the warehouse."""
    from tasks.dialogues import parse_transcripts
    from tasks.settings import Domain

    catalogue = made.titles(40)
    good = made.conversation(1, catalogue)
    odd = made.conversation(2, catalogue)
    con = made.warehouse([good, odd], catalogue)
    made.answer(
        con, [(good.dialogue_id, good.grounded()), (odd.dialogue_id, HUGE[name])], "grounded"
    )
    domain = Domain.model_validate(
        {"name": "odd", "sources": {"format": "amazon_2014", "reviews": ["none"]}}
    )
    counts = parse_transcripts(con, domain, 1)
    assert counts.dialogues == 2
    rows = dict(con.execute("SELECT dialogue_id, utterances FROM dialogues").fetchall())
    assert rows[good.dialogue_id] > 0 and odd.dialogue_id in rows
    con.close()


def test_an_unreadable_number_does_not_spoil_the_dialogue() -> None:
    parsed = parse(HUGE["a number of 4,301 digits"], "grounded", (), ())
    assert parsed.complete and [utterance.text for utterance in parsed.utterances] == ["Hi.", "Ho."]


def test_what_a_reader_raises_is_unreadable_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    for error in (
        ValueError("private words"),
        RecursionError(),
        MemoryError(),
        OverflowError(),
        KeyError("x"),
    ):

        def reader(_: str, raised: Exception = error) -> str:
            raise raised

        assert (
            read_or_else(reader, "private words", str)
            == f"the reader failed with {type(error).__name__}"
        )
    assert "RecursionError" in caplog.text and "private words" not in caplog.text


def test_a_failing_reader_makes_an_unreadable_dialogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: str) -> None:
        raise OverflowError

    monkeypatch.setattr("tasks.dialogues.parser.read_grounded", failing)
    parsed = parse('{"turns": []}', "grounded", (), ())
    assert not parsed.complete and parsed.parse_error == "the reader failed with OverflowError"


def test_a_dialogue_beyond_the_cap_is_not_complete() -> None:
    text = json.dumps({"turns": [{"role": "user", "text": "Hi. " * (MOST_CHARACTERS // 4)}]})
    parsed = parse(text, "grounded", (), ())
    assert not parsed.complete and "1,000,000" in parsed.parse_error
    assert len(parse_answer("\n".join(f"{n}. T{n}" for n in range(1, 200_000))).entries) == MOST


MEGABYTE = 1_000_000
CPU_SECONDS = (
    60  # for one text and all readers; one pass of work in the square of its length takes hours
)
REPEATED = [
    "[",
    '{"a":',
    "[[1],",
    '["x" // ',
    '"',
    "\\",
    " ",
    "\n",
    "<think>",
    "<|channel|>final ",
    "\u201c",
    "**",
    "1. ",
    "A, ",
    "User: ",
    '{"role": "user", "text": "',
    "final list: ",
    "| ",
    "```",
    "You might like A. ",
]


def spend(piece: str) -> None:
    """Read a megabyte of one piece with every reader; run in a process of its own."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for text in (
        piece * (MEGABYTE // len(piece)),
        "x" + piece * ((MEGABYTE - 2) // len(piece)) + "y",
    ):
        for reader in READERS.values():
            reader(text)


@pytest.mark.heavy
@pytest.mark.parametrize("piece", REPEATED)
def test_a_megabyte_takes_bounded_work(piece: str) -> None:
    """Bound the reading process by the system's CPU limit, however busy the machine is."""
    call = f"from tests.model_output.test_hostile import spend; spend({piece!r})"
    done = subprocess.run([sys.executable, "-c", call], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2_000:] or f"more than {CPU_SECONDS} s of work"


def test_a_long_hostile_answer_takes_bounded_work() -> None:
    """The same with the worst of them at a tenth of the size, in every test run."""
    for piece in ("[", " ", "<think>", "\u201c", "\n", '{"role": "user"'):
        text = f"x{piece * (MEGABYTE // 10 // len(piece))}y)"
        for reader in READERS.values():
            reader(text)
