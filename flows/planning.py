"""A plan as a row a person or a program reads."""

from __future__ import annotations

from tasks.generate import Estimate, Plan


def as_row(plan: Plan) -> dict[str, object]:
    """Return a plan's figures by name; dollars are None where the model's price is unknown."""
    return {
        "model": plan.model,
        "dialogues": plan.dialogues,
        "already answered": plan.written,
        "calls": round(plan.calls.value),
        "input tokens": round(plan.input_tokens.value),
        "output tokens": round(plan.output_tokens.value),
        "output tokens 95 %": _interval(plan.output_tokens),
        "dollars": None if plan.dollars is None else plan.dollars.value,
        "dollars by batch": plan.batch_dollars,
        "hours": plan.hours,
        "bound by": plan.bound_by,
        "output estimate from": plan.output_from,
    }


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:,.0f} to {estimate.high:,.0f}"
