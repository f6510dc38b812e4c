"""Call every public name again and again: types, methods, attributes, functions leave nothing.

usage: leaks.py FOLDER [--count=N] [--part=K/N] [NAME...]

A case is a public name, as the modules have it: a new one gets what any attribute, method or
function gets.  Where that is not enough for a single good call, the program says so, and good()
wants its arguments.  References are counted by a debug build of Python (sys.gettotalrefcount()),
memory by glibc, Python's own where PYTHONMALLOC=malloc is set.  Of a few windows of calls one must
leave both as they were: what leaks does so in each.
"""

import copy
import ctypes
import gc
import ipaddress
import operator
import os
import pickle
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dns_messages
import packets

import ipp
import natkit
import pldns
import plt

MODULES = (ipp, plt, natkit, pldns)
PACKAGES = {module.__name__ for module in MODULES}
WINDOWS = 4
#: How much fewer calls a case gets that opens files, starts threads or fills memory.
SLOW = 10

# --- What is counted -----------------------------------------------------------------------------


class MallInfo2(ctypes.Structure):
    """glibc's struct mallinfo2, of malloc.h."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks",
                     "uordblks", "fordblks", "keepcost")
    ]  # fmt: skip


_mallinfo2 = ctypes.CDLL(None).mallinfo2
_mallinfo2.restype = MallInfo2
references: Callable[[], int] = getattr(sys, "gettotalrefcount", lambda: 0)
clear_caches: Callable[[], None] = (
    getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
)


def counted() -> tuple[int, int]:
    """How many references there are, and how many bytes are in use."""
    clear_caches()  # of attributes' names, which grow for hundreds of calls
    gc.collect()
    info = _mallinfo2()
    return references(), info.uordblks + info.hblkhd


class Left(NamedTuple):
    """What a call left behind, on the average of the calmest window."""

    references: float
    bytes: float


def left_by(call: Callable[[], object], count: int) -> Left:
    """Call it so often in each window."""
    for _ in range(min(count, 50)):
        call()
    gc.collect()
    gc.freeze()  # what is there now, modules for instance, need not be looked at in each window
    best = Left(1e9, 1e9)
    for _ in range(WINDOWS):
        before = counted()
        for _ in range(count):
            call()
        after = counted()
        best = Left(
            min(best.references, (after[0] - before[0]) / count),
            min(best.bytes, (after[1] - before[1]) / count),
        )
        if is_clean(best, count):
            break
    return best


def is_clean(left: Left, count: int) -> bool:
    """Whether nothing is left: of 1,000 calls that leave something each leaves 16 bytes or more.

    Counting itself may leave some, once.
    """
    return left.references < 0.5 + 20 / count and left.bytes < 8 + 8000 / count


# --- Samples -------------------------------------------------------------------------------------

UDP4 = packets.ethernet(packets.ipv4(packets.udp(dns_messages.message(), ports=(40000, 53))))
TCP4 = packets.ethernet(packets.ipv4(packets.tcp(b"x" * 20, options=b"\2\4\5\xb4"), packets.TCP))
ECHO = packets.ethernet(packets.ipv4(packets.icmp(8), packets.ICMP))
INNER = packets.ipv4(packets.udp(b"y" * 8))
REDIRECT = packets.ethernet(packets.ipv4(packets.icmp(5, rest=b"\xc0\0\2\1", payload=INNER), 1))
ECHO6 = packets.ethernet(packets.ipv6(packets.icmp(128), packets.ICMP6), 0x86DD)
INNER6 = packets.ipv6(packets.udp(b"y" * 8))
TOOBIG6 = packets.ethernet(packets.ipv6(packets.icmp(2, payload=INNER6), packets.ICMP6), 0x86DD)
PARAM6 = packets.ethernet(packets.ipv6(packets.icmp(4, payload=INNER6), packets.ICMP6), 0x86DD)
NEIGHBOUR6 = packets.ethernet(
    packets.ipv6(packets.icmp(135, payload=bytes(16)), packets.ICMP6), 0x86DD
)
ARP = packets.ethernet(bytes.fromhex("0001 0800 06 04 0001") + bytes(20), 0x0806)
SCTP = packets.ethernet(
    packets.ipv4(bytes.fromhex("0001 0002 00000003 00000000 00030010") + bytes(12), packets.SCTP)
)
FRAMES = [UDP4, TCP4, ECHO, REDIRECT, ECHO6, TOOBIG6, PARAM6, NEIGHBOUR6, ARP, SCTP]


class Samples:
    """An object of each type, and the arguments of good calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(packets.write(folder / "t.pcap", packets.pcap(FRAMES * 3)))
        self.packets = packets.read(self.path)[: len(FRAMES)]
        self.udp, self.tcp, self.echo, self.redirect, self.echo6, *rest = self.packets
        self.toobig6, self.param6, self.neighbour6, self.arp, self.sctp = rest
        self.prefix = ipp.IPprefix("192.0.2.0/24")
        self.table = self.counted()
        [self.stream, *_] = natkit.streams(self.path)
        self.message = pldns.ldns(dns_messages.message())
        self.columns = plt.columns(self.path, ["src", "udp.dst_port"]).table()

    def counted(self) -> natkit.FlowTable:
        table = natkit.FlowTable(tcp=True, statistics=True, first=3)
        table.add_trace(self.path)
        return table

    def started(self) -> plt.trace:
        trace = plt.trace(self.path)
        trace.start()
        return trace

    def expired(self) -> natkit.Flows:
        table = self.counted()
        table.flush()
        return table.expired()

    def named(self) -> plt.output_trace:
        return plt.output_trace(f"pcapfile:{self.folder}/out")

    def written(self) -> plt.output_trace:
        output = self.named()
        output.start_output()
        return output

    def made(self) -> dict[str, Callable[[], object]]:
        """By their types' names: what makes a new object, or gives one that calls don't change."""
        return {
            "ipp.IPprefix": lambda: ipp.IPprefix("192.0.2.0/24"),
            "plt.IPprefix": lambda: plt.IPprefix("192.0.2.0/24"),
            "plt.Batch": lambda: next(iter(plt.columns(self.path, ["src", "udp.dst_port"]))),
            "plt.Columns": lambda: plt.columns(self.path, ["src", "udp.dst_port"]),
            "plt.Table": lambda: self.columns,
            "plt.Merged": lambda: plt.merge([self.path, self.path]),
            "plt.Tunnel": lambda: plt.Tunnel("vxlan", 7, "192.0.2.1", "192.0.2.2"),
            "plt.LibtraceError": lambda: plt.LibtraceError("text"),
            "plt.libtrace_exc": lambda: plt.libtrace_exc("text"),
            "plt.plt_exc_libtrace": lambda: plt.plt_exc_libtrace("text"),
            "plt.packet": lambda: self.udp,
            "plt.Data": lambda: self.udp.udp.payload,
            "plt.Layer2": lambda: self.udp.layer2,
            "plt.Layer3": lambda: self.arp.layer3,
            "plt.Transport": lambda: self.udp.transport,
            "plt.Internet": lambda: self.udp.ip,
            "plt.arp": lambda: self.arp.arp,
            "plt.ip": lambda: self.udp.ip,
            "plt.ip6": lambda: self.echo6.ip6,
            "plt.tcp": lambda: self.tcp.tcp,
            "plt.udp": lambda: self.udp.udp,
            "plt.icmp": lambda: self.echo.icmp,
            "plt.echo": lambda: self.echo.icmp.echo,
            "plt.redirect": lambda: self.redirect.icmp.redirect,
            "plt.icmp6": lambda: self.echo6.icmp6,
            "plt.echo6": lambda: self.echo6.icmp6.echo,
            "plt.toobig6": lambda: self.toobig6.icmp6.toobig,
            "plt.param6": lambda: self.param6.icmp6.param,
            "plt.neighbour6": lambda: self.neighbour6.icmp6.neighbour,
            "plt.sctp": lambda: self.sctp.sctp,
            "plt.chunk": lambda: next(iter(self.sctp.sctp.chunks)),
            "plt.filter": lambda: plt.filter("udp"),
            "plt.where": lambda: plt.where("udp"),
            "plt.trace": self.started,
            "plt.output_trace": self.written,
            "plt.output_trace.conf": self.named,  # before it is started
            "plt.output_trace.start": self.named,
            "natkit.Anonymised": lambda: natkit.CryptoPan(bytes(range(32))).packet(self.own()),
            "natkit.CryptoPan": lambda: natkit.CryptoPan(bytes(range(32))),
            "natkit.Flow": lambda: next(iter(self.table)),
            "natkit.FlowHome": lambda: natkit.FlowHome("192.0.2.0/24", "2001:db8::/32"),
            "natkit.FlowTable": self.counted,
            "natkit.Flows": self.expired,
            "natkit.IPflow": lambda: natkit.IPflow(self.udp),
            "natkit.Packets": lambda: natkit.packets(self.path, ["src"]),
            "natkit.Stream": lambda: self.stream,
            "natkit.StreamWay": lambda: self.stream.fwd,
            "pldns.ldns": lambda: pldns.ldns(dns_messages.message()),
            "pldns.ldnsrr": lambda: self.message.query_rr_list[0],
        }

    def own(self) -> plt.packet:
        """A packet that calls may change."""
        return copy.copy(self.udp)

    def good(self) -> dict[str, tuple[Any, ...]]:
        """The arguments of methods and functions that need some, by the end of their names."""
        number, udp = 2**32 - 1, plt.filter("udp")
        return {
            "IPprefix.contains": ipp.parse(["192.0.2.1", None]), "IPprefix.equal": (self.prefix,),
            "IPprefix.first_bit_different": (self.prefix,), "IPprefix.is_prefix": (self.prefix,),
            "IPprefix.has_bit_set": (3,),
            "IPprefix.from_ipaddress": (ipaddress.ip_address("192.0.2.1"),),
            "ipp.format": ipp.parse(["192.0.2.1", None]), "ipp.from_s": ("192.0.2.1",),
            "ipp.parse": (["192.0.2.1", "::1", None],),
            "packet.apply_filter": (udp,), "tcp.option": (2,),
            "packet.from_bytes": (UDP4,),
            "where.matches": (self.udp,),
            "trace.conf_filter": ("udp",), "trace.conf_promisc": (True,),
            "trace.conf_snaplen": (96,), "trace.conf_timeout": (1,),
            "trace.read_packet": (plt.packet(),),
            "output_trace.write_packet": (self.udp,),
            "output_trace.conf_compress_level": (1,), "output_trace.conf_compress_type": (1,),
            "output_trace.conf_file_flags": (os.O_APPEND,),
            "plt.column_fields": (), "plt.columns": (self.path,), "plt.merge": ([self.path],),
            "plt.defragment": (self.packets,), "plt.version": (),
            ".text": ("src",), ".mask": ("udp.dst_port",), ".masked": ("udp.dst_port",),
            ".write_csv": (f"{self.folder}/t.csv",),
            ".write_parquet": (f"{self.folder}/t.parquet",),
            "CryptoPan.addresses": ipp.parse(["192.0.2.1", None]),
            "CryptoPan.packet": (self.own(),),
            "CryptoPan.anonymise": ("192.0.2.1",), "CryptoPan.anonymize": ("192.0.2.1",),
            "CryptoPan.deanonymise": ("192.0.2.1",), "CryptoPan.deanonymize": ("192.0.2.1",),
            "FlowHome.flow": (self.udp,), "FlowTable.add": (self.udp,),
            "FlowTable.add_trace": (self.path,), "FlowTable.merge": (self.counted(),),
            "FlowTable.top": (2, "bytes"), "IPflow.from_key": (natkit.IPflow(self.udp).fwd_key,),
            "StreamWay.time_at": (0,),
            "natkit.ba_get_short": (bytes(8), 0), "natkit.ba_get_long": (bytes(8), 0),
            "natkit.community_id": (natkit.IPflow(self.udp),),
            "natkit.flows": ([self.path],), "natkit.packets": (self.path,),
            "natkit.streams": (self.path,), "natkit.packet_fields": (),
            **{f"natkit.{kind}_{what}": (number, 5) for kind in ("seq", "u32")
               for what in ("add", "sub", "lt", "le", "gt", "ge")},
            "pldns.column_fields": (), "pldns.columns": (self.path,),
            "pldns.messages": (dns_messages.message(),), "ldns.errorstr": (1,),
            "pldns.errorstr": (1,), "pldns.opcodestr": (0,), "pldns.rcodestr": (3,),
            "pldns.typestr": (28,),
        }  # fmt: skip


# Types whose objects are made anew for each call: it changes them, or reads them to the end.
MADE_ANEW = {
    "plt.Batch", "plt.Columns", "plt.Merged", "plt.trace", "plt.output_trace", "natkit.Flows",
    "natkit.FlowTable", "natkit.Packets", "natkit.Anonymised",
}  # fmt: skip
# Functions that open files or start threads, and methods of tables, which do much.
SLOW_CALLS = ("plt.columns", "plt.merge", "plt.defragment", "natkit.flows", "natkit.packets",
              "natkit.streams", "pldns.columns", "plt.Table", "pldns.column_fields",
              "plt.column_fields", "natkit.packet_fields")  # fmt: skip
# Types whose constructor is for the project alone, or asks for a file.
CONSTRUCTORS: dict[str, Callable[[Samples], tuple[Any, ...]]] = {
    "ipp.IPprefix": lambda _: (4, b"\xc0\0\2\0", 24),
    "plt.IPprefix": lambda _: (4, b"\xc0\0\2\0", 24),
    "plt.packet": lambda _: (),
    "plt.trace": lambda s: (s.path,),
    "plt.output_trace": lambda s: (f"pcapfile:{s.folder}/never",),
    "plt.filter": lambda _: ("udp port 53",),
    "plt.where": lambda _: ("udp.dst_port == 53",),
    "plt.Tunnel": lambda _: ("vxlan", 7, "192.0.2.1", "192.0.2.2"),
    "natkit.CryptoPan": lambda _: (bytes(range(32)),),
    "natkit.FlowHome": lambda _: ("192.0.2.0/24",),
    "natkit.FlowTable": lambda _: (),
    "natkit.IPflow": lambda s: (s.udp,),
    "pldns.ldns": lambda _: (dns_messages.message(),),
    **{f"plt.{name}": lambda _: (bytearray(60),) for name in
       ("ip", "ip6", "tcp", "udp", "icmp", "icmp6", "sctp")},
    **{f"plt.{name}": lambda _: ("text",) for name in
       ("LibtraceError", "libtrace_exc", "plt_exc_libtrace")},
}  # fmt: skip

# What a layer inherits from plt.packet and refuses, and that of an ARP packet; plt.Data, which is
# never made by its name.
REFUSED = (".apply_filter", ".from_bytes", "plt.Data", "plt.Layer3.set_checksums")

BAD: tuple[tuple[Any, ...], ...] = (
    (),
    (None,),
    (object(),),
    (1 << 70,),
    ("\0",),
    (b"x",),
    (1, 2, 3) * 3,
)
BAD_VALUES = (None, 1 << 70, -1, "text", b"")
PROTOCOLS: tuple[Callable[[Any], object], ...] = (
    repr, str, hash, bool, len, list, sorted, memoryview, bytes, copy.copy, copy.deepcopy, dir,
    lambda x: operator.eq(x, x), lambda x: operator.ne(x, None), lambda x: operator.lt(x, x),
    lambda x: x[0], lambda x: x["src"],
    lambda x: x[1:], lambda x: None in x, lambda x: operator.contains(x, x),
    lambda x: x._repr_html_(),
    lambda x: pickle.loads(pickle.dumps(x, 5)), lambda x: next(iter(x)), sys.getsizeof, format,
    lambda x: x.__enter__(), lambda x: x.__exit__(None, None, None),
)  # fmt: skip

# --- Cases ---------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A public name, and what is called again and again; it says how many good calls there were."""

    name: str
    call: Callable[[], int]
    slow: bool


#: What could not be imported.
missing: set[str] = set()


def attempt(call: Callable[..., object], *args: object) -> int:
    """Whether a call is a good one; some of what it gives is taken."""
    try:
        given = call(*args)
        if isinstance(given, Iterator) and not isinstance(given, plt.trace):  # not started
            for _ in zip(range(3), given, strict=False):
                pass
    except ImportError as error:  # of a library that a debug build has not: `make test` has it
        missing.add(str(error.name))
    except Exception:
        return 0
    return 1


def public_names(of: types.ModuleType | type) -> list[str]:
    """Those of a module by its __all__; those of a type that come from the project."""
    if isinstance(of, types.ModuleType):
        return sorted(of.__all__)
    ours = [kind for kind in of.__mro__ if kind.__module__.partition(".")[0] in PACKAGES]
    return sorted({name for kind in ours for name in vars(kind) if not name.startswith("_")})


def arguments(good: dict[str, tuple[Any, ...]], name: str) -> tuple[Any, ...]:
    """Those of a good call: by the longest end of its name that is known."""
    ends = [end for end in good if name.endswith(end)]
    return good[max(ends, key=len)] if ends else ()


def cases(samples: Samples) -> Iterator[Case]:
    """One for each public name."""
    made, good = samples.made(), samples.good()
    for module in MODULES:
        for short in public_names(module):
            name, value = f"{module.__name__}.{short}", getattr(module, short)
            if isinstance(value, type):
                yield from of_type(samples, name, value, made, good)
            elif callable(value):
                call = a_call(lambda value=value: value, arguments(good, name))
                yield Case(name, call, name.startswith(SLOW_CALLS))


def of_type(
    samples: Samples,
    name: str,
    kind: type,
    made: dict[str, Callable[[], object]],
    good: dict[str, tuple[Any, ...]],
) -> Iterator[Case]:
    """Its constructor, what Python's operators and functions do with it, its methods and data."""
    make = made[name]
    anew = name in MADE_ANEW
    slow = anew or name.startswith(SLOW_CALLS)
    if name in CONSTRUCTORS:
        yield Case(name, a_call(lambda: kind, CONSTRUCTORS[name](samples)), slow)
    else:  # made elsewhere
        yield Case(name, lambda: attempt(make) + a_call(lambda: kind, ())(), slow)
    kept = make()
    sample = make if anew else lambda: kept
    yield Case(f"{name} and Python", lambda: sum(attempt(p, sample()) for p in PROTOCOLS), slow)
    for attribute in public_names(kind):
        whole = f"{name}.{attribute}"
        if callable(getattr(kind, attribute)):
            of = made.get(f"{name}.{attribute.partition('_')[0]}", sample)
            bound = lambda of=of, attribute=attribute: getattr(of(), attribute)  # noqa: E731
            yield Case(whole, a_call(bound, arguments(good, whole)), slow)
        else:
            yield Case(whole, a_value(sample, attribute), slow)


def a_call(of: Callable[[], Callable[..., object]], args: tuple[Any, ...]) -> Callable[[], int]:
    """A good call and bad ones."""

    def call() -> int:
        count = attempt(of(), *args)
        for bad in BAD:
            if bad != args:
                attempt(of(), *bad)
        return count

    return call


def a_value(sample: Callable[[], object], name: str) -> Callable[[], int]:
    """An attribute that is got, set to what it was, set to what is wrong, and deleted."""

    def call() -> int:
        owner = sample()
        before: list[object] = []
        count = attempt(lambda: before.append(getattr(owner, name)))
        for value in BAD_VALUES:
            attempt(setattr, owner, name, value)
        attempt(delattr, owner, name)
        if before:
            attempt(setattr, owner, name, before[0])
        return count + 1  # some can't be had of any sample: ValueError is their answer

    return call


def main(argv: list[str]) -> int:
    """Run the cases, and say which leave something, or had no good call."""
    folder, *words = argv
    options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    names = {word for word in words if not word.startswith("--")}
    count = int(options.get("count", "1000"))
    part, parts = map(int, options.get("part", "0/1").split("/"))
    warnings.simplefilter("ignore")
    made = list(cases(Samples(Path(folder))))
    wrong = calls = number = 0
    began = time.monotonic()
    for number, case in enumerate(made, 1):
        if number % parts != part or (names and case.name not in names):
            continue
        often = max(40, count // SLOW) if case.slow else count
        calls += often
        left = left_by(case.call, often)
        if not is_clean(left, often):  # what other libraries keep grows at first, a leak goes on
            often *= 4
            left = left_by(case.call, often)
        if not is_clean(left, often):
            wrong += 1
            print(f"{case.name} leaves {left.references:.2f} references, {left.bytes:.1f} bytes")
        refused = case.name.endswith(REFUSED) and not case.name.startswith("plt.packet.")
        if not case.call() and not refused:
            wrong += 1
            print(f"{case.name} had no good call: it needs arguments in good()")
    what = "references and bytes" if hasattr(sys, "gettotalrefcount") else "bytes"
    seconds = time.monotonic() - began
    if missing:
        print("without", *sorted(missing))
    print(f"{number} names, {calls} calls or more, {what}: {wrong} wrong, {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
