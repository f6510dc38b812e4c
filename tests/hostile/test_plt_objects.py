"""Every constructor on short and odd bytes, every attribute and method used wrongly."""

import copy
import ctypes
import inspect
import mmap
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator

import packets
import pytest

import plt
from ipp import IPprefix

CONSTRUCTORS = [plt.ip, plt.ip6, plt.tcp, plt.udp, plt.icmp, plt.icmp6, plt.sctp]
LAYER_TYPES = [t for t in vars(plt).values() if isinstance(t, type) and issubclass(t, plt.packet)]
#: What reading or assigning on such objects may raise.
NAMED = (ValueError, TypeError, AttributeError)
WRONG = [None, -1, 1 << 70, 1.5, "x", b"", b"\0" * 100, [], object(), IPprefix(4, b"")]
PATTERNS = {
    "zeros": lambda n: bytes(n),
    "ip": lambda n: (b"\x45" + bytes(8) + b"\x06" + b"\x45\x00" * 40)[:n],
    "ip6": lambda n: (b"\x60" + bytes(5) + b"\x2b\x40" + b"\x2b\x00" * 40)[:n],
    "ones": lambda n: b"\xff" * n,
    "random": lambda n: random.Random(n).randbytes(n),
    "counting": lambda n: bytes(range(n)),
}


def public(obj: object) -> list[str]:
    return [name for name in dir(obj) if not name.startswith("_") or name == "_repr_html_"]


def attributes(obj: object) -> Iterator[tuple[str, object]]:
    """The attributes that can be read now, each with its value."""
    for name in public(obj):
        try:
            yield name, getattr(obj, name)
        except ValueError as error:
            # it says what is missing: the field, or the packet that bytes have not
            assert str(error)  # noqa: PT017


def read_all(obj: object, depth: int = 0) -> int:
    """Read all attributes, of what they give too, and call what takes no argument; how many."""
    count = 0
    repr(obj), bytes(obj), len(obj), bool(obj), obj.info(), obj.dump(), obj._repr_html_()
    for name, value in attributes(obj):
        count += 1
        if isinstance(value, plt.packet) and depth < 2:
            count += read_all(value, depth + 1)
        elif isinstance(value, list) and depth < 2:
            count += sum(read_all(item, 2) for item in value)
        elif callable(value) and name.startswith(("test_", "checksum_ok")):
            assert value() in (True, False, None)
    return count


def misuse(obj: object) -> None:
    """Assign to, delete and call wrongly all that the object has."""
    for name in public(obj):
        with pytest.raises(NAMED):
            delattr(obj, name)
        for value in WRONG:
            try:
                setattr(obj, name, value)
            except NAMED as error:
                assert str(error)  # noqa: PT017
    for name, value in attributes(obj):
        if not callable(value):
            continue
        with pytest.raises(TypeError):
            value(1, 2, 3)
        with pytest.raises(TypeError):
            value(nonsense=1)
        if name in ("option", "apply_filter"):
            with pytest.raises(TypeError):
                value()
        for wrong in (None, "x", b"", 1.5, object()):
            if (name, wrong) in (("from_bytes", b""), ("apply_filter", "x")):
                continue  # a packet without bytes; libpcap's to judge
            with pytest.raises(TypeError):
                value(wrong)


@pytest.mark.parametrize("make", CONSTRUCTORS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_bytes_of_0_to_60(make: type, pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    for length in range(61):
        content = PATTERNS[pattern](length)
        frozen = make(content)
        assert len(frozen) == length
        assert read_all(frozen) >= 20
        misuse(frozen)
        assert bytes(frozen) == content
        shared = bytearray(content)
        loose = make(shared)
        misuse(loose)
        assert read_all(loose) >= 20
        for name in ("set_l3_cksm", "set_trans_cksm"):
            assert getattr(loose, name)() in (True, None)
        for name in ("set_checksums", "set_checksum"):
            try:
                assert getattr(loose, name, lambda: True)() is True
            except ValueError as error:
                assert "too short" in str(error)  # noqa: PT017
        assert len(shared) == length
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("make", CONSTRUCTORS)
def test_option_numbers_outside_2_to_255(make: type) -> None:
    layer = make(bytes(60))
    if not hasattr(layer, "option"):
        assert make is not plt.tcp
        return
    for number in (-1, 0, 1, 256, 1 << 70, -(1 << 70)):
        with pytest.raises(SystemError, match="2 to 255"):
            layer.option(number)


def test_empty_packet(capfd: pytest.CaptureFixture[str]) -> None:
    empty = plt.packet()
    assert empty
    assert len(empty) == empty.size == 0
    assert "nothing" in empty.info()
    assert "nothing" in repr(empty)
    assert empty.dump() == ""
    layers = {
        "layer2",
        "layer3",
        "transport",
        "ip",
        "ip6",
        "tcp",
        "udp",
        "sctp",
        "icmp",
        "icmp6",
        "arp",
    }
    layers |= {"tcp_payload", "udp_payload", "inner"}
    for name in layers:
        assert getattr(empty, name) is None
    assert empty.tunnels == ()
    for name in set(public(empty)) - layers - {"size", "kind", "type", "tunnels"}:
        if not callable(getattr(plt.packet, name)):
            with pytest.raises(ValueError, match="nothing was read into this packet"):
                getattr(empty, name)
    misuse(empty)
    with pytest.raises(BufferError, match="nothing was read"):
        memoryview(empty)
    with pytest.raises(ValueError, match="nothing was read"):
        copy.copy(empty)
    for make in CONSTRUCTORS:
        assert make(empty) is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", LAYER_TYPES, ids=lambda t: t.__name__)
def test_types_can_not_be_made_of_nothing(kind: type) -> None:
    if kind is not plt.packet:
        with pytest.raises(TypeError):
            kind()
    for args in ((1, 2), (None, None, None)):
        with pytest.raises(TypeError):
            kind(*args)
    with pytest.raises(TypeError):
        kind(x=b"")
    for of in LAYER_TYPES:
        if of is not kind:
            with pytest.raises(TypeError):
                plt.packet.__new__(kind) if kind is not plt.packet else of.__new__(kind, b"")
    with pytest.raises(TypeError):
        object.__new__(kind)


@pytest.mark.parametrize("name", ["info", "dump", "_repr_html_", "apply_filter", "__copy__"])
def test_methods_of_another_type_of_object(name: str) -> None:
    method = getattr(plt.packet, name)
    for wrong in (None, 3, b"", plt.trace("x"), plt.filter("ip")):
        with pytest.raises(TypeError):
            method(wrong)
    with pytest.raises(TypeError):
        plt.packet.data.__get__(plt.filter("ip"))


def test_pickling_and_deep_copies_are_refused() -> None:
    for obj in (
        plt.ip(packets.ipv4(packets.udp(b"x"))),
        plt.packet(),
        plt.trace("x"),
        plt.filter("ip"),
    ):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(obj)
        with pytest.raises(TypeError, match="pickle"):
            copy.deepcopy(obj)


def test_types_are_immutable_enough() -> None:
    for kind in LAYER_TYPES:
        with pytest.raises(AttributeError):
            kind(b"").no_such = 1 if kind in CONSTRUCTORS else plt.ip(b"").no_such
        assert inspect.getdoc(kind)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (plt.icmp, "echo"),
        (plt.icmp, "redirect"),
        (plt.icmp6, "echo"),
        (plt.icmp6, "toobig"),
        (plt.icmp6, "param"),
        (plt.icmp6, "neighbour"),
    ],
)
def test_parts_of_an_empty_icmp_message(make: type, name: str) -> None:
    memory = bytearray(b"\x45\x08")
    for kind in (0, 2, 4, 5, 8, 128, 129, 135, 137):
        memory[1] = kind
        part = make(memoryview(memory)[1:1])
        with pytest.raises(ValueError, match=r"^Data too short for "):
            getattr(part, name)


EDGE = """
import ctypes, mmap, plt
PAGE = mmap.PAGESIZE
memory = mmap.mmap(-1, 2 * PAGE)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mprotect(ctypes.c_void_p(address + PAGE), ctypes.c_size_t(PAGE), 0) == 0
view = memoryview(memory)
for make in (plt.ip, plt.ip6, plt.tcp, plt.udp, plt.sctp, plt.icmp, plt.icmp6):
    for length in range({low}, 61):
        for first in (0x00, 0x02, 0x05, 0x08, 0x45, 0x60, 0x80, 0x89, 0xff):
            memory[PAGE - length:PAGE] = bytes([first]) * length
            obj = make(view[PAGE - length:PAGE])
            for name in dir(obj):
                try:
                    value = getattr(obj, name)
                    if name.startswith("test_") or name in ("info", "dump"):
                        value()
                except ValueError:
                    pass
print("done")
"""


@pytest.mark.parametrize("low", [0, 1])
def test_nothing_is_read_behind_the_end_of_a_page(low: int) -> None:
    """The page behind the bytes can't be read: one byte too far ends the process."""
    run = subprocess.run(
        [sys.executable, "-c", EDGE.format(low=low)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "done"), run.stderr[-500:]


@pytest.mark.parametrize(
    "other",
    ["tcp", "udp", "sctp", "icmp6", "echo6", "toobig6", "param6", "chunk", "neighbour6"],
)
def test_no_type_inherits_from_two_of_ours(other: str) -> None:
    """The methods of one type would meet the bytes of another, and what that had checked."""
    with pytest.raises(TypeError, match="lay-out conflict"):
        type("Mixed", (plt.ip, getattr(plt, other)), {})


LENGTH_CHANGES = """
import ctypes, mmap, sys, plt
PAGE = mmap.PAGESIZE
content = bytes.fromhex(sys.argv[1])
memory = mmap.mmap(-1, 2 * PAGE)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
ctypes.CDLL(None).mprotect(ctypes.c_void_p(address + PAGE), ctypes.c_size_t(PAGE), 0)
start = PAGE - len(content)
memory[start:PAGE] = content
layer = plt.ip6(memoryview(memory)[start:PAGE])
assert layer.udp is not None  # the layers are known now
memory[start + 41] = 255      # the routing header claims 2,048 bytes
memory[start + 43] = 1        # and segments left
print(layer.test_trans_cksm())
"""


def test_a_length_that_changes_after_decoding() -> None:
    """IPv6 with a routing header (RFC 8200 section 4.4), overwritten under the object."""
    routing = bytes([packets.UDP, 0, 0, 0]) + bytes(4)
    content = packets.ipv6(routing + packets.udp(b"x"), 43)
    run = subprocess.run(
        [sys.executable, "-c", LENGTH_CHANGES, content.hex()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0
    assert run.stdout.strip() in ("None", "False")


def test_shared_memory_may_change_at_any_time(capfd: pytest.CaptureFixture[str]) -> None:
    """Objects over a bytearray that is overwritten after their layers were found."""
    chance = random.Random(11)
    seeds = [
        packets.ipv4(packets.tcp(b"x" * 20, options=bytes(12), flags=0x12), packets.TCP),
        packets.ipv6(bytes([6, 0]) + bytes(6) + packets.tcp(b"y"), 60),
        packets.ipv4(packets.icmp(3, 1, payload=packets.ipv4(packets.udp())), packets.ICMP),
        packets.ipv4(bytes(12) + b"\0\0\0\x08abcd" * 3, packets.SCTP),
    ]
    for seed in seeds:
        shared = bytearray(seed)
        layer = (plt.ip if seed[0] >> 4 == 4 else plt.ip6)(shared)
        held = [value for _, value in attributes(layer) if isinstance(value, plt.packet)]
        held += [v for h in held for _, v in attributes(h) if isinstance(v, plt.packet)]
        assert held
        for _ in range(200):
            shared[chance.randrange(len(shared))] = chance.choice((0, 1, 5, 0x45, 0x80, 0xFF))
            for obj in (layer, *held):
                read_all(obj, depth=2)
    assert capfd.readouterr() == ("", "")


def test_a_bytearray_can_not_shrink_under_an_object() -> None:
    shared = bytearray(packets.ipv4(packets.udp(b"abc")))
    layer = plt.ip(shared).udp
    with pytest.raises(BufferError):
        shared.clear()
    with pytest.raises(BufferError):
        shared += b"more"
    del layer
    shared.clear()
    assert shared == b""


def test_exporters_of_all_sorts() -> None:
    content = packets.ipv4(packets.udp(b"abc"), ident=77)
    block = (ctypes.c_ubyte * len(content)).from_buffer_copy(content)
    mapped = mmap.mmap(-1, len(content))
    mapped[:] = content
    for exporter in (memoryview(content), block, mapped, bytearray(content)):
        layer = plt.ip(exporter)
        assert layer.ident == 77
        assert bytes(layer) == content
        del layer
    released = memoryview(content)
    released.release()
    with pytest.raises(ValueError, match="released"):
        plt.ip(released)


@pytest.mark.parametrize("make", CONSTRUCTORS)
def test_bytes_that_are_not_contiguous(make: type) -> None:
    with pytest.raises(ValueError, match="Not a Data, Packet or ByteArray object"):
        make(memoryview(bytes(100))[::2])
