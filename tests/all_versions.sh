#!/usr/bin/env bash
# The conformance tests on every version of the servers that can be fetched, one after the other, and
# with the driver that `make test` leaves out.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
for engine in ${ENGINES:-postgresql14 postgresql15 postgresql16 postgresql17 postgresql18 mariadb11}; do
    backend=${engine%%[0-9]*}
    programs=$($python -m tests.engines fetch "$engine" | sed "s/^$engine: //")
    echo "== $engine"
    export "BOOTSTRAP_${backend^^}_PROGRAMS=$programs"
    .venv/bin/pytest -q -n "${JOBS:-2}" tests/conformance -k "$backend"
    unset "BOOTSTRAP_${backend^^}_PROGRAMS"
done
echo "== mysql+asyncmy"
BOOTSTRAP_TEST_DRIVERS=all .venv/bin/pytest -q -n "${JOBS:-2}" tests/conformance -k "asyncmy and mysql"
echo "== all changes of models and of schemas"
BOOTSTRAP_TEST_CHANGES=all .venv/bin/pytest -q -n "${JOBS:-2}" tests/conformance/test_model_changes.py \
    tests/conformance/test_corpus.py tests/conformance/test_drift.py \
    tests/conformance/test_drift_restored.py tests/conformance/test_drift_beside_traffic.py
echo "== killed at every statement"
BOOTSTRAP_TEST_CHAOS=all .venv/bin/pytest -q -n "${JOBS:-2}" tests/chaos
