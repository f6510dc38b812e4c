#!/bin/bash
# Build a wheel from the project's own sdist, and run the unit tests on it, installed in a virtual
# environment of its own, from a folder where no source can be imported by chance.
#
# usage: tools/wheel.sh PYTHON
set -euo pipefail

cd "$(dirname "$0")/.."
python=$PWD/$1
tests=$PWD/tests/unit
dist=$PWD/dist
elsewhere=$PWD/build/wheel

rm -rf "$dist" "$elsewhere"
mkdir -p "$dist" "$elsewhere"
"$python" -c 'import setuptools.build_meta as backend; backend.build_sdist("dist")' >"$elsewhere/sdist.log"
"$python" -m pip wheel -q --no-deps --no-build-isolation -w "$dist" "$dist"/*.tar.gz

"$python" -m venv "$elsewhere/venv"
"$python" tools/requires.py test >"$elsewhere/requirements.txt"
"$elsewhere/venv/bin/python" -m pip install -q "$dist"/*.whl -r "$elsewhere/requirements.txt"
cd "$elsewhere"
PLT_INSTALLED=1 venv/bin/python -m pytest -p no:cacheprovider "$tests"
ls -l "$dist"
