"""`redial serve` as a process of its own, and a handle on its Prefect server."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from flows.server.api import RetryingTransport
from tasks.polling import wait_until
from tasks.settings.paths import PROJECT
from tests.support.command import environment_without, redial_command
from tests.support.ending import end_process

START_S = 240
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
KEY = "sk-a-marker-key-of-the-tests"


@dataclass
class Served:
    """A running `redial serve`."""

    data: Path
    port: int
    process: subprocess.Popen[str]
    client: httpx.Client
    told: str = ""
    login: str = ""

    @property
    def auth(self) -> tuple[str, str] | None:
        """User and password, if it asks for them."""
        user, _, password = self.login.partition(":")
        return (user, password) if user else None

    @property
    def ui(self) -> str:
        """Address of the Prefect UI."""
        return f"http://127.0.0.1:{self.port}"

    def deployment(self, name: str) -> dict[str, Any]:
        """Return a deployment by flow/name."""
        found: dict[str, Any] = (
            self.client.get(f"/deployments/name/{name}").raise_for_status().json()
        )
        return found

    def start(self, deployment: str, **parameters: Any) -> str:
        """Start a deployment and return the run's id."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        answer = self.client.post(
            f"/deployments/{self.deployment(deployment)['id']}/create_flow_run", json=body
        )
        return str(answer.raise_for_status().json()["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run."""
        found: dict[str, Any] = self.client.get(f"/flow_runs/{run_id}").raise_for_status().json()
        return found

    def runs_of(self, deployment: str) -> list[dict[str, Any]]:
        """Return a deployment's runs, first started first."""
        chosen = {
            "deployments": {"name": {"any_": [deployment]}},
            "sort": "EXPECTED_START_TIME_ASC",
        }
        found: list[dict[str, Any]] = (
            self.client.post("/flow_runs/filter", json=chosen).raise_for_status().json()
        )
        return found

    def states(self, run_id: str) -> list[str]:
        """Return the names of the states a run went through."""
        answer = self.client.get("/flow_run_states/", params={"flow_run_id": run_id})
        return [
            state["name"]
            for state in sorted(
                answer.raise_for_status().json(), key=lambda state: state["timestamp"]
            )
        ]

    def wait(self, run_id: str, seconds: float = 240, among: set[str] = FINAL) -> dict[str, Any]:
        """Wait until a run's state is of one of some types, and return the run; a server that is down for a moment is waited for."""
        seen: dict[str, Any] = {}

        def there() -> bool:
            seen.update(self.run(run_id))
            return seen["state"]["type"] in among

        until(
            there,
            seconds,
            lambda: f"{seen.get('name')} is {seen.get('state')}\n{self.logs(run_id)}",
        )
        return seen

    def logs(self, run_id: str) -> str:
        """Return what a run told."""
        chosen = {
            "logs": {"flow_run_id": {"any_": [run_id]}},
            "sort": "TIMESTAMP_ASC",
            "limit": 200,
        }
        return "\n".join(
            line["message"]
            for line in self.client.post("/logs/filter", json=chosen).raise_for_status().json()
        )

    def artifacts(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return a run's artifacts by key."""
        chosen = {"artifacts": {"flow_run_id": {"any_": [run_id]}}}
        found = self.client.post("/artifacts/filter", json=chosen).raise_for_status().json()
        return {artifact["key"]: artifact for artifact in found if artifact["key"]}

    def pid(self, run_id: str) -> int:
        """Return the process a run lives in, once its worker has started it."""
        seen: list[str] = []

        def there() -> bool:
            seen[:] = [self.run(run_id).get("infrastructure_pid") or ""]
            return bool(seen[0])

        until(there, 120, lambda: f"run {run_id} has no process\n{self.logs(run_id)}")
        return int(seen[0].rpartition(":")[2])

    def tasks(self, run_id: str) -> dict[str, str]:
        """Return a run's tasks by name, with the names of their states."""
        chosen = {"flow_runs": {"id": {"any_": [run_id]}}}
        found = self.client.post("/task_runs/filter", json=chosen).raise_for_status().json()
        return {task["name"]: task["state"]["name"] for task in found}


def until(
    there: Callable[[], bool], seconds: float, told: Callable[[], str] = lambda: "it never came"
) -> None:
    """Wait for something. Raises AssertionError with what was printed."""

    def seen() -> bool:
        try:
            return there()
        except httpx.TransportError:
            return False  # the server is being started again

    if not wait_until(seen, seconds, 0.3):
        raise AssertionError(told())


@contextmanager
def serving(
    data: Path, *arguments: str, program: Path | None = None, **environment: str
) -> Iterator[Served]:
    """Run `redial serve` on a data folder for the length of the block, and end it politely.

    It is that of this checkout, or an installed `program`, which is run within the data folder.
    """
    command, cwd = (redial_command(None), PROJECT) if program is None else ([str(program)], data)
    port, process, told = _start([*command, "--data", str(data)], cwd, arguments, environment)
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}/api", timeout=60, transport=RetryingTransport()
    )
    served = Served(data, port, process, client, told)
    try:
        served.login = environment.get("PREFECT_SERVER_API_AUTH_STRING", "") or printed_login(
            served.told
        )
        client.auth = served.auth
        yield served
    finally:
        client.close()
        end_process(process, signal.SIGINT, 60)


def _start(
    command: list[str], cwd: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> tuple[int, subprocess.Popen[str], str]:
    """Start `redial serve` and wait until it is up; return its port, its process and what it printed.

    A port that was free a moment ago may be taken now, so another is tried.
    """
    kept = environment_without("PREFECT_")
    given = {**kept, "OPENAI_API_KEY": KEY, **environment}
    for _ in range(3):
        port = free_port_pair()
        process = subprocess.Popen(
            [*command, "serve", "--port", str(port), *arguments],
            cwd=cwd,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        told, failed = _read_until_up(process)
        if not failed:
            return port, process, told
        if "is taken" not in failed:
            break
    raise AssertionError(f"redial serve ended: {failed}")


def _read_until_up(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a starting `redial serve` prints, and its errors if it ended."""
    assert process.stdout is not None
    told = ""
    deadline = time.monotonic() + START_S
    while "Ctrl-C" not in told:
        line = process.stdout.readline()
        if not line:
            return told, process.communicate()[1] or f"exit code {process.returncode}"
        assert time.monotonic() < deadline
        told += line
    return told, ""


def printed_login(told: str) -> str:
    """Return the login that `redial serve` printed, empty if it printed none."""
    found = re.search(r"^login +(\S+:\S+)$", told, re.MULTILINE)
    return found[1] if found else ""


def free_port() -> int:
    """Return a port on loopback that was free a moment ago; whoever uses it tries again if not."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_port_pair() -> int:
    """Return a port that was free a moment ago, and the one after it too."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if port < 65_000 and probe.connect_ex(("127.0.0.1", port + 1)) != 0:
                return port


def demo_like(data: Path, name: str, **changes: Any) -> None:
    """Write a domain of our own: the demo's reviews under another name, with changes laid over its settings."""
    shipped = PROJECT / "data" / "domains"
    settings = yaml.safe_load((shipped / "demo.yaml").read_text("utf-8"))
    for kind in ("reviews", "metadata"):
        settings["sources"][kind] = [
            str((shipped / path).resolve()) for path in settings["sources"][kind]
        ]
    folder = data / "domains"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(json.dumps({**settings, **changes}), encoding="utf-8")


def released(data: Path, domain: str = "*") -> dict[str, bytes]:
    """Return every released file of a domain, or of all, by its place in the data folder."""
    found = sorted(
        path
        for folder in (data / "releases").glob(domain)
        for path in folder.rglob("*")
        if path.is_file()
    )
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in found}


def parent(pid: int) -> int:
    """Return a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])


def processes(data: Path) -> dict[int, str]:
    """Return the processes whose command line or environment names a data folder: what `redial serve` on it has started."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (
                    (folder / "cmdline")
                    .read_bytes()
                    .replace(b"\0", b" ")
                    .decode("utf-8", "replace")
                )
                environment = (folder / "environ").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            if f"REDIAL_DATA={data}\0" in environment + "\0" and command:
                found[int(folder.name)] = command
    return found
