#!/bin/bash
# Try the wheels of dist/ in bare roots of Debian 12 and 13 made for that, which have python3 and
# none of the wheel's libraries: first alone, then with extras, as a newcomer would.
#
# usage: tools/wheel_roots.sh TOOLS      as root; TOOLS is a Python with pip
set -euo pipefail

cd "$(dirname "$0")/.."
tools=$PWD/$1
roots=$PWD/build/wheel-roots

[ "$(id -u)" -eq 0 ] || { echo "$0: only root can make roots and enter them" >&2; exit 1; }
tools/install.sh roots
rm -rf "$roots"
mkdir -p "$roots"
"$tools" -m pip download -q --no-deps -d "$roots/pip" pip

for release in bookworm trixie; do
    root=$roots/$release
    tools/roots.sh make "$release" "$root" python3
    present=$(find "$root" \( -name 'libtrace*' -o -name 'libwandio*' -o -name 'libpcap*' \
        -o -name 'libldns*' \) -print)
    [ -z "$present" ] || { echo "$release is not bare: $present" >&2; exit 1; }

    mkdir -p "$root/try/tests/tutorial"
    cp -R tutorial "$root/try"
    cp -R tests/tutorial/expected "$root/try/tests/tutorial"
    cp -R tools/try_wheel.py dist "$root/try"
    cp "$roots"/pip/pip-*.whl "$root/try/pip.whl"
    # a network of its own, whose lo is its own
    tools/roots.sh enter --without-network "$root" sh -euc '
        python3 /try/pip.whl/pip install -q --no-index --break-system-packages -f /try/dist \
            python-libtrace
        cd /
        python3 /try/try_wheel.py /try'

    version=$(tools/roots.sh enter "$root" python3 -c \
        'import sys; print("%d.%d" % sys.version_info[:2])')
    wheel=$(echo dist/*-cp"${version/./}"-*.whl)
    "$tools" -m pip download -q -d "$root/try/extras" --python-version "$version" \
        --platform "manylinux_2_34_$(uname -m)" --platform "manylinux_2_28_$(uname -m)" \
        --platform "manylinux_2_17_$(uname -m)" --only-binary :all: \
        "$wheel[cli,tutorial]" nbclient
    cp tools/try_newcomer.py "$root/try"
    tools/roots.sh enter --without-network "$root" sh -euc '
        python3 /try/pip.whl/pip install -q --no-index --break-system-packages -f /try/dist \
            -f /try/extras "python-libtrace[cli,tutorial]" nbclient
        cd /
        python3 /try/try_newcomer.py /try'
done
