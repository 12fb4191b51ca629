"""Refuses parameters that a deployment's flow does not know, with the name that was meant.

Prefect's server lets them in, and the run's process then ends before the flow is called: the run
would count as crashed and be started again. So our worker looks at them before it starts the
process, and a pull step does so for a plain Prefect worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort
from prefect.runtime import flow_run
from prefect.states import Failed

from flows.run_states import REFUSED
from tasks.errors import UserError
from tasks.settings import similar_names

Schema = Mapping[str, Any]


async def refuse_unknown_parameters() -> dict[str, Any]:
    """End this run as refused if it was given a parameter its flow does not know."""
    async with get_client() as client:
        error = await refuse_run(client, await client.read_flow_run(UUID(flow_run.get_id())))
    if error is not None:
        raise Abort(str(error))
    return {}


async def refuse_run(client: PrefectClient, run: FlowRun) -> UserError | None:
    """End a run as refused if it was given a parameter its flow does not know.

    Return what is wrong, or None.
    """
    deployment = await client.read_deployment(run.deployment_id) if run.deployment_id else None
    schema: Schema = (deployment.parameter_openapi_schema if deployment else None) or {}
    faults = list(unknown_parameters(schema, run.parameters))
    if not faults:
        return None
    error = UserError("; ".join(faults))
    await client.set_flow_run_state(run.id, Failed(name=REFUSED, message=str(error)), force=True)
    return error


def unknown_parameters(schema: Schema, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each unknown name in parameters.

    Args:
        schema: a deployment's parameters as OpenAPI: `properties`, and the models they refer to.
        given: the parameters a run was started with.
    """
    if schema.get("properties"):
        yield from _unknown(schema, schema.get("definitions", {}), given, "")


def _unknown(
    schema: Schema, models: Mapping[str, Schema], given: Mapping[str, Any], above: str
) -> Iterator[str]:
    known = schema["properties"]
    for name, value in given.items():
        if name not in known:
            meant = similar_names(name, known)
            yield f"{above}{name} is not a known parameter" + (
                f" (did you mean {above}{meant[0]}?)" if meant else ""
            )
            continue
        below = _model(known[name], models)
        if below is not None and isinstance(value, Mapping):
            yield from _unknown(below, models, value, f"{above}{name}.")


def _model(described: Schema, models: Mapping[str, Schema]) -> Schema | None:
    """Return the model that a parameter takes, if it takes one with known fields."""
    references = [described, *described.get("allOf", []), *described.get("anyOf", [])]
    named = next((one["$ref"] for one in references if "$ref" in one), None)
    model = models.get(named.rpartition("/")[2]) if named else None
    return model if model and model.get("properties") else None
