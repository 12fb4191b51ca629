# Two commands matter: `make demo` builds the demo dataset, `make test` runs every check. Both set up .venv on first use.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test test-heavy lint lock clean
.DEFAULT_GOAL := demo

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: .venv/installed
	$(BIN)/redial build demo

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest

# Kills, schedules and clusters against servers of their own: minutes, where `make test` takes seconds a test.
test-heavy: .venv/installed
	$(BIN)/python -m pytest -m heavy

lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --extra dev --python-version 3.11 --no-emit-index-url --no-header --no-annotate -o requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv data/warehouse data/journals data/releases data/docs data/prefect
