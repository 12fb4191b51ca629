"""The work pool of our deployments.

Its base job template, work_pool.json, has no variables: Prefect's API refuses job variables of a
run or a deployment. Runs send heartbeats, which automations.yaml waits for, and write to no pipe of
their worker: they go on when the worker is lost.
"""

from __future__ import annotations

import json
from typing import Any

import httpx

from tasks.settings import PROJECT

POOL = "redial"
TYPE = "process"
TEMPLATE = PROJECT / "work_pool.json"


def load_template() -> dict[str, Any]:
    """Return the base job template as it is on this machine."""
    template: dict[str, Any] = json.loads(TEMPLATE.read_text("utf-8"))
    return template


def put_pool(client: httpx.Client) -> None:
    """Create the work pool, or give one that is there our template.

    Raises:
        httpx.HTTPError: the server refuses.
    """
    if client.get(f"/work_pools/{POOL}").status_code == 200:
        answer = client.patch(f"/work_pools/{POOL}", json={"base_job_template": load_template()})
    else:
        pool = {"name": POOL, "type": TYPE, "base_job_template": load_template()}
        answer = client.post("/work_pools/", json=pool)
    answer.raise_for_status()
