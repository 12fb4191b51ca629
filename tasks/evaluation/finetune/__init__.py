"""Fine-tuning (4.2.1): a hosted job through litellm, or LoRA on a local model."""

from tasks.evaluation.finetune.examples import Example, chat_lines, training_examples
from tasks.evaluation.finetune.hosted import HostedJob, fine_tune_hosted
from tasks.evaluation.finetune.local import Trained, train_lora
from tasks.evaluation.finetune.local_model import LocalModel
from tasks.evaluation.finetune.settings import LoraSettings, load_lora_settings
from tasks.evaluation.finetune.training_record import (
    Training,
    check_training,
    find_training,
    keep_training,
    learnt,
)

__all__ = [
    "Example",
    "HostedJob",
    "LocalModel",
    "LoraSettings",
    "Trained",
    "Training",
    "chat_lines",
    "check_training",
    "find_training",
    "fine_tune_hosted",
    "keep_training",
    "learnt",
    "load_lora_settings",
    "train_lora",
    "training_examples",
]
