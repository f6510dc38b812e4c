#!/bin/bash
# Run the test suite on modules built with AddressSanitizer and UBSan, in a copy of the project.
#
# usage: tools/asan.sh PYTHON [PYTEST-ARGUMENT...]
#
# The tests see PLT_ASAN=1.  A report from any process of theirs fails the run.
set -euo pipefail

cd "$(dirname "$0")/.."
python=$PWD/$1
shift
root=$PWD/build/asan
reports=$root/reports
. tools/instrumented.sh

copy_project "$root"
mkdir -p "$reports"
cd "$root"

# Undefined behaviour traps, and AddressSanitizer reports the trap: libubsan's own reports go to
# stderr alone, which pytest and tests capture.
# Python asks for -fwrapv and -DNDEBUG, which would hide overflows and switch assertions off.
CFLAGS="-fsanitize=address,undefined -fsanitize-undefined-trap-on-error -fno-omit-frame-pointer \
-fno-wrapv -UNDEBUG -g -O1" \
    "$python" setup.py -q build_ext --inplace -j "$(nproc)"

free_programs bin

# An interpreter never frees all it took.  A handler of 2 is not replaced by pytest's faulthandler.
options="detect_leaks=0:allocator_may_return_null=1:log_path=$reports/report"
options="$options:handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2"
status=0
# libstdc++ is there from the start so that the exceptions of other C++ modules are intercepted.
env PATH="$root/bin:$PATH" PYTHONPATH="$root" PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 \
    PLT_ASAN=1 \
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so.6)" \
    ASAN_OPTIONS="$options" \
    "$python" -m pytest -p no:cacheprovider "$@" || status=$?
exit_unless_reported "$reports" "$status"
