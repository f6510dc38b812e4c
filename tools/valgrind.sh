#!/bin/bash
# Run tests under valgrind's memcheck: a report whose calls lead through the modules fails the run,
# but for those of Python code that the modules call, which are the interpreter's.
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
ours='/_(ipp|plt|natkit|pldns)[.]|src/(ipp|plt|natkit|pldns|common|packet|streams|where|flowtable|buffers)/'
# Each stack of a report begins with "at", the last called comes first.
if awk -v ours="$ours" '/ at 0x/ { python = 0 }
        /_PyEval_EvalFrameDefault/ { python = 1 }
        !python && $0 ~ ours { found = 1 }
        END { exit !found }' "$log"; then
    cat "$log"
    echo "valgrind reported" >&2
    exit 1
fi
exit "$status"
