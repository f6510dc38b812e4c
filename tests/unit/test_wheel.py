"""What a wheel carries: its libraries, their licences, and a RECORD that agrees with its files."""

import base64
import csv
import hashlib
import importlib.util
import os
import re
import subprocess
import tomllib
import zipfile
from email import message_from_string
from importlib.metadata import distribution, files
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Debian's base has these everywhere: libc, and zlib, which Python itself needs.
OF_THE_SYSTEM = {
    *("libc.so.6", "libm.so.6", "libpthread.so.0", "libz.so.1"),
    *("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
}
#: Extras of the project's own targets, which its users do without.
OUR_OWN = {"test", "bench", "coverage", "wheel", "docs", "look", "check", "tutorial"}

installed = pytest.mark.skipif(
    "PLT_INSTALLED" not in os.environ, reason="make wheel installs the wheel that this looks at"
)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/wheel_licences.py as a module."""
    spec = importlib.util.spec_from_file_location("licences", ROOT / "tools/wheel_licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel_of(folder: Path, *libraries: str) -> Path:
    """A wheel as auditwheel leaves it, with these files in the folder of libraries."""
    path = folder / "x-1.0-cp311-cp311-manylinux_2_34_x86_64.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("x/__init__.py", "# nothing\n")
        for name in libraries:
            wheel.writestr(f"x.libs/{name}", b"\x7fELF")
        wheel.writestr(
            "x-1.0.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: x\nLicense-Expression: GPL-3.0-or-later\n"
            "License-File: LICENSE\n\nThe readme says: License-File.\n",
        )
        wheel.writestr("x-1.0.dist-info/RECORD", "x/__init__.py,,\nx-1.0.dist-info/RECORD,,\n")
    return path


def texts(folder: Path) -> Path:
    """A licence text for every library that may be carried."""
    made = folder / "texts"
    made.mkdir()
    for name in ("libtrace", "libwandio", "libpcap", "libldns", "libcrypto", "libbz2", "liblzma"):
        (made / f"{name}.txt").write_text(f"of {name}\n")
    return made


def test_licences_of_what_is_carried_are_added(tool: ModuleType, tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, "libpcap-0a1b2c3d.so.1.10.3", "libbz2-e4f501c8.so.1.0.4")
    done = tmp_path / "done"
    done.mkdir()
    tool.complete(wheel, texts(tmp_path), done)
    with zipfile.ZipFile(done / wheel.name) as made:
        names = made.namelist()
        head = message_from_string(made.read("x-1.0.dist-info/METADATA").decode())
        written = {name: made.read(name) for name in names}
    # ldns and libcrypto are within the modules
    carried = ["libbz2", "libcrypto", "libldns", "libpcap"]
    assert head.get_all("License-File") == ["LICENSE", *(f"carried/{x}.txt" for x in carried)]
    assert head["License-Expression"] == (
        "GPL-3.0-or-later AND Apache-2.0 AND BSD-3-Clause AND bzip2-1.0.6"
    )
    assert head.get_payload() == "The readme says: License-File.\n"
    for library in carried:
        assert written[f"x-1.0.dist-info/licenses/carried/{library}.txt"] == (
            f"of {library}\n".encode()
        )
    rows = list(csv.reader(written["x-1.0.dist-info/RECORD"].decode().splitlines()))
    assert sorted(row[0] for row in rows) == sorted(names)
    for name, digest, size in rows:
        if name != "x-1.0.dist-info/RECORD":
            padded = digest.removeprefix("sha256=") + "="
            assert base64.urlsafe_b64decode(padded) == hashlib.sha256(written[name]).digest()
            assert int(size) == len(written[name])


def test_a_library_that_should_not_be_carried_is_named(tool: ModuleType, tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, "libpcap-0a1b2c3d.so.1.10.3", "libdbus-1-11223344.so.3.32.4")
    with pytest.raises(SystemExit, match=r"^the wheel carries what it should not: libdbus-1$"):
        tool.complete(wheel, texts(tmp_path), tmp_path / "texts")


def test_all_is_every_extra_of_the_users() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    (everything,) = extras["all"]
    listed = re.fullmatch(r"python-libtrace\[(.*)\]", everything)
    assert listed is not None
    assert listed[1].split(",") == sorted(extras.keys() - OUR_OWN - {"all"})


@installed
def test_libraries_are_the_systems_or_carried() -> None:
    paths = [Path(str(path.locate())) for path in files("python-libtrace") or []]
    carried = {path.name for path in paths if path.parent.name == "python_libtrace.libs"}
    needed: set[str] = set()
    for path in paths:
        if ".so" in path.name:
            listing = subprocess.run(
                ["readelf", "--dynamic", "--wide", path], capture_output=True, text=True, check=True
            ).stdout
            needed |= set(re.findall(r"\(NEEDED\) .*\[(.*)\]", listing))
    assert needed - OF_THE_SYSTEM == carried
    assert {name.partition("-")[0] for name in carried} == {
        "libtrace", "libwandio", "libpcap", "libbz2", "liblzma",
    }  # fmt: skip


@installed
def test_each_library_has_its_licence() -> None:
    metadata = distribution("python-libtrace").metadata
    listed = metadata.get_all("License-File") or []
    beside = {
        path.name.partition("-")[0]
        for path in files("python-libtrace") or []
        if path.parent.name == "python_libtrace.libs"
    }
    assert {f"carried/{name}.txt" for name in beside | {"libldns", "libcrypto"}} == (
        set(listed) - {"LICENSE"}
    )
    by_end = {str(path).partition("/licenses/")[2]: path for path in files("python-libtrace") or []}
    for name, words in {
        "carried/libpcap.txt": "Redistribution and use in source and binary forms",
        "carried/libldns.txt": "NLnet Labs",
        "carried/libcrypto.txt": "Apache License",
        "carried/libtrace.txt": "University of Waikato",
        "carried/libwandio.txt": "University of Waikato",
        "carried/libbz2.txt": "Julian",
        "carried/liblzma.txt": "public domain",
        "LICENSE": "GNU GENERAL PUBLIC LICENSE",
    }.items():
        assert words in by_end[name].read_text()
