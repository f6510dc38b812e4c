#!/bin/sh
# Make the virtual environment anew, after installing what the build needs.
#
# usage: tools/make_venv.sh FOLDER      PYTHON names the interpreter
set -eu

here=$(dirname "$0")
venv=$1
"$here/install.sh" build
# The real interpreter: PYTHON may be a link inside the folder that goes now.
python=$("${PYTHON:-python3}" "$here/interpreter.py" path)
echo "making $venv with $python"
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python" "$here/requires.py" build | "$venv/bin/python" -m pip install -q -r /dev/stdin
touch "$venv/.made-by$(echo "$python" | tr / +)"
