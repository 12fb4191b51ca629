"""JSON as models write it is read as meant, and what is cut is never completed unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model_output import json_objects, parse_json, read_json

VALUE = {
    "turns": [
        {"role": "user", "text": "Hi, it's {{item:1}}."},
        {"role": "agent", "text": 'Then "Heat", or 12?'},
    ]
}
STRICT = json.dumps(VALUE)
UNESCAPED = STRICT.replace('\\"', '"')

SLOPPY = {
    "strict": STRICT,
    "pretty": json.dumps(VALUE, indent=2),
    "marks not escaped": UNESCAPED,
    "trailing commas": STRICT.replace("}]", "},]").replace('"}', '",}'),
    "no comma between objects": STRICT.replace("}, {", "} {"),
    "no comma between entries": STRICT.replace('"user", ', '"user" '),
    "Python": repr(VALUE),
    "single marks": STRICT.replace('\\"', "\x00").replace('"', "'").replace("\x00", '"'),
    "keys without marks": STRICT.replace('"role"', "role")
    .replace('"text"', "text")
    .replace('"turns"', "turns"),
    "curly marks": UNESCAPED.replace('"Heat"', "\x00")
    .replace('"', "\u201c")
    .replace("\x00", '"Heat"'),
    "curly pairs": "{\u201cturns\u201d: [{\u201crole\u201d: \u201cuser\u201d, \u201ctext\u201d: "
    "\u201cHi, it's {{item:1}}.\u201d}, "
    '{\u201crole\u201d: \u201cagent\u201d, \u201ctext\u201d: \u201cThen \\"Heat\\", or '
    "12?\u201d}]}",
    "comments": STRICT.replace("[{", "[ // first\n{").replace("}, {", "}, /* next */\n# third\n{"),
    "double braces": "{" + STRICT + "}",
    "as a string": json.dumps(STRICT),
    "as a string without its marks": json.dumps(json.dumps(VALUE, indent=1))[1:-1].replace(
        '\\\\\\"Heat\\\\\\"', '\\\\\\"Heat\\\\\\"'
    ),
    "last brace missing": STRICT[:-1],
    "last brace missing in a wrapper": '{"response": ' + STRICT[:-1],
}


@pytest.mark.parametrize("name", SLOPPY)
def test_what_is_meant_is_read(name: str) -> None:
    found = read_json(f"Here it is:\n{SLOPPY[name]}")
    value = found.values[0].value
    assert value.get("response", value) == VALUE
    assert not found.cut


@pytest.mark.parametrize("kept", range(2, len(STRICT) - 1))
def test_what_is_cut_is_flagged_and_holds_only_what_was_complete(kept: int) -> None:
    found = read_json(STRICT[:kept])
    assert found.cut
    for value in found.values:
        turns = value.value.get("turns", [])
        assert turns == VALUE["turns"][: len(turns)]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ('{"a": [1, 2]', False),
        ('{"a": {"b": 1}', False),
        ('{"x": {"a": [1]', False),
        ('{"x": {"a": [1]}', False),
        ('{"a": 1', True),
        ('{"a": 12345', True),
        ('{"a": "x"', True),
        ('{"a": [1, 2', True),
        ("[[1], [2]", True),
        ('[{"a": 1}', True),
        ('{"a": [1], "b"', True),
        ('{"a": [1], "b":', True),
        ('{"a": [1],', True),
        ('{"a": [1] // done', True),
    ],
)
def test_complete_without_its_end_is_only_what_lacks_braces_alone(text: str, cut: bool) -> None:
    assert read_json(text).cut is cut


def test_entries_of_a_cut_object_are_kept_only_on_demand() -> None:
    text = '[{"title": "Alien", "year": 1979}, {"title": "Heat", "ye'
    whole = {"title": "Alien", "year": 1979}
    assert read_json(text).values[0].value == [whole]
    assert read_json(text, keep_open_objects=True).values[0].value == [whole, {"title": "Heat"}]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": -' + "9" * 5_000 + ",}",
        "{'a': " + "9" * 5_000 + "}",
        "[" * 50_000,
        '{"a":' * 20_000,
        '{"a": [' * 90 + "]}" * 90,
        '{"a": 1e999999}',
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        '{"a": "\\udc00\\ud800 \\ud83d\\ude00",}',
        "{'a': '\\ud800'}",
    ],
)
def test_sizes_and_signs_no_parser_takes_do_not_raise(text: str) -> None:
    found = read_json(text)
    for value in found.values:
        json.dumps(value.value, ensure_ascii=False).encode()
    assert list(json_objects(text)) is not None
    parse_json(text)


def test_lone_surrogates_are_replaced_and_pairs_kept() -> None:
    assert parse_json('"\\ud800x\\udc00 \\ud83d\\ude00"') == "\ufffdx\ufffd \U0001f600"
    assert read_json("{'a': '\\ud800x \\ud83d\\ude00'}").values[0].value == {
        "a": "\ufffdx \U0001f600"
    }


def test_a_number_too_long_to_count_with_stays_a_text() -> None:
    assert parse_json("9" * 5_000) == "9" * 5_000
    assert parse_json("[12, -3, 1.5]") == [12, -3, 1.5]


def test_prose_is_no_json() -> None:
    for text in (
        "I like {this} and [that].",
        "See [the list] (or {item 1}).",
        "a { b [ c",
        "{{item:1}} and [item 2]",
        "",
    ):
        found = read_json(text)
        assert not found.values and not found.broken and not found.cut, text


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcde \"'", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.lists(VALUES, min_size=1, max_size=3)
    | st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1)
)
def test_strict_json_comes_back(value: Any) -> None:
    text = json.dumps(value)
    assert parse_json(text) == value
    if text[1] in '"{[}]0123456789-tfn':
        found = read_json(text)
        assert (
            [read.value for read in found.values] == [value] and not found.cut and not found.broken
        )


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES, min_size=1), st.data())
def test_what_is_cut_from_strict_json_is_never_whole(
    value: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(value)
    kept = data.draw(st.integers(2, len(text) - 1))
    found = read_json(text[:kept])
    for read in found.values if not found.cut else ():
        assert is_part(read.value, value), "every list that is there is complete"


def is_part(found: Any, whole: Any) -> bool:
    """Return True if objects lack nothing but keys, and all else is equal."""
    if not isinstance(found, dict):
        return bool(found == whole)
    return isinstance(whole, dict) and all(
        key in whole and is_part(found[key], whole[key]) for key in found
    )


PIECES = st.sampled_from(
    [
        *"{}[]:,\"'`\\/#",
        "\u201c",
        "\u201d",
        '"a"',
        '"a": ',
        "//",
        "/*",
        "*/",
        "\n",
        "1",
        "-",
        "true",
        "None",
        "9" * 30,
        "\\u",
        "\\ud800",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=60).map("".join))
def test_any_text_is_read_or_left(text: str) -> None:
    found = read_json(text)
    for value, start, end in found.values:
        assert isinstance(value, dict | list)
        assert 0 <= start < end <= len(found.text)
    assert list(json_objects(text)) is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_left(content: bytes) -> None:
    for encoding, errors in (
        ("utf-8", "surrogateescape"),
        ("utf-16", "replace"),
        ("latin-1", "strict"),
    ):
        assert isinstance(read_json(content.decode(encoding, errors)).values, list)
