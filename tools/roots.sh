# Bare Debian roots, sourced by what makes and enters them: make_root and enter_root.

# Make ROOT, with a release of Debian in it and the packages INCLUDE (a,b); a root that is whole is
# kept.  ARCH is another processor's, which qemu's binfmt handler has to run.
make_root() { # RELEASE ROOT INCLUDE [ARCH]
    local release=$1 root=$2 include=$3 arch=${4:-$(dpkg --print-architecture)} mirror
    [ ! -e "$root/.made" ] || return 0
    # shellcheck disable=SC2016 # a word of apt-get, not of the shell
    mirror=$(apt-get indextargets 'Created-By: Packages' 'Label: Debian' --format '$(REPO_URI)' |
        head -n 1)
    echo "making a root of Debian $release ($arch)"
    rm -rf "$root"
    mkdir -p "$(dirname "$root")"
    debootstrap --arch="$arch" --variant=minbase --include="$include" "$release" "$root" \
        ${mirror:+"$mirror"} >"$root.log" 2>&1 ||
        { tail -n 5 "$root.log"; return 1; } >&2
    touch "$root/.made"
}
