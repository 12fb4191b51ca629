"""A project folder of one's own: a domain that can be built at once, and places for own files.

What lies in its `data` counts before what the package ships, by name (`Home.file`).
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.settings import DOMAIN_NAME, Home

_SHIPPED = "demo"  # the domain whose file and reviews are copied to begin with
_SOURCES = ("reviews.json.gz", "meta.json.gz")
_FIRST_LINES = re.compile(r"\A(?:#.*\n)+")
_LICENCE = re.compile(r"(?m)^license:.*$")

_README = """\
# {name}

A project of `redial`. Run commands in this folder, or with `--data {data}`.

```
redial build {name}     # the reviews that came with this folder, invented ones; put your own there
redial serve            # the deployments of data/prefect.yaml, with a web page
```

| file | what it is |
|---|---|
| `data/domains/{name}.yaml` | the domain: reviews, thresholds, model, rules; copy it for another |
| `data/sources/` | the reviews that the domain file names |
| `data/goal_specs/templates/` | your dialogue templates: `briefs: {{templates: NAME}}` |
| `data/goal_specs/prompts/` | your prompt profiles: `generate: {{profile: NAME}}` |
| `data/expectations/` | your suites of rules: `quality: {{suites: [NAME]}}` |
| `data/expectations/languages/` | what the rules know of a language, such as `de.yaml` |
| `data/goal_specs/languages/` | how models are asked for it |
| `data/prefect.yaml` | your deployments |

A file of the same name as a shipped one takes its place, also `goal_specs/goals.yaml`,
`goal_specs/grammar.yaml` and `expectations/lexicon.yaml`; `redial build` says which do.
"""

_DOMAIN_HEAD = """\
# Copied from the demo: name your own reviews under `sources`, then `redial build {name}`.
"""

_DEPLOYMENTS = """\
# Deployments of `redial serve`, beside the shipped ones; an entry takes the place of a shipped one
# of its name. Domains without an entry get one like that of the demo.
deployments:
  - name: {name}
    entrypoint: flows/build.py:build
    description: Build the domain {name}.
    tags: [redial]
    parameters: {{domain: {name}}}
    work_pool: {{name: redial}}
    concurrency_limit: {{limit: 1, collision_strategy: ENQUEUE}}
    # schedules:
    #   - {{slug: nightly, cron: "0 3 * * *", timezone: UTC}}
"""
_PLACES = {
    "goal_specs/templates": "Template sets, NAME.yaml each: `redial templates expand --save NAME`.",
    "goal_specs/prompts": "Prompt profiles, NAME.yaml each, in the form of the shipped ones.",
    "goal_specs/languages": "Wordings of prompts, CODE.yaml each, in the form of the shipped ones.",
    "expectations": "Suites of rules, NAME.yaml each, in the form of the shipped ones.",
    "expectations/languages": "Language packs, CODE.yaml each, in the form of the shipped ones.",
}


def make_project(shipped: Home, folder: Path, name: str) -> list[Path]:
    """Write a project folder and return its files, the README first.

    Args:
        shipped: where the demo's files are.
        folder: the folder, which may be there already.
        name: the domain's name.

    Raises:
        UserError: the name is none, a file is there already, or the folder cannot be written.
    """
    if not DOMAIN_NAME.fullmatch(name):
        raise UserError(
            f"{name[:80]!r} is not a domain name: use small letters, digits, dashes and underscores"
        )
    data = folder / "data"
    texts = {
        folder / "README.md": _README.format(name=name, data=data),
        data / "domains" / f"{name}.yaml": _domain(shipped, name),
        data / "prefect.yaml": _DEPLOYMENTS.format(name=name),
        **{data / place / "README.md": f"{text}\n" for place, text in _PLACES.items()},
    }
    copies = {
        data / "sources" / file: shipped.project / "data" / _SHIPPED / file for file in _SOURCES
    }
    there = next((path for path in (*texts, *copies) if path.exists()), None)
    if there:
        raise UserError(f"{there} is there already: choose another folder")
    try:
        for path, text in texts.items():
            write_atomically(path, text)
        (data / "sources").mkdir(exist_ok=True)
        for path, original in copies.items():
            shutil.copyfile(original, path)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}") from None
    return [*texts, *copies]


def _domain(shipped: Home, name: str) -> str:
    """Return the demo's domain file with the sources of the new folder, and no licence."""
    path = shipped.project / "data" / "domains" / f"{_SHIPPED}.yaml"
    text = path.read_text(encoding="utf-8").replace(f"../{_SHIPPED}/", "../sources/")
    text = _FIRST_LINES.sub(_DOMAIN_HEAD.format(name=name), text)
    return _LICENCE.sub('license: ""                   # terms of the releases', text)
