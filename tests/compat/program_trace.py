"""The trace that the old programs are run on: 25 packets, of each kind that they look for.

The comments give each packet's number, and its length on the wire, which the frame check sequence
is a part of.  What the programs print of them is in programs/*.expected.
"""

import struct

import packets
from packets import EPOCH, ICMP, ICMP6, SCTP, TCP, UDP, V4, V6, Record

HOST, SERVER = V4
RESOLVER, ROUTER = "192.0.2.53", "203.0.113.9"
SYN, RST_ACK, FIN_ACK, PSH_ACK, ACK = 0x02, 0x14, 0x11, 0x18, 0x10


def summed(segment: bytes, at: int, pseudo: bytes) -> bytes:
    """A segment with its checksum, two bytes at an offset, set."""
    total = packets.internet_sum(pseudo + segment)
    return segment[:at] + struct.pack(">H", total) + segment[at + 2 :]


def tcp4(payload: bytes = b"", *, src: str = HOST, dst: str = SERVER, **fields: object) -> bytes:
    segment = packets.tcp(payload, **fields)  # type: ignore[arg-type]
    segment = summed(segment, 16, packets.pseudo4(TCP, len(segment), src, dst))
    return packets.ethernet(packets.ipv4(segment, TCP, src=src, dst=dst))


def udp4(payload: bytes, ports: tuple[int, int], src: str = HOST, dst: str = SERVER) -> bytes:
    segment = packets.udp(payload, ports=ports)
    segment = summed(segment, 6, packets.pseudo4(UDP, len(segment), src, dst))
    return packets.ipv4(segment, UDP, src=src, dst=dst)


def udp6(payload: bytes, ports: tuple[int, int], src: str = V6[0], dst: str = V6[1]) -> bytes:
    segment = packets.udp(payload, ports=ports)
    segment = summed(segment, 6, packets.pseudo6(UDP, len(segment), src, dst))
    return packets.ipv6(segment, UDP, src=src, dst=dst)


def icmp6(kind: int, rest: bytes, payload: bytes, src: str = V6[0], dst: str = V6[1]) -> bytes:
    message = struct.pack(">BBH", kind, 0, 0) + rest + payload
    message = summed(message, 2, packets.pseudo6(ICMP6, len(message), src, dst))
    return packets.ethernet(packets.ipv6(message, ICMP6, src=src, dst=dst, hops=255), 0x86DD)


def icmp4(message: bytes, src: str, dst: str) -> bytes:
    return packets.ethernet(packets.ipv4(message, ICMP, src=src, dst=dst))


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def question(text: str, kind: int) -> bytes:
    return name(text) + struct.pack(">HH", kind, 1)


def answer(owner: bytes, kind: int, ttl: int, data: bytes) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def dns(ident: int, flags: int, body: bytes, answers: int = 0) -> bytes:
    return struct.pack(">6H", ident, flags, 1, answers, 0, 0) + body


def records() -> list[Record]:
    arp = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1).ljust(28, b"\0")
    web = question("www.example.com", 1)
    chain = answer(b"\xc0\x0c", 5, 300, name("web.example.net")) + answer(
        b"\xc0\x2d", 1, 60, bytes([192, 0, 2, 80])
    )
    nothing = question("nosuch.example.com", 28)
    asked, missing = dns(0x1111, 0x0100, web), dns(0x2222, 0x0100, nothing)
    echo = struct.pack(">HH", 7, 1)
    probe = udp4(b"x" * 24, (33434, 33435))[:28]
    query6 = udp6(missing, (40002, 53))[:48]
    data = struct.pack(">BBHIHHI", 0, 3, 21, 9, 1, 0, 0) + b"hello" + b"\0" * 3
    heartbeat = struct.pack(">BBHHH", 4, 0, 12, 1, 8) + b"beat"
    sctp = struct.pack(">HHII", 6000, 6001, 0xCAFE, 0) + data + heartbeat
    tagged = udp4(b"v" * 10, (40003, 5000))
    whole = packets.udp(b"f" * 40, ports=(40004, 5001))
    inner = packets.tcp(ports=(50000, 22), flags=SYN, seq=77)
    inner = summed(inner, 16, packets.pseudo6(TCP, len(inner)))
    syn_options = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7"
    web_ports, ssh_ports = (40000, 80), (55555, 22)
    reply = {"src": SERVER, "dst": HOST, "ports": (80, 40000)}
    frames = [
        (0, packets.ethernet(arp, 0x0806)),  # 1: 46
        (1, tcp4(ports=web_ports, seq=1000, ack=0, flags=SYN, options=syn_options)),  # 2: 78
        (1.25, tcp4(**reply, seq=5000, ack=1001, flags=0x12, options=b"\2\4\5\x78\1\1\4\2")),  # 66
        (1.5, tcp4(ports=web_ports, seq=1001, ack=5001) + b"\0" * 6),  # 4: 64, padded
        (2, tcp4(b"GET / HTTP/1.0\r\n\r\n", ports=web_ports, seq=1001, ack=5001, flags=PSH_ACK)),
        (3, tcp4(b"r" * 100, **reply, seq=5001, ack=1019, flags=PSH_ACK)),  # 5: 76, 6: 158
        (3.5, tcp4(ports=web_ports, seq=1019, ack=5101, flags=FIN_ACK)),  # 7: 58
        (4, tcp4(**reply, seq=5101, ack=1020, flags=RST_ACK)),  # 8: 58
        (60, packets.ethernet(udp4(asked, (40001, 53), HOST, RESOLVER))),  # 9: 79
        (
            60.02,  # 10: 124
            packets.ethernet(
                udp4(dns(0x1111, 0x8180, web + chain, 2), (53, 40001), RESOLVER, HOST)
            ),
        ),
        (61, packets.ethernet(udp6(missing, (40002, 53)), 0x86DD)),  # 11: 102
        (
            61.5,  # 12: 102
            packets.ethernet(udp6(dns(0x2222, 0x8183, nothing), (53, 40002), *V6[::-1]), 0x86DD),
        ),
        (62, icmp4(packets.icmp(8, 0, echo, b"e" * 32), HOST, SERVER)),  # 13: 78
        (62.03, icmp4(packets.icmp(0, 0, echo, b"e" * 32), SERVER, HOST)),  # 14: 78
        (63, icmp4(packets.icmp(3, 3, payload=probe), ROUTER, HOST)),  # 15: 74
        (
            64,  # 16: 74
            icmp4(
                packets.icmp(11, payload=tcp4(ports=web_ports, seq=1000, flags=SYN)[14:42]),
                ROUTER,
                HOST,
            ),
        ),
        (65, icmp6(135, b"\0" * 4, packets.ip_address(V6[1]).packed)),  # 17: 82
        (66, icmp6(2, struct.pack(">I", 1280), query6, *V6[::-1])),  # 18: 114
        (67, packets.ethernet(packets.ipv4(sctp, SCTP))),  # 19: 86
        (68, packets.ethernet(struct.pack(">HH", 42, 0x0800) + tagged, 0x8100)),  # 20: 60
        (120, packets.ethernet(packets.ipv4(whole[:24], UDP, fragment=0x2000))),  # 21: 62
        (120, packets.ethernet(packets.ipv4(whole[24:], UDP, fragment=3))),  # 22: 62
        (121, packets.ethernet(packets.ipv4(packets.ipv6(inner, TCP), 41, dst=ROUTER))),  # 23: 98
        (122, tcp4(src=ROUTER, dst=HOST, ports=ssh_ports, seq=2**32 - 6, ack=0, flags=SYN)),  # 58
        (
            122.5,  # 25: 68
            tcp4(b"0123456789", src=ROUTER, dst=HOST, ports=ssh_ports, seq=2**32 - 5, flags=ACK),
        ),
    ]
    return [Record(frame, EPOCH + int(at), round(at % 1 * 1_000_000)) for at, frame in frames]
