#!/bin/sh
# Install, with apt-get, what a target needs and this machine lacks.
#
# usage: tools/install.sh build|test|check|fuzz|leaks|valgrind|wheel|look|roots|matrix
#
# PYTHON names the interpreter to build for, DEBUG_PYTHON a debug build of one.
#
# Nothing is asked of apt where nothing is missing, so a machine that is not Debian's only needs
# the same tools and headers by its own means.
set -eu

here=$(dirname "$0")
missing=

command_of() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

header_of() { # HEADER PACKAGE
    printf '#include <%s>\n' "$1" | gcc -E -o /dev/null - 2>/dev/null || missing="$missing $2"
}

# What clang links with a flag, and Debian has apart from it.
runtime_of() { # FLAG PACKAGE
    echo 'int LLVMFuzzerTestOneInput(const void *a, unsigned long b) { return a && b && 0; }' |
        clang "$1" -x c -o /dev/null - 2>/dev/null || missing="$missing $2"
}

python_of() { # COMMAND
    case $1 in
    python3 | python3.[0-9]*)
        command -v "$1" >/dev/null 2>&1 || { missing="$missing $1-dev $1-venv"; return; } ;;
    esac
    lacks=$("$1" "$here/interpreter.py" lacks)
    path=$("$1" "$here/interpreter.py" path)
    case $lacks:$path in
    :*) ;;
    *:/usr/bin/*) missing="$missing $lacks" ;;
    *) echo "$path comes without what Debian has in $lacks: add it, or choose another PYTHON" >&2
        exit 1 ;;
    esac
}

case $1 in
build)
    command_of gcc gcc
    command_of pkg-config pkg-config
    header_of stdio.h libc6-dev
    header_of libtrace.h libtrace3-dev
    header_of pcap/pcap.h libpcap-dev
    header_of ldns/ldns.h libldns-dev
    header_of openssl/evp.h libssl-dev
    python_of "${PYTHON:-python3}"
    ;;
test)
    command_of tshark tshark
    command_of traceanon libtrace-tools
    command_of tcptrace tcptrace
    ;;
check)
    for tool in clang clang-format clang-tidy cppcheck; do
        command_of "$tool" "$tool"
    done
    ;;
fuzz)
    command_of clang clang
    command_of llvm-symbolizer llvm
    runtime_of -fsanitize=fuzzer,address,undefined libclang-rt-dev
    ;;
leaks)
    command_of "${DEBUG_PYTHON:-python3-dbg}" "${DEBUG_PYTHON:-python3-dbg}"
    ;;
valgrind)
    command_of valgrind valgrind
    ;;
wheel)
    for tool in flex bison make perl; do
        command_of "$tool" "$tool"
    done
    command_of dpkg-source dpkg-dev
    ;;
look)
    for tool in chromium chromium-browser google-chrome; do
        ! command -v "$tool" >/dev/null 2>&1 || exit 0
    done
    missing="chromium fonts-dejavu-core"
    ;;
roots)
    command_of debootstrap debootstrap
    ;;
matrix)
    command_of debootstrap debootstrap
    command_of git git
    command_of qemu-s390x-static qemu-user-static
    ;;
*)
    echo "usage: $0 build|test|check|fuzz|leaks|valgrind|wheel|look|roots|matrix" >&2
    exit 2
    ;;
esac
[ -n "$missing" ] || exit 0

echo "installing:$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "there is no apt-get here: install what corresponds to these packages of Debian's" >&2
    exit 1
fi
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}
apt update
# sid has no tcptrace: the tests that ask it are skipped there
if [ "$1" = test ]; then
    for package in $missing; do
        apt-cache show "$package" >/dev/null 2>&1 && continue
        echo "there is no $package here: the tests that need it are skipped"
        missing=$(echo " $missing " | sed "s/ $package / /")
    done
fi
# shellcheck disable=SC2086 # a word a package
apt install -y --no-install-recommends $missing >/dev/null
