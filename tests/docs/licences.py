"""The licences of the libraries that requirements.lock pins, as their own metadata says.

`python -m tests.docs.licences` (`make licences`) writes docs/reference/licences.md again.
"""

from __future__ import annotations

import re
from collections import Counter
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "reference" / "licences.md"
ELSEWHERE = "not installed where this page was made"
LONGEST = 60
HEAD = """\
# Licences of the libraries

What `requirements.lock` pins, from the metadata of the installed packages, named as they name them;
`make licences` writes this page again. Where one states none, its own files do. `make sbom` writes
the same libraries with versions and hashes as a CycloneDX bill of materials. The optional extras
are not listed.

"""


def locked() -> list[str]:
    """Return the names of all packages in requirements.lock."""
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(r"(?m)^([A-Za-z0-9._-]+)==", lock)


def licence_of(package: str) -> str:
    """Return the licence that a package's metadata states: as an expression, in words or by class."""
    try:
        told = metadata(package)
    except PackageNotFoundError:
        return ELSEWHERE
    if expression := told.get("License-Expression"):
        return expression
    classes = [
        one.rpartition(" :: ")[2]
        for one in told.get_all("Classifier") or ()
        if one.startswith("License ::")
    ]
    named = [one for one in classes if one != "OSI Approved"]
    words = (told.get("License") or "").strip().partition("\n")[0]
    return "; ".join(named) or words[:LONGEST] or "not stated"


def page() -> str:
    """Return the page as Markdown."""
    found = {name: licence_of(name) for name in locked()}
    counted = Counter(found.values()).most_common()
    lines = ["| licence | libraries |", "|---|---:|", *(f"| {name} | {n} |" for name, n in counted)]
    lines += [
        "",
        "| library | licence |",
        "|---|---|",
        *(f"| {name} | {what} |" for name, what in found.items()),
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
