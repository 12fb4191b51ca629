from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from flows.evaluation.client import asking
from flows.evaluation.finetune import trained_adapter
from flows.evaluation.models import check_judge, checked_training, inputs_of, local_name
from flows.evaluation.setup import Evaluation
from flows.progress import CURRENT
from flows.run_states import EndedEarly
from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus, Dialogue, Utterance
from tasks.evaluation.finetune import (
    Example,
    Lesson,
    LoraSettings,
    Step,
    TrainingStopped,
    chat_lines,
    check_profile,
    check_target,
    check_unseen,
    fine_tune_hosted,
    hosted_record,
    keep_hosted_record,
    load_lora_settings,
    read_record,
    recommend_lesson,
    respond_lesson,
    train_lora,
    write_record,
)
from tasks.evaluation.prompts import RecommendProfile, load_recommend_profile
from tasks.evaluation.recommend import Benchmark
from tasks.evaluation.references import knowledge
from tasks.evaluation.respond import load_respond_profile
from tasks.evaluation.samples import recommendation_samples
from tasks.evaluation.splits import Split, split_samples
from tasks.local_model import chat_tokens
from tasks.settings import Home
from tests.support.evaluation_rows import model_results
from tests.support.talk import TITLES, talk_corpus

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("peft") is None, reason="the extra [finetune] is not installed"
)


def benchmark() -> Benchmark:
    corpus = talk_corpus()
    split = split_samples(recommendation_samples(corpus).samples, "user", shares=(1.0, 0.0, 0.0))
    return Benchmark(corpus, split, split.train, knowledge(corpus, split), "movie", 1)


def small_profile() -> RecommendProfile:
    """Return a profile of few words, so that a tiny model has short questions."""
    place = {
        "dialogue": "$conversation",
        "dialogue_history": "$conversation",
        "few": "$conversation",
        "few_history": "$conversation",
    }
    return RecommendProfile(
        name="recommend_small", version=1, fenced=False, json_answer=True, **place
    )


def small_benchmark() -> Benchmark:
    """Return four questions that differ in one word."""
    said = {"i1": "space", "i2": "war", "i3": "rivers", "i4": "bandages"}
    dialogues = tuple(
        Dialogue(
            item,
            (Utterance("user", f"I like {word}"), Utterance("agent", TITLES[item], (item,))),
            item,
            1,
            (item,),
        )
        for item, word in said.items()
    )
    corpus = Corpus("small", dialogues, TITLES)
    split = split_samples(recommendation_samples(corpus).samples, "user", shares=(1.0, 0.0, 0.0))
    return Benchmark(corpus, split, split.train, knowledge(corpus, split), "movie", 1)


def small_lesson() -> Lesson:
    return recommend_lesson(small_benchmark(), small_profile(), "how", history=False, length=2)


def small_examples() -> list[Example]:
    return small_lesson().examples


RECORD = small_lesson().record


def examples(name: str = "recommend_json") -> list[Any]:
    profile = load_recommend_profile(Home(), name)
    return recommend_lesson(benchmark(), profile, "how", history=True).examples


def test_an_example_is_the_question_of_the_test_with_a_ranked_list_that_begins_right() -> None:
    """After the target come the user's later ones, then what goes with the target, then popular ones."""
    made = examples()
    assert [json.loads(example.answer) for example in made] == [
        ["Solaris", "1917", "(500) Days of Summer", "Mystic River"],
        ["1917", "Solaris", "Mystic River", "(500) Days of Summer"],
        ["Mystic River", "Solaris", "300", "1917", "(500) Days of Summer"],
        ["Solaris", "The Mummy", "1917", "Mystic River"],
    ]
    assert examples("recommend_paper")[1].answer.startswith("1. 1917\n2. Solaris\n")
    # The words ask for as many as there are to teach.
    assert "JSON list of 6 titles" in made[0].messages[0]["content"]
    lines = [json.loads(line) for line in chat_lines(made).decode().splitlines()]
    assert [message["role"] for message in lines[0]["messages"]] == ["user", "assistant"]
    assert "Solaris" not in lines[0]["messages"][0]["content"]


def test_nothing_of_validation_and_test_is_taught() -> None:
    corpus = talk_corpus()
    samples = recommendation_samples(corpus).samples
    # ann is asked about i2, and somebody else's training sample says what ann's question says.
    copied = replace(samples[3], context=samples[1].context, target="i2", title="1917")
    split = Split((samples[0], samples[2], copied), (), (samples[1],), "by hand")
    asked = Benchmark(corpus, split, split.test, knowledge(corpus, split), "movie", 1)
    profile = load_recommend_profile(Home(), "recommend_json")
    lesson = recommend_lesson(asked, profile, "how", history=True)
    lists = [json.loads(example.answer) for example in lesson.examples]
    assert (len(lists), lesson.left_out) == (2, 1)
    assert "1917" not in lists[0] and lists[0][0] == "Solaris"
    check_unseen("m", lesson.record, asked.questions)


@pytest.mark.parametrize("name", ["vicuna_7b", "baize_v2_7b", "guanaco_7b"])
def test_the_papers_three_models_have_settings(name: str) -> None:
    settings = load_lora_settings(Home(), name)
    assert settings.name == name and "$prompt" in (settings.prompt or "")
    with pytest.raises(UserError, match="vicuna_7b"):
        load_lora_settings(Home(), "nothing")


def test_nothing_of_torch_is_imported_unless_asked_for() -> None:
    modules = (
        "flows.evaluation.recommend, flows.evaluation.finetune, flows.evaluation.quality, "
        "flows.evaluation.respond, flows.cli, tasks.evaluation.finetune"
    )
    code = (
        f"import sys, {modules}; print(any(name in sys.modules for name in ('torch', "
        f"'transformers', 'peft')))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert found.stdout.strip() == "False"


class Provider:
    """A stand-in for a provider's fine-tuning service, on loopback."""

    def __init__(self, ends_as: str = "succeeded") -> None:
        self.ends_as = ends_as
        self.files: list[str] = []
        self.jobs: list[dict[str, Any]] = []
        self.looks = 0

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.files.append(form["file"].file.read().decode())  # type: ignore[union-attr]
        kept = {
            "id": f"file-{len(self.files)}",
            "object": "file",
            "bytes": 1,
            "created_at": 1,
            "filename": "t",
            "purpose": "fine-tune",
        }
        return web.json_response(kept | {"status": "processed"})

    async def create(self, request: web.Request) -> web.Response:
        self.jobs.append(await request.json())
        return web.json_response(self._job("queued"))

    async def all(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "object": "list",
                "data": [self._job("running")] if self.jobs else [],
                "has_more": False,
            }
        )

    async def look(self, request: web.Request) -> web.Response:
        self.looks += 1
        return web.json_response(self._job("running" if self.looks < 2 else self.ends_as))

    def _job(self, status: str) -> dict[str, Any]:
        told = {
            "id": "ftjob-1",
            "object": "fine_tuning.job",
            "created_at": 1,
            "model": "base",
            "organization_id": "o",
            "seed": 1,
        }
        empty = dict.fromkeys(("finished_at", "trained_tokens", "validation_file", "error"))
        tuned = "ft:base:1" if status == "succeeded" else None
        named = {
            "training_file": self.jobs[-1]["training_file"],
            "result_files": [],
            "hyperparameters": {"n_epochs": 3},
        }
        return {**told, **empty, **named, "status": status, "fine_tuned_model": tuned}

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/v1/files", self.upload)
        app.router.add_post("/v1/fine_tuning/jobs", self.create)
        app.router.add_get("/v1/fine_tuning/jobs", self.all)
        app.router.add_get("/v1/fine_tuning/jobs/{job}", self.look)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield (f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/v1")  # type: ignore[union-attr]
        finally:
            await runner.cleanup()


async def test_a_hosted_job_is_paid_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    provider, made = Provider(), examples()
    async with provider.served() as address:
        for _ in range(2):
            job = await fine_tune_hosted(
                "openai/base", made, tmp_path, api_base=address, poll_s=0.01
            )
            assert (job.status, job.fine_tuned_model) == ("succeeded", "openai/ft:base:1")
        assert (len(provider.files), len(provider.jobs)) == (1, 1)
        assert provider.files[0] == chat_lines(made).decode() and provider.jobs[0][
            "hyperparameters"
        ] == {"n_epochs": 3}
        record = next(tmp_path.glob("*.json"))
        record.write_text(
            json.dumps(json.loads(record.read_text()) | {"job_id": "", "status": "new"})
        )
        job = await fine_tune_hosted("openai/base", made, tmp_path, api_base=address, poll_s=0.01)
        # The job whose answer was lost is found again.
        assert job.job_id == "ftjob-1" and len(provider.jobs) == 1
        record.write_text("[]")
        with pytest.raises(UserError, match="not the record"):
            await fine_tune_hosted("openai/base", made, tmp_path, api_base=address, poll_s=0.01)


async def test_a_hosted_job_that_fails_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    async with Provider("failed").served() as address:
        with pytest.raises(UserError, match="ended as 'failed'"):
            await fine_tune_hosted(
                "openai/base", examples(), tmp_path, api_base=address, poll_s=0.01
            )
    with pytest.raises(UserError, match="failed: "):
        await fine_tune_hosted(
            "openai/other", examples(), tmp_path, api_base="http://127.0.0.1:9", poll_s=0.01
        )
    with pytest.raises(UserError, match="its providers"):
        await fine_tune_hosted("nowhere/base", examples(), tmp_path)
    with pytest.raises(UserError, match="no training sample"):
        await fine_tune_hosted("openai/base", [], tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        await fine_tune_hosted("openai/base", examples(), tmp_path / "new")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LoraSettings:
    """A Llama of two small layers, random weights, with a tokenizer trained on the questions."""
    import tokenizers
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("tiny")
    texts = [
        text
        for example in small_examples()
        for text in (example.messages[0]["content"], example.answer)
    ]
    bytes_ = tokenizers.ByteLevelBPETokenizer()
    bytes_.train_from_iterator(texts, vocab_size=300, special_tokens=["<s>", "</s>", "<pad>"])
    bytes_.save(str(folder / "tokenizer.json"))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    )
    tokenizer.save_pretrained(folder)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shape = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    transformers.LlamaForCausalLM(shape).save_pretrained(folder)
    return LoraSettings(
        name="tiny",
        base_model=str(folder),
        prompt="Q: $prompt A: ",
        rank=16,
        alpha=32,
        dropout=0.0,
        learning_rate=0.005,
        epochs=200,
        target_modules=(
            "q_proj",
            "k_proj",
            "v_proj",
            "o_proj",
            "gate_proj",
            "up_proj",
            "down_proj",
            "lm_head",
        ),
        batch=2,
        accumulate=1,
        max_tokens=120,
        answer_tokens=40,
    )


@needs_torch
def test_a_local_model_learns_is_saved_reloaded_and_benchmarked(
    tiny: LoraSettings, tmp_path: Path
) -> None:
    from tasks.evaluation.finetune import LocalModel

    lesson = small_lesson()
    trained = train_lora(tiny, lesson.examples, tmp_path / "adapter", lesson.record, seed=1)
    losses = trained.record.losses
    assert len(losses) == 200 and trained.steps == 400 and losses[-1] < losses[0] / 10
    # The record lies in the adapter, and goes where that goes.
    assert read_record((tmp_path / "adapter").rename(tmp_path / "moved")) == trained.record
    trained = replace(trained, adapter=(tmp_path / "moved").rename(tmp_path / "adapter"))
    assert (
        not list(tmp_path.glob(".aside-*")) and (trained.adapter / "adapter_config.json").is_file()
    )
    asked = small_benchmark()
    base, tuned = LocalModel(tiny), LocalModel(tiny, trained.adapter)
    rows = [
        asyncio.run(
            model_results(
                asked,
                lambda _, ask=ask: ask,
                small_profile(),
                ask.model,
                "fine-tuned",
                history=False,
            )
        )[0]
        for ask in (base, tuned, LocalModel(tiny, trained.adapter))
    ]
    assert rows[0].estimates["recall@5"].value == 0.0
    # It was taught these very questions.
    assert rows[1].estimates["recall@5"].value == 1.0 and rows[1].answered == 4
    assert rows[1] == rows[2] and rows[1].model == "local/tiny+adapter"


@needs_torch
async def test_a_local_models_answers_are_kept_and_a_repeated_evaluation_needs_no_model(
    tiny: LoraSettings, tmp_path: Path
) -> None:
    from tasks.evaluation.finetune import LocalModel

    home, asked = Home(data=tmp_path / "data"), small_benchmark()
    trained = train_lora(
        tiny.model_copy(update={"epochs": 1}), small_examples(), tmp_path / "adapter", RECORD
    )
    used, rows = [], []
    for run in ("first", "second"):
        async with asking(home, run) as client:
            ask = LocalModel(tiny, trained.adapter)
            rows.append(
                await model_results(
                    asked, client.local(ask), small_profile(), "m", "fine-tuned", history=False
                )
            )
            used.append((client.usage.answered, client.usage.stored, "_loaded" in vars(ask)))
    assert used == [(4, 0, True), (0, 4, False)] and rows[0] == rows[1]
    (trained.adapter / "adapter_config.json").write_text("{}")  # another adapter is another model
    question = ({"role": "user", "content": "q"},)
    assert LocalModel(tiny, trained.adapter).request(question).key != ask.request(question).key


def test_an_adapter_that_is_none(tmp_path: Path) -> None:
    from tasks.evaluation.finetune import LocalModel

    with pytest.raises(UserError, match="no trained adapter"):
        LocalModel(load_lora_settings(Home(), "vicuna_7b"), tmp_path)


def test_a_file_of_ones_own_gives_the_settings(tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text('name: mine\nbase_model: some/model\nprompt: "$prompt"\n')
    assert load_lora_settings(Home(), str(own)).base_model == "some/model"
    (tmp_path / "weights").mkdir()
    own.write_text("name: mine\nbase_model: weights\n")  # beside the file, wherever one works
    assert load_lora_settings(Home(), str(own)).base_model == str(tmp_path / "weights")
    own.write_text("name: mine\n")
    with pytest.raises(UserError, match=r"mine.yaml: .*base_model.*evaluate.md shows one"):
        load_lora_settings(Home(), str(own))
    with pytest.raises(UserError, match=r"there is no file .*nofile.yaml.*evaluate.md shows one"):
        load_lora_settings(Home(), str(tmp_path / "nofile.yaml"))
    with pytest.raises(UserError, match=r"mine.yaml is a settings file.*local/.*mine.yaml"):
        local_name(Home(), str(own))


def evaluation(share: float = 0.5, seed: int = 1) -> Evaluation:
    """Return the corpus with half of its users as the test."""
    corpus = talk_corpus()
    samples = recommendation_samples(corpus).samples
    split = split_samples(samples, "user", seed=seed, shares=(1 - share, 0.0, share))
    profile = load_recommend_profile(Home(), "recommend_json")
    asked = Benchmark(corpus, split, split.test, knowledge(corpus, split), "movie", 1)
    return Evaluation("talk", asked, profile)


def adapter_of(ready: Evaluation, folder: Path) -> Path:
    """Return the folder of an adapter without weights that learnt a split's training part."""
    lesson = recommend_lesson(ready.benchmark, ready.profile, "talk --seed 1", history=True)
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    write_record(folder, lesson.record)
    return folder


@pytest.mark.parametrize("spelled", ["as made", "another path", "a copy", "other settings"])
def test_a_model_is_not_tested_on_what_it_learnt_however_it_is_named(
    tmp_path: Path, spelled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, learnt = Home(data=tmp_path), evaluation()
    adapter = adapter_of(learnt, tmp_path / "finetune" / "adapters" / "one")
    model = f"local/vicuna_7b+{adapter}"
    if spelled == "another path":
        monkeypatch.chdir(tmp_path)
        model = "local/vicuna_7b+finetune/../finetune/adapters/one"
    if spelled == "a copy":
        model = f"local/vicuna_7b+{adapter.rename(tmp_path / 'elsewhere')}"
    if spelled == "other settings":
        own = tmp_path / "own.yaml"
        own.write_text(f"name: own\nbase_model: some/model\nbase_adapter: {adapter}\n")
        model = f"local/{own}"
    for settings in (["zero-shot"], ["few-shot"], ["fine-tuned"]):
        found = inputs_of(home, learnt, model, settings)  # type: ignore[arg-type]
        # It is asked as it was taught, whatever the setting is called.
        assert [(one.setting, one.history) for one in found] == [("fine-tuned", True)]
        assert found[0].profile.recommendations == 6
        with pytest.raises(UserError, match="learnt the answers of .* use talk --seed 1"):
            inputs_of(home, evaluation(0.99), model, settings)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="not to judge"):
        check_judge(home, model)


def test_what_a_model_was_taught_for_is_what_it_is_asked_for(tmp_path: Path) -> None:
    ready, home = evaluation(), Home(data=tmp_path)
    model = f"local/vicuna_7b+{adapter_of(ready, tmp_path / 'recommends')}"
    with pytest.raises(UserError, match="was taught to recommend.*--target respond"):
        checked_training(home, ready, model, "respond")
    lesson = respond_lesson(ready.benchmark, load_respond_profile(home), "talk", history=False)
    assert [example.answer for example in lesson.examples] == [
        sample.response for sample in ready.benchmark.split.train
    ]
    write_record(tmp_path / "recommends", lesson.record)
    found = checked_training(home, ready, model, "respond")
    assert found is not None and (found.target, found.history) == ("respond", False)
    with pytest.raises(UserError, match="was taught to say the next.*--target recommend"):
        inputs_of(home, ready, model, ["zero-shot"])


def test_the_record_of_a_providers_model(tmp_path: Path) -> None:
    ready = evaluation()
    lesson = recommend_lesson(ready.benchmark, ready.profile, "talk --seed 1", history=True)
    keep_hosted_record(tmp_path, "openai/ft:1", lesson.record)
    made = hosted_record(tmp_path, "openai/ft:1")
    assert made == lesson.record and hosted_record(tmp_path, "openai/ft:2") is None
    check_unseen("openai/ft:1", made, ready.benchmark.questions)
    check_profile("openai/ft:1", made, "recommend_json")
    check_target("openai/ft:1", made, "recommend")
    with pytest.raises(UserError, match="use talk --seed 1"):
        check_unseen("openai/ft:1", made, ready.benchmark.split.train)
    with pytest.raises(UserError, match="--profile recommend_json"):
        check_profile("openai/ft:1", made, "recommend_paper")
    next(tmp_path.glob("*.json")).write_text("{}")
    with pytest.raises(UserError, match="not the record"):
        hosted_record(tmp_path, "openai/ft:1")


@needs_torch
async def test_a_second_training_on_the_same_keeps_the_losses_of_the_first(
    tiny: LoraSettings, tmp_path: Path
) -> None:
    settings = tiny.model_copy(update={"epochs": 2})
    asked_otherwise = settings.model_copy(update={"answer_tokens": 7, "name": "other"})
    lesson = small_lesson()
    adapter, first = await trained_adapter(settings, lesson, tmp_path, "talk")
    written = (adapter / "adapter_model.safetensors").stat().st_mtime_ns
    for again in (settings, asked_otherwise):
        assert await trained_adapter(again, lesson, tmp_path, "talk") == (adapter, first)
    assert len(first.losses) == 2 and read_record(adapter) == first
    assert (adapter / "adapter_model.safetensors").stat().st_mtime_ns == written
    other, _ = await trained_adapter(settings, lesson, tmp_path, "talk", most_steps=1)
    assert other != adapter


class SignalsAfter:
    """Progress that sends this process a signal after so many steps of a training."""

    def __init__(self, steps: int) -> None:
        self.steps, self.told = steps, ""

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """Ignore."""

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        self.told = detail
        if done == self.steps:
            os.kill(os.getpid(), signal.SIGTERM)


@needs_torch
async def test_a_signal_ends_a_training_at_a_checkpoint_and_the_same_command_goes_on(
    tiny: LoraSettings, tmp_path: Path
) -> None:
    settings, lesson = tiny.model_copy(update={"epochs": 20}), small_lesson()
    received: list[int] = []
    earlier = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    sink = SignalsAfter(3)
    token = CURRENT.set(sink)
    try:
        with pytest.raises(EndedEarly, match="of 40 steps; the same command goes on"):
            await trained_adapter(settings, lesson, tmp_path, "talk")
        sink.steps = 0
        assert received == [signal.SIGTERM] and len(list(tmp_path.iterdir())) == 1
        _, record = await trained_adapter(settings, lesson, tmp_path, "talk")
    finally:
        CURRENT.reset(token)
        signal.signal(signal.SIGTERM, earlier)
    assert len(record.losses) == 20 and "tokens/s, 0 min left" in sink.told


@needs_torch
def test_a_training_that_was_stopped_goes_on_to_the_same_end(
    tiny: LoraSettings, tmp_path: Path
) -> None:
    settings = tiny.model_copy(update={"epochs": 3, "dropout": 0.2, "warmup": 0.3, "decay": True})
    lesson = small_lesson()
    whole = train_lora(
        settings, lesson.examples, tmp_path / "whole", RECORD, validation=lesson.examples
    )
    steps: list[Step] = []
    with pytest.raises(TrainingStopped, match="stopped after 3 of 6 steps"):
        train_lora(
            settings,
            lesson.examples,
            tmp_path / "parts",
            RECORD,
            validation=lesson.examples,
            watch=steps.append,
            wanted=lambda: len(steps) < 3,
        )
    assert not (tmp_path / "parts").exists()
    parts = train_lora(
        settings,
        lesson.examples,
        tmp_path / "parts",
        RECORD,
        validation=lesson.examples,
        watch=steps.append,
    )
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6] and steps[-1].left_s == 0
    assert parts.record == whole.record and len(parts.record.validation) == 3
    weights = [
        (folder / "adapter_model.safetensors").read_bytes()
        for folder in (whole.adapter, parts.adapter)
    ]
    assert weights[0] == weights[1] and not list(tmp_path.glob(".*"))


@needs_torch
def test_what_a_person_wrote_cannot_end_a_turn(tiny: LoraSettings) -> None:
    """A control token in a message is text, with the tokenizer's template and with a prompt of one's own."""
    import transformers

    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(tiny.base_model)
    said = ({"role": "user", "content": "I like war</s>"},)
    for template, wording in ((None, "Q: $prompt A: "), (TEMPLATE, None)):
        tokenizer.chat_template = template
        tokens = chat_tokens(tokenizer, said, wording)
        text = tokenizer.decode(tokens)
        assert text.count("</s>") == (2 if template else 1)
        assert tokens.count(tokenizer.eos_token_id) == (1 if template else 0)
        assert "I like war" in text
    assert text.startswith("[user]") and text.endswith("[assistant]")
    tokenizer.chat_template = None
    with pytest.raises(UserError, match=r"no chat template: give `prompt`"):
        chat_tokens(tokenizer, said)


TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


@needs_torch
def test_a_long_question_loses_its_beginning_and_nothing_is_overwritten(
    tiny: LoraSettings, tmp_path: Path
) -> None:
    short = tiny.model_copy(update={"max_tokens": 16, "epochs": 1})
    trained = train_lora(short, small_examples(), tmp_path / "adapter", RECORD)
    assert trained.cut == 4
    with pytest.raises(UserError, match="already exists"):
        train_lora(short, small_examples(), tmp_path / "adapter", RECORD)
    with pytest.raises(UserError, match="no training sample"):
        train_lora(short, [], tmp_path / "other", RECORD)
    with pytest.raises(UserError, match="cannot be loaded"):
        train_lora(
            short.model_copy(update={"base_model": str(tmp_path / "nowhere")}),
            small_examples(),
            tmp_path / "other",
            RECORD,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]
