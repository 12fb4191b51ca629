"""The fields of a pydantic model as parameters of a function, so that an option is typed once.

A flow or a command takes its options as one model; Prefect and Typer see a parameter for each
field, with the field's type, bounds, default and description.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from tasks.errors import UserError
from tasks.settings import validation_line

Result = TypeVar("Result")
Annotate = Callable[[str, FieldInfo], Any]
Fields = tuple[type[BaseModel], tuple[str, ...]]
"""A model and the names of those of its fields that become parameters."""


def fields_of(model: type[BaseModel], *only: str, without: Sequence[str] = ()) -> Fields:
    """Return a model with the fields that become parameters: those named, or all but some."""
    return model, only or tuple(name for name in model.model_fields if name not in without)


def spread(
    annotate: Annotate, **models: Fields
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Return a decorator that replaces keyword-only parameters by the fields of their models.

    In the docstring's Args the line of such a parameter is replaced by lines for the fields.

    Args:
        annotate: returns a parameter's annotation for the name and description of a field.
        models: what each parameter to be replaced takes.
    """

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        signature = inspect.signature(function, eval_str=True)
        parameters = [
            one for old in signature.parameters.values() for one in _replaced(old, models, annotate)
        ]
        shown = signature.replace(parameters=parameters)

        def taken(args: Any, kwargs: Any) -> dict[str, Any]:
            given = shown.bind(*args, **kwargs).arguments
            for name, (model, names) in models.items():
                chosen = {field: given.pop(field) for field in names if field in given}
                given[name] = checked(model, **chosen)
            return given

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Result:
            return function(**taken(args, kwargs))

        @wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await function(**taken(args, kwargs))  # type: ignore[misc]

        made: Any = awaited if inspect.iscoroutinefunction(function) else called
        made.__signature__ = shown
        made.__annotations__ = {one.name: one.annotation for one in parameters}
        made.__doc__ = _documented(function.__doc__ or "", models)
        return cast("Callable[..., Result]", made)

    return decorate


def as_parameter(name: str, field: FieldInfo) -> Any:
    """Return a field's annotation as Prefect reads it: its type, with bounds and description."""
    bounded = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return Annotated[bounded, Field(description=field.description)]


def checked(model: type[BaseModel], /, **values: Any) -> Any:
    """Return a model of a caller's choices.

    Raises UserError naming the option that is wrong, and the one that was meant.
    """
    try:
        return model(**values)
    except ValidationError as error:
        raise UserError(f"option {validation_line(error, model)}") from None


def _replaced(
    old: inspect.Parameter, models: Mapping[str, Fields], annotate: Annotate
) -> Iterator[inspect.Parameter]:
    if old.name not in models:
        yield old
        return
    model, names = models[old.name]
    for name in names:
        field = model.model_fields[name]
        yield inspect.Parameter(
            name, old.kind, default=field.get_default(), annotation=annotate(name, field)
        )


def _documented(text: str, models: Mapping[str, Fields]) -> str:
    for parameter, (model, names) in models.items():
        match = re.search(rf"^( *){parameter}: .*$", text, flags=re.MULTILINE)
        if match:
            lines = [f"{match[1]}{name}: {model.model_fields[name].description}" for name in names]
            text = text.replace(match[0], "\n".join(lines))
    return text
