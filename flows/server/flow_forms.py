"""What a deployment takes over from its flow: name, description and the form of its parameters.

Reading it from the code imports every flow, which takes seconds; so it is kept in the data folder
for as long as code and libraries stay the same.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.redaction import one_line
from tasks.runs import code_version

OURS = "flows/"  # begins the entry points whose code `code_version` covers
LIBRARIES = ("prefect", "pydantic")


@dataclass(frozen=True)
class FlowForm:
    """One flow, as its deployments show it.

    Attributes:
        name: the name it gives itself.
        description: what it does, if it says so.
        parameters: its parameters as OpenAPI.
    """

    name: str
    description: str | None
    parameters: dict[str, Any]


def read_forms(entrypoints: list[str], kept: Path) -> dict[str, FlowForm]:
    """Return the form of each flow, by its entry point.

    Args:
        entrypoints: as prefect.yaml names flows, FILE:FUNCTION.
        kept: file in which forms of this project's flows are kept between calls.

    Raises:
        UserError: a flow cannot be loaded.
    """
    known = _read_kept(kept)
    forms = {each: known.get(each) or _load(each) for each in entrypoints}
    ours = {each: form for each, form in forms.items() if each.startswith(OURS)}
    if ours.keys() - known.keys():
        content = {each: asdict(form) for each, form in ours.items()}
        write_atomically(kept, json.dumps({"made_by": _made_by(), "forms": content}))
    return forms


def _load(entrypoint: str) -> FlowForm:
    try:
        flow: Flow[..., Any] = load_flow_from_entrypoint(entrypoint)
    except (ImportError, OSError, ValueError, AttributeError) as error:
        raise UserError(
            f"prefect.yaml names the flow {entrypoint}, which cannot be loaded: "
            f"{one_line(str(error))}"
        ) from None
    parameters = parameter_schema(flow).model_dump_for_openapi()
    return FlowForm(flow.name, flow.description, parameters)


def _read_kept(kept: Path) -> dict[str, FlowForm]:
    """Return the forms in a file; none where there is no such file, or other code has made it."""
    try:
        content = json.loads(kept.read_text("utf-8"))
        if content["made_by"] != _made_by():
            return {}
        return {each: FlowForm(**form) for each, form in content["forms"].items()}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _made_by() -> list[str]:
    """Return what a form follows from."""
    return [code_version(), sys.version, *map(version, LIBRARIES)]
