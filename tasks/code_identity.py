"""What code a function reaches, found by reading the sources, and a hash of each module of it.

A cached stage may be trusted only while no code that made it has changed. Which code that is
follows from the imports: from the module that defines the stage's function to every module of the
project that it imports, and so on.

- The unit is the module. Every import counts, wherever it stands, but those under `if
  TYPE_CHECKING`, which are never carried out.
- A name imported from a package is followed through its `__init__` to the module that defines it:
  `from tasks.ingest import ingest`
  reaches `tasks.ingest.stage` and what that imports, not all that the package offers. A package
  whose `__init__` does more than import is reached as a whole whenever one of its modules is.
  `import tasks.a as a` reaches all that `tasks.a` imports.
- The hash is of the parsed tree without comments, docstrings, `pass` and positions. It is written
  out by this module and not by
  `ast.dump`, whose form differs between versions of Python; fields that are empty are left out, as
  newer versions add such fields.
- `import_module` of a name that is not written out cannot be followed; `CodeTree.dynamic_imports`
  finds them, a test refuses them.

The sources are read once, when the tree is made, and the project's own tree once per process: a
file that is edited while a run goes on counts from the next run on, as it is the next run that
executes it.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

SCHEME = 1
"""Version of the way in which stages are identified.

Raised when what is hashed changes, so that every stage is redone once.
"""

PACKAGE = "tasks"  # followed into; flows/ is wiring, which hands settings on and makes no rows
PROJECT = Path(__file__).resolve().parents[1]
# Follow from the place in the tree, or mean nothing when executed.
_NOT_HASHED = frozenset({"ctx", "type_comment", "kind"})
_IMPORTERS = frozenset(
    {"import_module", "__import__", "spec_from_file_location", "run_module", "run_path"}
)


@dataclass(frozen=True)
class Name:
    """A name as an import statement has it: `name` of `module`, or the module itself where `name` is empty."""

    module: str
    name: str = ""


@dataclass(frozen=True)
class Source:
    """One module as read.

    Attributes:
        digest: hash of its code, 64 hex digits.
        imported: every name it imports, of the project or not.
        bound: of a package's `__init__`: the names its own import statements bind, and what they
            stand for.
        only_imports: whether an `__init__` does nothing but import.
        dynamic: lines that import a module whose name is not written out.
    """

    digest: str
    imported: tuple[Name, ...]
    bound: Mapping[str, Name]
    only_imports: bool
    dynamic: tuple[int, ...]


@dataclass(frozen=True)
class Reached:
    """What some modules reach: the project's modules, each with its hash, and the libraries by the name they are imported by."""

    modules: Mapping[str, str]
    libraries: frozenset[str]


@dataclass(frozen=True)
class CodeTree:
    """The Python sources of one folder, as they were when the tree was made."""

    root: Path
    _sources: dict[str, Source] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Read every file now, so that all stages of a run are identified by the same state of the code."""
        self._texts  # noqa: B018 - filled by being asked for

    @cached_property
    def _texts(self) -> dict[str, tuple[bytes, bool]]:
        """Every module's text by name, and whether it is a package's `__init__`."""
        found = {}
        for path in sorted((self.root / PACKAGE).rglob("*.py")):
            parts = path.relative_to(self.root).with_suffix("").parts
            package = parts[-1] == "__init__"
            found[".".join(parts[:-1] if package else parts)] = (path.read_bytes(), package)
        return found

    def modules(self) -> list[str]:
        """Return the names of all modules."""
        return sorted(self._texts)

    def is_package(self, module: str) -> bool:
        """Return True if a module is a package."""
        return module in self._texts and self._texts[module][1]

    def source(self, module: str) -> Source:
        """Return one module as read.

        Raises ModuleNotFoundError, and SyntaxError on a file that is no Python.
        """
        if module not in self._texts:
            raise ModuleNotFoundError(f"{self.root} has no module {module}")
        if module not in self._sources:
            self._sources[module] = _read(module, *self._texts[module])
        return self._sources[module]

    def reached(self, *entries: str) -> Reached:
        """Return what some modules reach, themselves included. Raises ModuleNotFoundError."""
        found: set[str] = set()
        libraries: set[str] = set()
        waiting = list(entries)
        while waiting:
            module = waiting.pop()
            if module in found:
                continue
            found.add(module)
            waiting += self._parents(module)
            for name in self.source(module).imported:
                if _is_ours(name.module):
                    waiting.append(self._definer(name, frozenset()))
                else:
                    libraries.add(name.module.partition(".")[0])
        return Reached(
            {module: self.source(module).digest for module in sorted(found)}, frozenset(libraries)
        )

    def dynamic_imports(self) -> list[str]:
        """Return each place where a module is imported whose name is not written out, as MODULE:LINE."""
        return [
            f"{module}:{line}" for module in self.modules() for line in self.source(module).dynamic
        ]

    def _parents(self, module: str) -> Iterator[str]:
        """Yield the packages around a module whose `__init__` does more than import."""
        while "." in module:
            module = module.rpartition(".")[0]
            if not self.source(module).only_imports:
                yield module

    def _definer(self, name: Name, seen: frozenset[Name]) -> str:
        """Return the module that defines an imported name."""
        if not name.name or not self.is_package(name.module):
            return name.module
        bound = self.source(name.module).bound.get(name.name)
        if bound is not None and _is_ours(bound.module) and bound not in seen:
            return self._definer(bound, seen | {name})
        below = f"{name.module}.{name.name}"
        return below if bound is None and below in self._texts else name.module


@cache
def project_code() -> CodeTree:
    """Return the project's own sources as this process found them first."""
    return CodeTree(PROJECT)


def code_digest(tree: ast.Module) -> str:
    """Return a hash of what a parsed module does, 64 hex digits."""
    return hashlib.sha256(_dump(tree).encode()).hexdigest()


def _read(module: str, text: bytes, package: bool) -> Source:
    tree = ast.parse(text, module)
    imported: list[Name] = []
    bound: dict[str, Name] = {}
    dynamic: list[int] = []
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            imported += [Name(alias.name) for alias in node.names]
            bound |= {alias.asname: Name(alias.name) for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, package, node)
            imported += [
                Name(base, "" if alias.name == "*" else alias.name) for alias in node.names
            ]
            bound |= {
                alias.asname or alias.name: Name(base, alias.name)
                for alias in node.names
                if alias.name != "*"
            }
        elif isinstance(node, ast.Call) and _called(node) in _IMPORTERS:
            literal = _literal(node)
            imported += [Name(literal)] if literal else []
            dynamic += [] if literal else [node.lineno]
    digest = code_digest(tree)
    return Source(
        digest,
        tuple(imported),
        bound if package else {},
        package and _only_imports(tree),
        tuple(sorted(dynamic)),
    )


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those that only type checkers look at."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _names_type_checking(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _names_type_checking(test: ast.expr) -> bool:
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def _base(module: str, package: bool, node: ast.ImportFrom) -> str:
    """Return the module that a `from ... import` names, relative ones made absolute."""
    if not node.level:
        return node.module or ""
    above = module.split(".")[: None if package and node.level == 1 else -(node.level - package)]
    return ".".join([*above, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def _literal(node: ast.Call) -> str:
    first = node.args[0] if node.args else None
    written = (
        isinstance(first, ast.Constant)
        and isinstance(first.value, str)
        and not first.value.startswith(".")
    )
    return str(first.value) if written and isinstance(first, ast.Constant) else ""


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE


def _only_imports(tree: ast.Module) -> bool:
    """Return True if a module does nothing but import and list what it offers."""
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or _does_nothing(node)
        or (
            isinstance(node, ast.Assign)
            and all(getattr(target, "id", "") == "__all__" for target in node.targets)
        )
        for node in tree.body
    )


def _does_nothing(node: ast.AST) -> bool:
    """Return True for `pass` and for a constant that stands alone: a docstring, or an ellipsis."""
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _dump(tree: ast.AST) -> str:
    out: list[str] = []
    _write(tree, out)
    return "".join(out)


def _write(value: object, out: list[str]) -> None:
    """Append a node, a list of them or a plain value, so that unlike trees have unlike texts."""
    if isinstance(value, ast.AST):
        out.append(f"{type(value).__name__}(")
        for name in value._fields:
            held = getattr(value, name, None)
            # the value of a constant may itself be None
            if name in _NOT_HASHED or (
                (held is None or held == []) and not isinstance(value, ast.Constant)
            ):
                continue
            out.append(f"{name}=")
            _write(held, out)
        out.append(")")
    elif isinstance(value, list):
        out.append("[")
        for entry in value:
            if not (isinstance(entry, ast.AST) and _does_nothing(entry)):
                _write(entry, out)
        out.append("]")
    else:
        # JSON, because what repr() escapes depends on Python's Unicode tables
        text = json.dumps(value) if isinstance(value, str) else repr(value)
        out.append(f"{type(value).__name__}:{text},")


def entry_modules(functions: Iterable[object]) -> tuple[str, ...]:
    """Return the modules that define some functions or classes.

    Raises TypeError for what says no module, such as a partial.
    """
    found = []
    for function in functions:
        module = getattr(function, "__module__", None)
        if not isinstance(module, str) or not _is_ours(module):
            raise TypeError(f"{function!r} is not defined in {PACKAGE}/")
        found.append(module)
    return tuple(dict.fromkeys(found))
