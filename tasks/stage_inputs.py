"""The inputs of a stage, part by part: it runs again if a part changes, and reports which.

| part        | content                                                                            |
|-------------|------------------------------------------------------------------------------------|
| `settings`  | the settings the stage reads, by dotted name, with their values                    |
| `code`      | every module its functions reach, with a hash of its code (`tasks.code_identity`)  |
| `files`     | the project's data files it reads (goals, templates, prompts, suites, ...), hashed |
| `sources`   | the review files it reads, hashed                                                  |
| `libraries` | libraries whose results it stores, with their versions                             |
| `upstream`  | the stages it reads from, with a hash of what they wrote                           |

All libraries count except those listed in `NOT_IN_RESULTS`, each with the reason. The versions are
those installed, which are the ones that run. Python itself counts by its Unicode tables, which
define what a letter is; its other changes between 3.11 and 3.13 affect nothing that is stored.
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
    "isal": "decompresses gzip, which has one right result",
    "zstandard": "decompresses Zstandard, which has one right result",
    "filelock": "locks out other runs",
    "litellm": "sends requests; a stored answer is not requested again with any version",
    "pydantic": "checks settings and files, which count by value and content",
    "yaml": "reads files, which count by the values read from them",
    "onnxruntime": "counts where a rule compares by sense, see flows/derived_inputs.py",
    "jinja2": "renders pages for people",
    "markupsafe": "renders pages for people",
}
# Import name -> distribution, where they differ by more than dashes.
_DISTRIBUTIONS = {"ahocorasick": "pyahocorasick"}
UNICODE = "python-unicode"
_MAX_SHOWN = 3  # changes named in one line


@dataclass(frozen=True)
class StageInputs:
    """The inputs of a stage; see the module's table. Values are JSON data."""

    settings: Mapping[str, Any]
    code: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    upstream: Mapping[str, str] = field(default_factory=dict)

    def after(self, upstream: Mapping[str, str]) -> StageInputs:
        """Return the same with the stages it reads from, each with the hash of its tables."""
        return replace(self, upstream=dict(upstream))

    def hash(self, stage: str) -> str:
        """Return the hash of all inputs, 64 hex digits."""
        return fingerprint([SCHEME, stage, asdict(self)])

    def own(self) -> StageInputs:
        """Return the inputs without those from other stages."""
        return replace(self, upstream={})

    def maker(self) -> dict[str, Any]:
        """Return the code, data files and libraries, without what they were applied to."""
        return {
            "code": dict(self.code),
            "files": dict(self.files),
            "libraries": self.made_with(),
        }

    def made_with(self) -> dict[str, str]:
        """Return the versions of libraries, without that of Python's own Unicode tables.

        A stage is made again on another Python, whose tables may read a character otherwise. Where
        the rows come out the same, so does the release.
        """
        return {name: found for name, found in self.libraries.items() if name != UNICODE}


def made_by(
    reached: Reached,
    settings: Mapping[str, Any],
    files: Mapping[str, str],
    sources: Mapping[str, str],
) -> StageInputs:
    """Return the inputs of a stage, without the stages before it.

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
    """Yield settings by dotted name; lists and empty sections are not split."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def library_versions(imported: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of the libraries that count, by import name."""
    counted = set(imported) - sys.stdlib_module_names - NOT_IN_RESULTS.keys()
    versions = {name: _installed(name) for name in sorted(counted)}
    return versions | {UNICODE: unicodedata.unidata_version}


@cache
def _installed(name: str) -> str:
    try:
        return version(_DISTRIBUTIONS.get(name, name))
    except PackageNotFoundError:
        return "not installed"


def changes(before: StageInputs, now: StageInputs) -> list[str]:
    """Return what has changed, one phrase each, causes first.

    Changed rows of an earlier stage are named only if nothing of the stage's own has changed: they
    usually follow from that.
    """
    own = [f"settings.{name} changed" for name in _differing(before.settings, now.settings)]
    own += [f"source {name} changed" for name in _differing(before.sources, now.sources)]
    own += [f"{name} changed" for name in _differing(before.files, now.files)]
    own += _summary("code of", _differing(before.code, now.code))
    own += [
        _library_change(name, before.libraries, now.libraries)
        for name in _differing(before.libraries, now.libraries)
    ]
    return own or _summary("rows of", _differing(before.upstream, now.upstream))


def in_one_line(phrases: Sequence[str]) -> str:
    """Return some phrases as one text, with the number of those after the first few."""
    more = f" and {len(phrases) - _MAX_SHOWN} more" if len(phrases) > _MAX_SHOWN else ""
    return ", ".join(phrases[:_MAX_SHOWN]) + more


def _summary(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what} {in_one_line(names)} changed"] if names else []


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the names whose values differ, or that only one of the two has."""
    changed = [name for name in before.keys() & now.keys() if before[name] != now[name]]
    return sorted({*changed, *(before.keys() ^ now.keys())})


def _library_change(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    if name not in before:
        return f"library {name} was added"
    if name not in now:
        return f"library {name} was removed"
    return f"library {name} {before[name]} is now {now[name]}"
