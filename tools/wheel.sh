#!/bin/bash
# Build wheels that need no library of the system but libc and zlib into dist/, from the project's
# own sdist: one for each interpreter.
#
# usage: tools/wheel.sh TOOLS PYTHON...
#
# TOOLS is the Python of the environment that has auditwheel; PYTHON is a path or a version (3.13).
set -euo pipefail

cd "$(dirname "$0")/.."
tools=$PWD/$1
dist=$PWD/dist
work=$PWD/build/wheel
libraries=$PWD/build/wheel-libraries
shift

# A name may be there and not run: pyenv's is for versions that are not chosen.
for python; do
    case $python in [0-9]*) python=python$python ;; esac
    "$python" -c 'import venv' ||
        { echo "$0: $python does not run here: choose another, by its path" >&2; exit 1; }
done

tools/wheel_libraries.sh "$libraries"
rm -rf "$dist" "$work"
mkdir -p "$dist" "$work"
"$tools" -c 'import setuptools.build_meta as backend; backend.build_sdist("dist")' >"$work/sdist.log"
"$tools" tools/requires.py build >"$work/requirements.txt"

# setup.py finds what was made for the wheel before what the system has, and auditwheel does too.
export PKG_CONFIG_PATH=$libraries/lib/pkgconfig
export LD_LIBRARY_PATH=$libraries/lib
PATH=$(dirname "$tools"):$PATH # for patchelf

for python; do
    case $python in [0-9]*) python=python$python ;; esac
    rm -rf "$work"/{venv,plain,whole}
    "$python" -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install -q -r "$work/requirements.txt"
    "$work/venv/bin/python" -m pip wheel -q --no-deps --no-build-isolation -w "$work/plain" \
        "$dist"/*.tar.gz
    "$tools" -m auditwheel repair --strip -w "$work/whole" "$work"/plain/*.whl
    "$tools" tools/wheel_licences.py "$work"/whole/*.whl "$libraries/licences" "$dist"
done
ls -l "$dist"
