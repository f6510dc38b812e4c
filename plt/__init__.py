"""Packet traces, their packets and layers: libtrace for Python."""

import datetime
import importlib
import sys
from typing import TYPE_CHECKING

import ipp
from ipp import IPprefix

from ._plt import (
    BZIP2_COMPRESSION,
    LZO_COMPRESSION,
    NO_COMPRESSION,
    O_APPEND,
    TRACE_DIR_INCOMING,
    TRACE_DIR_OTHER,
    TRACE_DIR_OUTGOING,
    TRACE_DIR_UNKNOWN,
    TRACE_TYPE_80211,
    TRACE_TYPE_80211_PRISM,
    TRACE_TYPE_80211_RADIO,
    TRACE_TYPE_AAL5,
    TRACE_TYPE_ATM,
    TRACE_TYPE_DUCK,
    TRACE_TYPE_ETH,
    TRACE_TYPE_HDLC_POS,
    TRACE_TYPE_LINUX_SLL,
    TRACE_TYPE_LLCSNAP,
    TRACE_TYPE_METADATA,
    TRACE_TYPE_NONDATA,
    TRACE_TYPE_NONE,
    TRACE_TYPE_OPENBSD_LOOP,
    TRACE_TYPE_PFLOG,
    TRACE_TYPE_POS,
    TRACE_TYPE_PPP,
    TRACE_TYPE_UNKNOWN,
    ZLIB_COMPRESSION,
    Data,
    Internet,
    Layer2,
    Layer3,
    LibtraceError,
    Transport,
    arp,
    chunk,
    echo,
    echo6,
    filter,
    icmp,
    icmp6,
    ip,
    ip6,
    libtrace_exc,
    neighbour6,
    output_trace,
    packet,
    param6,
    plt_exc_libtrace,
    redirect,
    sctp,
    tcp,
    toobig6,
    trace,
    udp,
    where,
)
from ._tunnel import Tunnel
from ._version import __version__

if TYPE_CHECKING:
    from ._columns import Columns, column_fields, columns
    from ._defragment import defragment
    from ._merge import Merged, merge
    from ._table import Batch, Table

#: Where names are that are imported when they are used: many programs read packets alone.
_LATER = {
    "Batch": "_table",
    "Columns": "_columns",
    "Merged": "_merge",
    "Table": "_table",
    "column_fields": "_columns",
    "columns": "_columns",
    "defragment": "_defragment",
    "merge": "_merge",
}


def __getattr__(name: str) -> object:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


def version() -> str:
    """The version of python-libtrace whose API this is; the project's own is `__version__`."""
    return "1.7"


def _offer(names: dict[str, object]) -> None:
    """Make names that are free known to the running script, as python-libtrace always did."""
    main = sys.modules.get("__main__")
    for name, value in names.items():
        if main is not None and not hasattr(main, name):
            setattr(main, name, value)


_offer({"ipp": ipp, "datetime": datetime})

__all__ = [
    "BZIP2_COMPRESSION",
    "Batch",
    "Columns",
    "Data",
    "IPprefix",
    "Internet",
    "LZO_COMPRESSION",
    "Layer2",
    "Layer3",
    "LibtraceError",
    "Merged",
    "NO_COMPRESSION",
    "O_APPEND",
    "TRACE_DIR_INCOMING",
    "TRACE_DIR_OTHER",
    "TRACE_DIR_OUTGOING",
    "TRACE_DIR_UNKNOWN",
    "TRACE_TYPE_80211",
    "TRACE_TYPE_80211_PRISM",
    "TRACE_TYPE_80211_RADIO",
    "TRACE_TYPE_AAL5",
    "TRACE_TYPE_ATM",
    "TRACE_TYPE_DUCK",
    "TRACE_TYPE_ETH",
    "TRACE_TYPE_HDLC_POS",
    "TRACE_TYPE_LINUX_SLL",
    "TRACE_TYPE_LLCSNAP",
    "TRACE_TYPE_METADATA",
    "TRACE_TYPE_NONDATA",
    "TRACE_TYPE_NONE",
    "TRACE_TYPE_OPENBSD_LOOP",
    "TRACE_TYPE_PFLOG",
    "TRACE_TYPE_POS",
    "TRACE_TYPE_PPP",
    "TRACE_TYPE_UNKNOWN",
    "Table",
    "Transport",
    "arp",
    "Tunnel",
    "ZLIB_COMPRESSION",
    "__version__",
    "chunk",
    "column_fields",
    "columns",
    "defragment",
    "echo",
    "echo6",
    "filter",
    "icmp",
    "icmp6",
    "ip",
    "ip6",
    "ipp",
    "libtrace_exc",
    "merge",
    "neighbour6",
    "output_trace",
    "packet",
    "param6",
    "plt_exc_libtrace",
    "redirect",
    "sctp",
    "tcp",
    "toobig6",
    "trace",
    "udp",
    "version",
    "where",
]
