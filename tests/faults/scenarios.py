"""What is called while calls of malloc(), read() and their like fail: every public name, and more.

The attributes and methods of the types are taken from the types, the functions from the modules:
`uncovered()` gives those that no scenario has.
"""

import atexit
import bz2
import contextlib
import copy
import functools
import gzip
import importlib.util
import io
import ipaddress
import itertools
import lzma
import os
import pickle
import shutil
import socket
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import addressed
import catalogue
import dns_damage
import dns_messages as dns
import flow_traces
import live
import packets as made
import tunnelled
from injector import Scenario

import ipp
import natkit
import natkit.plot
import pldns
import plt

MODULES: tuple[ModuleType, ...] = (ipp, plt, natkit, pldns, natkit.plot)

FOLDER = Path(tempfile.mkdtemp(prefix="faults-"))


@atexit.register
def remove() -> None:
    """Scenarios end without this: the folder goes with the process that made it."""
    shutil.rmtree(FOLDER, ignore_errors=True)


# --- Packets and files ------------------------------------------------------------------------

FRAMES = {
    "tcp": made.ethernet(
        made.ipv4(made.tcp(b"GET /", options=bytes.fromhex("020405b40402080a00000001000000020101")),
                  made.TCP)),
    "udp": made.ethernet(made.ipv4(made.udp(dns.message()), made.UDP)),
    "udp6": made.ethernet(made.ipv6(made.udp(dns.message()), made.UDP), 0x86DD),
    "sctp": made.ethernet(made.ipv4(struct.pack(">HHII", 5, 6, 7, 8) + b"\0\3\0\x14" + bytes(16),
                                    made.SCTP)),
    "echo": made.ethernet(made.ipv4(made.icmp(8, 0, b"\0\1\0\2", b"ping"), made.ICMP)),
    "redirect": made.ethernet(made.ipv4(made.icmp(5, 1, b"\xc0\0\2\x09",
                                                  made.ipv4(made.udp(b"quoted"))), made.ICMP)),
    "echo6": made.ethernet(made.ipv6(made.icmp(128, 0, b"\0\1\0\2", b"ping"), made.ICMP6), 0x86DD),
    "toobig6": made.ethernet(made.ipv6(made.icmp(2, 0, b"\0\0\5\0", made.ipv6(made.udp(b"x"))),
                                       made.ICMP6), 0x86DD),
    "param6": made.ethernet(made.ipv6(made.icmp(4, 0, b"\0\0\0\7", made.ipv6(made.udp(b"x"))),
                                      made.ICMP6), 0x86DD),
    "neighbour6": made.ethernet(made.ipv6(made.icmp(137, 0, bytes(4), bytes(range(32))),
                                          made.ICMP6), 0x86DD),
    "arp": made.ethernet(addressed.arp(addressed.as_is), 0x0806),
    "vlan": made.ethernet(b"\x20\x05\x08\x00" + made.ipv4(made.udp(b"tagged")), 0x8100),
    "tunnel": made.ethernet(made.ipv4(
        made.udp(tunnelled.vxlan(tunnelled.FRAME, 5), ports=(50000, 4789)))),
}  # fmt: skip


def record(data: bytes, number: int) -> made.Record:
    return made.Record(data, made.EPOCH + number, number)


RECORDS = [record(data, number) for number, data in enumerate(FRAMES.values())]
PCAP = made.pcap(RECORDS)
COMMENT = made.option(1, b"a comment") + made.option(0, b"")
CONTENTS = {
    "t.pcap": PCAP,
    "swapped.pcap": made.pcap(RECORDS, order=">"),
    "t.pcap.gz": gzip.compress(PCAP, mtime=0),
    "t.pcap.bz2": bz2.compress(PCAP),
    "t.pcap.xz": lzma.compress(PCAP),
    "cut.pcap": PCAP[:-7],
    "cut.pcap.gz": gzip.compress(PCAP, mtime=0)[:-12],
    "t.pcapng": made.section(options=COMMENT)
    + made.interface(options=made.option(2, b"eth0") + made.option(0, b""))
    + b"".join(made.enhanced(data, number, options=COMMENT)
               for number, data in enumerate(FRAMES.values()))
    + made.simple(FRAMES["udp"]),
    "t.erf": b"".join(made.erf(2, b"\0\0" + data) for data in FRAMES.values()),
    "t.tsh": b"".join(made.tsh(data[14:]) for data in FRAMES.values()),
    "text": b"this is no trace, and it is long enough to be looked at" * 3,
    "empty": b"",
}  # fmt: skip

CONNECTION = [
    dns.segment(b"", 0, flags=0x02),
    dns.sent(made.tcp(b"", seq=0, ack=1, flags=0x12, ports=(53, dns.CLIENT)), 0.001,
             made.V4[1], made.V4[0], made.TCP),
    dns.segment(dns.framed(dns.message()), 1),
    dns.segment(dns.framed(dns.message(ident=9)), 100),
    dns.segment(dns.framed(dns.message(ident=8)), 1 + len(dns.framed(dns.message()))),
    dns.sent(made.tcp(dns.framed(dns.message(flags=0x8180)), seq=1, flags=0x18,
                      ports=(53, dns.CLIENT)), 0.002, made.V4[1], made.V4[0], made.TCP),
    dns.segment(b"", 300, flags=0x11),
]  # fmt: skip
CONTENTS["dns.pcap"] = made.pcap(
    [
        *CONNECTION,
        *(one for n in range(5) for one in (dns.query(n, ident=n), dns.response(n + 0.1, ident=n))),
    ]
)
CONTENTS["fragments.pcap"] = made.pcap(
    [made.Record(data) for ident in (1, 2) for data in flow_traces.fragments(ident)], made.RAW
)
CONTENTS["many.pcap"] = made.pcap(
    [record(made.ethernet(made.ipv4(made.udp(b"x" * 900, ports=(n + 1, 53)))), n % 50)
     for n in range(1500)]
)  # fmt: skip
#: So many slots are the first chunk of a table's memory (src/flowtable/pool.h), but for the first.
CHUNK = (1 << 15) - 1


def udp_flow(number: int) -> bytes:
    return made.ethernet(made.ipv4(made.udp(b"x", ports=(number + 1, 53))))


RESET = made.ethernet(made.ipv4(made.tcp(flags=0x04), made.TCP))
CONTENTS["full.pcap"] = made.pcap(
    [record(RESET, 3600), *(record(udp_flow(n), 3600) for n in range(1, CHUNK))]
)
CONTENTS["flips.pcap"] = made.pcap(
    [
        *(record(udp_flow(n), 3600 + n) for n in range(100)),
        *(record(udp_flow(100), n % 2 * 100) for n in range(2400)),
        record(udp_flow(101), 4150),
    ]
)
CONTENTS["hosts.pcap"] = made.pcap(
    [record(made.ethernet(made.ipv4(made.udp(b"x"), src=f"10.0.{n >> 8}.{n & 255}")), n % 50)
     for n in range(600)]
)  # fmt: skip
#: More than the first texts of addresses have room for (src/common/addresstext.c).
CONTENTS["clients.pcap"] = made.pcap(
    [record(made.ethernet(made.ipv4(made.udp(b"x"), src=f"10.1.{n >> 8}.{n & 255}")), n % 50)
     for n in range(1100)]
)  # fmt: skip
#: Of connections whose start is missing.
CONTENTS["segments.pcap"] = made.pcap(
    [dns.segment(dns.framed(dns.message(ident=n)), ports=(n + 1024, 53)) for n in range(200)]
)
CONTENTS["names.pcap"] = made.pcap([dns.query(n, ident=n) for n in range(600)])
LARGE = (
    "many.pcap", "full.pcap", "flips.pcap", "hosts.pcap", "clients.pcap", "names.pcap",
    "segments.pcap",
)  # fmt: skip
for _name, _content in CONTENTS.items():
    (FOLDER / _name).write_bytes(_content)

T = str(FOLDER / "t.pcap")
DNS = str(FOLDER / "dns.pcap")
MANY = str(FOLDER / "many.pcap")
HOSTS = str(FOLDER / "hosts.pcap")
CLIENTS = str(FOLDER / "clients.pcap")
NAMES = str(FOLDER / "names.pcap")


def packet(name: str) -> plt.packet:
    return plt.packet.from_bytes(FRAMES[name], 2, made.EPOCH * 10**9)


#: An object of each type that packets have, made anew each time.
OBJECTS: dict[type, Callable[[], object]] = {
    plt.packet: lambda: packet("tcp"),
    plt.Layer2: lambda: packet("vlan").layer2,
    plt.Layer3: lambda: packet("tcp").layer3,
    plt.Transport: lambda: packet("udp").transport,
    plt.Data: lambda: packet("udp").udp.payload,
    plt.Internet: lambda: packet("udp6").ip6,
    plt.ip: lambda: packet("tcp").ip,
    plt.ip6: lambda: packet("udp6").ip6,
    plt.arp: lambda: packet("arp").arp,
    plt.tcp: lambda: packet("tcp").tcp,
    plt.udp: lambda: packet("udp").udp,
    plt.sctp: lambda: packet("sctp").sctp,
    plt.chunk: lambda: packet("sctp").sctp.chunks[0],
    plt.icmp: lambda: packet("redirect").icmp,
    plt.icmp6: lambda: packet("toobig6").icmp6,
    plt.echo: lambda: packet("echo").icmp.echo,
    plt.redirect: lambda: packet("redirect").icmp.redirect,
    plt.echo6: lambda: packet("echo6").icmp6.echo,
    plt.toobig6: lambda: packet("toobig6").icmp6.toobig,
    plt.param6: lambda: packet("param6").icmp6.param,
    plt.neighbour6: lambda: packet("neighbour6").icmp6.neighbour,
    plt.Tunnel: lambda: packet("tunnel").tunnels[0],
    plt.filter: lambda: plt.filter("tcp port 80"),
    plt.where: lambda: plt.where("tcp.dst_port == 80 and hop_limit > 3"),
    plt.trace: lambda: opened(),
    plt.output_trace: lambda: plt.output_trace(f"pcapfile:{own_folder(os.getpid())}/out"),
    plt.Columns: lambda: plt.columns(T),
    plt.Table: lambda: plt.columns(T).table(),
    plt.Batch: lambda: next(iter(plt.columns(T))),
    plt.Merged: lambda: plt.merge([T, T]),
    ipp.IPprefix: lambda: ipp.from_s("192.0.2.0/24"),
    natkit.IPflow: lambda: natkit.FlowHome("192.0.2.0/24").flow(packet("tcp")),
    natkit.FlowHome: lambda: natkit.FlowHome("192.0.2.0/24", "2001:db8::/32"),
    natkit.FlowTable: lambda: counted(),
    natkit.Flow: lambda: next(iter(counted())),
    natkit.Flows: lambda: ended(),
    natkit.Stream: lambda: next(natkit.streams(DNS)),
    natkit.StreamWay: lambda: next(natkit.streams(DNS)).fwd,
    natkit.CryptoPan: lambda: natkit.CryptoPan(KEY),
    natkit.Anonymised: lambda: natkit.CryptoPan(KEY).packet(packet("tcp")),
    natkit.Packets: lambda: natkit.packets(T),
    pldns.ldns: lambda: pldns.ldns(ANSWER),
    pldns.ldnsrr: lambda: pldns.ldns(ANSWER).response_rr_list[0],
}

KEY = "0123456789abcdef0123456789abcdef"
ANSWER = dns.message(
    flags=0x8580,
    counts=(2, 1, 2),
    rest=b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4\xc0\0\2\1"
    + b"\xc0\x0c\0\x10\0\1\0\0\1\0\0\3\2hi"
    + b"\xc0\x0c\0\2\0\1\0\0\1\0\0\5\2ns\xc0\x0c"
    + b"\0\0\x29\x04\xd0\0\0\x80\0\0\6\0\x0a\0\2ab"
    + b"\1k\0\0\xfa\0\xff\0\0\0\0" + struct.pack(">H", len(b"".join(dns_damage.FIELDS[250])))
    + b"".join(dns_damage.FIELDS[250]),
)  # fmt: skip


def opened() -> plt.trace:
    trace = plt.trace(T)
    trace.start()
    return trace


def counted(**settings: object) -> natkit.FlowTable:
    settings = settings or {"tcp": True, "statistics": True, "first": 3, "decap": True}
    table = natkit.FlowTable(**settings)
    for name in FRAMES:
        table.add(packet(name))
    return table


def ended() -> natkit.Flows:
    table = counted()
    table.flush()
    return table.expired()


# --- Attributes and methods -------------------------------------------------------------------

OTHER = ipp.from_s("192.0.2.0/25")

#: How the methods are called, by the type that defines them.
CALLS: dict[tuple[type, str], Callable[..., object]] = {
    (plt.packet, "from_bytes"): lambda x: type(x).from_bytes(FRAMES["tcp"], 2, 5, 100),
    (plt.packet, "apply_filter"): lambda x: [
        x.apply_filter(plt.filter("tcp")), x.apply_filter(plt.where("ip"))],
    (plt.tcp, "option"): lambda x: [x.option(2), x.option(4), x.option(77)],
    (plt.where, "matches"): lambda x: x.matches(packet("tcp")),
    (plt.trace, "start"): lambda x: started(plt.trace(x.uri)),
    (plt.trace, "pause"): lambda x: (x.pause(), x.start(), next(x)),
    (plt.trace, "read_packet"): lambda x: read_into(x),
    (plt.trace, "conf_filter"): lambda x: (x.conf_filter(plt.filter("udp")), len(list(x))),
    (plt.trace, "conf_snaplen"): lambda x: (x.conf_snaplen(20), next(x)),
    (plt.trace, "conf_promisc"): lambda x: x.conf_promisc(True),
    (plt.trace, "conf_timeout"): lambda x: x.conf_timeout(5),
    (plt.output_trace, "conf_file_flags"): lambda x: x.conf_file_flags(0),
    (plt.output_trace, "conf_compress_type"): lambda x: x.conf_compress_type(1),
    (plt.output_trace, "conf_compress_level"): lambda x: x.conf_compress_level(3),
    (plt.output_trace, "start_output"): lambda x: x.start_output(),
    (plt.output_trace, "write_packet"): lambda x: (x.start_output(), x.write_packet(packet("tcp"))),
    (plt.output_trace, "close_output"): lambda x: (x.start_output(), x.close_output()),
    (plt.Table, "head"): lambda x: x.head(2),
    (plt.Table, "tail"): lambda x: x.tail(2),
    (plt.Table, "text"): lambda x: x.text("src_prefix"),
    (plt.Table, "mask"): lambda x: x.mask("src_prefix"),
    (plt.Table, "masked"): lambda x: x.masked("proto"),
    (plt.Table, "describe"): lambda x: len(x.describe()),
    (plt.Table, "write_parquet"): lambda x: x.write_parquet(io.BytesIO()),
    (plt.Table, "write_csv"): lambda x: written(x.write_csv),
    (plt.Table, "to_arrow"): lambda x: x.to_arrow().num_rows,
    (plt.Table, "to_polars"): lambda x: x.to_polars().height,
    (plt.Table, "to_pandas"): lambda x: len(x.to_pandas()),
    (ipp.IPprefix, "equal"): lambda x: x.equal(OTHER),
    (ipp.IPprefix, "has_bit_set"): lambda x: x.has_bit_set(3),
    (ipp.IPprefix, "first_bit_different"): lambda x: x.first_bit_different(OTHER),
    (ipp.IPprefix, "is_prefix"): lambda x: x.is_prefix(OTHER),
    (ipp.IPprefix, "contains"): lambda x: x.contains(bytes([192, 0, 2, 9, 1, 2, 3, 4])),
    (ipp.IPprefix, "from_ipaddress"): lambda x: [
        type(x).from_ipaddress(ipaddress.ip_network("192.0.2.0/25")),
        type(x).from_ipaddress(ipaddress.ip_address("2001:db8::1"))],
    (natkit.IPflow, "from_key"): lambda x: type(x).from_key(x.fwd_key, True, False),
    (natkit.FlowHome, "flow"): lambda x: x.flow(packet("udp6")),
    (natkit.FlowTable, "add"): lambda x: x.add(packet("udp")),
    (natkit.FlowTable, "add_trace"): lambda x: x.add_trace(T),
    (natkit.FlowTable, "expired"): lambda x: len(x.expired()),
    (natkit.FlowTable, "flush"): lambda x: x.flush(),
    (natkit.FlowTable, "top"): lambda x: x.top(3),
    (natkit.FlowTable, "merge"): lambda x: merged(x),
    (natkit.FlowTable, "columns"): lambda x: x.columns(ALL_FLOW_COLUMNS),
    (natkit.Flows, "columns"): lambda x: x.columns(),
    (natkit.StreamWay, "time_at"): lambda x: x.time_at(0),
    (natkit.CryptoPan, "anonymise"): lambda x: x.anonymise("192.0.2.1"),
    (natkit.CryptoPan, "anonymize"): lambda x: x.anonymize("2001:db8::1/64"),
    (natkit.CryptoPan, "deanonymise"): lambda x: x.deanonymise(ipp.from_s("192.0.2.1")),
    (natkit.CryptoPan, "deanonymize"): lambda x: x.deanonymize("192.0.2.1"),
    (natkit.CryptoPan, "addresses"): lambda x: x.addresses(bytes(range(64)), 6),
    (natkit.CryptoPan, "packet"): lambda x: x.packet(packet("redirect"), payload="zero"),
    (natkit.Packets, "flows"): lambda x: (x.table(), x.flows()),
    (pldns.ldns, "errorstr"): lambda x: x.errorstr(3),
}  # fmt: skip
ALL_FLOW_COLUMNS = list(counted().columns())

#: After these the object is another: the call is not made again with it.
CHANGING = {"start", "pause", "read_packet", "conf_filter", "conf_snaplen", "write_packet", "add",
            "start_output", "close_output", "add_trace", "expired", "flush", "merge", "flows",
            "table"}  # fmt: skip

#: What pandas and others take is theirs, and takes long.
WRITABLE = (plt.packet,)


def started(trace: plt.trace) -> bool:
    trace.start()
    return next(trace) is not None


def read_into(trace: plt.trace) -> object:
    into = plt.packet()
    return [(trace.read_packet(into), bytes(into)) for _ in range(3)]


def written(write: Callable[[io.StringIO], object]) -> str:
    out = io.StringIO()
    write(out)
    return out.getvalue()


def merged(table: natkit.FlowTable) -> object:
    table.merge(counted())
    return table


def names_of(kind: type) -> list[str]:
    """The public attributes and methods that a type defines."""
    return [name for name in vars(kind) if not name.startswith("_")]


def of_types() -> Iterator[Scenario]:
    for kind, make in OBJECTS.items():
        for name in names_of(kind):
            whole = f"{kind.__module__.split('.')[0]}.{kind.__name__}.{name}"
            attribute = getattr(kind, name)
            call = CALLS.get((kind, name))
            if call is None and callable(attribute):
                call = plain_call(name)
            elif call is None:
                call = plain_get(name)
            yield Scenario(whole, call, make, (whole,), again=name not in CHANGING)
            if kind.__name__ in SETTABLE and name in SETTABLE[kind.__name__]:
                yield Scenario(f"{whole} =", plain_set(name), make)


SETTABLE = {
    "packet": {"data", "comment"},
    "Internet": {"traffic_class", "hop_limit", "ttl", "src_prefix", "dst_prefix"},
    "ip": {"checksum", "hdr_checksum"},
    "tcp": {"checksum"},
    "udp": {"checksum"},
    "icmp": {"checksum"},
    "icmp6": {"checksum"},
    "IPprefix": {"length"},
}


def plain_call(name: str) -> Callable[[object], object]:
    return lambda x: getattr(x, name)()


def plain_get(name: str) -> Callable[[object], object]:
    return lambda x: getattr(x, name)


def plain_set(name: str) -> Callable[[object], object]:
    def setting(x: object) -> object:
        setattr(x, name, getattr(x, name))
        return getattr(x, name)

    return setting


def special(x: object) -> Iterator[tuple[str, Callable[[object], object]]]:
    """What objects do without a public name: those that this one can do."""
    tries: dict[str, Callable[[object], object]] = {
        "repr": lambda x: repr(x).partition(" at 0x")[0],
        "str": lambda x: str(x).partition(" at 0x")[0],
        "html": lambda x: x._repr_html_(),
        "hash": lambda x: hash(x) and True,
        "equal": lambda x: (x == x, x != 5),  # noqa: PLR0124
        "less": lambda x: x < x,  # noqa: PLR0124
        "bytes": bytes,
        "len": len,
        "iter": lambda x: list(itertools.islice(x, 100)),
        "copy": copy.copy,
        "pickle": lambda x: pickle.loads(pickle.dumps(x)),
        "contains": lambda x: 5 in x,
        "arrow": lambda x: x.__arrow_c_stream__() and True,
    }
    for name, call in tries.items():
        try:
            call(x)
        except (TypeError, AttributeError, pickle.PicklingError):
            continue
        yield name, call


def of_specials() -> Iterator[Scenario]:
    for kind, make in OBJECTS.items():
        for name, call in special(make()):
            stays = not (name == "iter" and kind in (plt.trace, plt.Columns, plt.Merged,
                                                     natkit.Packets))  # fmt: skip
            yield Scenario(f"{name}({kind.__module__.split('.')[0]}.{kind.__name__})", call, make,
                           again=stays and name not in ("arrow",))  # fmt: skip


# --- Functions and types called ---------------------------------------------------------------


def all_of(name: str) -> list[plt.packet]:
    with plt.trace(str(FOLDER / name)) as trace:
        return list(trace)


def converted(to: str, uri: str = T, compression: int = 0, level: int = 1) -> bytes:
    path = f"{own_folder(os.getpid())}/converted{''.join(to.partition('.')[1:])}"
    output = plt.output_trace(f"{to.partition(':')[0]}:{path}" if ":" in to else path)
    if compression:
        output.conf_compress_type(compression)
        output.conf_compress_level(level)
    with plt.trace(uri) as trace, output:
        for one in trace:
            output.write_packet(one)
    with open(path, "rb", buffering=0) as file:
        return file.read()


@functools.cache
def own_folder(process: int) -> Path:
    """A folder for what a process writes."""
    folder = FOLDER / str(process)
    folder.mkdir()
    return folder


def arrays(kind: str) -> object:
    with contextlib.closing(plt.columns(T, addresses=kind)) as columns:
        return list(columns)


def closed(columns: plt.Columns) -> object:
    with columns:
        return columns.table()


def sources(count: int) -> list[str]:
    return [T] * count


PREFIX = ipp.from_s("2001:db8::/32")
MESSAGE4 = pldns.ldns(ANSWER)


def flow_of(name: str = "tcp") -> natkit.IPflow:
    return natkit.IPflow(packet(name))


def steps(trace: plt.trace) -> object:
    """The next packet only: no packet is lost where it fails."""
    return next(trace)


def through(filter: plt.filter) -> list[bool]:
    return [packet(name).apply_filter(filter) for name in ("tcp", "udp6", "arp")]


def plotted(function: Callable[..., object], *args: object, **kwargs: object) -> object:
    from matplotlib import pyplot  # noqa: PLC0415

    try:
        return type(function(*args, **kwargs)).__name__
    finally:
        pyplot.close("all")


FUNCTIONS: dict[str, tuple[Callable[[], object], ...]] = {
    "ipp.IPprefix": (lambda: [ipp.IPprefix(4, b"\xc0\0\2\1", 24), ipp.IPprefix(6, b"\x20\1")],
                     lambda: ipp.IPprefix(4, b"12345")),
    "ipp.format": (lambda: ipp.format(bytes(range(64)), 6), lambda: ipp.format(bytes(16), 4)),
    "ipp.from_s": (lambda: [ipp.from_s("192.0.2.1/24"), ipp.from_s("2001:db8::1")],
                   lambda: ipp.from_s("no address")),
    "ipp.parse": (lambda: ipp.parse(["192.0.2.1", "2001:db8::1"] * 20),
                  lambda: ipp.parse(["192.0.2.1", "none"])),
    "ipp.rfc1918s8": (lambda: str(ipp.rfc1918s8),),
    "ipp.rfc1918s12": (lambda: str(ipp.rfc1918s12),),
    "ipp.rfc1918s16": (lambda: str(ipp.rfc1918s16),),
    "ipp.version": (ipp.version,),
    "plt.trace": tuple(
        (lambda name=name: all_of(name)) for name in CONTENTS if name not in LARGE),
    "plt.columns": (
        lambda: closed(plt.columns(T)),
        lambda: closed(plt.columns(T, list(plt.column_fields()))),
        lambda: arrays("binary"), lambda: arrays("text"), lambda: arrays("auto"),
        lambda: closed(plt.columns(T, filter="udp", limit=2)),
        lambda: closed(plt.columns(T, filter=plt.where("udp"), batch=2)),
        lambda: closed(plt.columns(T, decap=True, community_seed=3)),
        lambda: closed(plt.columns(T, "no such column")),
        lambda: closed(plt.columns(str(FOLDER / "t.pcap.gz")))),
    "plt.column_fields": (plt.column_fields,),
    "plt.defragment": (lambda: list(plt.defragment(str(FOLDER / "fragments.pcap"))),
                       lambda: list(plt.defragment(T))),
    "plt.merge": (lambda: list(plt.merge([T, DNS])),
                  lambda: list(plt.merge([T, DNS], filter="udp"))),
    "plt.filter": (lambda: through(plt.filter("udp port 53 or host 192.0.2.1")),
                   lambda: through(plt.filter("no such thing")),
                   lambda: through(plt.filter("udp[8] = 0 or net 192.0.2.0/24 and len > 5"))),
    "plt.where": (lambda: through(plt.where("dst_port == 53 or src == 192.0.2.1")),
                  lambda: plt.where("no such thing"),
                  lambda: through(plt.where("dst_port in (53, 80) and not (ttl < 3 or tcp)"))),
    "plt.output_trace": (
        lambda: converted("a.pcap"), lambda: converted("a.pcapng"), lambda: converted("a.erf"),
        lambda: converted("pcapfile:a", compression=1), lambda: converted("erf:a", compression=2),
        lambda: converted(".pcap.xz"), lambda: converted(".pcap.zst"),
        lambda: converted(".pcap.lz4"),
        lambda: converted("a.pcapng", str(FOLDER / "t.pcapng")),
        lambda: plt.output_trace("nosuch:a")),
    "plt.packet": (lambda: plt.packet().tcp,),
    "plt.version": (plt.version,),
    "plt.__version__": (lambda: str(plt.__version__),),
    "plt.Tunnel": (lambda: plt.Tunnel("vxlan", 5, OTHER, OTHER),),
    "plt.LibtraceError": (lambda: plt.LibtraceError("text"),),
    "plt.libtrace_exc": (lambda: plt.libtrace_exc("text"),),
    "plt.plt_exc_libtrace": (lambda: plt.plt_exc_libtrace("text"),),
    "plt.Table": (lambda: plt.columns(T).table()[["src_prefix", "dst_prefix"]],
                  lambda: plt.columns(T).table()[1:5:2],
                  lambda: plt.columns(T).table()["src_prefix"]),
    **{f"plt.{kind.__name__}": ((lambda kind=kind: kind(bytearray(FRAMES["tcp"][14:]))),
                                (lambda kind=kind: kind(packet("tcp"))),
                                (lambda kind=kind: kind("text")))
       for kind in (plt.ip, plt.ip6, plt.tcp, plt.udp, plt.icmp, plt.icmp6, plt.sctp, plt.arp)},
    "natkit.IPflow": (flow_of, lambda: bool(natkit.IPflow(packet("arp"))),
                      lambda: natkit.IPflow(5)),
    "natkit.FlowHome": (lambda: natkit.FlowHome("192.0.2.0/24", PREFIX).prefixes,
                        lambda: natkit.FlowHome("nothing")),
    "natkit.CryptoPan": (lambda: natkit.CryptoPan(KEY).anonymise("192.0.2.1"),
                         lambda: natkit.CryptoPan("short")),
    "natkit.Anonymised": (lambda: natkit.Anonymised(3, ("ESP",)),),
    "natkit.FlowTable": (
        lambda: natkit.FlowTable(home=natkit.FlowHome("192.0.2.0/24"), idle_timeout=3),
        counted,
        lambda: traced(idle_timeout=2, active_timeout=5),
        lambda: traced(tcp=True, statistics=True, first=4, vlan=True, decap=True),
        lambda: traced(filter="udp"),
        lambda: traced(fragments=True)),
    "natkit.ba_get_long": (lambda: natkit.ba_get_long(b"12345", 1),),
    "natkit.ba_get_short": (lambda: natkit.ba_get_short(b"12345", 1),),
    "natkit.community_id": (lambda: natkit.community_id(flow_of(), 5),),
    "natkit.flows": (
        lambda: natkit.flows(T), lambda: natkit.flows([T, DNS], tcp=True, workers=1)),
    "natkit.packets": (
        lambda: closed(natkit.packets(T)),
        lambda: closed(natkit.packets(T, list(natkit.packet_fields()), tcp=True)),
        lambda: with_flows(natkit.packets(DNS, batch=3))),
    "natkit.packet_fields": (natkit.packet_fields,),
    "natkit.streams": (lambda: list(natkit.streams(DNS)),
                       lambda: list(natkit.streams(T, filter="tcp"))),
    **{f"natkit.{name}": ((lambda name=name: getattr(natkit, name)(2**31 + 5, 7)),)
       for name in natkit.__all__ if name[:4] in ("seq_", "u32_")},
    "pldns.column_fields": (pldns.column_fields,),
    "pldns.columns": (
        lambda: closed(pldns.columns(DNS)),
        lambda: closed(pldns.columns(DNS, list(pldns.column_fields()), reassemble=True)),
        lambda: closed(pldns.columns(DNS, batch=2, timeout=1, ports=(53, 5353)))),
    "pldns.ldns": (lambda: pldns.ldns(ANSWER), lambda: pldns.ldns(ANSWER[:-9]),
                   lambda: pldns.ldns(packet("udp").udp_payload), lambda: pldns.ldns("text")),
    "pldns.messages": (lambda: pldns.messages(dns.framed(ANSWER, ANSWER)),),
    "pldns.errorstr": (lambda: pldns.errorstr(5),),
    "pldns.opcodestr": (lambda: [pldns.opcodestr(n) for n in (0, 9)],),
    "pldns.rcodestr": (lambda: [pldns.rcodestr(n) for n in (3, 77)],),
    "pldns.typestr": (lambda: [pldns.typestr(n) for n in (1, 65280)],),
    "natkit.plot.flow_durations": (lambda: plotted(natkit.plot.flow_durations, T),),
    "natkit.plot.flow_sizes": (lambda: plotted(natkit.plot.flow_sizes, T),),
    "natkit.plot.protocols": (lambda: plotted(natkit.plot.protocols, T),),
    "natkit.plot.rates": (lambda: plotted(natkit.plot.rates, T),),
    "natkit.plot.response_times": (lambda: plotted(natkit.plot.response_times, DNS),),
    "natkit.plot.rtts": (lambda: plotted(natkit.plot.rtts, DNS),),
    "natkit.plot.talkers": (lambda: plotted(natkit.plot.talkers, T),),
    "natkit.plot.time_sequence": (lambda: plotted(natkit.plot.time_sequence, DNS),),
}  # fmt: skip


def traced(filter: str | None = None, fragments: bool = False, **settings: object) -> object:
    table = natkit.FlowTable(**settings)
    ended: list[int] = []
    path = str(FOLDER / "fragments.pcap") if fragments else MANY if settings else T
    table.add_trace(path, filter, on_expired=lambda flows: ended.append(len(flows)))
    return table.packets, len(table), sum(ended) + len(table.expired())


def with_flows(packets: natkit.Packets) -> object:
    with packets:
        return packets.table(), packets.flows()


def of_functions() -> Iterator[Scenario]:
    for name, calls in FUNCTIONS.items():
        for number, call in enumerate(calls, 1):
            yield Scenario(f"{name}() {number}", call, covers=(name,))


# --- DNS records of every type ----------------------------------------------------------------


def shown(wire: bytes) -> object:
    message = pldns.ldns(wire)
    return [
        [rr.owner, rr.type, rr.ttl, rr.rdata, rr.rdata_fields, rr.str, repr(rr)]
        for rr in message.response_rr_list
    ]


def of_records() -> Iterator[Scenario]:
    whole = {**{kind: [fields] for kind, fields in dns_damage.FIELDS.items()}, 65280: [[b"abc"]]}
    for kind, variants in dns_damage.VARIANTS.items():
        whole[kind] = [*whole[kind], *variants]
    for kind, variants in whole.items():
        for number, fields in enumerate(variants, 1):
            wire = dns_damage.message(kind, b"".join(fields))
            yield Scenario(f"record {pldns.typestr(kind)} {number}", lambda wire=wire: shown(wire))


# --- Parts of pldns that all else comes to with memory in hand --------------------------------

SEGMENTS = str(FOLDER / "segments.pcap")
#: More than what is kept of an object that is used again.
LONG_ANSWER = dns.message(
    flags=0x8180,
    counts=(300, 0, 0),
    rest=(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + b"\xc0\0\2\1") * 300,
)
#: Streams as a matcher gives them: 48 bytes each, of which these are the version, the protocol and
#: the source port.
STREAMS = b"".join(struct.pack(">BBH44x", 4, made.TCP, n) for n in range(300))


def matcher(reassemble: bool = False) -> pldns._pldns._Matcher:
    return pldns._pldns._Matcher(10**10, bytes(16), not reassemble, reassemble)


def reader(path: str, with_matcher: pldns._pldns._Matcher) -> pldns._pldns._ColumnReader:
    names = ("response_time", *pldns._columns.MATCHING)
    kind = plt._plt._KIND_ADDRESS
    return pldns._pldns._ColumnReader(path, names, None, -1, 1000, kind, (53,), with_matcher)


def of_messages() -> Iterator[Scenario]:
    yield Scenario("a long message", lambda: pldns.ldns(LONG_ANSWER).ident)
    yield Scenario("a message by its keyword", lambda: pldns.ldns(payload=LONG_ANSWER).ident)
    yield Scenario("a matcher that reassembles", lambda: matcher(reassemble=True).streams())
    yield Scenario("streams of another matcher",
                   lambda m: m.add_streams(STREAMS), matcher, again=False)  # fmt: skip
    yield Scenario("messages read ahead",
                   lambda r: len(next(r)), lambda: reader(SEGMENTS, matcher()), again=False
    )  # fmt: skip
    yield Scenario("messages matched", lambda given: len(given[0].match(given[1], 1)),
                   lambda: (matcher(), next(reader(NAMES, matcher()))), again=False
    )  # fmt: skip
    # a batch has room for 256 at first, and 64 are put into it at once
    yield Scenario("the last rows of messages",
                   lambda: len(closed(pldns.columns(NAMES, ["id"], limit=300))))  # fmt: skip
    yield Scenario("fragments of messages", lambda r: next(r, None),
                   lambda: reader(str(FOLDER / "fragments.pcap"), matcher(reassemble=True)),
                   again=False)  # fmt: skip


# --- The rest: what keeps a state, files, threads, live traces --------------------------------


def of_states() -> Iterator[Scenario]:
    """What is gone on with after it failed, and loses nothing."""
    for name in ("t.pcap", "t.pcapng", "t.erf", "t.pcap.gz"):
        yield Scenario(f"next() of {name}", steps, lambda name=name: started_trace(name))
    yield Scenario("next() of a filtered trace", steps, filtered)
    yield Scenario("next() of a trace that ends by itself", steps, bounded)
    yield Scenario(
        "FlowTable.add(), then flows", lambda t: flows_of(t, "udp"), counted, again=False
    )
    yield from of_clocks_that_go_back()
    yield Scenario("columns, batch by batch", lambda c: next(c),
                   lambda: iter(plt.columns(T, batch=3)), again=False)  # fmt: skip
    yield Scenario("pickled table", lambda: pickle.loads(pickle.dumps(counted())))
    yield Scenario("pickled saved table", lambda: pickle.loads(pickle.dumps(traced_table())))
    yield Scenario("merged tables", lambda: merged(traced_table()))
    yield Scenario("home table", lambda: counted(home=natkit.FlowHome("192.0.2.0/24")))
    yield Scenario("a file object", lambda: list_of(io.BytesIO(PCAP)))
    yield Scenario("a file's bytes, compressed", lambda: list_of(io.BytesIO(CONTENTS["t.pcap.gz"])))
    for name in ("ipp", "plt", "natkit", "pldns"):
        yield Scenario(f"import {name}", lambda name=name: imported(f"{name}._{name}"))
    for key, build in catalogue.PACKETS.items():
        frame = made.ethernet(build(addressed.as_is), 0x0800)
        if frame[14] >> 4 == 6:
            frame = made.ethernet(build(addressed.as_is), 0x86DD)
        yield Scenario(f"anonymise {key}", lambda frame=frame: anonymised(frame))
    for key, case in tunnelled.CASES.items():
        yield Scenario(f"tunnel {key}", lambda case=case: tunnels_of(case.frame))


def of_clocks_that_go_back() -> Iterator[Scenario]:
    """Flows with timeouts move in memory then, where this table's has no slot left."""
    earlier = {
        "goes on": udp_flow(1),
        "begins again": made.ethernet(made.ipv4(made.tcp(flags=0x02), made.TCP)),
    }
    for name, frame in earlier.items():
        yield Scenario(f"a flow that {name} earlier", lambda x, frame=frame: x.add(frame), Full)
    yield Scenario("a flow that is merged earlier", lambda x: x.merge(udp_flow(1)), Full,
                   again=False)  # fmt: skip
    yield Scenario("a clock that goes back and forth", flipped)


class Full:
    """A table whose memory is used up, and what of it is compared."""

    def __init__(self) -> None:
        self.table = natkit.FlowTable(idle_timeout=500)
        self.table.add_trace(str(FOLDER / "full.pcap"))

    def add(self, frame: bytes) -> "Full":
        self.table.add(plt.packet.from_bytes(frame, 2, made.EPOCH * 10**9))
        return self

    def merge(self, frame: bytes) -> "Full":
        later = natkit.FlowTable(idle_timeout=500)
        later.add(plt.packet.from_bytes(frame, 2, made.EPOCH * 10**9))
        self.table.merge(later)
        return self

    def tolist(self) -> list[object]:
        return [self.table.packets, len(self.table), self.table.top(3)]


def flipped() -> object:
    table = natkit.FlowTable(idle_timeout=500)
    table.add_trace(str(FOLDER / "flips.pcap"))
    return table, len(table.expired())


def imported(name: str) -> list[str]:
    """What a new module has that is made of the same file."""
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return sorted(vars(module))


def traced_table() -> natkit.FlowTable:
    table = natkit.FlowTable(idle_timeout=5, tcp=True)
    table.add_trace(T)
    return table


def list_of(file: io.BytesIO) -> list[plt.packet]:
    with plt.trace(file) as trace:
        return list(trace)


def flows_of(table: natkit.FlowTable, name: str) -> object:
    table.add(packet(name))
    return table


def started_trace(name: str) -> plt.trace:
    trace = plt.trace(str(FOLDER / name))
    trace.start()
    return trace


def filtered() -> plt.trace:
    trace = plt.trace(T)
    trace.conf_filter(plt.filter("udp"))
    trace.start()
    return trace


def bounded() -> plt.trace:
    """The packet that it had no memory for does not count."""
    trace = plt.trace(T, count=len(FRAMES))
    trace.start()
    return trace


def anonymised(frame: bytes) -> object:
    one = plt.packet.from_bytes(frame)
    found = natkit.CryptoPan(KEY).packet(one)
    return bytes(one), found


def tunnels_of(frame: bytes) -> object:
    one = plt.packet.from_bytes(frame)
    return [str(tunnel) for tunnel in one.tunnels], one.inner


#: More than the objects whose memory is kept to be used again (common/spare.h).
MANY_OBJECTS = 20


def kept(make: Callable[[], object]) -> Callable[[], int]:
    return lambda: len([make() for _ in range(MANY_OBJECTS)])


def of_many() -> Iterator[Scenario]:
    """Objects beyond those that are kept to be used again, and arrays that grow."""
    quoted = packet("redirect").icmp.redirect
    others = {
        "prefixes": kept(lambda: ipp.IPprefix(4, b"\xc0\0\2\1", 24)),
        "complements": kept(lambda: OTHER.complement),
        "flows of packets": kept(flow_of),
        "flows of keys": kept(lambda: natkit.IPflow.from_key(flow_of().fwd_key)),
        "copies of quoted packets": kept(lambda: copy.copy(quoted)),
        "messages": kept(lambda: pldns.ldns(ANSWER).response_rr_list),
        "packets": kept(lambda: packet("tcp").tcp),
        "cut packets": kept(lambda: cut_copy(packet("tcp"))),
    }
    for name, call in others.items():
        yield Scenario(f"many {name}", call)
    yield Scenario("many flows", lambda table: len(list(table)), hosts_table)
    for kind in ("binary", "text", "auto"):
        yield Scenario(f"many rows, {kind}", lambda kind=kind: grown(kind))
    yield Scenario(
        "many rows in slices",
        lambda table: (table[3:500:7], table.text("src_prefix")[:3].tolist()),
        lambda: plt.columns(HOSTS, addresses="text").table(),
    )
    yield Scenario("many names", lambda: closed(pldns.columns(NAMES, ["time", "qname"])))
    for name in ("first", "held", "orphans"):
        yield Scenario(f"{name} fragments saved", pickled, lambda name=name: part_table(name))
        yield Scenario(
            f"{name} fragments merged",
            lambda tables: tables[0].merge(tables[1]),
            lambda name=name: [part_table("first"), part_table(name)],
            again=False,
        )


def cut_copy(one: plt.packet) -> tuple[plt.packet, plt.packet]:
    """A packet and a copy of it, whose payload another call drops."""
    other = copy.copy(one)
    layer = other.tcp
    natkit.CryptoPan(KEY).packet(other, payload="drop")
    return other, layer


def hosts_table() -> natkit.FlowTable:
    table = natkit.FlowTable()
    table.add_trace(HOSTS)
    return table


def grown(addresses: str) -> object:
    with plt.columns(HOSTS, ["src_prefix", "dst_prefix"], addresses=addresses) as columns:
        return len(columns.table())


def pickled(table: natkit.FlowTable) -> object:
    return pickle.loads(pickle.dumps(table))


def part_table(which: str) -> natkit.FlowTable:
    """A table with first fragments, with later ones that wait for theirs, or without theirs."""
    packets = flow_traces.fragments(7)
    chosen = {"first": packets[:1], "held": packets[1:], "orphans": packets[2:]}[which]
    table = natkit.FlowTable()
    for data in chosen:
        table.add(plt.packet.from_bytes(data, plt.TRACE_TYPE_NONE, made.EPOCH * 10**9))
    return table


def of_columns() -> Iterator[Scenario]:
    """Columns as Arrow, their rows and texts."""
    lists = ["first_ways", "first_sizes", "first_gaps"]
    yield Scenario("a batch as Arrow", lambda x: len(x.__arrow_c_array__()), OBJECTS[plt.Batch])
    yield Scenario("an Arrow schema", lambda x: x.__arrow_c_schema__() and True, OBJECTS[plt.Batch])
    yield Scenario(
        "lists as Arrow",
        lambda x: [len(one.arrow_c_array()) for one in x._batches],
        lambda: late_gaps().columns(lists),
    )
    yield Scenario("lists in slices", lambda x: len(x[::2]), lambda: counted().columns(lists))
    yield Scenario(
        "texts in slices",
        lambda x: x[::2]["qname"].tolist(),
        lambda: closed(pldns.columns(NAMES, ["qname"])),
    )
    yield Scenario(
        "more addresses than texts have room for at first",
        lambda x: len(x.text("src_prefix")),
        lambda: plt.columns(CLIENTS, ["src_prefix"]).table(),
    )
    yield Scenario(
        "many addresses mapped",
        lambda x: len(x.addresses(bytes(16 * 1024), 6)),
        OBJECTS[natkit.CryptoPan],
    )


def late_gaps() -> natkit.FlowTable:
    """A table of a flow whose first packets have gaps, but the first."""
    table = natkit.FlowTable(first=3)
    for second in range(3):
        table.add(plt.packet.from_bytes(FRAMES["udp"], 2, (made.EPOCH + second) * 10**9))
    return table


def of_errors() -> Iterator[Scenario]:
    """What tells of wrong arguments, and of what is not understood."""
    ports = {"vxlan": [5555, 6666], "geneve": 7777}
    yield Scenario("tunnels without ports", lambda: natkit.FlowTable(decap={"etherip": 1}))
    yield Scenario("ports of tunnels", lambda: natkit.FlowTable(decap=ports).decap)
    yield Scenario("an unknown field of flows", lambda x: x.top(1, by="bites"), counted)
    yield Scenario("a field of flows like no other", lambda x: x.columns(["?"]), counted)
    yield Scenario("an unknown layer", lambda: anonymised(made.ethernet(made.ipv4(b"?" * 9, 50))))
    yield Scenario(
        "a batch that can't be",
        lambda x: x._from_state((2, "little", 1, ())) and True,
        lambda: type(next(iter(plt.columns(T)))._batches[0]),
    )
    yield Scenario(
        "a condition with many addresses",
        lambda: through(plt.where(f"src in ({', '.join(f'2001:db8::{n}' for n in range(40))})")),
    )
    yield Scenario("gaps of a flow's first packets", lambda x: next(iter(x)).first_gaps_ns,
                   late_gaps)  # fmt: skip
    nets = [f"10.{n}.0.0/16" for n in range(MANY_OBJECTS)] + ["2001:db8::/32"]
    home = natkit.FlowHome(*nets)
    yield Scenario("many prefixes of a home", lambda: home.prefixes)
    yield Scenario("many flows of a home", kept(lambda: home.flow(packet("udp6"))))
    yield Scenario("flows in no order", lambda x: [f.src_prefix for f in x.top(100)], hosts_table)


def of_threads() -> Iterator[Scenario]:
    """What reads ahead in threads."""
    pieces = {
        "plt.columns": lambda: closed(plt.columns(sources(4), workers=2)),
        "plt.columns of parts": lambda: closed(plt.columns(MANY, ["time", "src_port"], workers=2)),
        "natkit.flows": lambda: natkit.flows(sources(4), workers=2),
        "natkit.flows of parts": lambda: len(natkit.flows(MANY, workers=2)),
        "pldns.columns": lambda: closed(pldns.columns([DNS] * 3, workers=2)),
        "a trace left in the midst": lambda: left_early(plt.columns(sources(4), workers=2)),
    }
    for name, call in pieces.items():
        yield Scenario(f"threads: {name}", call, threads=True)


def left_early(columns: plt.Columns) -> object:
    with columns:
        return next(iter(columns))


def captured(name: str) -> object:
    """One packet over the loopback interface."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
    ):
        sink.bind(("127.0.0.1", 0))
        trace = plt.trace(f"{name}:lo")
        trace.conf_timeout(10)
        with trace:
            source.sendto(b"captured", sink.getsockname())
            for one in trace:
                if one.udp is not None and bytes(one.udp.payload or b"") == b"captured":
                    return bytes(one.udp.payload)
    return None


def sent(kind: str) -> None:
    with plt.output_trace(f"{kind}:lo") as output:
        output.write_packet(packet("arp"))


def of_interfaces() -> Iterator[Scenario]:
    if live.permitted():
        for name in ("int", "ring", "pcapint"):
            yield Scenario(f"live: {name}", lambda name=name: captured(name))
            yield Scenario(
                f"live: {name}, none", lambda name=name: plt.trace(f"{name}:no0").start()
            )
        yield Scenario("live: int, output", lambda: sent("int"))


ALL = {
    one.name: one
    for one in itertools.chain(
        of_functions(), of_types(), of_specials(), of_records(), of_messages(), of_states(),
        of_many(), of_columns(), of_errors(), of_threads(), of_interfaces(),
    )
}  # fmt: skip


# --- What is covered --------------------------------------------------------------------------


def public() -> set[str]:
    """Every public name, but constants, modules and what a type has from another."""
    found = set()
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            whole = f"{module.__name__}.{name}"
            if isinstance(value, (int, ModuleType)) and not isinstance(value, type):
                continue
            found.add(whole)
            if isinstance(value, type) and value.__module__.split(".")[0] == module.__name__:
                found |= {f"{whole}.{attribute}" for attribute in names_of(value)}
    return found


def uncovered() -> set[str]:
    """The public names that no scenario uses."""
    used = {name for one in ALL.values() for name in one.covers}
    for kind in OBJECTS:
        used.add(f"{kind.__module__.split('.')[0]}.{kind.__name__}")
    used.add("plt.IPprefix")  # that of ipp
    return public() - used
