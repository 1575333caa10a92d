#!/usr/bin/env bash
# The tests with the lowest version of each runtime dependency that pyproject.toml allows.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv-lowest
[ -x $venv/bin/python ] || "${PYTHON:-.venv/bin/python}" -m venv $venv
$venv/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' uv
$venv/bin/uv pip compile --quiet --resolution lowest-direct --all-extras --python $venv/bin/python \
    pyproject.toml --output-file $venv/lowest.txt
$venv/bin/pip install --quiet --editable '.[asyncmy,psycopg]' --group dev --constraint $venv/lowest.txt
$venv/bin/pip list 2>/dev/null | grep -iE '^(aiomysql|aiosqlite|alembic|argon2-cffi|asyncmy|asyncpg|click|psycopg|psycopg-binary|pyyaml|rich|sqlalchemy) '
exec $venv/bin/pytest -n "${JOBS:-2}" "$@"
