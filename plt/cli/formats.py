"""Which format and compression a file has."""

from __future__ import annotations

import contextlib
import os

from plt._formats import sniff
from plt._streams import Compressed, open_stream
from plt.cli.sources import is_live, path_of

#: Variants of pcap by the first four bytes, as a number in either byte order.
PCAP = {
    0xA1B2C3D4: "pcap, microseconds",
    0xA1B23C4D: "pcap, nanoseconds",
    0xA1B2CD34: "pcap, modified",
    0x1C0001AC: "pcap of Ixia's",
    0x1C0001AB: "pcap of Ixia's",
}
#: Formats without a magic number, which only a source's name tells for sure.
UNMARKED = ("legacypos", "legacyatm", "tsh", "erf", "legacyeth")
SHORT = {"Zstandard": "zstd", "LZ4": "lz4"}


def format_of(source: str) -> tuple[str | None, str | None]:
    """The format and compression of a source that is a file; None where that can't be told."""
    path = path_of(source)
    if is_live(source):
        return "live", None
    if not os.path.isfile(path):
        return None, None
    given = source.partition(":")[0]
    kind = given if given in UNMARKED else None
    packed = None
    # EOFError where compressed data is cut
    with contextlib.suppress(OSError, EOFError), contextlib.closing(open_stream(path)) as stream:
        if isinstance(stream, Compressed):
            packed = SHORT.get(stream.kind, stream.kind)
        head = stream.peek(4)
        little, big = int.from_bytes(head, "little"), int.from_bytes(head, "big")
        kind = kind or PCAP.get(little) or PCAP.get(big) or sniff(stream)
    return kind, packed
