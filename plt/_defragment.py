"""Packets with IP fragments put together."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import SupportsIndex, cast

from . import _plt
from ._sources import Readable, Source, sources_of

__all__ = ["defragment"]


def started(source: Source) -> _plt.trace:
    trace = _plt.trace(source)  # type: ignore[arg-type]
    trace.start()
    return trace


def packets_of(source: Source) -> Iterable[_plt.packet]:
    """The packets of a source, those of a folder or pattern file by file."""
    first, *others = sources_of(source)
    return chain(started(first), chain.from_iterable(map(started, others)))


def defragment(
    source: str | bytes | os.PathLike[str] | Readable | Iterable[_plt.packet],
    *,
    timeout: float = 60.0,
    memory: SupportsIndex = 1 << 24,
) -> Iterator[_plt.packet]:
    """The packets of a trace, with fragments of IPv4 and IPv6 put together: an iterator of packet.

    source is a URI, a path, a folder, an open binary file, a trace, or any iterable of packets, as
    plt.merge() is. A packet that was put together
    comes when the last of its fragments does, with the time of that one and the headers of the
    first, as if it had never been fragmented (RFC 791 section 3.2, RFC 8200 section 4.5): lengths,
    flags and the IPv4 header's checksum are set, an IPv6 fragment header is gone. Other packets
    come as they are.

    Fragments of a packet that overlap are not put together, in IPv4 neither (RFC 5722), but one
    that comes again as it was does not count. Fragments that can't be put together come as they
    came: those that were not captured whole, or have a malformed length, at once; others when they
    overlap, `timeout` seconds of the trace's time after the first of them, when all that wait take
    more than `memory` bytes, or at the end.

    ValueError for a timeout or memory that is out of range; LibtraceError where a trace can't be
    read, after what was read before.
    """
    if not 0 < timeout < 1e9:
        raise ValueError(f"timeout is more than 0 seconds and less than 10**9, not {timeout}")
    most = operator.index(memory)
    if not 0 <= most <= 1 << 48:
        raise ValueError(f"memory is 0 to 2**48 bytes, not {most}")
    packets: Iterable[_plt.packet]
    if isinstance(source, (str, bytes, os.PathLike)) or hasattr(source, "read"):
        packets = packets_of(cast(Source, source))
    else:
        packets = source
    return _plt._Defragmented(packets, os.urandom(16), most, math.ceil(timeout * 1e9))
