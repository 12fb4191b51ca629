"""Where a run that was started through a server may send what this machine holds.

That is requests with a provider's key, and pickled work.

Whoever may start a run chooses its parameters. A worker's keys go only to the providers themselves
and to endpoints that are named on the worker's machine: in the domain file, or in REDIAL_API_BASES.
A command's own user is asked nothing: the keys are theirs.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from flows.server.process_identity import FLOW_RUN_ID
from tasks.addresses import LOOPBACK_HOSTS
from tasks.errors import UserError
from tasks.settings import Domain, Generate, Home, load_domain

API_BASES = "REDIAL_API_BASES"
SCHEDULERS = "REDIAL_DASK_SCHEDULERS"
# providers of servers on one's own machine, and the variable of a key that would be sent all the
# same
KEYLESS = {
    "hosted_vllm": "HOSTED_VLLM_API_KEY",
    "llamafile": "LLAMAFILE_API_KEY",
    "lm_studio": "LM_STUDIO_API_KEY",
    "ollama": "OLLAMA_API_KEY",
    "ollama_chat": "OLLAMA_API_KEY",
}


def started_by_server() -> bool:
    """Return True if a worker started this process for a run, and False if a user's command did."""
    return FLOW_RUN_ID in os.environ


def check_endpoint(model: str, api_base: str | None, configured: Generate | None = None) -> None:
    """Raise UserError when a server's run would send a key to an endpoint unknown here.

    Args:
        model: litellm model string.
        api_base: the endpoint the run asks for.
        configured: what the domain file on this machine says, if there is one.
    """
    if not started_by_server():
        return
    if "://" in model and not (configured and model == configured.model):
        raise UserError(
            f"the model {model!r} holds an address, which a run cannot choose: name model "
            "and api_base in the domain file"
        )
    known = {
        *_listed(API_BASES),
        *([configured.api_base] if configured and configured.api_base else []),
    }
    if api_base and _plain(api_base) not in map(_plain, known) and not _is_keyless(model, api_base):
        raise UserError(
            f"the endpoint {api_base} came with the run, and this worker sends keys only to "
            "endpoints it knows: "
            f"name it in the domain file or in {API_BASES} in the worker's environment"
        )


def check_domain_endpoint(domain: Domain) -> None:
    """Raise UserError when an endpoint of a domain's settings came with a server's run.

    It must be in the domain file of this machine; so must the store of journals, which is written
    to with this machine's credentials.
    """
    if started_by_server():
        configured = _on_this_machine(domain.name)
        store = domain.generate.journals
        if store and store != (configured and configured.journals):
            raise UserError(
                f"the store of journals {store} came with the run: name it in the domain file"
            )
        known = configured.each_model() if configured else ()
        for settings in domain.generate.each_model():
            here = [one for one in known if one.model == settings.model]
            check_endpoint(settings.model, settings.api_base, here[0] if here else configured)


def check_scheduler(address: str | None) -> None:
    """Raise UserError when a server's run names a Dask cluster that this machine does not.

    The cluster would get pickles to run.
    """
    if (
        started_by_server()
        and address
        and not address.startswith("local:")
        and address not in _listed(SCHEDULERS)
    ):
        raise UserError(
            f"the Dask cluster {address} came with the run: name it in {SCHEDULERS} in the "
            "worker's environment"
        )


def _on_this_machine(name: str) -> Generate | None:
    home = Home.find(None)  # whatever data folder the run names
    return load_domain(home, name).generate if name in home.domain_files() else None


def _listed(variable: str) -> set[str]:
    return {entry.strip() for entry in os.environ.get(variable, "").split(",") if entry.strip()}


def _plain(address: str) -> str:
    return address.rstrip("/")


def _is_keyless(model: str, api_base: str) -> bool:
    """Return True if requests go to this machine itself and carry no key."""
    variable = KEYLESS.get(model.partition("/")[0])
    try:
        host = urlsplit(api_base).hostname
    except ValueError:
        return False
    return variable is not None and not os.environ.get(variable) and host in LOOPBACK_HOSTS
