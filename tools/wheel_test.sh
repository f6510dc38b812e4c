#!/bin/bash
# Run the unit tests on wheels of dist/, each installed in a virtual environment of its own, from a
# folder where no source can be imported by chance.
#
# usage: tools/wheel_test.sh PYTHON...      a path or a version (3.13), as for tools/wheel.sh
set -euo pipefail

cd "$(dirname "$0")/.."
tests=$PWD/tests/unit
dist=$PWD/dist
elsewhere=$PWD/build/wheel/tested

for python; do
    case $python in [0-9]*) python=python$python ;; esac
    rm -rf "$elsewhere"
    mkdir -p "$elsewhere"
    "$python" -m venv "$elsewhere/venv"
    "$python" tools/requires.py test >"$elsewhere/requirements.txt"
    "$elsewhere/venv/bin/python" -m pip install -q --no-index --no-deps -f "$dist" python-libtrace
    "$elsewhere/venv/bin/python" -m pip install -q -r "$elsewhere/requirements.txt"
    (cd "$elsewhere" && PLT_INSTALLED=1 venv/bin/python -m pytest -p no:cacheprovider "$tests")
done
