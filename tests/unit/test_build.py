"""What setup.py asks of the compiler, whatever CFLAGS says, and what it says of missing headers."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    os.environ.get("PLT_INSTALLED") == "1", reason="there are no sources to build"
)

#: Notes how it was called, and makes a file of the name that follows -o, but not with LACKS.
COMPILER = """#!/bin/sh
echo "$@" >>"$NOTES"
for word; do
    [ "$word" != "$LACKS" ] || exit 1
    [ "$before" != -o ] || : >"$word"
    before=$word
done
"""


#: Finds all headers but those of LACKS, and compiles nothing.
PREPROCESSOR = """#!/bin/sh
for word; do
    [ "$word" != -c ] || echo "this compiles: $*" >&2
done
read -r _ header
case " $LACKS " in *" $header "*) echo "fatal error: $header" >&2; exit 1 ;; esac
"""


def commands(folder: Path, cflags: str | None, lacks: str = "") -> tuple[list[str], list[str]]:
    """The arguments of each compilation and of each link of the project's own sources."""
    compiler, notes = folder / "cc", folder / "notes"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    environment = os.environ | {"CC": str(compiler), "NOTES": str(notes), "LACKS": lacks}
    environment.pop("CFLAGS", None)
    if cflags is not None:
        environment["CFLAGS"] = cflags
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", folder / "lib",
         "--build-temp", folder / "temp"],
        cwd=ROOT, env=environment, check=True,
    )  # fmt: skip
    lines = [f" {line} " for line in notes.read_text().splitlines()]
    compiled = [line for line in lines if " -c src/" in line]
    linked = [line for line in lines if " -c " not in line and "/temp/" in line]
    assert len(compiled) > 4 <= len(linked)
    return compiled, linked


def last(line: str, *starts: str) -> str:
    """The word that counts of those that begin so."""
    return [word for word in line.split() if word.startswith(starts)][-1]


@pytest.mark.parametrize("cflags", ["-g", "", None, "-Wall -march=native"])
def test_modules_are_optimised(cflags: str | None, tmp_path: Path) -> None:
    compiled, linked = commands(tmp_path, cflags)
    for line in compiled:
        assert last(line, "-O") in ("-O2", "-O3")
        assert last(line, "-DNDEBUG", "-UNDEBUG") == "-DNDEBUG"
        assert all(f" {word} " in line for word in (cflags or "").split())
    assert all(" -flto=auto " in line for line in compiled + linked)


def test_what_cflags_says_counts(tmp_path: Path) -> None:
    """Modules for a debugger or a sanitizer are what was asked for."""
    compiled, linked = commands(tmp_path, "-g -O1 -UNDEBUG -fsanitize=address")
    for line in compiled:
        assert last(line, "-O") == "-O1"
        assert last(line, "-DNDEBUG", "-UNDEBUG") == "-UNDEBUG"
    # Without the flag at the link, which has no CFLAGS, nothing would be instrumented there.
    assert not any("-flto" in line for line in compiled + linked)


def test_a_compiler_without_link_time_optimisation(tmp_path: Path) -> None:
    compiled, linked = commands(tmp_path, "-g", lacks="-flto=auto")
    assert all(last(line, "-O") == "-O2" for line in compiled)
    assert not any("-flto" in line for line in compiled + linked)


def build_errors(compiler: Path, folder: Path, lacks: str) -> list[str]:
    """All that a build says that this compiler makes fail."""
    run = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", folder / "lib",
         "--build-temp", folder / "temp"],
        cwd=ROOT, env=os.environ | {"CC": str(compiler), "LACKS": lacks},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    return (run.stdout + run.stderr).splitlines()


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        (
            "<libtrace.h>",
            "headers are missing: libtrace's (libtrace.h);"
            " on Debian or Ubuntu: apt install libtrace3-dev",
        ),
        (
            "<Python.h> <pcap/pcap.h> <ldns/ldns.h> <openssl/evp.h>",
            "headers are missing: Python's (Python.h), libpcap's (pcap/pcap.h), "
            "ldns's (ldns/ldns.h), OpenSSL's (openssl/evp.h);"
            " on Debian or Ubuntu: apt install python3-dev libpcap-dev libldns-dev libssl-dev",
        ),
    ],
)
def test_missing_headers_are_one_line(headers: str, error: str, tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(PREPROCESSOR)
    compiler.chmod(0o755)
    assert build_errors(compiler, tmp_path, headers) == [f"error: {error}"]


def test_missing_compiler_is_one_line(tmp_path: Path) -> None:
    compiler = tmp_path / "none"
    (line,) = build_errors(compiler, tmp_path, "")
    assert line.startswith("error: there is no C compiler: ")
    assert str(compiler) in line


def test_what_is_linuxs_is_left_out_elsewhere(tmp_path: Path) -> None:
    """Packet sockets, affinity, huge pages: macOS has none, and the rest is built there."""
    sources = sorted((ROOT / "src").rglob("*.[ch]"))
    linux = [path for path in sources if "__linux__" in path.read_text()]
    assert {path.name for path in linux} >= {"sockets.c", "framing.c", "pipeline.c", "memory.c"}
    headers = re.compile(r"#include <(linux/|sys/epoll|net/if_arp)")
    assert not [path for path in sources if path not in linux and headers.search(path.read_text())]
    # Debian's pyconfig.h asks for Linux itself
    before = tmp_path / "before.h"
    before.write_text("#include <Python.h>\n#undef __linux__\n#undef _GNU_SOURCE\n")
    include = sysconfig.get_path("include")
    for path in linux:
        run = subprocess.run(
            ["gcc", "-include", before, "-std=c11", "-Wall", "-Wextra", "-Werror", "-H",
             "-fsyntax-only", f"-I{ROOT / 'src'}", "-isystem", include, path],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert "linux/if_packet.h" not in run.stderr
