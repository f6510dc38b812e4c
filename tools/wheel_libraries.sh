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
set -euo pipefail

into=$1
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

# --- The sources: of the same Debian as this machine's packages, whose lists are left as they are

# shellcheck disable=SC2016 # words of apt-get, not of the shell
apt-get indextargets 'Created-By: Packages' 'Label: Debian' \
    --format 'deb-src $(REPO_URI) $(CODENAME) main' | sort -u >"$into/apt/sources.list"
if ! [ -s "$into/apt/sources.list" ]; then
    echo "apt-get knows no Debian from which the sources of libpcap, ldns and OpenSSL could come"
    exit 1
fi
apt() {
    apt-get -q -o Dir::Etc::SourceList="$into/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$into/apt/lists" -o Dir::Cache="$into/apt/cache" \
        -o APT::Sandbox::User= "$@"
}
apt update
cd "$into/src"
for name in libpcap ldns openssl; do
    echo "fetching the source of $name" >&3
    apt source "$name"
done

licence() { # LIBRARY FILE...: of the source in the current folder
    { echo "$1 here is of $(basename "$PWD") as Debian has it: $(dpkg-parsechangelog -S Version)"
      echo; cat "${@:2}"; } >"$into/licences/$1.txt"
}

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
licence libpcap debian/copyright

# --- ldns: without OpenSSL

cd "$into/src"/ldns-*/
echo "building $(basename "$PWD")" >&3
./configure --prefix="$into" --without-ssl --disable-sha2 --disable-gost --disable-ecdsa \
    --disable-dsa --disable-ed25519 --disable-ed448 --disable-dane --disable-ldns-config \
    --disable-shared CFLAGS="-O2 $flags"
make -s -j "$(nproc)" lib
make -s install-h
cp .libs/libldns.a "$into/lib"
licence libldns debian/copyright

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
licence libcrypto debian/copyright LICENSE.txt

# --- How setup.py finds them, and the licences of what is carried as it is

described() { # PKG-CONFIG-NAME LIBRARY FLAG...
    printf 'Name: %s\nDescription: for the wheel\nVersion: 0\nCflags: -I%s\nLibs: -L%s -l%s %s\n' \
        "$1" "$into/include" "$into/lib" "$2" "${*:3}" >"$into/lib/pkgconfig/$1.pc"
}
described libpcap pcap
# a module exports none of an archive's names, and carries only what it calls
described ldns ldns -Wl,--exclude-libs,ALL -Wl,--gc-sections
described libcrypto crypto -Wl,--exclude-libs,ALL -Wl,--gc-sections

package_of() { # SONAME
    file=$(realpath "$(gcc -print-file-name="$1")")
    # dpkg knows some by their path before /lib became a link
    { dpkg -S "$file" || dpkg -S "${file#/usr}"; } 2>/dev/null | cut -d: -f1
}

for library in libtrace.so.3 libwandio.so.1 libbz2.so.1.0 liblzma.so.5; do
    package=$(package_of "$library")
    { dpkg-query -W -f "${library%%.*} here is Debian's \${Package} \${Version}\n\n" "$package"
      cat "/usr/share/doc/$package/copyright"; } >"$into/licences/${library%%.*}.txt"
done
rm -rf "$into/src" "$into/apt"
touch "$stamp"
