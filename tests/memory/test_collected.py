"""Every type that can be in a cycle of references is known to the collector, and cycles go."""

import gc
import importlib
import weakref
from collections.abc import Callable
from pathlib import Path

import dns_messages
import packets
import pytest

import ipp
import natkit
import pldns
import plt

FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(b"x" * 30, ports=(i, 53)))) for i in range(1, 400)
]

# What holds no Python object that could hold it in turn, and why.
LEAVES = {
    "ipp._ipp.IPprefix": "a number and a length",
    "ipp._ipp._Array": "text or numbers of its own",
    "plt._plt.filter": "a str, and libpcap's program",
    "plt._plt.where": "a str, and a compiled condition",
    "plt._plt.output_trace": "two str, and a file or socket that it has opened itself",
    "plt._plt._Batch": "columns of its own",
    "plt._plt._Column": "memory of its own",
    "natkit._natkit.CryptoPan": "a key",
    "natkit._natkit.Flow": "a copy of a flow",
    "natkit._natkit.FlowHome": "addresses of its own",
    "natkit._natkit.Flows": "copies of flows",
    "natkit._natkit.IPflow": "a key",
    "natkit._natkit.Stream": "a connection of its own",
    "natkit._natkit.StreamWay": "a Stream, which has no subclasses",
    "natkit._natkit._Batch": "columns of its own",
    "natkit._natkit._Column": "memory of its own",
    "pldns._pldns._Batch": "columns of its own",
    "pldns._pldns._Column": "memory of its own",
    "pldns._pldns._Matcher": "memory of its own",
    "pldns._pldns.ldns": "bytes, and ldns's records",
}
# Packets and layers hold a frame, which several of them share.  A frame of a trace has bytes of its
# own; one of a bytes-like object holds that, and only an object of a subclass could hold it back.
# A loop makes a layer for each packet: they are not tracked, which would cost it time.
VIEW = "a frame"


def types_of(package: str) -> dict[str, type]:
    """The types of a package's module in C, by their full names."""
    module = importlib.import_module(f"{package}._{package}")
    return {
        f"{module.__name__}.{name}": value
        for name, value in vars(module).items()
        if isinstance(value, type) and not issubclass(value, Exception)
    }


ALL = {name: kind for package in ("ipp", "plt", "natkit", "pldns") for name, kind in
       types_of(package).items()}  # fmt: skip
HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC, of CPython's Include/object.h


def is_view(kind: type) -> bool:
    """Whether a type is one of packets or layers."""
    return issubclass(kind, plt.packet)


@pytest.mark.parametrize("name", ALL)
def test_a_type_is_known_to_the_collector_or_holds_nothing(name: str) -> None:
    reason = VIEW if is_view(ALL[name]) else LEAVES.get(name)
    assert bool(ALL[name].__flags__ & HAVE_GC) == (reason is None)


def test_no_reason_is_of_a_type_that_is_gone() -> None:
    assert LEAVES.keys() - {"ipp._ipp._Array"} <= ALL.keys()  # which is not among the names


# --- Cycles --------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A trace of some packets."""
    return packets.write(tmp_path / "t.pcap", packets.pcap(FRAMES))


def is_collected(make: Callable[[], object], *, at_once: bool = False) -> bool:
    """Whether what a function makes, and it alone has, goes with the next collection.

    It is in no cycle where it may go at once.
    """
    gc.collect()
    gone = weakref.ref(make())
    assert at_once or gone() is not None  # only the collector can end it
    gc.collect()
    return gone() is None


class File:
    """An open file that can hold what reads it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.reader: object = None
        self.name = str(path)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readinto(self, buffer: bytearray) -> int:
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        self._file.close()


@pytest.mark.parametrize("read", [0, 1, 399])
def test_a_trace_and_its_file(read: int, path: Path) -> None:
    def make() -> File:
        file = File(path)
        file.reader = trace = plt.trace(file)
        if read:
            trace.start()
            assert sum(1 for _ in zip(range(read), trace, strict=False)) == read
        return file

    assert is_collected(make)


def test_a_trace_and_its_filter(path: Path) -> None:
    class Filter(plt.filter):
        pass

    def make() -> Filter:
        wanted = Filter("udp")
        wanted.trace = plt.trace(path, filter=wanted)
        wanted.trace.start()
        assert next(wanted.trace).udp.src_port == 1
        return wanted

    assert is_collected(make)


@pytest.mark.parametrize("batches", [0, 3])
@pytest.mark.parametrize(
    "columns",
    [
        lambda source: plt.columns(source, ["udp.src_port"], batch=10),
        lambda source: pldns.columns(source, ["id"], batch=10),
        lambda source: iter(natkit.packets(source, ["udp.src_port"], batch=10)),
        lambda source: natkit.streams(source),  # which has read all after the first step
    ],
    ids=["plt.columns", "pldns.columns", "natkit.packets", "natkit.streams"],
)
def test_columns_and_their_trace(
    columns: Callable[[object], object], batches: int, path: Path
) -> None:
    class Trace(plt.trace):
        pass

    def make() -> Trace:
        trace = Trace(path)
        trace.start()
        trace.reader = iter(columns(trace))
        for _ in zip(range(batches), trace.reader, strict=False):
            pass
        return trace

    assert is_collected(make, at_once=batches > 0)


def test_defragmented_packets_and_what_they_are_of() -> None:
    class Packets(list):
        pass

    def make() -> Packets:
        found = Packets()
        found.append(plt.defragment(found))
        return found

    assert is_collected(make)


@pytest.mark.parametrize("iterated", [False, True])
def test_a_flow_table_and_its_home(iterated: bool, path: Path) -> None:
    class Home(natkit.FlowHome):
        pass

    def make() -> Home:
        home = Home(ipp.IPprefix("10.0.0.0/8"))
        table = natkit.FlowTable(home=home)
        assert table.add_trace(path) == len(FRAMES)
        home.table = iter(table) if iterated else table
        return home

    assert is_collected(make)


def test_a_message_and_its_records() -> None:
    class Message(pldns.ldns):
        pass

    def make() -> Message:
        message = Message(dns_messages.message())
        message.records = message.query_rr_list
        assert len(message.records) == 1
        return message

    assert is_collected(make)


def test_records_of_messages_that_are_in_no_cycle_are_not_tracked() -> None:
    """The collector has nothing to do with them."""
    [record] = pldns.ldns(dns_messages.message()).query_rr_list
    assert not gc.is_tracked(record)


def test_an_expression_keeps_nothing() -> None:
    """Of a subclass of str it is the str."""

    class Text(str):
        pass

    for make in (plt.filter, plt.where):

        def cycle(make: Callable[[str], object] = make) -> Text:
            text = Text("udp")
            text.filter = make(text)
            return text

        text = cycle()
        gone = weakref.ref(text)
        assert type(text.filter.expression) is str
        del text
        gc.collect()
        assert gone() is None
    name = Text("/none")
    name.trace = plt.trace(name)
    assert (type(name.trace.uri), name.trace.uri) == (str, "/none")
