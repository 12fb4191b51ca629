"""What `redial build demo` goes through in a fresh data folder.

Counted in the command's own process: YAML files parsed, YAML files opened (once each by
`code_version`, which hashes the bytes of the checkout), and DuckDB connections opened. Seconds by
the clock and of the processor are those of the private server as well. A second run, which is traced
and takes several times as long, gives the files of the project entered: modules of which code ran.

python -m tests.benchmarks.build_hops [--project CHECKOUT] [--no-trace]
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).resolve()
ROOMS = ("flows", "tasks")


class Counts:
    """What one process did with the files of a project."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.entered: set[str] = set()
        self.yaml: Counter[str] = Counter()
        self.connections = 0
        self.parsed = 0

    def watch(self, traced: bool) -> None:
        """Count from now on, in all threads."""
        import duckdb
        import yaml

        connect, load = duckdb.connect, yaml.load

        def counted(*args: Any, **named: Any) -> Any:
            self.connections += 1
            return connect(*args, **named)

        def parsed(*args: Any, **named: Any) -> Any:
            caller = sys._getframe(1)
            if caller.f_globals["__name__"] == "yaml":  # by way of `safe_load`
                caller = caller.f_back or caller
            self.parsed += caller.f_globals["__name__"].partition(".")[0] in ROOMS
            return load(*args, **named)

        duckdb.connect, yaml.load = counted, parsed
        sys.addaudithook(self._note_open)
        if traced:
            threading.settrace(self._note_call)
            sys.settrace(self._note_call)

    def _note_open(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not str(arguments[0]).endswith(".yaml"):
            return
        path, mode = Path(str(arguments[0])), str(arguments[1] or "r")
        if "r" in mode and path.is_relative_to(self.project):
            self.yaml[path.relative_to(self.project).as_posix()] += 1

    def _note_call(self, frame: FrameType, event: str, _: Any) -> None:
        """Note the module of a function that is called; its lines are not traced."""
        name = frame.f_globals.get("__name__", "")
        is_own_body = frame.f_code.co_name == "<module>"
        if event == "call" and not is_own_body and str(name).partition(".")[0] in ROOMS:
            self.entered.add(name)

    def write(self, path: Path) -> None:
        """Write the counts as JSON."""
        counts = {
            "entered": sorted(self.entered),
            "yaml": dict(self.yaml),
            "connections": self.connections,
            "parsed": self.parsed,
        }
        path.write_text(json.dumps(counts), encoding="utf-8")


def build(data: Path, traced: bool, out: Path) -> None:
    """Run the command in this process, as it is run by its script, and write what was counted."""
    counts, leave = Counts(Path.cwd()), os._exit
    counts.watch(traced)

    def leaving(code: int) -> None:
        counts.write(out)
        leave(code)

    os._exit = leaving  # type: ignore[assignment]
    atexit.register(counts.write, out)
    from flows.cli import main

    sys.argv = ["redial", "--data", str(data), "build", "demo"]
    main()


def run_once(project: Path, traced: bool) -> tuple[float, float, dict[str, Any]]:
    """Build once in a process and folder of its own.

    Returns:
        Seconds by the clock, seconds of the processor, and the counts.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts.json"
        command = [sys.executable, str(HERE), "--data", f"{folder}/data", "--out", str(out)]
        environment = {key: value for key, value in os.environ.items() if "PREFECT" not in key}
        environment["PYTHONPATH"] = str(project)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [*command, *([] if traced else ["--no-trace"])],
            cwd=project,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, used, json.loads(out.read_text("utf-8"))


def main() -> None:
    """Print the figures of a checkout; or, called by itself, build once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=HERE.parents[2])
    parser.add_argument("--no-trace", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.data:
        build(options.data, not options.no_trace, options.out)
        return
    project = options.project.resolve()
    seconds, used, counts = run_once(project, traced=False)
    reads = counts["yaml"]
    twice = {name: times for name, times in sorted(reads.items()) if times > 1}
    sys.stdout.write(
        f"| YAML files parsed | {counts['parsed']} times |\n"
        f"| YAML files opened | {sum(reads.values())} times, {len(reads)} files |\n"
        f"| DuckDB connections | {counts['connections']} |\n"
        f"| wall seconds | {seconds:.1f} |\n"
        f"| processor seconds | {used:.1f} |\n"
        f"load average {os.getloadavg()[0]:.1f}; read more than once: {twice or 'none'}\n"
    )
    sys.stdout.flush()
    if not options.no_trace:
        _, _, counts = run_once(project, traced=True)
        sys.stdout.write(f"| files entered | {len(counts['entered'])} |\n")


if __name__ == "__main__":
    main()
