#!/bin/bash
# Run the test suite on modules that count their lines and branches, in a copy of the project.
#
# usage: tools/coverage.sh PYTHON [PYTEST-ARGUMENT...]
#
# With arguments it only reports what these tests reach; without, it also lets calls fail, as make
# faults does, and lines that neither a test reaches nor tests/unreached.txt has fail it.  KEEP=1
# adds to the counts of the last run.  The tests see PLT_COVERAGE=1.
set -euo pipefail

cd "$(dirname "$0")/.."
python=$PWD/$1
shift
root=$PWD/build/coverage
counts=$root/build/counts
. tools/instrumented.sh

copy_project "$root"
cd "$root"
if [ -z "${KEEP:-}" ]; then
    rm -rf "$counts"
    [ ! -d build ] || find build -name '*.gcda' -delete
fi
mkdir -p "$counts"

cat >build/write_counts.h <<'END'
void __gcov_dump(void);
void __gcov_reset(void);
void write_counts(void);
__attribute__((weak, visibility("default"))) void write_counts(void)
{
    __gcov_dump();
    __gcov_reset();
}
END
# Some tests give their programs no PYTHONPATH but the project's.
echo "import sys; sys.path.append('$root/tools'); import write_counts" >sitecustomize.py
CFLAGS="--coverage -O0 -fprofile-update=atomic -include $root/build/write_counts.h" \
    "$python" setup.py -q build_ext --inplace -j "$(nproc)"

# Counts of a file that was compiled again since fit it no more.
find build -name '*.gcda' | while read -r file; do
    [ ! "${file%.gcda}.gcno" -nt "$file" ] || rm "$file"
done

# What measuring itself breaks: modules export write_counts(), memory and descriptors are coverage.py's
# too, and what was built here is not what was installed.
broken=(
    tests/memory/test_leaks.py
    tests/memory/test_plt_memory.py
    tests/unit/test_build.py
    tests/unit/test_bench.py
    tests/unit/test_house.py::test_module_exports_only_its_init_function
    tests/unit/test_columns_pickle.py::test_memory_runs_out_while_pickling
    tests/unit/test_cli_ends.py::test_standard_output_that_is_closed
    tests/hostile/test_plt_threads.py::test_subinterpreters
    tests/faults/test_faults.py::test_mended
)
export PYTHONPATH="$root:$root/tools" COVERAGE_FILE="$counts/python"
status=0
env PYTHONDONTWRITEBYTECODE=1 PLT_COVERAGE=1 "$python" -m coverage run -m pytest \
    -p no:cacheprovider -p write_counts -n "$(nproc)" --dist loadfile \
    "${broken[@]/#/--deselect=}" "$@" || status=$?

# Each call of malloc() and its like that the modules lead to fails a few times, by each way to it.
if [ $# -eq 0 ]; then
    "$python" tests/faults/run.py --ways 2 --jobs "$(nproc)" || status=$?
fi

# What Python's macros branch on where they are a statement of their own is not ours: whether there is
# an object, what a visitor answers, which comparison.
macros='\s*(Py_VISIT|Py_CLEAR|Py_XSETREF|Py_RETURN_RICHCOMPARE)\(.*\);(\s*/\*.*)?$'
# A process that writes its counts while a thread of it counts may leave one below 0: it is none.
"$python" -m gcovr --root . --filter src/ --object-directory build --exclude-throw-branches \
    --gcov-ignore-parse-errors negative_hits.warn_once_per_file \
    --exclude-branches-by-pattern "$macros" --json build/c.json build
"$python" -m coverage combine -q --append
"$python" -m coverage json -q -o build/python.json
if [ $# -eq 0 ]; then
    "$python" tools/unreached.py . --check tests/unreached.txt || status=1
else
    "$python" tools/unreached.py .
fi
exit "$status"
