"""`made_by/`: all that made a release, so that it can be made again.

    made_by/settings.yaml     the domain's settings, without what changes speed and cost alone
    made_by/files/...         goals, templates, prompts, suites and lexicon, as they were read
    made_by/made_by.json      hashes of sources and of these files, versions of libraries, the code

Comments and layout of the YAML files are not part of it: they make nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tasks.errors import UserError
from tasks.fingerprint import PACE, UNHASHED, content_hash

MADE_BY: Final = "made_by"
LAYOUT: Final = 1
_SUMMARY: Final = "made_by.json"
_SETTINGS: Final = "settings.yaml"


@dataclass(frozen=True)
class MadeBy:
    """What made a release.

    Attributes:
        settings: the domain's, as JSON data.
        sources: SHA-256 of each source file, by name.
        contents: content of each YAML file that was used, by its path in the project.
        libraries: versions of the libraries whose results are stored, by import name.
        code: short hash of the code.
    """

    settings: Mapping[str, Any]
    sources: Mapping[str, str]
    contents: Mapping[str, Any] = field(repr=False)
    libraries: Mapping[str, str]
    code: str

    def hashes(self) -> dict[str, str]:
        """Return the hash of each YAML file's content."""
        return {path: content_hash(content) for path, content in sorted(self.contents.items())}


def write_made_by(folder: Path, made: MadeBy) -> None:
    """Write what made a release into its folder."""
    place = folder / MADE_BY
    place.mkdir()
    _write_yaml(place / _SETTINGS, _lasting(made.settings))
    for path, content in made.contents.items():
        file = place / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_yaml(file, content)
    summary = {
        "layout": LAYOUT,
        "code": made.code,
        "sources": dict(made.sources),
        "files": made.hashes(),
        "libraries": dict(made.libraries),
    }
    text = json.dumps(summary, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (place / _SUMMARY).write_text(text, encoding="utf-8", newline="\n")


def read_made_by(folder: Path) -> MadeBy:
    """Read what made a release. Raises UserError if it does not say, or is damaged."""
    place = folder / MADE_BY
    if not place.is_dir():
        raise UserError(
            f"{folder} does not hold what made it: it is of an earlier version, or made of other "
            "releases"
        )
    try:
        summary = json.loads((place / _SUMMARY).read_text(encoding="utf-8"))
        layout = summary["layout"]
        contents = {
            path: yaml.safe_load((place / "files" / path).read_text(encoding="utf-8"))
            for path in summary["files"]
        }
        settings = yaml.safe_load((place / _SETTINGS).read_text(encoding="utf-8"))
        made = MadeBy(settings, summary["sources"], contents, summary["libraries"], summary["code"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        raise UserError(f"{place} is damaged: take a good copy of the release") from None
    if layout != LAYOUT:
        raise UserError(
            f"{place} has layout {layout!r}, and this version reads {LAYOUT}: use a newer one"
        )
    return made


def _lasting(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that change what is made, and the licence, which releases state."""
    left_out = UNHASHED - {"license"}
    kept = {name: value for name, value in settings.items() if name not in left_out}
    generate = {name: value for name, value in kept["generate"].items() if name not in PACE}
    return {**kept, "generate": generate}


def _write_yaml(path: Path, content: Any) -> None:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8", newline="\n")
