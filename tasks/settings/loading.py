"""Reads a domain file into a checked `Domain`; every error is one clear line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tasks.errors import UserError
from tasks.settings.domain import Domain
from tasks.settings.paths import Home
from tasks.settings.sources import Source
from tasks.settings.validation_errors import validation_line

_MAX_DEPTH = 100
ReadYaml = Callable[[Path], Any]
"""Reads a YAML file, as `read_yaml` does or `YamlFiles.read`."""


class _UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses repeated keys; YAML's own silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value[:60]!r} is listed twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        built: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return built


def read_yaml(path: Path) -> Any:
    """Read one YAML file.

    Raises UserError if it is missing, not UTF-8, not YAML or repeats a key, with the line if known.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


class YamlFiles:
    """Reads YAML files, each of them once; whoever asks again gets the same content.

    Contents are shared, so nobody may change them.
    """

    def __init__(self) -> None:
        """Begin with no file read."""
        self._contents: dict[Path, Any] = {}

    def read(self, path: Path) -> Any:
        """Return the content of a file. Raises UserError as `read_yaml` does."""
        if path not in self._contents:
            self._contents[path] = read_yaml(path)
        return self._contents[path]


def parse_yaml(text: str, where: str) -> Any:
    """Parse YAML text of any origin. Raises UserError with `where` and the line if known."""
    try:
        _check_depth(text, where)
        return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - derives from the safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise UserError(f"{where}{line} is not valid YAML: {problem}") from None
    # Such as the 30th of February, or a number of thousands of digits.
    except ValueError as error:
        raise UserError(f"{where} holds a value that cannot be read: {str(error)[:100]}") from None


def _check_depth(text: str, where: str) -> None:
    """Raise UserError on YAML nested so deep that building it would overflow the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_UniqueKeys):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise UserError(f"{where} is nested more than {_MAX_DEPTH} levels deep")


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` updated by `over`; mappings are merged level by level."""
    merged = dict(base)
    for key, value in over.items():
        current = merged.get(key)
        if isinstance(current, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(current, value)
        else:
            merged[key] = value
    return merged


def load_domain(
    home: Home,
    name: str,
    over: Mapping[str, Any] | None = None,
    read: ReadYaml = read_yaml,
) -> Domain:
    """Load and check a domain.

    Args:
        home: the folders of domain files.
        name: the domain's name, the stem of its file.
        over: settings that replace the file's, nested as in the file.
        read: reads the file.

    Raises:
        UserError: unknown name, broken YAML, unknown key or a value out of bounds, with the field.
            Also another name in `over`: a run would write that domain's files without its lock.
    """
    path = home.domain_file(name)
    if over and over.get("name", name) != name:
        raise UserError(
            "`name` cannot be set: it decides which files a run writes; "
            f"name the domain itself in place of {name!r}"
        )
    content = read(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} must be a YAML mapping with at least `sources`")
    own_name = content.get("name", name)
    if own_name != name:
        shown = repr(own_name[:80]) if isinstance(own_name, str) else "no text"
        raise UserError(f"{path}: `name` is {shown} but the file is called {name!r}")
    try:
        domain = Domain.model_validate(merge({**content, "name": name}, over or {}))
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error, Domain)}") from None
    return _resolved(domain, path.parent)


def _resolved(domain: Domain, folder: Path) -> Domain:
    """Return the domain with absolute source paths; `~` is the user's home.

    Raises UserError on a file listed twice.
    """
    paths = {
        "reviews": _absolute(domain.sources.reviews, folder),
        "metadata": _absolute(domain.sources.metadata, folder),
    }
    return domain.model_copy(update={"sources": domain.sources.model_copy(update=paths)})


def _absolute(sources: tuple[Source, ...], folder: Path) -> tuple[Source, ...]:
    # Not Path.resolve, which fails on links in a circle, nor Path.expanduser, which fails on an
    # unknown user.
    paths = [os.path.realpath(folder / os.path.expanduser(source.path)) for source in sources]  # noqa: PTH111
    repeated = next((path for path in paths if paths.count(path) > 1), None)
    if repeated is not None:
        raise UserError(f"{repeated} is listed twice as a source")
    return tuple(
        source.model_copy(update={"path": path})
        for source, path in zip(sources, paths, strict=True)
    )
