# Sourced by what runs tests on modules built another way: a copy of the project to build in.

# The project without what was built, in a folder; the modules of its last build stay there, and
# are built again where their sources are newer.
copy_project() { # FOLDER
    mkdir -p "$1"
    find "$1" -mindepth 1 ! -name '*.so' ! -path "$1/build*" ! -type d -delete
    # Status 1 is of files that changed meanwhile: other tests may run.
    { tar -cf - --exclude='*.so' --exclude=__pycache__ --warning=no-file-changed \
        --anchored --exclude='./.*' --exclude=./build --exclude=./dist --exclude=./bench/data . ||
        [ $? -eq 1 ]; } |
        tar -xf - -C "$1"
}

# Programs that the tests start are not ours to check, and some break under a preloaded runtime:
# in that folder, for PATH, are scripts that start them without.
free_programs() { # FOLDER
    local tool path
    mkdir -p "$1"
    for tool in tshark capinfos editcap mergecap tcpdump dig drill gcc cc clang nm git ip tc; do
        if path=$(command -v "$tool"); then
            printf '#!/bin/sh\nunset LD_PRELOAD\nexec %s "$@"\n' "$path" >"$1/$tool"
            chmod +x "$1/$tool"
        fi
    done
}

# End as the tests did, or with what a sanitizer reported in a folder.
exit_unless_reported() { # FOLDER STATUS
    if [ -n "$(ls "$1")" ]; then
        cat "$1"/*
        echo "a sanitizer reported (an ILL is undefined behaviour in that line)" >&2
        exit 1
    fi
    exit "$2"
}
