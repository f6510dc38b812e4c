#!/bin/bash
# Build in this tree without a warning, run the tutorial's programs, and the unit tests: one cell of
# `make matrix`, in its root.  Lines that begin with "matrix:" say what was found.
#
# usage: tools/matrix_cell.sh native PYTHON COMPILER
#        tools/matrix_cell.sh cross ARCH ROOT     build for ARCH, whose headers ROOT has
#        tools/matrix_cell.sh emulated            on another processor, what cross has built
#
# WARNINGS are the compiler's options that ask for them.  TESTS are run in place of all.  LIBTRACE4 is a folder with libtrace 4's
# sources, and WANDIO one with wandio's: they are built, and libtrace 3 is not used.
set -euo pipefail

cd "$(dirname "$0")/.."
demo=(tutorial/p0[1-8]*.py tutorial/p1[56]*.py)
emulated_tests=(tests/unit/test_ipp*.py tests/unit/test_natkit*.py tests/unit/test_pldns*.py
    tests/unit/test_cryptopan*.py tests/unit/test_flowtable*.py tests/unit/test_columns.py
    tests/unit/test_columns_decap.py tests/unit/test_columns_pickle.py
    tests/unit/test_packet_lengths.py tests/unit/test_blocks.py tests/unit/test_anonymise.py
    tests/unit/test_plt_*.py)
# Of these, what captures, starts clusters or threads, or needs codecs of PyPI's is not run emulated.
left_out='_(live.*|cluster|threads|many|rights|compressed)[.]py$'

say() { echo "matrix: $*"; }

apt_install() {
    apt-get -qq update
    apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" >/dev/null
}

version_of_libtrace() { # COMPILER...
    local number
    number=$(($(printf '#include <libtrace.h>\nLIBTRACE_API_VERSION\n' | "$@" -E -P -x c - | tail -n 1)))
    echo "$((number >> 16)).$((number >> 8 & 255)).$((number & 255))"
}

step() { # NAME COMMAND...
    local name=$1 began=$SECONDS status=0
    shift
    "$@" || status=$?
    say "$name $([ "$status" -eq 0 ] && echo passed || echo failed) $((SECONDS - began)) s"
    return "$status"
}

# Into /usr/local, where pkg-config and the loader look first.
build_libtrace4() {
    apt_install gcc g++ make autoconf automake libtool flex bison pkg-config file libpcap-dev \
        zlib1g-dev libbz2-dev liblzma-dev libssl-dev libyaml-dev libwandder2-dev 2>/dev/null ||
        apt_install gcc g++ make autoconf automake libtool flex bison pkg-config file libpcap-dev \
            zlib1g-dev libbz2-dev liblzma-dev libssl-dev libyaml-dev
    local folder
    for folder in ${WANDIO:+/sources/wandio} /sources/libtrace4; do
        (cd "$folder"
            [ -x configure ] || ./bootstrap.sh
            ./configure -q --prefix=/usr/local
            make -s -j "$(nproc)"
            make -s install)
    done >/plt/libtrace4.log 2>&1 || { tail -n 20 /plt/libtrace4.log; return 1; }
    ldconfig
}

build() {
    local include
    rm -rf build .venv/.built {ipp,plt,natkit,pldns}/*.so
    PYTHON=$python tools/install.sh build
    include=$("$python" tools/interpreter.py include)
    # Python's own headers are not ours to mend: what -isystem names first, -I does not name again
    CC=$compiler CFLAGS="$WARNINGS $unknown -isystem $include" make PYTHON="$python" .venv/.built
}

native() {
    python=$1
    compiler=$2
    unknown=
    [ "$(command -v apt-get)" ] && [ "$(id -u)" -eq 0 ] && [ "$PWD" = /plt ] &&
        apt_install make ca-certificates iproute2 procps file "$compiler" "$python"{,-dev,-venv}
    case $compiler in
    clang*) unknown="-Wno-ignored-optimization-argument -Wno-unknown-warning-option" ;;
    esac
    [ -z "${LIBTRACE4:-}" ] || step libtrace4 build_libtrace4
    say compiler "$("$compiler" -dumpversion)"
    step build build
    say python "$(.venv/bin/python -c 'import platform; print(platform.python_version())')"
    say libtrace "$(version_of_libtrace "$compiler")"
    local status=0
    step demo make PYTHON="$python" demo || status=1
    step tests make PYTHON="$python" test ARGS="-q ${TESTS:-tests/unit}" || status=1
    return "$status"
}

cross() {
    local arch=$1 root=$2 triplet=$1-linux-gnu folder=build/cross
    case $arch in
    arm64) triplet=aarch64-linux-gnu ;;
    armhf) triplet=arm-linux-gnueabihf ;;
    esac
    apt_install make python3-dev python3-venv python3-pip pkg-config "gcc-$triplet"
    rm -rf build {ipp,plt,natkit,pldns}/*.so
    mkdir -p "$folder/sysconfig"
    [ -d .venv ] || python3 -m venv .venv
    .venv/bin/python tools/requires.py build | .venv/bin/python -m pip install -q -r /dev/stdin
    # The other processor's Python says by this module how modules are compiled and named.
    local data=_sysconfigdata__$triplet include
    sed "s,'/usr/include/python,'$root/usr/include/python," "$root"/usr/lib/python3.*/"$data.py" \
        >"$folder/sysconfig/$data.py"
    include=$(echo "$root"/usr/include/python3.*)
    compile() {
        _PYTHON_HOST_PLATFORM=linux-$arch _PYTHON_SYSCONFIGDATA_NAME=$data \
            PYTHONPATH=$PWD/$folder/sysconfig \
            CC="$triplet-gcc --sysroot=$root" LDSHARED="$triplet-gcc --sysroot=$root -shared" \
            CFLAGS="$WARNINGS -isystem $include -isystem $root/usr/include" \
            PKG_CONFIG_SYSROOT_DIR=$root \
            PKG_CONFIG_LIBDIR=$root/usr/lib/$triplet/pkgconfig:$root/usr/share/pkgconfig \
            .venv/bin/python setup.py -q build_ext --inplace -j "$(nproc)"
    }
    say compiler "$("$triplet-gcc" -dumpversion)"
    step build compile
    say libtrace "$(version_of_libtrace "$triplet-gcc" --sysroot="$root")"
    rm -rf "$root/plt"
    mkdir -p "$root/plt"
    tar -cf - --exclude=./.venv --exclude=./build --exclude=./bench/data . | tar -xf - -C "$root/plt"
    # the last versions that are the same on every processor
    .venv/bin/python -m pip install -q --target "$root/plt/.site" --platform any \
        --only-binary :all: 'pytest>=8' 'hypothesis>=6' 'dnspython>=2'
}

emulated() {
    local status=0
    export PYTHONPATH=/plt:/plt/.site PYTHONDONTWRITEBYTECODE=1 PLT_EMULATED=1
    # Debian's scripts, which were not run, link these from a folder that the loader knows
    LD_LIBRARY_PATH=$(echo /usr/lib/*-linux-gnu*/blas | head -n 1):$(echo /usr/lib/*-linux-gnu*/lapack | head -n 1)
    export LD_LIBRARY_PATH
    say python "$(python3 -c 'import platform; print(platform.python_version())')"
    step demo python3 tools/demo.py "${demo[@]}" || status=1
    mapfile -t emulated_tests < <(printf '%s\n' "${emulated_tests[@]}" | grep -vE "$left_out")
    # shellcheck disable=SC2206 # a word a file
    [ -z "${TESTS:-}" ] || emulated_tests=($TESTS)
    step tests python3 -m pytest -p no:cacheprovider -q "${emulated_tests[@]}" || status=1
    return "$status"
}

kind=$1
shift
case $kind in
native) native "$@" ;;
cross) cross "$@" ;;
emulated) emulated ;;
*)
    echo "usage: $0 native|cross|emulated ..." >&2
    exit 2
    ;;
esac
