"""Waiting until a server answers."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tasks.polling import wait_until


def wait_for_server(
    client: httpx.Client, path: str, seconds: float, alive: Callable[[], bool] = lambda: True
) -> bool:
    """Ask a server until it answers a path with 200, and return whether it does.

    Args:
        client: knows the server's address.
        path: what is asked for.
        seconds: how long to go on asking.
        alive: whether asking still makes sense, as it does not when the server's process has ended.
    """
    up = False

    def answers_or_ended() -> bool:
        nonlocal up
        up = _answers(client, path)
        return up or not alive()

    wait_until(answers_or_ended, seconds)
    return up


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False
