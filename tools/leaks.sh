#!/bin/bash
# Call every public name again and again on a debug build of Python, which counts its references.
#
# usage: tools/leaks.sh DEBUG-PYTHON [ARGUMENT...]      arguments of tests/leaks.py
#
# The names are shared among as many processes as there are processors.
set -euo pipefail

cd "$(dirname "$0")/.."
python=$1
shift
root=$PWD/build/leaks
. tools/instrumented.sh
if ! "$python" -c 'import sys; sys.gettotalrefcount()' 2>/dev/null; then
    echo "$python is no debug build of Python: apt install python3-dbg, or name one by DEBUG_PYTHON=" >&2
    exit 1
fi

made=$root/venv/.made-by$("$python" tools/interpreter.py path | tr / +)
[ -e "$made" ] || PYTHON=$python tools/make_venv.sh "$root/venv"
python=$root/venv/bin/python
copy_project "$root/copy"
cd "$root/copy"
CFLAGS="-UNDEBUG -g -O1" "$python" setup.py -q build_ext --inplace -j "$(nproc)"

parts=$(nproc)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
jobs=()
for ((part = 0; part < parts; part++)); do
    mkdir "$folder/$part"
    PYTHONPATH=$PWD:$PWD/tests PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 \
        "$python" tests/leaks.py "$folder/$part" --part="$part/$parts" "$@" &
    jobs+=($!)
done
status=0
for job in "${jobs[@]}"; do
    wait "$job" || status=$?
done
exit "$status"
