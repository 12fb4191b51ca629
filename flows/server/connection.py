"""Finds out whether the configured Prefect server can be used, before anything begins."""

from __future__ import annotations

import os

import httpx
from packaging.version import InvalidVersion, Version
from prefect import __version__ as our_version
from prefect.client.base import ServerType
from prefect.client.orchestration import get_client
from prefect.context import get_settings_context
from prefect.settings import get_current_settings, temporary_settings

from flows.server.login import CLIENT_LOGIN, HOSTS
from tasks.addresses import connection_problem
from tasks.errors import UserError
from tasks.redaction import redact

ADDRESS = "PREFECT_API_URL"
ANSWER_S = 10.0


def check_server() -> None:
    """Raise UserError when the configured Prefect server does not answer or refuses us.

    Takes ANSWER_S at most. Prefect's own client asks, so that its settings for TLS, logins and
    proxies count here as in a run.
    """
    if not get_current_settings().api.url:
        raise UserError(
            f"no Prefect server is configured: set {ADDRESS} to its address, which ends with /api"
        )
    with temporary_settings(updates={"client.max_retries": 0}):
        client = get_client(sync_client=True, httpx_settings={"timeout": ANSWER_S})
        if client.server_type is ServerType.CLOUD:
            return  # has no version to ask for
        try:
            version = client.api_version()
        except httpx.HTTPStatusError as error:
            raise UserError(_refused(error.response)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            problem = connection_problem(error, ANSWER_S)
            raise UserError(
                f"no Prefect server answers at {_where()}: {problem}; {_way_out()}"
            ) from None
        except ValueError:
            raise UserError(_not_prefect("it answers with something else than a version")) from None
    _check_version(version)


def _check_version(version: object) -> None:
    try:
        theirs = Version(str(version))
    except InvalidVersion:
        raise UserError(_not_prefect("it answers with something else than a version")) from None
    if theirs.major != Version(our_version).major:
        raise UserError(
            f"the server at {_where()} is Prefect {theirs}, this is Prefect {our_version}: "
            "the major versions must be equal"
        )


def _refused(answer: httpx.Response) -> str:
    """Return what an answer other than 200 means."""
    code = answer.status_code
    if code == httpx.codes.UNAUTHORIZED and get_current_settings().api.auth_string:
        return (
            f"the Prefect server at {_where()} does not accept the login in "
            f"{CLIENT_LOGIN}: set it to the server's user:password"
        )
    if code == httpx.codes.UNAUTHORIZED:
        return (
            f"the Prefect server at {_where()} asks for a login: set {CLIENT_LOGIN} to "
            "its user:password"
        )
    if code in (httpx.codes.FORBIDDEN, httpx.codes.MISDIRECTED_REQUEST):
        return (
            f"the server at {_where()} refuses this request (HTTP {code}): name the host "
            f"it is reached by in its {HOSTS}"
        )
    if code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return f"no Prefect server answers at {_where()}: HTTP {code}; {_way_out()}"
    return _not_prefect(f"HTTP {code}")


def _not_prefect(answer: str) -> str:
    return (
        f"what answers at {_where()} is not the API of a Prefect server ({answer}): its "
        "address ends with /api"
    )


def _where() -> str:
    """Return the address, without a login, and where it was set."""
    address = redact(get_current_settings().api.url or "")
    if ADDRESS in os.environ:
        return f"{address} ({ADDRESS})"
    profile = profile_of_address()
    return (
        f"{address} (the Prefect profile {profile})"
        if profile
        else f"{address} (Prefect's settings)"
    )


def profile_of_address() -> str:
    """Return the name of the active Prefect profile if it is what sets the address."""
    profile = get_settings_context().profile
    return profile.name if any(setting.name == ADDRESS for setting in profile.settings) else ""


def _way_out() -> str:
    if ADDRESS not in os.environ and profile_of_address():
        return f"start that server, or run `prefect config unset {ADDRESS}` to do without one"
    return f"start that server, or unset {ADDRESS} to do without one"
