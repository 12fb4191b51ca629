"""The code that a function reaches, by reading the sources, with a hash of each module.

A cached stage is valid only while no code that made it has changed. That code follows from the
imports: from the module that defines the stage's function to every module of the project that it
imports, and so on.

- The unit is the module. Every import counts, also within functions, except those under `if
  TYPE_CHECKING`, which are never executed.
- A name imported from a package is followed through its `__init__` to the module that defines it:
  `from tasks.ingest import ingest` reaches `tasks.ingest.stage` and what that imports, not all
  that the package exports. A package whose `__init__` does more than import is reached whenever
  one of its modules is. `import tasks.a as a` reaches all that `tasks.a` imports.
- The hash is of the parsed tree without comments, docstrings, `pass` and positions. It is not made
  by `ast.dump`, whose output differs between versions of Python; empty fields are left out,
  because newer versions add such fields.
- `import_module` of a computed name cannot be followed; `CodeTree.dynamic_imports` lists such
  calls, and a test refuses them.

The sources are read once, when the tree is created, and the project's own tree once per process: a
file that is edited during a run counts from the next run on, which is the first to execute it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

SCHEME = 1
"""Version of how stages are identified.

Raised when what is hashed changes, so that every stage is redone once.
"""

# Only imports within it are followed; flows/ is wiring, which passes settings on and makes no rows.
PACKAGE = "tasks"
PROJECT = Path(__file__).resolve().parents[1]
# In a wheel the modules lie within this package, see setup.py; it is the same code.
_WHEEL = "llm_redial."
_WITHIN_WHEEL = re.compile(rb"\bllm_redial\.(?=(?:flows|tasks)\b)")
# Fields that follow from the position in the tree, or have no effect when executed.
_NOT_HASHED = frozenset({"ctx", "type_comment", "kind"})
_IMPORTERS = frozenset(
    {"import_module", "__import__", "spec_from_file_location", "run_module", "run_path"}
)


@dataclass(frozen=True)
class Name:
    """An imported name: `name` of `module`, or the module itself if `name` is empty."""

    module: str
    name: str = ""


@dataclass(frozen=True)
class Source:
    """One parsed module.

    Attributes:
        digest: hash of its code, 64 hex digits.
        imported: every name it imports, of the project or not.
        bound: of a package's `__init__`: the names that its import statements bind, and their
            origin.
        only_imports: an `__init__` does nothing but import.
        dynamic: lines that import a module by a computed name.
    """

    digest: str
    imported: tuple[Name, ...]
    bound: Mapping[str, Name]
    only_imports: bool
    dynamic: tuple[int, ...]


@dataclass(frozen=True)
class Reached:
    """The project's modules that some modules reach, with their hashes, and the libraries."""

    modules: Mapping[str, str]
    libraries: frozenset[str]


@dataclass(frozen=True)
class CodeTree:
    """The Python sources of one folder, as they were when the tree was created."""

    root: Path
    _sources: dict[str, Source] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Read every file now, so that all stages of a run have the same state of the code."""
        self._texts  # noqa: B018 - the first access reads the files

    @cached_property
    def _texts(self) -> dict[str, tuple[bytes, bool]]:
        """Every module's text by name, with True if it is a package's `__init__`."""
        texts = {}
        for path in sorted((self.root / PACKAGE).rglob("*.py")):
            parts = path.relative_to(self.root).with_suffix("").parts
            package = parts[-1] == "__init__"
            text = _WITHIN_WHEEL.sub(b"", path.read_bytes())
            texts[".".join(parts[:-1] if package else parts)] = (text, package)
        return texts

    def modules(self) -> list[str]:
        """Return the names of all modules."""
        return sorted(self._texts)

    def is_package(self, module: str) -> bool:
        """Return True if a module is a package."""
        return module in self._texts and self._texts[module][1]

    def source(self, module: str) -> Source:
        """Return one parsed module.

        Raises ModuleNotFoundError, and SyntaxError on a file that is not Python.
        """
        if module not in self._texts:
            raise ModuleNotFoundError(f"{self.root} has no module {module}")
        if module not in self._sources:
            self._sources[module] = _read(module, *self._texts[module])
        return self._sources[module]

    def reached(self, *entries: str) -> Reached:
        """Return what some modules reach, including themselves. Raises ModuleNotFoundError."""
        reached: set[str] = set()
        libraries: set[str] = set()
        waiting = [entry.removeprefix(_WHEEL) for entry in entries]
        while waiting:
            module = waiting.pop()
            if module in reached:
                continue
            reached.add(module)
            waiting += self._parents(module)
            for name in self.source(module).imported:
                if _is_ours(name.module):
                    waiting.append(self._definer(name, frozenset()))
                else:
                    libraries.add(name.module.partition(".")[0])
        digests = {module: self.source(module).digest for module in sorted(reached)}
        return Reached(digests, frozenset(libraries))

    def dynamic_imports(self) -> list[str]:
        """Return each import of a module by a computed name, as MODULE:LINE."""
        places: list[str] = []
        for module in self.modules():
            places += [f"{module}:{line}" for line in self.source(module).dynamic]
        return places

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
        submodule = f"{name.module}.{name.name}"
        return submodule if bound is None and submodule in self._texts else name.module


@cache
def project_code() -> CodeTree:
    """Return the project's own sources as this process read them first."""
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
            for alias in node.names:
                if alias.name == "*":
                    imported.append(Name(base))
                else:
                    imported.append(Name(base, alias.name))
                    bound[alias.asname or alias.name] = Name(base, alias.name)
        elif isinstance(node, ast.Call) and _called(node) in _IMPORTERS:
            literal = _literal(node)
            if literal:
                imported.append(Name(literal))
            else:
                dynamic.append(node.lineno)
    return Source(
        code_digest(tree),
        tuple(imported),
        bound if package else {},
        package and _only_imports(tree),
        tuple(sorted(dynamic)),
    )


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node except those for type checkers only."""
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
    """Return the module of a `from ... import`, relative ones as absolute."""
    if not node.level:
        return node.module or ""
    # A package is itself the base of its own level 1.
    parts = module.split(".")
    base = parts[: len(parts) - (node.level - package)]
    return ".".join([*base, node.module] if node.module else base)


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def _literal(node: ast.Call) -> str:
    """Return a call's first argument if it is an absolute module name, else an empty text."""
    first = node.args[0] if node.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return ""
    return "" if first.value.startswith(".") else first.value


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE


def _only_imports(tree: ast.Module) -> bool:
    """Return True if a module does nothing but import and list its exports."""
    return all(
        isinstance(node, ast.Import | ast.ImportFrom) or _does_nothing(node) or _is_exports(node)
        for node in tree.body
    )


def _is_exports(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and all(
        getattr(target, "id", "") == "__all__" for target in node.targets
    )


def _does_nothing(node: ast.AST) -> bool:
    """Return True for `pass` and for a constant as a statement: a docstring, or an ellipsis."""
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _dump(tree: ast.AST) -> str:
    out: list[str] = []
    _write(tree, out)
    return "".join(out)


def _write(value: object, out: list[str]) -> None:
    """Append a node, a list of nodes or a plain value; different trees give different texts."""
    if isinstance(value, ast.AST):
        out.append(f"{type(value).__name__}(")
        for name in value._fields:
            child = getattr(value, name, None)
            # Empty fields are left out, but the value of a constant may itself be None.
            is_empty = child is None or child == []
            if name in _NOT_HASHED or (is_empty and not isinstance(value, ast.Constant)):
                continue
            out.append(f"{name}=")
            _write(child, out)
        out.append(")")
    elif isinstance(value, list):
        out.append("[")
        for entry in value:
            if not (isinstance(entry, ast.AST) and _does_nothing(entry)):
                _write(entry, out)
        out.append("]")
    else:
        # JSON, because which characters repr() escapes depends on Python's Unicode tables.
        text = json.dumps(value) if isinstance(value, str) else repr(value)
        out.append(f"{type(value).__name__}:{text},")


def entry_modules(functions: Iterable[object]) -> tuple[str, ...]:
    """Return the modules that define some functions or classes.

    Raises TypeError for objects without a module, such as a partial.
    """
    modules = []
    for function in functions:
        module = str(getattr(function, "__module__", "")).removeprefix(_WHEEL)
        if not _is_ours(module):
            raise TypeError(f"{function!r} is not defined in {PACKAGE}/")
        modules.append(module)
    return tuple(dict.fromkeys(modules))
