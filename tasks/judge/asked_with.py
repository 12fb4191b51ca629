"""The settings by which a judge is asked: the limits of a domain's generation, another model."""

from __future__ import annotations

from tasks.settings import Domain, Generate, Misbehave

_OWN = ("model", "api_base", "input_cost_per_token", "output_cost_per_token")


def each_judge(domain: Domain) -> list[Generate]:
    """Return the settings by which a domain's judges are asked, the first one first."""
    both = (judge_settings(domain, confirms=confirms) for confirms in (False, True))
    return [settings for settings in both if settings is not None]


def judge_settings(domain: Domain, *, confirms: bool = False) -> Generate | None:
    """Return the settings by which a domain's judge is asked; None if it has none.

    What a probe found out about the model that writes holds for a judge only if it is the same.

    Args:
        domain: the settings.
        confirms: the judge that confirms what the first one rejects.
    """
    generate, judge = domain.generate, domain.quality.judge
    chosen = judge.confirm if confirms else judge
    if chosen is None or chosen.model is None:
        return None
    place = (chosen.model, chosen.api_base)
    is_writer = any((one.model, one.api_base) == place for one in generate.each_model())
    form = generate.structured_output if is_writer else "auto"
    window = generate.limits.context_tokens if is_writer else None
    return generate.model_copy(
        update={
            **{name: getattr(chosen, name) for name in _OWN},
            "models": (),
            "temperature": judge.temperature,
            "top_p": None,
            "max_tokens": judge.max_tokens,
            "extra": judge.extra,
            "structured_output": form,
            "limits": generate.limits.model_copy(update={"context_tokens": window}),
            "misbehave": Misbehave(),
            "max_attempts": 1,
        }
    )
