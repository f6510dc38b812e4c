"""Add the licences of the libraries that a wheel carries to it, and write it to a folder.

usage: python tools/wheel_licences.py WHEEL LICENCES FOLDER

LICENCES is a folder with a text for each library, named as the library is: libpcap.txt. A library
without one is an error: none is carried unawares.
"""

import base64
import hashlib
import sys
import zipfile
from pathlib import Path, PurePosixPath

#: What the wheel may carry, and the licence that it is under: an SPDX identifier, None where it is
#: in the public domain.
CARRIED = {
    "libtrace": "GPL-2.0-or-later",
    "libwandio": "GPL-2.0-or-later",
    "libpcap": "BSD-3-Clause",
    "libldns": "BSD-3-Clause",
    "libcrypto": "Apache-2.0",
    "libbz2": "bzip2-1.0.6",
    "liblzma": None,
}
#: Of these the modules themselves have the parts that they call.
WITHIN_MODULES = {"libldns", "libcrypto"}


def carried(names: list[str]) -> list[str]:
    """The libraries that are carried, by the names of the wheel's files; unknown ones end it."""
    # auditwheel writes libpcap-5c1eb7d3.so.1.10.3
    beside = {PurePosixPath(name).name.partition(".so")[0] for name in names if ".libs/" in name}
    found = {name.rpartition("-")[0] for name in beside} | WITHIN_MODULES
    if unknown := found - CARRIED.keys():
        sys.exit(f"the wheel carries what it should not: {', '.join(sorted(unknown))}")
    return sorted(found)


def metadata(text: str, libraries: list[str]) -> str:
    """The wheel's METADATA with the licences of the libraries too."""
    licences = {licence for name in libraries if (licence := CARRIED[name])}
    lines = []
    for line in text.split("\n"):
        if line.startswith("License-Expression: "):
            lines.append(" AND ".join([line, *sorted(licences)]))
        elif line.startswith("License-File: "):
            lines += [line, *(f"License-File: carried/{name}.txt" for name in libraries)]
        else:
            lines.append(line)
    return "\n".join(lines)


def record_line(name: str, content: bytes) -> str:
    """What RECORD says of a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"


def complete(wheel: Path, texts: Path, folder: Path) -> None:
    """Write the wheel to the folder with the licences of what it carries."""
    with (
        zipfile.ZipFile(wheel) as old,
        zipfile.ZipFile(folder / wheel.name, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        names = [info.filename for info in old.infolist() if not info.is_dir()]
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        dist_info = record.removesuffix("RECORD")
        libraries = carried(names)
        lines = []
        for info in old.infolist():
            if info.is_dir() or info.filename == record:
                continue
            content = old.read(info)
            if info.filename == f"{dist_info}METADATA":
                content = metadata(content.decode(), libraries).encode()
            new.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
            lines.append(record_line(info.filename, content))
        for library in libraries:
            content = (texts / f"{library}.txt").read_bytes()
            name = f"{dist_info}licenses/carried/{library}.txt"
            new.writestr(name, content)
            lines.append(record_line(name, content))
        new.writestr(record, "\n".join([*lines, f"{record},,", ""]))


if __name__ == "__main__":
    complete(*map(Path, sys.argv[1:]))
