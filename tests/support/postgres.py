"""A PostgreSQL server of its own on loopback, for tests: Debian's programs, a fresh cluster, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.served import free_port

OWNER = "postgres"  # who runs it when the tests run as root, which PostgreSQL refuses
PASSWORD = "of the tests"


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, which Debian keeps off the path; None if PostgreSQL is not installed."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server for the length of the block; yield the address under which Prefect reaches it."""
    found = programs()
    assert found is not None
    # Not tmp_path, which only root may enter.
    folder = Path(tempfile.mkdtemp(prefix="redial-postgres-"))
    password = folder / "password"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (folder, password):
            shutil.chown(path, OWNER, pwd.getpwnam(OWNER).pw_gid)
    cluster = folder / "cluster"
    _run(
        [
            str(found / "initdb"),
            "-D",
            str(cluster),
            "-U",
            "prefect",
            "--pwfile",
            str(password),
            "--auth",
            "scram-sha-256",
        ]
    )
    control = [str(found / "pg_ctl"), "-D", str(cluster), "-w"]
    try:
        port = _start([*control, "-l", str(folder / "log")], folder)
        shown = PASSWORD.replace(" ", "%20")
        yield f"postgresql+asyncpg://prefect:{shown}@127.0.0.1:{port}/postgres"
    finally:
        _run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder)


def _start(command: list[str], folder: Path) -> int:
    """Start the server and return its port; one that was taken in the meantime is not used."""
    settings = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    for attempt in range(3):
        port = free_port()
        try:
            _run([*command, "-o", f"{settings} -c port={port}", "start"])
        except subprocess.CalledProcessError:
            if attempt == 2:
                raise
        else:
            break
    return port


def _run(command: list[str]) -> None:
    """Run one of PostgreSQL's programs as a user that is not root. Raises CalledProcessError."""
    allowed = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*allowed, *command],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )
