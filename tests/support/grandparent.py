"""A process that starts another in a session of its own, as a worker starts a flow run, and tells its process id in a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

RUN = """
import os, sys, time
from pathlib import Path
from flows.server.instance_lock import exit_when_server_stops
exit_when_server_stops()
Path(sys.argv[1] + ".part").write_text(str(os.getpid()), "ascii")
os.replace(sys.argv[1] + ".part", sys.argv[1])
time.sleep(60)
"""

if __name__ == "__main__":
    subprocess.Popen(
        [sys.executable, "-c", RUN, sys.argv[1]],
        start_new_session=True,
        env={**os.environ, "REDIAL_SERVE_LOCK": str(Path(sys.argv[1]).parent / "a" / "b" / "lock")},
    )
    time.sleep(60)
