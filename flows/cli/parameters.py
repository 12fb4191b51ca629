"""A command's options made of a model's fields: type, bounds and help are those of the field."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from flows.options import BuildOptions
from flows.parameters import Fields, checked, spread
from tasks.errors import UserError
from tasks.settings import merge, parse_yaml

Result = TypeVar("Result")
SettingOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any setting of the domain file, as preprocess.core=fixpoint"),
]


def options_of(**models: Fields) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Return a decorator that gives a command an option for each field of a model it takes."""
    return spread(as_option, **models)


def as_option(name: str, field: FieldInfo) -> Any:
    """Return a field's annotation as Typer reads it.

    A field that is true or false becomes a flag without a `--no-` twin.
    """
    least: Any = next((one.ge for one in field.metadata if isinstance(one, Ge)), None)
    most: Any = next((one.le for one in field.metadata if isinstance(one, Le)), None)
    flag = [f"--{name.replace('_', '-')}"] if field.annotation is bool else []
    return Annotated[
        _plain(field.annotation), typer.Option(*flag, help=field.description, min=least, max=most)
    ]


def _plain(annotation: Any) -> Any:
    """Return a type without what only pydantic understands.

    `Annotated[str, ...] | None` becomes `str | None`.
    """
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return Union[tuple(_plain(kind) for kind in get_args(annotation))]  # noqa: UP007 - made of values
    return annotation


def with_settings(options: BuildOptions, pairs: list[str] | None) -> BuildOptions:
    """Return options with what `--set` gave. Raises UserError."""
    chosen: BuildOptions = checked(
        BuildOptions, **{**options.model_dump(exclude_unset=True), "settings": settings_from(pairs)}
    )
    return chosen


def with_cascade(options: BuildOptions, models: list[str]) -> BuildOptions:
    """Return options that name models in place of the domain's own, the cheapest first."""
    over = {"generate": {"model": models[0], "models": models}}
    chosen = {**options.model_dump(exclude_unset=True), "settings": merge(options.settings, over)}
    return checked(BuildOptions, **chosen)  # type: ignore[no-any-return]


def settings_from(pairs: list[str] | None) -> dict[str, Any]:
    """Turn `a.b=value` pairs into nested settings; values are read as YAML. Raises UserError."""
    settings: dict[str, Any] = {}
    for pair in pairs or []:
        path, sign, text = pair.partition("=")
        if not sign or not all(path.split(".")):
            raise UserError(
                f"--set {pair!r} is not of the form section.name=value, such as "
                "preprocess.core=fixpoint"
            )
        nested: Any = parse_yaml(text, f"--set {path}: the value {text[:80]!r}")
        for part in reversed(path.split(".")):
            nested = {part: nested}
        settings = merge(settings, nested)
    return settings
