"""The same dress around an answer is taken off in the same way by every reader of answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tasks.dialogues.parser import read
from tasks.evaluation.quality import METRICS, parse_choice, parse_grades
from tasks.model_output import message_text, parse_answer, reply_text, strip_reasoning
from tasks.prompts import spoken_text

TURNS = {"turns": [{"role": "user", "text": "Hi there."}, {"role": "agent", "text": "Try Heat."}]}
GRADES = dict.fromkeys(METRICS, 1)
OTHER_GRADES = dict.fromkeys(METRICS, 2)


def dialogue_in(text: str) -> object:
    reading = read(text, "grounded")
    return [turn.text for turn in reading.turns] if reading.whole else None


def lines_in(text: str) -> object:
    reading = read(text, "paper")
    return [turn.text for turn in reading.turns] if reading.turns and reading.whole else None


def titles_in(text: str) -> object:
    return [entry.title for entry in parse_answer(text).entries] or None


READERS: dict[str, tuple[Callable[[str], object], str, str, object]] = {
    # reader, an answer, another answer that a draft or tail may hold, what the first one says
    "dialogue": (
        dialogue_in,
        json.dumps(TURNS),
        json.dumps({"turns": [{"role": "user", "text": "Draft."}]}),
        ["Hi there.", "Try Heat."],
    ),
    "labelled lines": (
        lines_in,
        "User: Hi there.\nAgent: Try Heat.",
        "User: Draft.",
        ["Hi there.", "Try Heat."],
    ),
    "recommendations": (titles_in, "1. Alien\n2. Heat", "1. Cats\n2. Dogs", ["Alien", "Heat"]),
    "recommendations in JSON": (
        titles_in,
        '["Alien", "Heat"]',
        '["Cats", "Dogs", "Mice"]',
        ["Alien", "Heat"],
    ),
    "grades": (parse_grades, json.dumps(GRADES), json.dumps(OTHER_GRADES), GRADES),
    "choice": (parse_choice, '{"better": 1}', '{"better": 2}', "first"),
    "response": (lambda text: reply_text(text) or None, "Try Heat.", "Try Cats.", "Try Heat."),
    "spoken turn": (lambda text: spoken_text(text) or None, "Try Heat.", "Try Cats.", "Try Heat."),
}

DRESSES = {
    "nothing": "{answer}",
    "think": "<think>{other}</think>\n{answer}",
    "thinking": "<thinking>\n{other}\n</thinking>\n\n{answer}",
    "thought": "<thought>{other}</thought>{answer}",
    "thoughts": "<thoughts>{other}</thoughts>\n{answer}",
    "reasoning": "<reasoning>{other}</reasoning>\n{answer}",
    "reflection": "<reflection>{other}</reflection>\n{answer}",
    "analysis": "<analysis>{other}</analysis>\n{answer}",
    "scratchpad": "<scratchpad>{other}</scratchpad>\n{answer}",
    "seed": "<seed:think>{other}</seed:think>\n{answer}",
    "capitals and a space": "<THINK>{other}</THINK >\n{answer}",
    "Mistral's": "[THINK]{other}[/THINK]{answer}",
    "Kimi's": "\u25c1think\u25b7{other}\u25c1/think\u25b7{answer}",
    "solution": (
        "<|begin_of_thought|>{other}<|end_of_thought|>\n<|begin_of_solution|>\n{answer}\n"
        "<|end_of_solution|>"
    ),
    "Command's": (
        "<|START_THINKING|>{other}<|END_THINKING|><|START_RESPONSE|>{answer}<|END_RESPONSE|>"
    ),
    "opening tag lost": "{other}\n</think>\n{answer}",
    "two closing tags": "<think>{other} I end with </think>. {other}\n</think>\n{answer}",
    "nested": "<think>{other}<think>{other}</think>{other}</think>\n{answer}",
    "two blocks": "<think>{other}</think>\n<reflection>{other}</reflection>\n{answer}",
    "block behind": "{answer}\n<think>{other}</think>",
    "block behind, never closed": "{answer}\n<think>Was {other} better?",
    "answer tags": "<think>{other}</think>\n<answer>\n{answer}\n</answer>",
    "channels": (
        "<|channel|>analysis<|message|>{other}<|end|><|start|>assistant<|channel|>final<|m"
        "essage|>{answer}<|return|>"
    ),
    "constrained channel": (
        "<|start|>assistant<|channel|>final <|constrain|>json<|message|>{answer}<|return|>"
    ),
    "constrained, no space": "<|channel|>final<|constrain|>json<|message|>{answer}<|end|>",
    "channel without a message token": (
        "<|channel|>analysis<|message|>{other}<|end|><|channel|>final\n{answer}"
    ),
    "two final channels": (
        "<|channel|>final<|message|>{other}<|end|><|start|>assistant<|channel|>f"
        "inal<|message|>{answer}<|return|>"
    ),
    "analysis behind the final channel": (
        "<|channel|>final<|message|>{answer}<|end|><|start|>assis"
        "tant<|channel|>analysis<|message|>{other}"
    ),
    "channels without tokens": "analysisLet me see. {other}assistantfinal\n{answer}",
    "<|im_end|>": "{answer}<|im_end|>",
    "<|im_end|> and a tail": "{answer}<|im_end|>\n{other}",
    "<|eot_id|> and a tail": "{answer}<|eot_id|>\n{other}",
    "<|end|> and a tail": "{answer}<|end|>{other}",
    "<|endoftext|> and a tail": "{answer}<|endoftext|>{other}",
    "<end_of_turn> and a tail": "{answer}<end_of_turn>\n{other}",
    "</s> and a tail": "{answer}</s>{other}",
    "DeepSeek's end and a tail": "{answer}<\uff5cend\u2581of\u2581sentence\uff5c>{other}",
    "Llama 4's end and a tail": "{answer}<|eot|>{other}",
    "Command's end and a tail": "{answer}<|END_OF_TURN_TOKEN|>{other}",
    "end before anything": "<|im_end|>\n{answer}",
    "ChatML": "<|im_start|>assistant\n{answer}<|im_end|>\n<|im_start|>user\n{other}<|im_end|>",
    "ChatML without an end": "<|im_start|>assistant\n{answer}\n<|im_start|>user\n{other}",
    "Llama's header": (
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
        "{answer}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{other}"
    ),
    "Gemma's turns": "<start_of_turn>model\n{answer}\n<start_of_turn>user\n{other}",
    "Phi's turns": "<|assistant|>\n{answer}\n<|user|>\n{other}",
    "Mistral's turns": "<s>[/INST] {answer}\n[INST] {other} [/INST]",
    "DeepSeek's turns": "<\uff5cAssistant\uff5c>{answer}<\uff5cUser\uff5c>{other}",
    "Baize's turns": "{answer}\n[|Human|] {other}",
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("name", READERS)
def test_every_reader_takes_the_same_off(name: str, dress: str) -> None:
    reader, answer, other, wanted = READERS[name]
    text = DRESSES[dress].replace("{answer}", answer).replace("{other}", other)
    assert reader(text) == wanted


NOTHING_LEFT = {
    "reasoning never closed": "<think>\n{answer}",
    "reasoning opened again": "<think>{other}</think>\n<think>{answer}",
    "analysis alone": "<|channel|>analysis<|message|>{answer}<|end|>",
    "nothing behind the last closing tag": "{answer}</think>\n",
    "only an end": "<|im_end|>",
    "only another's message": "<|im_start|>user\n{answer}<|im_end|>",
}


@pytest.mark.parametrize("dress", NOTHING_LEFT)
@pytest.mark.parametrize("name", READERS)
def test_where_nothing_was_answered_every_reader_finds_nothing(name: str, dress: str) -> None:
    reader, answer, other, _ = READERS[name]
    text = NOTHING_LEFT[dress].replace("{answer}", answer).replace("{other}", other)
    assert reader(text) is None


@pytest.mark.parametrize(
    "fence",
    ["```json\n{}\n```", "```\n{}\n```", "~~~json\n{}\n~~~", "```json {}```", "```json\n{}"],
)
@pytest.mark.parametrize("name", ["dialogue", "recommendations in JSON", "grades", "choice"])
def test_a_code_fence_is_no_part_of_the_answer(name: str, fence: str) -> None:
    reader, answer, _, wanted = READERS[name]
    assert reader(fence.replace("{}", answer)) == wanted


def test_speech_is_not_taken_for_reasoning_or_tokens() -> None:
    said = "I think <i>so</i>, and my reasoning: 5 < 6 | 7 > 3. </thinkpad>"
    assert strip_reasoning(said) == said
    assert message_text(said) == said
    assert message_text("The final channel is <b>on</b>.") == "The final channel is <b>on</b>."


def test_of_reasoning_inside_an_answer_nothing_is_left() -> None:
    assert strip_reasoning("One <think>two</think> three") == "One \n three"
    assert message_text("\ud800 and \x00") == "\ufffd and \ufffd"
