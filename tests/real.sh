#!/usr/bin/env bash
# The histories of well-known projects, in an environment of their own: each is migrated as Alembic
# migrates it, and verified across the backends; optuna's is killed at a sample of its statements.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv-real
[ -x $venv/bin/python ] || "${PYTHON:-.venv/bin/python}" -m venv $venv
$venv/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
$venv/bin/pip install --quiet --editable '.[asyncmy,psycopg]' --group dev \
    --requirement tests/real/requirements.txt
export BOOTSTRAP_TEST_REAL=yes
export OPENBLAS_NUM_THREADS=1  # numpy, which optuna imports, makes threads, and tests/chaos forks
exec $venv/bin/pytest -q -n "${JOBS:-2}" tests/real "$@"
