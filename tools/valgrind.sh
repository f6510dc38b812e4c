#!/bin/bash
# Run tests under valgrind's memcheck: a report whose calls lead through the modules fails the run.
#
# usage: tools/valgrind.sh PYTHON PYTEST-ARGUMENT...
set -euo pipefail

cd "$(dirname "$0")/.."
python=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# valgrind has one processor for all threads: the tests see PLT_ASAN=1, as what makes them slow.
# Python keeps what it took until the end, so that leaks are looked for by `make leaks`.
PLT_ASAN=1 PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 \
    valgrind -q --log-file="$log" --suppressions=tools/valgrind.supp --leak-check=no \
    --num-callers=30 --keep-debuginfo=yes --fullpath-after= \
    "$python" -m pytest -p no:cacheprovider -p no:faulthandler "$@" || status=$?
if grep -E '/_(ipp|plt|natkit|pldns)\.|src/(ipp|plt|natkit|pldns|common|packet|streams|where|flowtable|buffers)/' "$log" >/dev/null; then
    cat "$log"
    echo "valgrind reported" >&2
    exit 1
fi
exit "$status"
