"""The tunnels: what the kernel sends into a TUN or TAP travels in packets to the other end.

A tunnel's end is made in its node's network namespace. The headers around what travels are those of
RFC 4213 (6in4), RFC 2784 and 2890 (GRE), RFC 7348 (VXLAN) and RFC 8926 (Geneve).
"""

from __future__ import annotations

import itertools
import socket
import struct
import zlib

import plan

IPPROTO_6IN4, IPPROTO_GRE = 41, 47
VXLAN_PORT, GENEVE_PORT = 4789, 6081
GRE_KEY, GRE_SEQUENCE = 0x2000, 0x1000
VXLAN_HAS_NETWORK = 0x08000000
ETHERTYPES = {4: 0x0800, 6: 0x86DD}
TRANSPARENT_ETHERNET = 0x6558
# An option of the class and type that RFC 8926 leaves to experiments: four bytes of data.
GENEVE_OPTION = struct.pack("!HBBI", 0xFFFF, 0x01, 1, 0x1AB)

MESSAGE_MAX = 65536
# RFC 7348, section 5: the source port tells the inner flows apart, so that routers can spread them.
FIRST_PORT, PORTS = 49152, 8


def family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class SixInFour:
    """IPv6 packets right behind IPv4 headers."""

    is_tap = False

    def __init__(self, tunnel: plan.Tunnel) -> None:
        self.other = tunnel.other
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW, IPPROTO_6IN4)
        self.receiver.setblocking(False)

    def send(self, data: bytes) -> None:
        self.receiver.sendto(data, (self.other, 0))

    def receive(self) -> bytes:
        """What came, without the headers around it; b"" if it is none of this tunnel's."""
        packet = self.receiver.recv(MESSAGE_MAX)
        return packet[(packet[0] & 15) * 4 :]


class Gre:
    """IP packets behind GRE headers with a key and sequence numbers."""

    is_tap = False
    SIZE = 12

    def __init__(self, tunnel: plan.Tunnel) -> None:
        self.other, self.key = tunnel.other, tunnel.ident
        self.sequence = itertools.count()
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW, IPPROTO_GRE)
        self.receiver.setblocking(False)

    def send(self, data: bytes) -> None:
        fields = (GRE_KEY | GRE_SEQUENCE, ETHERTYPES[data[0] >> 4], self.key, next(self.sequence))
        self.receiver.sendto(struct.pack("!HHII", *fields) + data, (self.other, 0))

    def receive(self) -> bytes:
        packet = self.receiver.recv(MESSAGE_MAX)
        return packet[(packet[0] & 15) * 4 + self.SIZE :]


class OverUdp:
    """Ethernet frames in UDP datagrams, behind a header of the kind's own."""

    is_tap = True
    PORT: int
    header: bytes

    def __init__(self, tunnel: plan.Tunnel) -> None:
        self.to = (tunnel.other, self.PORT)
        sockets = []
        for port in (self.PORT, *range(FIRST_PORT, FIRST_PORT + PORTS)):
            one = socket.socket(family(tunnel.other), socket.SOCK_DGRAM)
            one.bind(("", port))
            one.setblocking(False)
            sockets.append(one)
        self.receiver, *self.senders = sockets

    def send(self, data: bytes) -> None:
        # Of most packets these bytes are the addresses and ports.
        flow = zlib.crc32(data[26:38])
        self.senders[flow % PORTS].sendto(self.header + data, self.to)

    def receive(self) -> bytes:
        message = self.receiver.recv(MESSAGE_MAX)
        mine = message.startswith(self.header)
        return message[len(self.header) :] if mine else b""


class Vxlan(OverUdp):
    """VXLAN: Ethernet frames of a virtual network."""

    PORT = VXLAN_PORT

    def __init__(self, tunnel: plan.Tunnel) -> None:
        super().__init__(tunnel)
        self.header = struct.pack("!II", VXLAN_HAS_NETWORK, tunnel.ident << 8)


class Geneve(OverUdp):
    """Geneve: the same with an option."""

    PORT = GENEVE_PORT

    def __init__(self, tunnel: plan.Tunnel) -> None:
        super().__init__(tunnel)
        words = len(GENEVE_OPTION) // 4
        fields = (words, 0, TRANSPARENT_ETHERNET, tunnel.ident << 8)
        self.header = struct.pack("!BBHI", *fields) + GENEVE_OPTION


KINDS: dict[str, type[SixInFour | Gre | OverUdp]] = {
    kind.__name__: kind for kind in (SixInFour, Gre, Vxlan, Geneve)
}
