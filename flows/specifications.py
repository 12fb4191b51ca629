"""What a build is made by, beside reviews and code: its settings and the project's YAML files.

All of it is read and checked once, before anything is started, and handed down. A stage gets the
parts that it names in flows/pipeline.py and no other, and its identity holds the files that these
parts were read from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from tasks.fingerprint import content_hash
from tasks.goals import Goals, load_goals
from tasks.judge import JudgeWords, load_judge_words
from tasks.prompts import Profile, load_profile
from tasks.quality import (
    Cause,
    Lexicon,
    Suite,
    check_alert_rules,
    check_judge,
    check_language,
    fit_suites,
    load_causes,
    load_lexicon,
    load_suites,
)
from tasks.settings import Domain, Home, ReadYaml, YamlFiles, load_domain
from tasks.templates import TemplateSet, load_templates

Value = TypeVar("Value")


@dataclass(frozen=True)
class Loader:
    """How one part is read.

    Attributes:
        load: the function that reads and checks it; the code it reaches counts for every stage that
            names the part.
        arguments: what it takes between the folders and the reader, out of a domain's settings.
    """

    load: Callable[..., Any]
    arguments: Callable[[Domain], Sequence[Any]] = lambda domain: ()


LOADERS: Final[Mapping[str, Loader]] = {
    "goals": Loader(load_goals, lambda domain: [domain.language]),
    "templates": Loader(load_templates, lambda domain: [domain.briefs.templates]),
    "profile": Loader(load_profile, lambda domain: [domain.generate.profile, domain.language]),
    "suites": Loader(
        load_suites, lambda domain: [domain.quality.suites, domain.quality.severities]
    ),
    "lexicon": Loader(load_lexicon),
    "causes": Loader(load_causes),
    "judge_words": Loader(load_judge_words),
}


class UnnamedPart(Exception):
    """A stage uses a part of the specifications that flows/pipeline.py does not name for it."""


@dataclass(frozen=True)
class Part:
    """One part as read, and each file it was read from, by path: its hash and its content.

    `own` has the paths of those that are not the shipped ones.
    """

    value: Any
    files: Mapping[str, str]
    contents: Mapping[str, Any]
    own: tuple[str, ...] = ()


class _Named(Generic[Value]):
    """A part of the specifications as an attribute, under its own name."""

    def __set_name__(self, owner: type[Specifications], name: str) -> None:
        self._name = name

    def __get__(self, specifications: Specifications, owner: type[Specifications]) -> Value:
        value: Value = specifications.part(self._name)
        return value


@dataclass(frozen=True)
class Specifications:
    """The settings and parts of one build, or of one of its stages.

    Attributes:
        domain: the settings.
        read: reads further YAML files, such as those of an earlier run's settings, none twice.
        parts: by the names of `LOADERS`.
    """

    domain: Domain
    read: ReadYaml
    parts: Mapping[str, Part]

    goals = _Named[Goals]()
    templates = _Named[TemplateSet]()
    profile = _Named[Profile]()
    suites = _Named[tuple[Suite, ...]]()
    lexicon = _Named[Lexicon]()
    causes = _Named[tuple[Cause, ...]]()
    judge_words = _Named[JudgeWords]()

    def only(self, names: Iterable[str]) -> Specifications:
        """Return the same with these parts alone, and without the reader of further files."""
        parts = {name: self.parts[name] for name in names}
        return replace(self, parts=parts, read=_read_nothing)

    def files(self) -> dict[str, str]:
        """Return the hash of every file that the parts were read from, by its path."""
        return {path: found for part in self.parts.values() for path, found in part.files.items()}

    def own_files(self) -> list[str]:
        """Return the paths of files that lie over the shipped ones, or beside them."""
        return sorted({path for part in self.parts.values() for path in part.own})

    def contents(self) -> dict[str, Any]:
        """Return the content of every file that the parts were read from, by its path."""
        found: dict[str, Any] = {}
        for name in self.parts:
            self.part(name)
            found |= self.parts[name].contents
        return found

    def part(self, name: str) -> Any:
        """Return a part as read. Raises UnnamedPart if these specifications are without it."""
        if name not in self.parts:
            raise UnnamedPart(f"this stage does not name {name!r} in flows/pipeline.py")
        return self.parts[name].value


def load_specifications(
    home: Home, name: str, over: Mapping[str, Any] | None = None
) -> Specifications:
    """Read a domain's settings and all that they name, and check it.

    Args:
        home: where the files are.
        name: the domain's.
        over: settings laid over its file's.

    Raises:
        UserError: for the first thing that is missing or wrong in any of it.
    """
    files = YamlFiles()
    domain = load_domain(home, name, over, files.read)
    specifications = specifications_of(home, domain, files)
    check_alert_rules(specifications.suites, domain.quality, domain.alert)
    check_language(specifications.suites, domain.language)
    check_judge(specifications.suites, domain.quality)
    return specifications


def specifications_of(home: Home, domain: Domain, files: YamlFiles) -> Specifications:
    """Read all that a domain's settings name, each part checked by itself. Raises UserError."""
    parts = {name: _read_part(loader, home, domain, files) for name, loader in LOADERS.items()}
    suites, lexicon = parts["suites"], parts["lexicon"]
    fitted = fit_suites(suites.value, lexicon.value, domain.language)
    parts["suites"] = replace(suites, value=fitted)
    return Specifications(domain, files.read, parts)


def _read_nothing(path: Path) -> Any:
    raise UnnamedPart(f"a stage reads no file but by the parts it names, so not {path}")


def _read_part(loader: Loader, home: Home, domain: Domain, files: YamlFiles) -> Part:
    """Read one part, and note which files are read for it, those that were read before included."""
    contents: dict[Path, Any] = {}

    def read(path: Path) -> Any:
        contents[path] = files.read(path)
        return contents[path]

    value = loader.load(home, *loader.arguments(domain), read=read)
    named = {home.name_of(path): content for path, content in contents.items()}
    hashes = {path: content_hash(content) for path, content in named.items()}
    own = tuple(home.name_of(path) for path in contents if home.is_own(path))
    return Part(value, hashes, named, own)
