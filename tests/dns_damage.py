"""Records of every type with structured damage, read whole: a program of its own, for it may crash.

    python dns_damage.py FIRST LAST

prints each type before it is tried, and an error where text is not what it should be.
"""

import struct
import sys
from collections.abc import Iterator

import pldns

NAME = b"\2ns\4test\0"
TYPES = [*range(301), 32768, 32769, 65280, 65535]


def every(types: list[int], fields: list[bytes]) -> dict[int, list[bytes]]:
    """The same fields for each of the types."""
    return dict.fromkeys(types, fields)


# The fields of a good record of each type (the RFC of the type says which).
FIELDS: dict[int, list[bytes]] = {
    1: [b"\xc0\0\2\1"],
    **every([2, 3, 4, 5, 7, 8, 9, 12, 23, 39], [NAME]),
    6: [NAME, NAME, struct.pack(">IIIII", 1, 2, 3, 4, 5)],
    10: [b"anything"],
    11: [b"\xc0\0\2\1", b"\6", b"\0\0\0\x40"],
    13: [b"\3cpu", b"\2os"],
    14: [NAME, NAME],
    **every([15, 18, 21, 36], [b"\x00\n", NAME]),
    **every([16, 56, 99, 258, 261, 262], [b"\x02hi", b"\x00", b'\x04"\\;\xff']),
    17: [NAME, NAME],
    19: [b"\x0a3134159265"[:11]],
    20: [b"\5isdn1", b"\2sa"],
    22: [b"\x47\0\5\x80\0\x5a\0\0\0\0\1\xe1\x33\xff\xff\xff\0\1\x61\0"],
    **every(
        [24, 46], [struct.pack(">HBBIIIH", 1, 8, 2, 3, 1700000000, 1690000000, 9), NAME, b"sig"]
    ),
    **every([25, 48, 57, 60], [b"\x01\x01", b"\x03", b"\x08", b"\x03\x01\x00\x01", b"modulus"]),
    26: [b"\0\x0a", NAME, NAME],
    27: [b"\6-32.68", b"\x06116.86", b"\x0410.0"],
    28: [b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\1"],
    29: [b"\0\x12\x16\x13", struct.pack(">III", 2**31 + 1, 2**31 - 1, 10**7)],
    30: [NAME, b"\x40\0\0\x08"],
    33: [struct.pack(">HHH", 1, 2, 53), NAME],
    34: [b"\1", b"15551234"],
    35: [b"\0\1\0\2", b"\1s", b"\7SIP+D2U", b"\0", NAME],
    37: [b"\0\1", b"\0\7", b"\x08", b"certificate"],
    38: [b"\x40", b"\0" * 8, NAME],
    40: [b"\1\2\3", b"data"],
    41: [b"\0\x0a\0\2", b"ab", b"\0\3\0\0"],
    42: [b"\0\1\x18\3", b"\xc0\0\2", b"\0\2\x08\x81", b"\xff"],
    **every([43, 59, 32768, 32769], [b"\x00\x07", b"\x08", b"\x02", b"digest" * 5]),
    44: [b"\1", b"\1", b"fingerprint"],
    45: [b"\1\3\2", NAME, b"key"],
    47: [NAME, b"\0\6\x40\1\0\0\0\3", b"\4\1\x80"],
    49: [b"\0\1\1", b"digest" * 5],
    50: [b"\1\0\0\x0c", b"\2\xab\xcd", b"\x14" + b"h" * 20, b"\0\1\x40", b"\1\1\x80"],
    51: [b"\1\0\0\x0c", b"\4\xaa\xbb\xcc\xdd"],
    **every([52, 53], [b"\x03", b"\x01", b"\x01", b"digest" * 5]),
    55: [b"\2", b"\2", b"\0\3", b"hi", b"key", NAME, NAME],
    58: [NAME, NAME],
    61: [b"openpgp key"],
    62: [b"\0\0\0\x42", b"\0\3", b"\0\4\x60\0\0\x08"],
    63: [b"\0\0\0\1", b"\1", b"\1", b"digest" * 8],
    **every(
        [64, 65],
        [
            b"\x00\x01",
            b"\x00",
            b"\x00\x00\x00\x04\x00\x01\x00\x04",
            b"\x00\x01\x00\x06\x02h2\x02h3",
            b"\x00\x02\x00\x00",
            b"\x00\x03\x00\x02\x01\xbb",
            b"\x00\x04\x00\x04\xc0\x00\x02\x01",
            b"\x00\x05\x00\x04\x00\x02\x00\x00",
            b"\x00\x06\x00\x10 \x01\r\xb8" + b"\x00" * 11 + b"\x01",
            b"\x00\x07\x00\x10/dns-query{?dns}",
            b"\x00\x08\x00\x00",
            b'\x02\x9b\x00\x04a "\\',
        ],
    ),
    66: [b"\0\1", b"\1", b"\0\x35", NAME],
    104: [b"\0\x0a", b"\1\2\3\4\5\6\7\x08"],
    105: [b"\0\x0a", b"\1\2\3\4"],
    106: [b"\0\x0a", b"\1\2\3\4\5\6\7\x08"],
    107: [b"\0\x0a", NAME],
    108: [b"\0\x1b\x44\x11\x3a\xb7"],
    109: [b"\0\x1b\x44\x11\x3a\xb7\1\2"],
    249: [NAME, b"\0" * 8, b"\0\3", b"\0\0", b"\0\3", b"key", b"\0\2", b"ab"],
    250: [NAME, b"\0\0\x65\1\2\3", b"\1\x2c", b"\0\2", b"ab", b"\0\7", b"\0\0", b"\0\0"],
    256: [b"\0\x0a\0\1", b"https://a.test/"],
    257: [b"\x80", b"\5issue", b"ca.test"],
    259: [b"\0\0\0\1\0\0\0\2", b"\1", b"\nimage/jpeg", b"data"],
    260: [b"\x0a", b"\x81", b"\xc0\0\2\1"],
}
VARIANTS: dict[int, list[list[bytes]]] = {
    45: [
        [b"\1\0\2", b"key"],
        [b"\1\1\2", b"\xc0\0\2\1", b"key"],
        [b"\1\2\2", b"\x20" * 16, b"key"],
        [b"\1\x09\2", b"key"],
    ],
    62: [[b"\0\0\0\x42", b"\0\3"]],  # no types
    257: [[b"\0", b"\5issue"]],  # an empty value
    260: [[b"\x0a", b"\0"], [b"\x0a", b"\2", b"\x20" * 16], [b"\x0a", b"\3", NAME]],
}
UNKNOWN = [
    [b""],
    [b"\0"],
    [b"\xff" * 40],
    [bytes(range(80))],
    [b"\xc0\x0c" * 9],
    [NAME, b"\0\4abcd"],
]


def damage_of_field(field: bytes) -> Iterator[bytes]:
    """The field cut, extended, and with each byte that may be a length made wrong."""
    for cut in range(min(len(field), 30)):
        yield field[:cut]
        yield field[cut + 1 :]
    for more in (b"\0", b"\xff", b"\xff" * 300):
        yield field + more
        yield more + field
    for at in range(min(len(field), 30)):
        for value in {0, 255, field[at] + 1 & 255, field[at] - 1 & 255, field[at] ^ 0x80}:
            yield field[:at] + bytes([value]) + field[at + 1 :]


def parameters() -> Iterator[bytes]:
    """SVCB's parameters, each key with values of many lengths, and long lists (RFC 9460)."""
    keys = [*range(20), 255, 667, 65279, 65535]
    values = [bytes(n) for n in range(20)]
    values += [b"\xff" * n for n in (1, 2, 4, 16, 255, 256)]
    values += [struct.pack(">200H", *range(1, 201)), b"\0\1" * 200, b"\xff\xff" * 20000]
    values += [b"\xff" + b"a" * 255, b'\2a,\2b\\\2c"', bytes(range(256))]
    for key in keys:
        for value in values:
            for length in {len(value), len(value) + 1, max(len(value) - 1, 0), 65535}:
                yield b"\0\1\0" + struct.pack(">HH", key, length) + value


def damaged(rr_type: int) -> Iterator[bytes]:
    for fields in [
        *([FIELDS[rr_type]] if rr_type in FIELDS else UNKNOWN),
        *VARIANTS.get(rr_type, []),
    ]:
        whole = b"".join(fields)
        yield whole
        for cut in range(len(whole)):
            yield whole[:cut]
            yield whole[:cut] + b"\xff" * (len(whole) - cut)
        for i, field in enumerate(fields):
            before, after = b"".join(fields[:i]), b"".join(fields[i + 1 :])
            for bad in damage_of_field(field):
                yield before + bad + after
            yield before + field * 2 + after
            yield before + field * 100 + after
            yield before + after
            if i > 0:  # out of order
                yield b"".join(fields[: i - 1]) + field + fields[i - 1] + after
    yield from (b"", b"\0" * 40, b"\xff" * 40, b"\xff" * 3000, bytes(range(256)) * 2)
    if rr_type in (64, 65):
        yield from parameters()


def message(rr_type: int, rdata: bytes) -> bytes:
    """A response of the record with an A record after it, which must be found."""
    wire = struct.pack(">HHHHHH", 7, 0x8180, 0, 2, 0, 0)
    wire += b"\1x\0" + struct.pack(">HHIH", rr_type, 1, 300, len(rdata)) + rdata
    return wire + b"\0" + struct.pack(">HHIH", 1, 1, 300, 4) + b"\xc0\0\2\1"


def read(rr_type: int, rdata: bytes) -> None:
    """All texts of the record, which have to agree with each other."""
    msg = pldns.ldns(message(rr_type, rdata))
    if not msg.is_ok():
        return
    rr, following = msg.response_rr_list
    where = (rr_type, rdata[:200].hex())
    assert following.rdata == "192.0.2.1", where
    assert rr.type == rr_type, where
    text, fields, line = rr.rdata, rr.rdata_fields, rr.str
    assert text == text.strip(" "), (where, text)
    assert text == " ".join(field for field in fields if field), (where, text, fields)
    assert "\n" not in line, (where, line)
    assert line.startswith("x.\t300\tIN\t"), (where, line)
    if text.startswith("\\# "):  # RFC 3597 section 5: all of the bytes, none more
        size, _, data = text[3:].partition(" ")
        assert int(size) * 2 == len(data.replace(" ", "")), (where, text)
        assert bytes.fromhex(data) == rdata or rr_type not in FIELDS, (where, text)


if __name__ == "__main__":
    for rr_type in TYPES:
        if int(sys.argv[1]) <= rr_type <= int(sys.argv[2]):
            print(rr_type, flush=True)
            for rdata in damaged(rr_type):
                read(rr_type, rdata)
