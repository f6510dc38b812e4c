"""Which format and compression a file has, and which a name asks for."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Any

import plt
from plt.cli.sources import is_live, path_of

#: Compression by the first bytes, with the modules that read it.
COMPRESSIONS = {
    b"\x1f\x8b": ("gzip", ("gzip",)),
    b"BZh": ("bzip2", ("bz2",)),
    b"\xfd7zXZ\0": ("xz", ("lzma",)),
    b"\x28\xb5\x2f\xfd": ("zstd", ("compression.zstd", "backports.zstd")),
    b"\x04\x22\x4d\x18": ("lz4", ("lz4.frame",)),
}
#: Formats by the first four bytes, as a big-endian number; pcap has either byte order.
MAGIC = {0x0A0D0D0A: "pcapng", 13: "duck", 14: "duck", 19: "duck"}
PCAP = {
    0xA1B2C3D4: "pcap, microseconds",
    0xA1B23C4D: "pcap, nanoseconds",
    0xA1B2CD34: "pcap, modified",
    0x1C0001AC: "pcap of Ixia's",
    0x1C0001AB: "pcap of Ixia's",
}
#: Formats without a magic number, the surest first: ERF has room for what the legacy ones have.
OTHERS = ("legacypos", "legacyatm", "tsh", "erf", "legacyeth")
DAMAGE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


def compression(path: str) -> tuple[str | None, Callable[..., Any]]:
    """How a file is compressed, and what opens it."""
    with open(path, "rb") as file:
        head = file.read(6)
    for magic, (name, modules) in COMPRESSIONS.items():
        if head.startswith(magic):
            for module in modules:
                with contextlib.suppress(ModuleNotFoundError):
                    return name, importlib.import_module(module).open
    return None, open


def format_of(source: str) -> tuple[str | None, str | None]:
    """The format and compression of a source that is a file; None where that can't be told."""
    path = path_of(source)
    if is_live(source):
        return "live", None
    if not os.path.isfile(path):
        return None, None
    name, opener = compression(path)
    head = b""
    with contextlib.suppress(*DAMAGE), opener(path, "rb") as file:
        head = file.read(4)
    little, big = int.from_bytes(head, "little"), int.from_bytes(head, "big")
    known = PCAP.get(little) or PCAP.get(big) or MAGIC.get(big) or MAGIC.get(little)
    return known or by_records(source, path), name


def by_records(source: str, path: str) -> str | None:
    """A format without magic: that by whose name the first packets are the same."""
    given = beginning(source)
    for name in OTHERS:
        if source.startswith(f"{name}:") or (given and beginning(f"{name}:{path}") == given):
            return name
    return None


def beginning(source: str) -> list[tuple[int, int, bytes]]:
    """The first packets of a source, as far as they can be read."""
    found: list[tuple[int, int, bytes]] = []
    with contextlib.suppress(plt.LibtraceError), plt.trace(source) as trace:
        found.extend((p.time_ns, p.wire_len, bytes(p)) for p in itertools.islice(trace, 8))
    return found
