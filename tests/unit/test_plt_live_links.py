"""Live captures of an interface without a link layer, a tun device, in a namespace of its own."""

import os
from pathlib import Path

import packets
import pytest
from live import Namespace

import plt

pytestmark = pytest.mark.skipif(
    not os.access("/dev/net/tun", os.R_OK | os.W_OK), reason="this system has no tun devices"
)

IP = packets.ipv4(packets.udp(b"raw", ports=(7, 8)))
IP6 = packets.ipv6(packets.udp(b"raw6", ports=(9, 10)))

# TUNSETIFF of linux/if_tun.h, with IFF_TUN and IFF_NO_PI: what is written to it is received.
TUN = """
import fcntl, os, struct
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"raw", 0x1001))
ip("link", "set", "raw", "up")
"""

CAPTURED = f"""{TUN}
trace = plt.trace(sys.argv[1] + ":raw")
trace.conf_timeout(30)
with trace, plt.output_trace(sys.argv[2]) as output:
    for sent in sys.argv[3:]:
        os.write(tun, bytes.fromhex(sent))
        packet = next(trace)
        output.write_packet(packet)
        print(bytes(packet).hex(), packet.linktype, packet.wire_len, packet.udp.src_port)
"""


@pytest.mark.parametrize("name", ["int", "ring", "pcapint"])
def test_packets_begin_with_their_ip_header(
    name: str, namespace: Namespace, tmp_path: Path
) -> None:
    path = tmp_path / "out.pcap"
    out = namespace.run(CAPTURED, name, path, IP.hex(), IP6.hex())
    assert out.splitlines() == [
        f"{IP.hex()} {plt.TRACE_TYPE_NONE} {len(IP)} 7",
        f"{IP6.hex()} {plt.TRACE_TYPE_NONE} {len(IP6)} 9",
    ]
    assert [bytes(packet) for packet in packets.read(path)] == [IP, IP6]


SENT = f"""{TUN}
source = [plt.packet.from_bytes(bytes.fromhex(one), plt.TRACE_TYPE_NONE) for one in sys.argv[2:]]
with plt.output_trace(sys.argv[1] + ":raw") as output:
    for packet in source:
        output.write_packet(packet)
        print(os.read(tun, 1000).hex())
    try:
        output.write_packet(plt.packet.from_bytes(frame))
    except plt.LibtraceError as error:
        print(error)
"""


@pytest.mark.parametrize("name", ["int", "ring"])
def test_packets_of_ip_are_sent(name: str, namespace: Namespace) -> None:
    assert namespace.run(SENT, name, IP.hex(), IP6.hex()).splitlines() == [
        IP.hex(),
        IP6.hex(),
        f"Couldn't write packet: {name}:raw: a packet of link type 1 can't go to this interface",
    ]
