"""Great Expectations' result of one table of facts as HTML for a page of ours.

Its own renderers make it. Left out are its frame, which loads styles and scripts from the network,
and its overview: how it got the facts (a frame in memory, an unnamed run) and totals that our own
page has. An icon becomes the word that it means.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

# To pages of the frame that is left out.
_LINK: Final = re.compile(r'<a href="\.\./[^"]*" *>(.*?)</a>')
_ICON: Final = re.compile(r"<i\b[^>]*\bfa-(check|times|exclamation)[^>]*>\s*</i>")
_HEADING: Final = re.compile(r"<(/?)h[56]\b")  # of a section; ours above it is an h2
_WORDS: Final = {
    "check": ("passed", "passed"),
    "times": ("failed", "failed"),
    "exclamation": ("warned", "error"),
}
OVERVIEW: Final = "Overview"


def render_result(result: Any) -> str:
    """Return a validation result as HTML. Its descriptions must be HTML (`html_description`)."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaSectionView

    document = ValidationResultsPageRenderer().render(result).to_json_dict()
    view = DefaultJinjaSectionView()
    sections = [section for section in document["sections"] if section["section_name"] != OVERVIEW]
    rendered = [
        view.render({"section": section, "section_loop": {"index": number}})  # type: ignore[no-untyped-call]
        for number, section in enumerate(sections, 1)
    ]
    return _fit_for_a_page("".join(rendered))


def _fit_for_a_page(rendered: str) -> str:
    without_links = _LINK.sub(r"\1", rendered)
    headed = _HEADING.sub(r"<\1h3", without_links)
    return _ICON.sub(lambda icon: '<span class="{}">{}</span>'.format(*_WORDS[icon[1]]), headed)


def html_description(text: str) -> str:
    """Return a sentence as Great Expectations' renderers expect it: HTML, dollar signs doubled."""
    return html.escape(text).replace("$", "$$")


def without_rows(result: Any) -> Any:
    """Return a result without its lists of failing rows, which no page should show."""
    for found in result.results:
        found.result.pop("unexpected_index_list", None)
        found.result.pop("unexpected_index_column_names", None)
    return result
