from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tasks.web import environment, shortened, visible


def test_hidden_characters_are_spelled_out() -> None:
    assert visible("a\u202eb\x07\x00c\ud800") == "a<U+202E>b<U+0007><U+0000>c<U+D800>"
    assert visible("tab\tline\nשלום é 漢字 🎬") == "tab\tline\nשלום é 漢字 🎬"


def test_what_is_cut_off_is_told() -> None:
    assert (
        shortened("abc", 3) == "abc"
        and shortened("abcd" * 1000, 4) == "abcd … (3,996 more characters)"
    )


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_can_stand_in_a_page(text: str) -> None:
    page = environment(Path(__file__).parent).from_string("<p>{{ text }}</p>").render(text=text)
    page.encode("utf-8")
    inside = page[3:-4]
    assert "<" not in inside and ">" not in inside and '"' not in inside and "\x00" not in inside
