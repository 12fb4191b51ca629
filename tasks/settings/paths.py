"""Where things lie: the project's own files, and the data folder a run reads and writes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError

PROJECT = Path(__file__).resolve().parents[2]
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
        """Use `data` if given, else the folder named by REDIAL_DATA, else the project's own data folder."""
        chosen = data or (
            Path(os.environ["REDIAL_DATA"]) if os.environ.get("REDIAL_DATA") else PROJECT / "data"
        )
        return cls(data=Path(os.path.realpath(os.path.expanduser(chosen))))

    def domain_files(self) -> dict[str, Path]:
        """Every domain's file by name; a file in the data folder goes before the shipped one of that name."""
        folders = (self.project / "data" / "domains", self.data / "domains")
        return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}

    def is_domain(self, text: str) -> bool:
        """Return True if a text names a domain there is a file of; whatever else it is, it is then no path."""
        return bool(DOMAIN_NAME.fullmatch(text)) and text in self.domain_files()

    def domain_file(self, name: str) -> Path:
        """Return the YAML file of a domain.

        Raises UserError on a name that is no plain name or is not there.
        """
        if not DOMAIN_NAME.fullmatch(name):
            raise UserError(
                f"{name[:80]!r} is not a domain name: use small letters, digits, dashes and underscores"
            )
        files = self.domain_files()
        if name not in files:
            wanted, known = (
                self.data / "domains" / f"{name}.yaml",
                ", ".join(sorted(files)) or "none",
            )
            raise UserError(f"unknown domain {name!r}: there is no {wanted}; known: {known}")
        return files[name]

    def warehouse(self, domain: str) -> Path:
        """Return the domain's DuckDB file."""
        return self.data / "warehouse" / f"{domain}.duckdb"

    def journals(self, domain: str) -> Path:
        """Return the folder of the domain's answer journals."""
        return self.data / "journals" / domain

    def cache(self, domain: str) -> Path:
        """Return the folder of Prefect's stage results, beside the warehouse so that both live and die together."""
        return self.data / "warehouse" / f"{domain}.cache"

    def releases(self, domain: str) -> Path:
        """Return the folder that holds the domain's released versions."""
        return self.data / "releases" / domain

    def data_docs(self, domain: str) -> Path:
        """Return the folder of the domain's Great Expectations Data Docs."""
        return self.data / "docs" / domain

    def prompts(self) -> Path:
        """Return the folder of prompt profiles."""
        return self.project / "goal_specs" / "prompts"
