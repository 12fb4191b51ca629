"""Processes of our own that begin with the large libraries imported: forked, where a fresh interpreter would import them for seconds.

The libraries are imported once by the fork server of the test run. The project's own code is
imported in each process, so that a process may run a changed copy of it.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

# For a process to end, on a machine that does much else: a build takes ten seconds of processor time.
PATIENCE_S = 1_200.0
PROJECT = Path(__file__).resolve().parents[2]
# Not Prefect, which reads its settings from the environment when it is imported, but what it
# imports; not polars, whose threads do not live through a fork.
LIBRARIES = (
    *("duckdb", "litellm", "great_expectations", "typer", "rich", "griffe", "pendulum"),
    *(
        "opentelemetry.trace",
        "prometheus_client",
        "pydantic_extra_types",
        "starlette.routing",
        "fsspec",
    ),
    *("websockets.asyncio.client", "matplotlib.backends.backend_svg", "matplotlib.figure"),
)


class Forked:
    """A process that was started here; used as `subprocess.Popen` is."""

    def __init__(self, process: BaseProcess, folder: Path) -> None:
        """Take a process that was started, and the folder its output is written to."""
        self._process, self._folder = process, folder
        assert process.pid is not None
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended within `timeout` seconds.
        """
        self._process.join(timeout)
        code = self.returncode
        if code is None:
            raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if the process has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float = PATIENCE_S) -> tuple[str, str]:
        """Wait for the end and return what was printed, as standard output and standard error."""
        self.wait(timeout)
        return self._printed("stdout"), self._printed("stderr")

    def _printed(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8", errors="replace")


def fork(
    entry: str,
    *words: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    leads_group: bool = False,
) -> Forked:
    """Start a process that calls a function of a module.

    Args:
        entry: the function, as `package.module:function`.
        words: what `sys.argv` holds after the program's name.
        environment: the process's whole environment; ours if None.
        folder: the folder it works in and imports from; ours if None.
        leads_group: whether the process leads a process group and a session of its own.
    """
    printed = Path(tempfile.mkdtemp(dir=_outputs().name))
    given = dict(os.environ if environment is None else environment)
    arguments = (entry, words, given, str(folder or Path.cwd()), str(printed), leads_group)
    (printed / "stdout").touch()
    (printed / "stderr").touch()
    process = _server().Process(target=_begin, args=arguments, daemon=True)
    process.start()
    return Forked(process, printed)


def run_forked(
    entry: str,
    *words: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float = PATIENCE_S,
) -> subprocess.CompletedProcess[str]:
    """Run such a process to its end; kill it after `timeout` seconds.

    Raises:
        subprocess.TimeoutExpired: it had not ended by then.
    """
    process = fork(entry, *words, environment=environment, folder=folder)
    try:
        stdout, stderr = process.communicate(timeout)
    finally:
        process.kill()
    return subprocess.CompletedProcess([entry, *words], process.wait(), stdout, stderr)


@cache
def _outputs() -> tempfile.TemporaryDirectory[str]:
    """Return the folder of all outputs, which goes with this process."""
    return tempfile.TemporaryDirectory(prefix="forked-")


def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    return context


def _begin(
    entry: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    printed: str,
    leads_group: bool,
) -> None:
    """Make this process what a fresh one would be, and call the entry point."""
    if leads_group:
        os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    _print_to(Path(printed))
    _forget_modules_of_the_project()
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    others = [path for path in sys.path if path not in ("", str(PROJECT))]
    sys.path = [folder, *filter(None, paths), *others]
    module, _, function = entry.partition(":")
    sys.argv = [module, *words]
    getattr(importlib.import_module(module), function)()


def _print_to(folder: Path) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)


def _forget_modules_of_the_project() -> None:
    for name in list(sys.modules):
        if name.split(".", 1)[0] in ("flows", "tasks", "tests"):
            del sys.modules[name]
