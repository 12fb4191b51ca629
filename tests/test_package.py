"""What the wheel installs works without the checkout, beside a user's own tasks.py and flows.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import llm_redial
from tasks.code_identity import CodeTree
from tasks.settings.paths import PROJECT
from tests.support.served import serving

RESOURCES = ("goal_specs", "expectations", "data/domains")
LEAST_MODULES = 300


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    build = (
        "import sys, setuptools.build_meta as back_end\n"
        "name = back_end.build_sdist(sys.argv[1]); print(name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution as an index would offer it."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir"]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(folder), str(sdist)]
    subprocess.run(command, check=True, cwd=folder)
    return next(folder.glob("*.whl"))


def test_it_holds_all_code_and_resources_and_one_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"llm_redial"}
    code = {path for room in ("flows", "tasks") for path in (PROJECT / room).rglob("*")}
    wanted = code | {path for folder in RESOURCES for path in (PROJECT / folder).rglob("*")}
    files = {path for path in wanted if path.is_file() and "__pycache__" not in path.parts}
    assert len(files) > LEAST_MODULES
    missing = {path.relative_to(PROJECT).as_posix() for path in files} - {
        name.removeprefix("llm_redial/") for name in names
    }
    assert missing == set()
    assert {"llm_redial/data/demo/reviews.json.gz", "llm_redial/prefect.yaml"} <= names


def test_its_code_is_the_same_code(wheel: Path, tmp_path: Path) -> None:
    """Or a build would do every stage again, and ask again, once it is installed."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    installed, ours = CodeTree(tmp_path / "llm_redial"), CodeTree(PROJECT)
    assert installed.modules() == ours.modules()
    for module in ("tasks.ingest.stage", "tasks.mock_model.model", "tasks.quality.gate"):
        assert installed.reached(module) == ours.reached(module)
    entry = "llm_redial.tasks.mock_model.model"
    assert installed.reached(entry) == ours.reached("tasks.mock_model.model")


def test_every_public_name_is_there() -> None:
    for name in llm_redial.__all__:
        assert getattr(llm_redial, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        llm_redial.nothing  # noqa: B018


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment outside any checkout: the package, and the libraries that are installed here."""
    package: Path = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    # A path of a .pth file, whose own .pth files, as of an editable install, are not read.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    python = folder / "bin" / "python"
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *options]
    subprocess.run([*command, str(package)], check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def folder(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own folder, one for each environment, whose modules have the names of ours."""
    chosen = tmp_path_factory.mktemp("project")
    for name in ("flows", "tasks"):
        (chosen / f"{name}.py").write_text("OWN = 'mine'\n")
    return chosen


def clean() -> dict[str, str]:
    dropped = ("PREFECT_", "REDIAL_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def run(environment: Path, folder: Path, *command: str) -> str:
    program = str(environment / command[0])
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env=clean(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


EXAMPLE = """
import tasks
from llm_redial import BuildOptions, Home, Release, build, find_release, plan
import flows
assert tasks.OWN == flows.OWN == "mine"
result = build("demo", BuildOptions(max_dialogues=20))
row = plan("demo", ["openai/gpt-4o-mini"])[0]
release = Release.load(find_release(Home.find(), "demo").path)
print(result.version, row["calls"], len(release.users))
"""


@pytest.mark.heavy
def test_it_builds_reports_and_is_a_library(environment: Path, folder: Path) -> None:
    run(environment, folder, "redial", "init", "--domain", "books")
    assert (folder / "data" / "domains" / "books.yaml").is_file()
    built = json.loads(run(environment, folder, "redial", "build", "demo", "--json"))
    assert Path(built["release"]).parent == folder / "data" / "releases" / "demo"
    report = run(environment, folder, "redial", "report", "demo")
    assert (folder / "data" / "reports" / "demo" / "index.html").is_file(), report
    (folder / "own.py").write_text(EXAMPLE)
    version, calls, users = run(environment, folder, "python", "own.py").split()[-3:]
    assert version != built["version"]
    assert (int(calls) > 0, int(users) > 0) == (True, True)


@pytest.mark.heavy
def test_it_serves_and_a_run_is_done(environment: Path, folder: Path) -> None:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    with serving(data, program=environment / "redial") as served:
        run_id = served.start("build/demo", domain="demo", options={"max_dialogues": 30})
        assert served.wait(run_id)["state"]["type"] == "COMPLETED"
    assert list((data / "releases" / "demo").glob("*/README.md"))
