"""Compressed data: which kind it is, by its first bytes, and what decompresses it."""

from __future__ import annotations

import bz2
import contextlib
import lzma
import zlib
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any, Protocol

__all__ = [
    "COMPRESSORS",
    "Compressor",
    "DECOMPRESSORS",
    "AT_ONCE",
    "PIECES",
    "REFERENCES",
    "Decompressor",
    "LATE",
    "LIMIT",
    "compression",
    "is_damage",
    "whole",
]

#: What decompressors give at once, at most.  So little stays in the processor's cache, and is the
#: first block that they allocate: they copy what needs more.
AT_ONCE = 1 << 15

#: What notices damage only after it has made bytes of it.  Of these all that some compressed bytes
#: expand to is handed on at once, or nothing, but for what goes beyond a limit.
LATE = {"bzip2", "xz"}
LIMIT = 1 << 23

#: Packages that decompress what the standard library may not know, as an extra of this project.
EXTRA = "pip install 'python-libtrace[compression]'"


class Decompressor(Protocol):
    """What bz2, lzma, zstd and lz4 have in common.

    Called with no data it gives what it kept back of the data before.
    """

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...  # LZ4 says None for nothing
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Gzip:
    """A decompressor of a gzip member with the module zlib, or one that has its functions."""

    def __init__(self, module: Any = zlib) -> None:
        self.zlib = module.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return bool(self.zlib.eof)

    @property
    def unused_data(self) -> bytes:
        data: bytes = self.zlib.unused_data
        return data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        tail = self.zlib.unconsumed_tail
        out: bytes = self.zlib.decompress(tail + data if tail else data, max(max_length, 0))
        return out


@cache
def fast_zlib() -> Any:
    """The module zlib_ng where it is installed, else zlib.

    zlib-ng finds the same errors at the same bytes as zlib.  ISA-L takes codes that zlib rejects,
    and so gives other bytes of what is damaged.
    """
    try:
        return import_module("zlib_ng.zlib_ng")
    except ImportError:
        return zlib


def gzip_decompressor() -> Decompressor:
    """A decompressor of a gzip member."""
    return Gzip(fast_zlib())


def zstd_decompressor() -> Decompressor:
    """A decompressor of Zstandard, which Python has from 3.14 on."""
    for name in ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ImportError):
            decompressor: Decompressor = import_module(name).ZstdDecompressor()
            return decompressor
    raise OSError(
        "Zstandard-compressed files need Python 3.14 or later, or the package backports.zstd: "
        + EXTRA
    )


def lz4_decompressor() -> Decompressor:
    """A decompressor of LZ4 frames."""
    with contextlib.suppress(ImportError):
        decompressor: Decompressor = import_module("lz4.frame").LZ4FrameDecompressor()
        return decompressor
    raise OSError("LZ4-compressed files need the package lz4: " + EXTRA)


DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    "gzip": gzip_decompressor,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
    "Zstandard": zstd_decompressor,
    "LZ4": lz4_decompressor,
}

#: What tells where damage is and what is wrong, where that is not what decompresses.
REFERENCES: dict[str, Callable[[], Decompressor]] = {"gzip": Gzip}


class Compressor(Protocol):
    """What the compressors have in common."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Lz4Compressor:
    """One of LZ4 frames, which begin in a way of their own."""

    def __init__(self, level: int) -> None:
        self.compressor = import_module("lz4.frame").LZ4FrameCompressor(compression_level=level)
        self.begun = False

    def compress(self, data: bytes) -> bytes:
        start: bytes = b"" if self.begun else self.compressor.begin()
        self.begun = True
        return start + bytes(self.compressor.compress(data))

    def flush(self) -> bytes:
        return (b"" if self.begun else self.compress(b"")) + bytes(self.compressor.flush())


def zstd_compressors(level: int) -> Callable[[], Compressor]:
    """What makes compressors of Zstandard at a level, below 0 for the library's own."""
    for name in ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ImportError):
            compressor: Callable[..., Compressor] = import_module(name).ZstdCompressor
            return compressor if level < 0 else partial(compressor, level)
    raise OSError("Zstandard needs Python 3.14 or later, or the package backports.zstd: " + EXTRA)


def lz4_compressors(level: int) -> Callable[[], Compressor]:
    """What makes compressors of LZ4 frames at a level, below 0 for the library's own."""
    with contextlib.suppress(ImportError):
        import_module("lz4.frame")
        return partial(Lz4Compressor, max(level, 0))
    raise OSError("LZ4 needs the package lz4: " + EXTRA)


#: Without a level of the caller's: that of libtrace's own tools.
DEFAULT_LEVEL = 6


def level_of(level: int) -> int:
    return DEFAULT_LEVEL if level < 0 else level


#: What makes what makes compressors of a level, 1 to 9; below 0 it is not given.
COMPRESSORS: dict[str, Callable[[int], Callable[[], Compressor]]] = {
    "gzip": lambda level: partial(zlib.compressobj, level_of(level), zlib.DEFLATED, 31),
    "bzip2": lambda level: partial(bz2.BZ2Compressor, level_of(level)),
    "xz": lambda level: partial(lzma.LZMACompressor, preset=level_of(level)),
    "Zstandard": zstd_compressors,
    "LZ4": lz4_compressors,
}

#: Compressed bytes that a decompressor is given at once: it copies those that it can't use yet.
PIECES = {"gzip": 1 << 14, "bzip2": 1 << 9, "xz": 1 << 11, "Zstandard": 1 << 14, "LZ4": 1 << 14}


def is_damage(error: Exception) -> bool:
    """Whether it is what decompressors raise on data that is not theirs."""
    known = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)
    # RuntimeError is lz4's; ZstdError is of a module that may be missing
    others = ("ZstdError", "zlib_ng.error")
    named = type(error).__name__, f"{type(error).__module__}.{type(error).__name__}"
    return isinstance(error, (*known, RuntimeError)) or any(name in others for name in named)


MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
}

#: What is not read, by how it begins.
NOT_READ = {
    b"\x02\x21\x4c\x18": "LZ4 in its legacy format",
    b"\x89LZO\0\r\n": "LZO (lzop)",
    b"LZIP": "lzip",
    b"\x1f\x9d": "compress (.Z)",
    b"\xff\x06\0\0sNaPpY": "Snappy",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"PK\x03\x04": "Zip",
}

LZMA = b"\x5d"  # its properties by default; it has no magic number
SKIPPABLE = b"\x2a\x4d\x18"  # after a byte 0x50 to 0x5f: a frame of Zstandard or of LZ4
SKIPPED = 1 << 16  # bytes of such frames that are looked past
LZMA_HEADER = 13

#: The first bytes of all these: other files are not compressed.
FIRST = {magic[0] for magic in (*MAGIC, *NOT_READ, LZMA)} | {*range(0x50, 0x60)}


def compression(peek: Callable[[int], bytes]) -> str | None:
    """How a stream is compressed, by name; None where it is not; OSError where that is not read.

    peek(n) gives the first n bytes of the stream, fewer at its end.
    """
    head = peek(10)
    if not head or head[0] not in FIRST:
        return None
    at = 0
    # frames that may be skipped: RFC 8878 section 3.1.2; the next tells whose they are
    while head[at + 1 : at + 4] == SKIPPABLE and head[at] >> 4 == 5 and at < SKIPPED:
        at += 8 + int.from_bytes(head[at + 4 : at + 8], "little")
        head = peek(at + 10) if at < SKIPPED else head
    for magic, kind in MAGIC.items():
        if head.startswith(magic, at):
            return kind
    for magic, name in NOT_READ.items():
        if head.startswith(magic):
            raise OSError(f"compressed with {name}, which is not read: decompress it first")
    if head[:1] == LZMA and is_lzma(peek(LZMA_HEADER)):
        raise OSError("compressed with lzma (.lzma), which is not read: decompress it with unlzma")
    return None


def is_lzma(head: bytes) -> bool:
    """Whether a file begins as those of .lzma do, which have no magic number.

    A byte of properties (0x5d by default), the size of the dictionary, 2^n or 2^n + 2^(n - 1), and
    that of the data, unknown (all ones) or, as xz has it, below 2^38.
    """
    dictionary = int.from_bytes(head[1:5], "little")
    size = int.from_bytes(head[5:13], "little")
    lowest = dictionary & -dictionary
    return (
        len(head) == LZMA_HEADER
        and dictionary >= 1 << 12
        and dictionary // lowest in (1, 3)
        and (size == (1 << 64) - 1 or size < 1 << 38)
    )


def whole(decompressor: Decompressor, data: bytes) -> bytes:
    """All that a decompressor makes of some data, but for what goes beyond LIMIT.

    It may keep a part back for the next call, and with it the news that a check sum is wrong.
    """
    out = [decompressor.decompress(data, LIMIT)]
    while out[-1] and not decompressor.eof and sum(map(len, out)) < LIMIT:
        out.append(decompressor.decompress(b"", LIMIT))
    return b"".join(out)
