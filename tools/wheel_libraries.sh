#!/bin/bash
# Make the libraries that a wheel carries, as small as they can be, into FOLDER:
#
#   lib/ include/   libpcap, and archives of ldns and libcrypto
#   licences/       the licence of each library that the wheel carries, by the library's name
#
# usage: tools/wheel_libraries.sh FOLDER
#
# Debian's libpcap needs libraries for D-Bus, and with them systemd's; its ldns needs OpenSSL for
# DNSSEC's signatures, which pldns does not check; and its libcrypto is 4.7 MB, of which natkit
# needs AES.  So they are built from Debian's source packages without what is not needed.  Of the
# archives only what a module calls is linked into it.  libtrace and wandio are those installed.
#
# Where there is no apt-get, as in the manylinux images, the sources are the projects' releases,
# and libtrace and wandio are built too.  SOURCES names a folder that may have them already.
set -euo pipefail

into=$1

# The releases, with the digests that Debian's source packages have for them.
releases=(
    https://www.tcpdump.org/release/libpcap-1.10.3.tar.gz
    2a8885c403516cf7b0933ed4b14d6caa30e02052489ebd414dc75ac52e7559e6
    https://nlnetlabs.nl/downloads/ldns/ldns-1.8.3.tar.gz
    c3f72dd1036b2907e3a56e6acf9dfb2e551256b3c1bbd9787942deeeb70e7860
    https://github.com/openssl/openssl/releases/download/openssl-3.0.20/openssl-3.0.20.tar.gz
    c80a01dfc70ece4dc21168932c37739042d404d46ccc81a5986dd75314ecda6f
    https://research.wand.net.nz/software/libtrace/libtrace-3.0.22.tar.bz2
    b8bbaa2054c69cc8f93066143e2601c09c8ed56e75c6e5e4e2c115d07952f8f8
)

# Those of the make that calls this: without built-in rules libpcap can't be made.
unset MAKEFLAGS MFLAGS

flags="-fPIC -ffunction-sections -fdata-sections -fstack-protector-strong -D_FORTIFY_SOURCE=2"

# Made by another state of this script, they are made anew.
stamp=$into/.made-by-$(cksum <"$0" | tr ' ' -)
[ ! -e "$stamp" ] || exit 0
rm -rf "$into"
mkdir -p "$into"/{apt/lists,apt/cache,src,lib/pkgconfig,include,licences}
into=$(realpath "$into")
stamp=$into/${stamp##*/}
exec 3>&1 >"$into/log" 2>&1
trap '[ $? -eq 0 ] || { tail -n 20 "$into/log"; echo "$0: see $into/log"; } >&3' EXIT

# --- The sources

# Of the same Debian as this machine's packages, whose lists are left as they are.
source_packages() { # PACKAGE...
    # shellcheck disable=SC2016 # words of apt-get, not of the shell
    apt-get indextargets 'Created-By: Packages' 'Label: Debian' \
        --format 'deb-src $(REPO_URI) $(CODENAME) main' | sort -u >"$into/apt/sources.list"
    if ! [ -s "$into/apt/sources.list" ]; then
        echo "apt-get knows no Debian from which the sources of $* could come"
        exit 1
    fi
    apt update
    for name; do
        echo "fetching the source of $name" >&3
        apt source "$name"
    done
}

apt() {
    apt-get -q -o Dir::Etc::SourceList="$into/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$into/apt/lists" -o Dir::Cache="$into/apt/cache" \
        -o APT::Sandbox::User= "$@"
}

released() { # URL SHA256 ...
    while [ $# -gt 0 ]; do
        file=${1##*/}
        if [ -e "${SOURCES:-}/$file" ]; then
            cp "$SOURCES/$file" .
        else
            echo "fetching $1" >&3
            curl -fsSL --retry 3 -o "$file" "$1"
        fi
        echo "$2  $file" | sha256sum -c -
        tar -xf "$file"
        shift 2
    done
}

licence() { # LIBRARY FILE...: of the source in the current folder
    local of
    of="as $(basename "$PWD") has it"
    [ ! -d debian ] || of="of $(basename "$PWD"), as Debian has it: $(dpkg-parsechangelog -S Version)"
    local texts=("${@:2}")
    [ ! -d debian ] || texts=(debian/copyright "${texts[@]}")
    { printf '%s here is %s\n\n' "$1" "$of"; cat "${texts[@]}"; } >"$into/licences/$1.txt"
}

cd "$into/src"
if command -v apt-get; then
    source_packages libpcap ldns openssl
else
    released "${releases[@]}"
fi

# --- libpcap: shared, since libtrace needs it too

cd "$into/src"/libpcap-*/
echo "building $(basename "$PWD")" >&3
./configure --prefix="$into" --disable-dbus --disable-rdma --disable-usb --disable-bluetooth \
    --disable-netmap --disable-remote --without-libnl --without-dag --without-septel \
    --without-snf --without-turbocap --without-dpdk CFLAGS="-O2 $flags"
make -s -j "$(nproc)"
make -s install-shared
cp pcap.h "$into/include"
cp -R pcap "$into/include"
# the name that the linker looks for
[ -e "$into/lib/libpcap.so" ] || ln -s libpcap.so.* "$into/lib/libpcap.so"
licence libpcap LICENSE

# --- ldns: without OpenSSL

cd "$into/src"/ldns-*/
echo "building $(basename "$PWD")" >&3
./configure --prefix="$into" --without-ssl --disable-sha2 --disable-gost --disable-ecdsa \
    --disable-dsa --disable-ed25519 --disable-ed448 --disable-dane --disable-ldns-config \
    --disable-shared CFLAGS="-O2 $flags"
make -s -j "$(nproc)" lib
make -s install-h
cp .libs/libldns.a "$into/lib"
licence libldns LICENSE

# --- OpenSSL's libcrypto: what EVP's AES needs, and no openssl.cnf

cd "$into/src"/openssl-*/
echo "building libcrypto of $(basename "$PWD")" >&3
# shellcheck disable=SC2086 # a word a flag
./Configure "linux-$(uname -m)" no-shared --openssldir=/nonexistent \
    no-{aria,async,autoload-config,bf,blake2,camellia,capieng,cast,chacha,cmac,cmp,cms,comp,ct} \
    no-{deprecated,des,dgram,dh,dsa,dso,ec,engine,err,filenames,gost,idea,legacy,md4,mdc2} \
    no-{module,multiblock,nextprotoneg,ocb,ocsp,poly1305,psk,rc2,rc4,rdrand,rfc3779,rmd160} \
    no-{scrypt,seed,siphash,siv,sm2,sm3,sm4,sock,srp,srtp,ssl-trace,tests,ts,ui-console} \
    no-whirlpool -Os $flags
make -s -j "$(nproc)" build_generated
make -s -j "$(nproc)" libcrypto.a
cp libcrypto.a "$into/lib"
cp -R include/openssl "$into/include"
licence libcrypto LICENSE.txt

# --- How setup.py finds them

described() { # PKG-CONFIG-NAME LIBRARY FLAG...
    printf 'Name: %s\nDescription: for the wheel\nVersion: 0\nCflags: -I%s\nLibs: -L%s -l%s %s\n' \
        "$1" "$into/include" "$into/lib" "$2" "${*:3}" >"$into/lib/pkgconfig/$1.pc"
}
described libpcap pcap
# a module exports none of an archive's names, and carries only what it calls
described ldns ldns -Wl,--exclude-libs,ALL -Wl,--gc-sections
described libcrypto crypto -Wl,--exclude-libs,ALL -Wl,--gc-sections

# --- libtrace, wandio, and what that needs

package_of() { # SONAME
    local file
    file=$(realpath "$(gcc -print-file-name="$1")")
    # dpkg knows some by their path before /lib became a link
    { dpkg -S "$file" || dpkg -S "${file#/usr}"; } 2>/dev/null | cut -d: -f1
}

licence_of_rpm() { # PACKAGE LIBRARY: where its files are is another place in each release
    local texts
    mapfile -t texts < <(rpm -ql "$1" | grep -i -e '/licen[cs]e[^/]*$' -e '/copying[^/]*$')
    [ ${#texts[@]} -gt 0 ] # else cat would wait for what is typed
    cat "${texts[@]}" >"$into/licences/$2.txt"
}

if command -v apt-get; then
    for library in libtrace.so.3 libwandio.so.1 libbz2.so.1.0 liblzma.so.5; do
        package=$(package_of "$library")
        { dpkg-query -W -f "${library%%.*} here is Debian's \${Package} \${Version}\n\n" "$package"
          cat "/usr/share/doc/$package/copyright"; } >"$into/licences/${library%%.*}.txt"
    done
else
    cd "$into/src"/libtrace-*/
    echo "building $(basename "$PWD")" >&3
    # It was written when compilers let pass what they refuse now.
    ./configure --prefix="$into" --disable-static \
        CFLAGS="-O2 $flags -fcommon -Wno-error=implicit-function-declaration \
                -Wno-error=incompatible-pointer-types -Wno-error=int-conversion" \
        CPPFLAGS="-I$into/include" LDFLAGS="-L$into/lib"
    for part in libwandio lib; do
        make -s -j "$(nproc)" -C "$part"
        make -s -C "$part" install
    done
    described libtrace trace
    licence libtrace COPYING
    licence libwandio COPYING
    licence_of_rpm bzip2-libs libbz2
    licence_of_rpm xz-libs liblzma
fi

rm -rf "$into/src" "$into/apt"
touch "$stamp"
