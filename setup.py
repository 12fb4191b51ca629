"""Builds the wheel as one package, `llm_redial`, with the code and every resource.

In the sources the code is `flows` and `tasks`. These names are too common for site-packages: a
user's own tasks.py would hide ours, or ours theirs. So the wheel holds them within `llm_redial`,
and what names them there is written with the package before it.
"""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PACKAGE = "llm_redial"
CODE = ("flows", "tasks")
FOLDERS = ("goal_specs", "expectations", "data/domains")
FILES = (
    "prefect.yaml",
    "automations.yaml",
    "work_pool.json",
    "data/demo/README.md",
    "data/demo/reviews.json.gz",
    "data/demo/meta.json.gz",
)
# Imports, and names of modules in quotes: of a process to start, of a step of Prefect.
IMPORT = re.compile(r"(?m)^(\s*(?:from|import) )(?=(?:flows|tasks)\b)")
QUOTED = re.compile(r'"(?=(?:flows|tasks)(?:\.\w+)+")')


def within_package(source: str) -> str:
    """Return a module's source with the project's modules named as the wheel holds them."""
    return QUOTED.sub(f'"{PACKAGE}.', IMPORT.sub(rf"\1{PACKAGE}.", source))


class BuildOnePackage(build_py):
    """Adds code and resources to the package; an editable install uses them where they lie."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib, PACKAGE)
        for folder in (*CODE, *FOLDERS):
            hidden = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(folder, package / folder, ignore=hidden, dirs_exist_ok=True)
        for file in FILES:
            (package / file).parent.mkdir(exist_ok=True)
            shutil.copy2(file, package / file)
        for path in package.rglob("*.py"):
            path.write_text(within_package(path.read_text("utf-8")), encoding="utf-8")


setup(cmdclass={"build_py": BuildOnePackage})
