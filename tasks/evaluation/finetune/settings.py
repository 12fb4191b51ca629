"""Settings of local fine-tuning: one YAML file a base model."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.errors import UserError
from tasks.llm import Message
from tasks.settings import Home, read_yaml, validation_line


class LoraSettings(BaseModel):
    """How a local model is fine-tuned with LoRA, and how it is spoken to."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    base_model: str = Field(
        min_length=1, description="Hugging Face name or folder of the base model"
    )
    base_adapter: str | None = Field(
        None, description="Adapter the base model is published as, merged before training"
    )
    prompt: str = Field(
        description="How the model was taught to be spoken to; $prompt is the question"
    )
    rank: int = Field(8, ge=1)
    alpha: int = Field(16, ge=1)
    dropout: float = Field(0.05, ge=0, lt=1)
    target_modules: tuple[str, ...] = Field(("q_proj", "k_proj", "v_proj", "o_proj"), min_length=1)
    learning_rate: float = Field(2e-4, gt=0)
    epochs: int = Field(3, ge=1)
    batch: int = Field(4, ge=1, description="Examples computed at once")
    accumulate: int = Field(4, ge=1, description="Batches before a step")
    max_tokens: int = Field(
        2048, ge=16, description="Longest example; of a longer one the question's beginning is cut"
    )
    answer_tokens: int = Field(1024, ge=1, description="Longest answer when asked")

    @field_validator("prompt")
    @classmethod
    def _place(cls, text: str) -> str:
        if text.count("$prompt") != 1:
            raise ValueError("must hold `$prompt` once")
        return text

    def question(self, messages: tuple[Message, ...]) -> str:
        """Return messages as the one text this model is asked with."""
        return self.prompt.replace(
            "$prompt", "\n\n".join(message["content"] for message in messages)
        )


def load_lora_settings(home: Home, name: str) -> LoraSettings:
    """Load goal_specs/evaluation/finetune_NAME.yaml, or any .yaml path. Raises UserError."""
    known = {
        path.stem.removeprefix("finetune_"): path
        for path in (home.project / "goal_specs" / "evaluation").glob("finetune_*.yaml")
    }
    path = Path(name) if name.endswith(".yaml") else known.get(name)
    if path is None or not path.is_file():
        raise UserError(
            f"unknown fine-tuning settings {name[:80]!r}; known: "
            f"{', '.join(sorted(known)) or 'none'}, or a path to a .yaml file"
        )
    try:
        return LoraSettings.model_validate(read_yaml(path))
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None
