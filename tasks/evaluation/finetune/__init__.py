"""Fine-tuning (4.2.1): a hosted job through litellm, or LoRA on a local model."""

from tasks.evaluation.finetune.examples import Example, chat_lines
from tasks.evaluation.finetune.hosted import HostedJob, fine_tune_hosted
from tasks.evaluation.finetune.lesson import Lesson, recommend_lesson, respond_lesson
from tasks.evaluation.finetune.local import Trained, train_lora
from tasks.evaluation.finetune.local_model import LocalModel
from tasks.evaluation.finetune.settings import LoraSettings, load_lora_settings
from tasks.evaluation.finetune.training_loop import Step, TrainingStopped
from tasks.evaluation.finetune.training_record import (
    Target,
    Training,
    check_profile,
    check_target,
    check_unseen,
    hosted_record,
    keep_hosted_record,
    read_record,
    write_record,
)

__all__ = [
    "Example",
    "HostedJob",
    "Lesson",
    "LocalModel",
    "LoraSettings",
    "Step",
    "Target",
    "Trained",
    "Training",
    "TrainingStopped",
    "chat_lines",
    "check_profile",
    "check_target",
    "check_unseen",
    "fine_tune_hosted",
    "hosted_record",
    "keep_hosted_record",
    "load_lora_settings",
    "read_record",
    "recommend_lesson",
    "respond_lesson",
    "train_lora",
    "write_record",
]
