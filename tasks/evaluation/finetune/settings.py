"""Settings of local fine-tuning: one YAML file a base model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.errors import UserError
from tasks.local_model import LOCAL
from tasks.settings import Home, read_yaml, validation_line

_ASKING = ("name", "answer_tokens")  # settings that a training does not depend on
SAMPLE = "docs/how-to/evaluate.md shows one"


class LoraSettings(BaseModel):
    """How a local model is fine-tuned with LoRA, and how it is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="What tables call the model")
    base_model: str = Field(
        min_length=1,
        description="Base model: a Hugging Face name, a folder (from the file's own), or "
        "local/smollm2",
    )
    base_adapter: str | None = Field(
        None,
        description="Adapter the base model is published as, merged before training: a Hugging "
        "Face name or a folder (from the file's own)",
    )
    prompt: str | None = Field(
        None,
        description="How the model was taught to be asked, a text with $prompt in place of the "
        "question; the tokenizer's chat template if not given",
    )
    rank: int = Field(8, ge=1, description="Rank of the adapter's matrices")
    alpha: int = Field(16, ge=1, description="Scale of the adapter: alpha / rank")
    dropout: float = Field(0.05, ge=0, lt=1, description="Dropout before the adapter")
    target_modules: tuple[str, ...] = Field(
        ("q_proj", "k_proj", "v_proj", "o_proj"), min_length=1, description="Layers that are taught"
    )
    learning_rate: float = Field(2e-4, gt=0, description="Highest step size of AdamW")
    warmup: float = Field(
        0.03, ge=0, lt=1, description="Share of the steps in which the step size rises"
    )
    decay: bool = Field(
        False, description="Whether the step size falls to 0 after that, in a straight line"
    )
    epochs: int = Field(3, ge=1, description="Passes over the examples")
    batch: int = Field(4, ge=1, description="Examples computed at once")
    accumulate: int = Field(4, ge=1, description="Batches before a step")
    precision: Literal["float32", "auto"] = Field(
        "float32",
        description="auto computes in bfloat16 where the processor has it, in training and when "
        "asked",
    )
    max_tokens: int = Field(
        2048, ge=16, description="Longest example; of a longer one the question's beginning is cut"
    )
    list_length: int | None = Field(
        None,
        ge=1,
        le=200,
        description="Titles in a taught list, and asked for then; as many as the prompt's words "
        "ask for if not given",
    )
    answer_tokens: int = Field(1024, ge=1, description="Longest answer when asked")

    @field_validator("prompt")
    @classmethod
    def _place(cls, text: str | None) -> str | None:
        if text is not None and text.count("$prompt") != 1:
            raise ValueError("must hold `$prompt` once")
        return text

    def taught(self) -> dict[str, Any]:
        """Return the settings that a training depends on."""
        return self.model_dump(exclude=set(_ASKING))


def load_lora_settings(home: Home, name: str) -> LoraSettings:
    """Load goal_specs/evaluation/finetune_NAME.yaml, or any .yaml path. Raises UserError.

    In a file of one's own, folders are looked for beside the file first.
    """
    known = {
        path.stem.removeprefix("finetune_"): path
        for path in (home.project / "goal_specs" / "evaluation").glob("finetune_*.yaml")
    }
    path = Path(name).expanduser() if name.endswith((".yaml", ".yml")) else known.get(name)
    if path is None:
        raise UserError(
            f"unknown fine-tuning settings {name[:80]!r}; known: "
            f"{', '.join(sorted(known)) or 'none'}, or {LOCAL}FILE.yaml with a file of your own "
            f"({SAMPLE})"
        )
    if not path.is_file():
        raise UserError(
            f"there is no file {str(path)[:200]}: settings of fine-tuning are a YAML file "
            f"({SAMPLE}), or one of {', '.join(sorted(known))}"
        )
    try:
        settings = LoraSettings.model_validate(read_yaml(path))
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}; {SAMPLE}") from None
    folders = {
        field: _beside(path, getattr(settings, field)) for field in ("base_model", "base_adapter")
    }
    return settings.model_copy(update=folders)


def _beside(path: Path, named: str | None) -> str | None:
    """Return the folder that a settings file names, if there is one from the file's own folder."""
    folder = path.parent / named if named else None
    return str(folder.resolve()) if folder is not None and folder.is_dir() else named
