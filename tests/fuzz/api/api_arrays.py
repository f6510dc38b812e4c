"""Arrays of other libraries, handed to every function that takes one.

An input: function, type, shape, strides, what version is; then the bytes of the array.
"""

import contextlib
import ctypes

import numpy as np
import pyarrow as pa

import ipp
import natkit
import pldns
import plt

TYPES = [
    "u1", "i1", "<u2", ">u4", "f8", "?", "S16", "S4", "V16", "V4", "U4", "M8[ns]", "O", "c16",
    [("a", "u1"), ("b", "<u4")],
]  # fmt: skip
PAN = natkit.CryptoPan(b"key")
TABLE = natkit.FlowTable()
#: IPprefix raises AttributeError for an address that is too long, as in version 1.
EXPECTED = (
    ValueError, TypeError, BufferError, OverflowError, AttributeError, plt.LibtraceError,
)  # fmt: skip


def array_of(kind: int, shape: int, strides: int, content: bytes) -> object:
    """An array over the bytes, or a view of one in an odd layout."""
    if kind >= len(TYPES):
        return foreign(kind - len(TYPES), content)
    dtype = np.dtype(TYPES[kind])
    if dtype.hasobject:
        made = np.array(list(content[:32]), dtype=object)
    else:
        made = np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)
    if dtype.kind == "U":  # NumPy fails where a number is no code point
        made = (made.view(np.uint32) % 0x110000).view(dtype)
    width = (1, 4, 16, 3, 0, 2, 8)[shape % 7]
    if width and made.size % width == 0:
        made = made.reshape(-1, width)
    if shape >= 128:
        made = made.reshape(1, *made.shape)
    match strides % 8:
        case 1:
            made = made[::2]
        case 2:
            made = made[::-1]
        case 3:
            made = made.T
        case 4:
            made = np.asfortranarray(made)
        case 5:
            made = np.broadcast_to(made, (3, *made.shape))
        case 6:
            made = np.ma.masked_array(made)
        case 7:
            made = made.copy()
            made.setflags(write=False)
    return made


def foreign(kind: int, content: bytes) -> object:
    """What else has a buffer, or Arrow's interface."""
    match kind % 8:
        case 0:
            return pa.array(list(content), pa.uint8())
        case 1:
            return pa.py_buffer(content)
        case 2:
            return (
                memoryview(content).cast("B", (len(content) // 4, 4))
                if (content and len(content) % 4 == 0)
                else memoryview(b"")
            )
        case 3:
            return (ctypes.c_uint8 * len(content)).from_buffer_copy(content)
        case 4:
            return pa.array([content[:16], None, content[16:32]], pa.binary())
        case 5:
            return memoryview(bytearray(content))[::3]
        case 6:
            return pa.table({"a": list(content)})
        case _:
            return np.float32(1)


def texts(content: bytes) -> object:
    return [part.decode("latin1") if part else None for part in content.split(b"\0")]


def one_input(content: bytes) -> None:
    """Hand an array to a function, twice to see that it is unchanged by the first."""
    if len(content) < 5:
        return
    function, kind, shape, strides, version = content[:5]
    array = array_of(kind % 24, shape, strides, content[5:])
    versions = [
        None,
        4,
        6,
        np.frombuffer(content[5:], "u1"),
        array,
        np.zeros(3, "u1"),
        b"\4\6\0",
        -1,
    ]
    given = versions[version % len(versions)]
    with contextlib.suppress(*EXPECTED):
        call(function % 12, array, given, content[5:])


def call(function: int, array: object, version: object, rest: bytes) -> None:
    extra = () if version is None else (version,)
    match function:
        case 0:
            made = ipp.format(array, *extra)
            kept = [text for text in made if text is not None]
            addresses, _ = ipp.parse(kept)
            assert len(addresses) == len(kept)
        case 1:
            one = bytes(PAN.addresses(array, *extra))
            assert bytes(PAN.addresses(array, *extra)) == one
        case 2:
            ipp.parse(array)
        case 3:
            ipp.parse(texts(rest))
        case 4:
            pldns.ldns(array)
        case 5:
            pldns.messages(array)
        case 6:
            natkit.ba_get_long(array, 1), natkit.ba_get_short(array, 0)
        case 7:
            plt.packet.from_bytes(array).info()
        case 8:
            natkit.CryptoPan(array)
        case 9:
            for made in (plt.ip, plt.ip6, plt.tcp, plt.udp, plt.icmp, plt.icmp6, plt.packet):
                with contextlib.suppress(*EXPECTED):
                    repr(made(array))
        case 10:
            ipp.IPprefix(4, array)
        case _:
            natkit.IPflow(array)
