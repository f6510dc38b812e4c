#!/bin/bash
# Roots of Debian: make them, and run commands in them.  As root.
#
# usage: tools/roots.sh make RELEASE ROOT PACKAGES
#            a root of this machine's processor, made by debootstrap; one that is whole is kept
#        tools/roots.sh extract RELEASE ROOT PACKAGES ARCH
#            a root of another processor: its packages, unpacked and not configured, as no script of
#            theirs can run before qemu runs it
#        tools/roots.sh enter [--without-network] ROOT COMMAND...
#            run a command in a root, with its own /proc, and this machine's /dev
#        tools/roots.sh emulate ARCH
#            have the kernel run programs of another processor by qemu
#
# PACKAGES are separated by commas.
set -euo pipefail

mirror() {
    # shellcheck disable=SC2016 # a word of apt-get, not of the shell
    apt-get indextargets 'Created-By: Packages' 'Label: Debian' --format '$(REPO_URI)' | head -n 1
}

bootstrap() { # ROOT OPTION... RELEASE
    local root=$1 from
    shift
    from=$(mirror)
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase "$@" "$root" ${from:+"$from"} >"$root.log" 2>&1 ||
        { tail -n 5 "$root.log"; return 1; } >&2
}

make_root() { # RELEASE ROOT PACKAGES
    local release=$1 root=$2 packages=$3
    [ ! -e "$root/.made" ] || return 0
    echo "making a root of Debian $release"
    bootstrap "$root" --include="$packages" "$release"
    # what this machine was told of mirrors and proxies holds there, too
    apt-config dump | grep ^Acquire:: >"$root/etc/apt/apt.conf.d/90machine" || true
    touch "$root/.made"
}

extract_root() { # RELEASE ROOT PACKAGES ARCH
    local release=$1 root=$2 packages=$3 arch=$4 folder package
    [ ! -e "$root/.made" ] || return 0
    echo "making a root of Debian $release for $arch"
    bootstrap "$root" --download-only --arch="$arch" --include="$packages" "$release"
    mkdir -p "$root"/usr/{bin,lib,sbin} "$root"/{proc,dev,tmp}
    for folder in bin lib sbin; do
        ln -s "usr/$folder" "$root/$folder"
    done
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -xf - --keep-directory-symlink -C "$root"
        rm "$package"
    done
    touch "$root/.made"
}

enter_root() { # [--without-network] ROOT COMMAND...
    local network=
    [ "$1" != --without-network ] || { network=--net; shift; }
    # The network is this machine's, and so are the names and certificates that it knows.
    local bundle=/etc/ssl/certs/ca-certificates.crt
    [ -n "$network" ] || [ ! -e /etc/resolv.conf ] || cp /etc/resolv.conf "$1/etc/resolv.conf"
    if [ -e "$1$bundle" ] && [ -e "$bundle" ]; then
        cp "$bundle" "$1$bundle"
        set -- "$1" env PIP_CERT="$bundle" "${@:2}"
    fi
    # What is mounted goes with the namespace.
    # shellcheck disable=SC2016,SC2086 # the words of the inner shell; a word or none
    exec unshare --mount --pid --fork $network sh -euc '
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        if [ -n "${PLT_CORPUS:-}" ]; then
            mkdir -p "$root/corpus"
            mount --bind -o ro "$PLT_CORPUS" "$root/corpus"
        fi
        exec chroot "$root" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PIP_ROOT_USER_ACTION=ignore \
            PIP_DISABLE_PIP_VERSION_CHECK=1 ${PLT_CORPUS:+PLT_CORPUS=/corpus} "$@"
    ' sh "$@"
}

emulate() { # ARCH
    local handlers=/proc/sys/fs/binfmt_misc name=$1
    case $name in
    arm64) name=aarch64 ;;
    armhf) name=arm ;;
    esac
    [ -e "$handlers/register" ] || mount -t binfmt_misc binfmt_misc "$handlers"
    [ -e "$handlers/qemu-$name" ] || cat "/usr/lib/binfmt.d/qemu-$name.conf" >"$handlers/register"
}

action=$1
shift
case $action in
make) make_root "$@" ;;
extract) extract_root "$@" ;;
enter) enter_root "$@" ;;
emulate) emulate "$@" ;;
*)
    echo "usage: $0 make|extract|enter|emulate ..." >&2
    exit 2
    ;;
esac
