"""What a stage is made from, part by part: so that it is redone when a part changes, and can say which.

| part        | what it holds                                                                                        |
|-------------|------------------------------------------------------------------------------------------------------|
| `settings`  | the settings the stage reads, by dotted name, with their values                                       |
| `code`      | every module its functions reach, with a hash of what it does (`tasks.code_identity`)                 |
| `files`     | the project's data files it reads (goals, templates, prompts, suites, lexicon, phrase tables), hashed |
| `sources`   | the reviewers' files it reads, hashed                                                                 |
| `libraries` | libraries whose results it stores, with their versions                                                |
| `upstream`  | the stages it reads from, with a hash of what they wrote                                              |

Libraries count unless they are listed in `NOT_IN_RESULTS` with the reason: one that nobody thought
of counts. The versions are those installed, which are what runs; `requirements.lock` says the same
where it was followed. Python itself counts by its Unicode tables, which decide what a letter is;
its other changes between 3.11 and 3.13 touch nothing that is stored.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tasks.code_identity import SCHEME, Reached
from tasks.fingerprint import fingerprint

NOT_IN_RESULTS: Mapping[str, str] = {
    "botocore": "fetches sources, which count by content",
    "fsspec": "fetches sources, which count by content",
    "isal": "unpacks gzip, which has one right result",
    "zstandard": "unpacks Zstandard, which has one right result",
    "filelock": "keeps runs apart",
    "litellm": "sends requests; an answer that is stored is not asked for again, whatever version is installed",
    "pydantic": "checks settings and files, which count by value and content",
    "yaml": "reads files, which count by what it reads from them",
    "jinja2": "lays out pages for people",
    "markupsafe": "lays out pages for people",
}
# Import name -> distribution, where they differ by more than dashes.
_DISTRIBUTIONS = {"ahocorasick": "pyahocorasick"}
_MOST = 3  # changes named in one line


@dataclass(frozen=True)
class StageInputs:
    """What a stage is made from; see the module's table. Values are JSON data."""

    settings: Mapping[str, Any]
    code: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    upstream: Mapping[str, str] = field(default_factory=dict)

    def after(self, upstream: Mapping[str, str]) -> StageInputs:
        """Return the same with the stages it reads from, each with the hash of what it wrote."""
        return replace(self, upstream=dict(upstream))

    def hash(self, stage: str) -> str:
        """Return the hash of all of it, 64 hex digits."""
        return fingerprint([SCHEME, stage, asdict(self)])

    def own(self) -> StageInputs:
        """Return what does not come from other stages."""
        return replace(self, upstream={})

    def maker(self) -> dict[str, Any]:
        """Return what made the rows, as opposed to what they were made from: code, data files and libraries."""
        return {
            "code": dict(self.code),
            "files": dict(self.files),
            "libraries": dict(self.libraries),
        }


def made_by(
    reached: Reached,
    settings: Mapping[str, Any],
    files: Mapping[str, str],
    sources: Mapping[str, str],
) -> StageInputs:
    """Put together what a stage is made from, but for the stages before it.

    Args:
        reached: the code its functions reach.
        settings: the settings it reads, nested as in a domain file.
        files: hash of each data file of the project it reads, by its path in the project.
        sources: hash by name of the source files it reads.
    """
    return StageInputs(
        settings=dict(flattened(settings)),
        code=dict(reached.modules),
        files=dict(sorted(files.items())),
        sources=dict(sources),
        libraries=library_versions(reached.libraries),
    )


def flattened(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by dotted name; lists and empty sections stay whole."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def library_versions(imported: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of those libraries that count, by the name they are imported by."""
    counted = {
        name
        for name in imported
        if name not in sys.stdlib_module_names and name not in NOT_IN_RESULTS
    }
    return {name: _installed(name) for name in sorted(counted)} | {
        "python-unicode": unicodedata.unidata_version
    }


@cache
def _installed(name: str) -> str:
    try:
        return version(_DISTRIBUTIONS.get(name, name))
    except PackageNotFoundError:
        return "not installed"


def changes(before: StageInputs, now: StageInputs) -> list[str]:
    """Return what has changed, one phrase each, causes first.

    What a stage before it wrote is named only where nothing of the stage's own has changed: of the
    two it is seldom news.
    """
    own = [
        *(f"settings.{name} changed" for name in _differing(before.settings, now.settings)),
        *(f"source {name} changed" for name in _differing(before.sources, now.sources)),
        *(f"{name} changed" for name in _differing(before.files, now.files)),
        *_named("code of", _differing(before.code, now.code)),
        *(
            _library(name, before.libraries, now.libraries)
            for name in _differing(before.libraries, now.libraries)
        ),
    ]
    return own or _named("rows of", _differing(before.upstream, now.upstream))


def in_one_line(phrases: Sequence[str]) -> str:
    """Return some phrases as one, those beyond the first few as their number."""
    more = f" and {len(phrases) - _MOST} more" if len(phrases) > _MOST else ""
    return ", ".join(phrases[:_MOST]) + more


def _named(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what} {in_one_line(names)} changed"] if names else []


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name in sorted({*before, *now})
        if name not in before or name not in now or before[name] != now[name]
    ]


def _library(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    if name not in before or name not in now:
        return f"library {name} {'came in' if name in now else 'went out'}"
    return f"library {name} {before[name]} is now {now[name]}"
