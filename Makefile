# The two that matter:   make up     sets everything up and runs `bootstrap up` on a SQLite file
#                        make test   sees to what the tests need, then runs every check

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

# Processes that find no compiled code take half a second longer each, and tests start thousands.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up test coverage test-full check servers format generated lowest bench clean

up: $(VENV)/installed
	@$(BIN)/bootstrap up

test: check servers
	$(BIN)/pytest -n $(JOBS)

# The same with what they reach, which takes nearly twice as long.
coverage: check servers
	$(BIN)/pytest -n $(JOBS) --cov --cov-report=term --cov-fail-under=90

test-full: coverage
	BOOTSTRAP_TEST_ROUNDS=20 $(BIN)/pytest -n $(JOBS) tests/conformance/test_run_lock.py -k twenty_at_once
	BOOTSTRAP_TEST_EXAMPLES=40 $(BIN)/pytest -n $(JOBS) tests/property
	BOOTSTRAP_TEST_REVISIONS=1000 $(BIN)/pytest -n $(JOBS) tests/conformance/test_same_as_alembic.py -k long_history
	BOOTSTRAP_TEST_FIXTURES=1000 $(BIN)/pytest tests/conformance/test_pytest_plugin.py -k many_tests
	tests/all_versions.sh
	tests/real.sh

check: $(VENV)/developing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

servers: $(VENV)/developing
	$(BIN)/python -m tests.engines ensure

format: $(VENV)/developing
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What is in the repository and follows from the code, such as the schemas in docs/json.
generated: $(VENV)/developing
	$(BIN)/python -m tests.generated
	$(BIN)/python -m tests.cli.record

# The lower bounds in pyproject.toml, proved: the tests with the lowest versions that it allows.
lowest: $(VENV)/developing servers
	tests/lowest.sh

bench: $(VENV)/developing servers
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.verifying
	$(BIN)/python -m tests.bench.fixtures
	$(BIN)/python -m tests.bench.seeding

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage*

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("bootstrap needs Python 3.11 or newer: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/developing: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[asyncmy,psycopg]' --group dev
	@touch $@ $(VENV)/installed
