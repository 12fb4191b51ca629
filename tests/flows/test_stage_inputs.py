"""What the stages say they are made from, held against what they really run, open and read, and against edits of every module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from flows import stages
from flows.pipeline import PIPELINE, PREPROCESS, RELEASE
from flows.specifications import (
    LOADERS,
    UnnamedPart,
    load_specifications,
    specifications_of,
)
from flows.stages import new_context
from tasks.code_identity import CodeTree, project_code
from tasks.fingerprint import data_hash
from tasks.lineage import kind_of, stage_columns
from tasks.settings import Home, YamlFiles, load_domain
from tasks.settings.paths import PROJECT
from tasks.stage_inputs import StageInputs
from tasks.warehouse import read_inputs, read_warehouse
from tests.support.demo_stages import StatedStage, all_stages, stated_stages, tables_written

# What carries requests to the model and answers back. A stored answer is looked up by all that was
# asked, so none of it can change what a brief's transcript says; see `flows.pipeline.GENERATE`.
CARRIERS = re.compile(
    r"tasks\.(generate\.(?!rollouts)\w+|warehouse\.queries|"
    r"llm\.(answer_watch|batch|batch\.\w+|billing|budget|circuit_breaker|client|direct_call|"
    r"journal|journal_store|layers|prices|"
    r"provider_reply|rate_limiter|reply_outcome|response_cache|response_cap|response_table|"
    r"retry_after|session|shutdown_signals|token_details|usage|write_ahead_log))"
)
PACE = {
    "Generate.limits",
    "Generate.chunk_size",
    "Generate.workers",
    "Generate.mode",
    "Generate.journals",
    "Generate.input_cost_per_token",
}
# By way of `source_names`, whose result is in `sources.reviews`.
NAMES = {
    "Source.path",
    "Source.encoding",
    "Sources.metadata",
}
# Where a section of the settings stands, if not under its own name.
SECTIONS = {
    "Domain": "",
    "Bias": "preprocess.bias.",
}
ATTEMPTS = ("generate", "dialogues", "quality")


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, dict[str, list[str]]], dict[str, StageInputs]]:
    """What each stage of a small build did, and what it says it was made from."""
    data = tmp_path_factory.mktemp("watched")
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [sys.executable, "-m", "tests.support.watched_build", str(data)]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    # It writes no rows that it would be cached by, and so leaves no inputs on record.
    assert set(seen.pop("release")["parts"]) == set(RELEASE.specifications)
    with read_warehouse(Home.find(data).warehouse("demo")) as con:
        made = {stage: read_inputs(con, stage) for stage in seen}
    return seen, {stage: inputs for stage, inputs in made.items() if inputs is not None}


def test_every_stage_was_watched(watched: Any) -> None:
    seen, made = watched
    assert list(made) == [
        "ingest",
        "preprocess",
        "briefs",
        *(f"{name}-{n}" for n in (1, 2) for name in ATTEMPTS),
        "verdicts",
    ]
    assert all(did["modules"] for did in seen.values())


def test_a_stage_runs_no_code_that_it_does_not_name(watched: Any) -> None:
    for stage, did in watched[0].items():
        unnamed = set(did["modules"]) - set(watched[1][stage].code)
        carried = {
            module
            for module in unnamed
            if stage.startswith("generate-") and CARRIERS.fullmatch(module)
        }
        assert unnamed - carried == set(), stage


def test_a_stage_opens_no_file_of_the_project_that_it_does_not_name(watched: Any) -> None:
    for stage, did in watched[0].items():
        sources = {f"data/demo/{name}" for name in watched[1][stage].sources}
        assert set(did["files"]) - set(watched[1][stage].files) - sources == set(), stage
    opened = {file for did in watched[0].values() for file in did["files"]}
    named = {file for inputs in watched[1].values() for file in inputs.files}
    assert named - opened == set()


def test_a_stage_reads_no_setting_that_it_does_not_name(watched: Any) -> None:
    for stage, did in watched[0].items():
        allowed = (
            PACE
            if stage.startswith("generate-")
            else NAMES
            if stage in ("ingest", "preprocess")
            else set()
        )
        for section, name in sorted(
            setting.split(".") for setting in set(did["settings"]) - allowed
        ):
            path = f"{SECTIONS.get(section, section.lower() + '.')}{name}"
            named = [
                name for name in watched[1][stage].settings if f"{name}.".startswith(f"{path}.")
            ]
            assert named or (section == "Limits" and stage.startswith("generate-")), (
                f"{stage} reads {path}"
            )


def test_a_stage_reads_no_table_of_a_stage_that_it_does_not_name(watched: Any) -> None:
    writes = {name: tables_written(stage) for name, stage in all_stages(Home()).items()}
    stated = all_stages(Home())
    for stage, did in watched[0].items():
        named = writes[stage].union(*(writes[name] for name in watched[1][stage].upstream))
        # Of a stage that this domain is without: the table is empty then.
        optional = [rows.tables for rows in stated[stage].stage.reads if rows.optional]
        named = named.union(*optional)
        assert set(did["tables"]) - named == set(), stage


def test_a_stage_uses_the_parts_of_the_specifications_that_it_names_and_no_other(
    watched: Any,
) -> None:
    stated = all_stages(Home())
    for name, did in watched[0].items():
        assert set(did["parts"]) == set(stated[name].stage.specifications), name


def test_a_part_that_a_stage_does_not_name_is_refused() -> None:
    context = new_context(Home(), load_specifications(Home(), "demo"), "run")
    for stage in PIPELINE:
        named = context.specifications.only(stage.specifications)
        for part in LOADERS:
            if part in stage.specifications:
                getattr(named, part)
            else:
                with pytest.raises(UnnamedPart, match=part):
                    getattr(named, part)


def test_a_stage_reads_no_table_that_the_column_lineage_leaves_out(watched: Any) -> None:
    for stage, did in watched[0].items():
        stated = stage_columns()[kind_of(stage)]
        assert set(did["tables"]) - {*stated.reads(), *stated.writes} == set(), stage


def differing(before: dict[str, StatedStage], after: dict[str, StatedStage]) -> set[str]:
    return {
        name
        for name, stage in after.items()
        if stage.made_by.hash(name) != before[name].made_by.hash(name)
    }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A copy of the project whose code and data files may be changed."""
    for name in ("tasks", "goal_specs", "expectations", "data/domains"):
        shutil.copytree(
            PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    return Home(project=tmp_path, data=tmp_path / "data")


class Entries:
    """Stands in for the project's code and keeps which modules each stage enters by."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def reached(self, *modules: str) -> Any:
        self.asked.append(modules)
        return project_code().reached(*modules)


def test_an_edit_of_a_module_redoes_the_stages_that_reach_it_and_no_other(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every module of the project in turn: a comment and a docstring change nothing, a constant exactly the stages that reach it."""
    entries = Entries()
    monkeypatch.setattr(stages, "project_code", lambda: entries)
    reached = {name: set(stage.made_by.code) for name, stage in all_stages(home).items()}
    entered = dict(zip(reached, entries.asked, strict=True))
    tree = CodeTree(home.project)

    def code_of_stages(module: str, file: Path, text: str) -> dict[str, Any]:
        file.write_text(text, encoding="utf-8")
        # A new tree would read the other files again.
        tree._texts[module] = (
            file.read_bytes(),
            tree.is_package(module),
        )
        tree._sources.pop(module, None)
        return {name: tree.reached(*modules).modules for name, modules in entered.items()}

    before = {name: tree.reached(*modules).modules for name, modules in entered.items()}
    assert 100 < len(set().union(*reached.values())) < len(tree.modules())
    for module in tree.modules():
        path = home.project.joinpath(*module.split("."))
        file = path / "__init__.py" if tree.is_package(module) else path.with_suffix(".py")
        text = file.read_text(encoding="utf-8")
        assert (
            code_of_stages(
                module, file, "# a comment\n" + text.replace('"""', '"""Another word. ', 1)
            )
            == before
        ), module
        after = code_of_stages(module, file, text + "\nADDED = 1\n")
        # a package that does more than import counts for all its modules
        touched = f"{module}." if tree.is_package(module) else module
        expected = {
            name
            for name, modules in reached.items()
            if any(one.startswith(touched) for one in modules)
        }
        if not tree.is_package(module):
            expected = {name for name, modules in reached.items() if module in modules}
        assert {name for name in before if after[name] != before[name]} == expected, module
        code_of_stages(module, file, text)


FILES = {
    "goal_specs/goals.yaml": {"briefs", "generate-1", "generate-2"},
    "goal_specs/grammar.yaml": {"briefs"},
    "goal_specs/templates/curated.yaml": {"briefs"},
    "goal_specs/prompts/grounded.yaml": {"generate-1", "generate-2"},
    "goal_specs/prompts/paper.yaml": set(),
    "goal_specs/evaluation/judge.yaml": set(),
    "expectations/paper.yaml": {"generate-2", "quality-1", "quality-2"},
    "expectations/facts.yaml": {"generate-2", "quality-1", "quality-2"},
    "expectations/lexicon.yaml": {"quality-1", "quality-2"},
    "expectations/languages/en.yaml": {"quality-1", "quality-2"},
    "goal_specs/languages/de.yaml": set(),
    "tasks/mock_model/tables/speech.yaml": {"generate-1", "generate-2"},
    "tasks/reports/pages/gate.html": set(),
}


def test_an_edit_of_a_data_file_redoes_the_stages_that_read_it(home: Home) -> None:
    before = all_stages(home)
    for name, expected in FILES.items():
        file = home.project / name
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".yaml":
            file.write_text(f"# a comment\n{text}\n", encoding="utf-8")
            assert differing(before, all_stages(home)) == set(), name
        file.write_text(f"{text}\nadded_here: 1\n", encoding="utf-8")
        assert {
            stage for stage, made in before.items() if files_again(made, home) != made.made_by.files
        } == expected, name
        file.write_text(text, encoding="utf-8")


def files_again(stage: StatedStage, home: Home) -> dict[str, str]:
    """Return the hashes of a stage's files as they are now; the files themselves need not be right any more."""
    return {name: data_hash(home.project / name) for name in stage.made_by.files}


def test_a_hosted_models_requests_do_not_depend_on_the_mock_model() -> None:
    hosted, own = (
        all_stages(Home(), model="openai/gpt-4o-mini")["generate-1"],
        all_stages(Home())["generate-1"],
    )
    folder = PROJECT / "tasks" / "mock_model"
    modules = {f"tasks.mock_model.{path.stem}" for path in folder.glob("[!_]*.py")}
    tables = {f"tasks/mock_model/tables/{path.name}" for path in folder.glob("tables/*.yaml")}
    named = {name for name in (*own.made_by.code, *own.made_by.files) if "mock_model" in name}
    assert len(modules) >= 6 and len(tables) >= 3 and named == modules | tables
    assert not [
        name for name in (*hosted.made_by.code, *hosted.made_by.files) if "mock_model" in name
    ]


def test_the_endpoint_really_asked_is_part_of_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    before = all_stages(Home(), model="openai/mine")
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    assert differing(before, all_stages(Home(), model="openai/mine")) == {
        "generate-1",
        "generate-2",
    }
    named = all_stages(Home(), model="openai/mine", api_base="http://127.0.0.1:9/v1")
    assert differing(all_stages(Home(), model="openai/mine"), named) == set()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"language": "de"}, {"briefs", "generate-1", "generate-2", "quality-1", "quality-2"}),
        ({"noun": "boat"}, {"briefs", "generate-1", "generate-2"}),
        ({"title": "Another"}, set()),
        ({"generate": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}}, set()),
        (
            {
                "generate": {
                    "limits": {"rpm": 5},
                    "workers": 2,
                    "chunk_size": 3,
                    "mode": "batch",
                    "max_attempts": 1,
                }
            },
            set(),
        ),
        ({"generate": {"temperature": 0.1}}, {"generate-1", "generate-2"}),
        (
            {"quality": {"severities": {"readable": "warn"}}},
            {"generate-2", "quality-1", "quality-2"},
        ),
        ({"preprocess": {"min_item_interactions": 9}}, {"preprocess"}),
        ({"preprocess": {"like_min": 5}}, {"preprocess", "briefs"}),
        ({"preprocess": {"min_words": 19}}, {"preprocess"}),
        ({"untitled": "use_id"}, {"ingest"}),
    ],
)
def test_a_setting_redoes_the_stages_that_read_it(
    changed: dict[str, Any], expected: set[str]
) -> None:
    def made(over: dict[str, Any]) -> dict[str, StatedStage]:
        domain = load_domain(Home(), "demo", over)
        specifications = specifications_of(Home(), domain, YamlFiles())
        return stated_stages(new_context(Home(), specifications, "run"))

    assert differing(made({}), made(changed)) == expected


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="the extra semantic is not installed")
def test_an_extra_counts_only_where_a_rule_compares_by_sense() -> None:
    def libraries(suites: list[str]) -> set[str]:
        domain = load_domain(Home(), "demo", {"quality": {"suites": suites}})
        specifications = specifications_of(Home(), domain, YamlFiles())
        stages = stated_stages(new_context(Home(), specifications, "run"))
        return {
            name
            for stage in stages.values()
            for name in (*stage.made_by.libraries, *stage.made_by.settings)
            if "onnxruntime" in name
        }

    assert libraries(["paper", "grounded"]) == set()
    assert libraries(["paper", "semantic"]) == {"semantic.onnxruntime"}


def test_the_order_of_source_files_is_part_of_what_is_cut(tmp_path: Path) -> None:
    domain = load_domain(Home(), "demo")
    (review,) = domain.sources.reviews
    other = review.model_copy(update={"path": str(Path(review.path).with_name("more.json.gz"))})

    def cut(*reviews: Any) -> str:
        sources = domain.sources.model_copy(update={"reviews": reviews})
        chosen = domain.model_copy(update={"sources": sources})
        context = new_context(Home(), specifications_of(Home(), chosen, YamlFiles()), "run")
        return PREPROCESS.made_by(context).hash("preprocess")

    assert cut(review, other) != cut(other, review)


def test_all_stages_are_identified_in_well_under_half_a_second() -> None:
    """Counted in processor time, in a process of its own, reading and parsing included; twice the promise, as machines differ."""
    code = (
        "import time; from tasks.code_identity import project_code; began = time.process_time()\n"
        "for entry in ('tasks.ingest.stage', 'tasks.preprocess.stage', 'tasks.briefs.stage', 'tasks.generate.rollouts',"
        " 'tasks.repair.rollout', 'tasks.dialogues.transcripts', 'tasks.quality.gate', 'tasks.release.writer'):\n"
        "    project_code().reached(entry)\n"
        "print(time.process_time() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 1.0
