"""Paths of the project's own files, and of the data folder a run reads and writes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError

PROJECT = Path(__file__).resolve().parents[2]
# A package that is installed keeps no data beside its code: they go where the command is run.
IS_CHECKOUT = (PROJECT / "pyproject.toml").is_file()
DOMAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Home:
    """The folders of one installation.

    `project` holds goal_specs/, expectations/ and the shipped domains; `data` holds what runs read
    and write.
    """

    project: Path = PROJECT
    data: Path = PROJECT / "data"

    @classmethod
    def find(cls, data: Path | None = None) -> Home:
        """Use `data` if given, else the folder REDIAL_DATA, else `data`.

        That lies in the project's checkout, or in the current folder if there is none.
        """
        default = PROJECT / "data" if IS_CHECKOUT else Path("data")
        chosen = data or Path(os.environ.get("REDIAL_DATA") or default)
        # Not Path.expanduser, which fails on an unknown user.
        return cls(data=Path(os.path.realpath(os.path.expanduser(chosen))))  # noqa: PTH111

    def domain_files(self) -> dict[str, Path]:
        """Return every domain's file by name; files in the data folder replace shipped ones."""
        files: dict[str, Path] = {}
        for folder in (self.project / "data" / "domains", self.data / "domains"):
            files |= {path.stem: path for path in sorted(folder.glob("*.yaml"))}
        return files

    def file(self, name: str) -> Path:
        """Return a file of goals, templates, prompts, suites or deployments by its relative path.

        It is the one in the data folder, if there is one, else the shipped one.
        """
        own = self.data / name
        return own if own.is_file() else self.project / name

    def files(self, folder: str) -> dict[str, Path]:
        """Return the YAML files of a folder by name; those in the data folder replace shipped ones.

        `folder` is relative to either.
        """
        found: dict[str, Path] = {}
        for place in (self.project / folder, self.data / folder):
            found |= {path.stem: path for path in sorted(place.glob("*.yaml"))}
        return found

    def name_of(self, path: Path) -> str:
        """Return the relative path by which `file` finds a file."""
        place = self.data if self.is_own(path) else self.project
        return path.relative_to(place).as_posix()

    def is_own(self, path: Path) -> bool:
        """Return True if a file lies in the data folder and was not shipped there."""
        shipped = self.project / "data" / "domains"
        return path.is_relative_to(self.data) and not path.is_relative_to(shipped)

    def is_domain(self, text: str) -> bool:
        """Return True if a text is the name of a domain with a file, and so not a path."""
        return bool(DOMAIN_NAME.fullmatch(text)) and text in self.domain_files()

    def domain_file(self, name: str) -> Path:
        """Return the YAML file of a domain.

        Raises UserError on an unknown or malformed name.
        """
        if not DOMAIN_NAME.fullmatch(name):
            raise UserError(
                f"{name[:80]!r} is not a domain name: "
                "use small letters, digits, dashes and underscores"
            )
        files = self.domain_files()
        if name not in files:
            wanted = self.data / "domains" / f"{name}.yaml"
            known = ", ".join(sorted(files)) or "none"
            raise UserError(f"unknown domain {name!r}: there is no {wanted}; known: {known}")
        return files[name]

    def warehouse(self, domain: str) -> Path:
        """Return the domain's DuckDB file."""
        return self.data / "warehouse" / f"{domain}.duckdb"

    def known_models(self) -> Path:
        """Return the file of what is known of models on their servers."""
        return self.data / "warehouse" / "models.json"

    def journals(self, domain: str) -> Path:
        """Return the folder of the domain's answer journals."""
        return self.data / "journals" / domain

    def cache(self, domain: str) -> Path:
        """Return the folder of Prefect's stage results, next to the warehouse they belong to."""
        return self.data / "warehouse" / f"{domain}.cache"

    def releases(self, domain: str) -> Path:
        """Return the folder of the domain's released versions."""
        return self.data / "releases" / domain

    def data_docs(self, domain: str) -> Path:
        """Return the folder of the domain's Great Expectations Data Docs."""
        return self.data / "docs" / domain
