"""TCP's options and flags (RFC 9293 section 3.1, RFC 7323, RFC 2018), and where they are cut."""

import random
import struct

import packets
import pytest

import plt

MSS = b"\x02\x04\x05\xb4"
SCALE = b"\x03\x03\x07"
PERMITTED = b"\x04\x02"
SACK = b"\x05\x0a" + struct.pack(">II", 100, 200)
TIMESTAMPS = b"\x08\x0a" + struct.pack(">II", 0xDEADBEEF, 7)
NOP, END = b"\x01", b"\x00"


def tcp(options: bytes, payload: bytes = b"") -> plt.tcp:
    return plt.tcp(packets.tcp(payload, options=options))


def test_a_usual_syn() -> None:
    layer = tcp(MSS + PERMITTED + TIMESTAMPS + NOP + SCALE, b"data")
    assert layer.doff == 10
    assert layer.options_data == MSS + PERMITTED + TIMESTAMPS + NOP + SCALE
    assert layer.option_numbers == bytearray([2, 4, 8, 3])
    assert layer.option(2) == bytearray(b"\x05\xb4")
    assert layer.option(3) == bytearray(b"\x07")
    assert layer.option(4) is True
    assert layer.option(8) == bytearray(TIMESTAMPS[2:])
    assert layer.option(5) is False
    assert layer.option(255) is False
    assert bytes(layer.payload) == b"data"
    for value in (layer.options_data, layer.option_numbers, layer.option(2)):
        assert type(value) is bytearray


def test_no_options() -> None:
    layer = tcp(b"")
    assert layer.options_data == bytearray()
    assert layer.option_numbers is False
    assert layer.option(2) is False


def test_end_of_options_ends_them() -> None:
    layer = tcp(NOP + SCALE + END + MSS + bytes(3))
    assert layer.option_numbers == bytearray([3])
    assert layer.option(2) is False
    assert layer.options_data == NOP + SCALE + END + MSS + bytes(3)


def test_nothing_but_padding() -> None:
    for padding in (NOP * 4, bytes(4), NOP * 40, bytes(40)):
        assert tcp(padding).option_numbers == bytearray()
        assert tcp(padding).options_data == padding


def test_the_first_of_two_of_a_kind() -> None:
    layer = tcp(SCALE + b"\x03\x03\x09" + NOP * 2)
    assert layer.option_numbers == bytearray([3, 3])
    assert layer.option(3) == bytearray(b"\x07")


def test_any_number_from_2_to_255() -> None:
    for number in range(2, 256):
        layer = tcp(bytes([number, 4, 0xAB, number]))
        assert layer.option(number) == bytearray([0xAB, number])
        assert layer.option_numbers == bytearray([number])


@pytest.mark.parametrize(
    "options",
    [
        MSS + b"\x08\x00" + bytes(6),  # a length of 0
        MSS + b"\x08\x01" + bytes(6),  # 1: less than its own two bytes
        MSS + b"\x08\x09" + bytes(6),  # past the end of the options
        MSS + b"\x08\xff" + bytes(6),
        MSS + NOP * 3 + b"\x08",  # cut behind its kind
    ],
)
def test_a_length_that_lies_ends_them(options: bytes) -> None:
    layer = plt.tcp(packets.tcp(b"\x0a" * 50, options=options))
    assert layer.option_numbers == bytearray([2])
    assert layer.option(2) == bytearray(b"\x05\xb4")
    assert layer.option(8) is False


def test_options_cut_anywhere() -> None:
    options = MSS + PERMITTED + TIMESTAMPS
    whole = packets.tcp(b"data", options=options)
    for length in range(len(whole) + 1):
        layer = plt.tcp(whole[:length])
        if length < 20 + len(options):
            assert layer.options_data is False
            assert layer.option_numbers is False
            assert layer.option(2) is False
        else:
            assert layer.options_data == options
            assert layer.option_numbers == bytearray([2, 4, 8])
            assert layer.option(2) == bytearray(b"\x05\xb4")


@pytest.mark.parametrize("doff", range(5))
def test_a_header_shorter_than_a_header(doff: int) -> None:
    layer = plt.tcp(packets.tcp(MSS * 5, doff=doff))
    assert layer.doff == doff
    assert layer.option_numbers is False
    assert layer.option(2) is False
    assert layer.options_data in (False, bytearray())


def by_the_book(options: bytes) -> list[tuple[int, bytes]]:
    """RFC 9293 section 3.1's own words on how options follow each other."""
    found = []
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
            continue
        if len(options) < 2 or not 2 <= options[1] <= len(options):
            break
        found.append((options[0], options[2 : options[1]]))
        options = options[options[1] :]
    return found


def test_random_options() -> None:
    chance = random.Random(3)
    for _ in range(2000):
        size = 4 * chance.randrange(1, 11)
        options = bytes(chance.choice((0, 1, 1, 2, 3, 4, 5, 8, 9, 255)) for _ in range(size))
        layer = plt.tcp(packets.tcp(b"\x02\x04\x05\xb4" * 3, options=options))
        expected = by_the_book(options)
        assert layer.option_numbers == bytearray(number for number, _ in expected)
        for number in (2, 3, 4, 5, 8, 9, 255):
            first = next((value for kind, value in expected if kind == number), None)
            assert layer.option(number) == (False if first is None else bytearray(first) or True)


def test_flags_are_12_bits_and_each_has_a_name() -> None:
    names = ["fin_flag", "syn_flag", "rst_flag", "psh_flag", "ack_flag", "urg_flag"]
    for bit in range(12):
        layer = plt.tcp(packets.tcp(flags=1 << bit))
        assert layer.flags == 1 << bit
        assert layer.doff == 5
        assert [name for name in names if getattr(layer, name)] == names[bit : bit + 1]
    assert plt.tcp(packets.tcp(flags=0xFFF)).flags == 0xFFF
