#!/bin/bash
# Run the tests that have threads on modules built with ThreadSanitizer, in a copy of the project.
#
# usage: tools/tsan.sh PYTHON [PYTEST-ARGUMENT...]
#
# The tests see PLT_ASAN=1, as under AddressSanitizer: both take memory and time; and PLT_TSAN=1, for
# this one can fork.  A report from any process of theirs fails the run.
set -euo pipefail

cd "$(dirname "$0")/.."
python=$PWD/$1
shift
root=$PWD/build/tsan
reports=$root/reports
. tools/instrumented.sh
copy_project "$root"
mkdir -p "$reports"
cd "$root"

CFLAGS="-fsanitize=thread -fno-omit-frame-pointer -UNDEBUG -g -O1" \
    "$python" setup.py -q build_ext --inplace -j "$(nproc)"
free_programs bin

# A forked process goes on with its one thread, and is looked at, too.
options="suppressions=$PWD/tools/tsan.supp:log_path=$reports/report:exitcode=66"
options="$options:die_after_fork=0:report_signal_unsafe=0:history_size=7"
status=0
# Polars, which has an allocator of its own, ends by a segmentation fault under the runtime.
# The allocators of Arrow and Polars hold more locks at a fork than the runtime can count, unless
# they have few arenas.
# The runtime needs its own places in memory, which randomised addresses may take.  Objects of
# Python's own allocator would be one piece of memory for it, whoever they belong to.
env PATH="$PWD/bin:$PATH" PYTHONPATH="$PWD" PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 \
    ARROW_DEFAULT_MEMORY_POOL=system JE_ARROW_MALLOC_CONF=narenas:1 _RJEM_MALLOC_CONF=narenas:1 \
    PLT_ASAN=1 PLT_TSAN=1 TSAN_OPTIONS="$options" \
    LD_PRELOAD="$(gcc -print-file-name=libtsan.so)" \
    setarch "$(uname -m)" -R \
    "$python" -m pytest -p no:cacheprovider -p no:faulthandler -k "not polars" "$@" || status=$?
exit_unless_reported "$reports" "$status"
