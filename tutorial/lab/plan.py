"""The plan of the lab's internet: its nodes, the wires that join them, their addresses.

Everything here is data; `topology` builds it, `wire` carries its frames, `services` and `traffic`
ask it for addresses. Addresses are those set aside for documentation: IPv4 of RFC 5737, IPv6 of
RFC 3849, MAC addresses of RFC 7042.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import NamedTuple

HOME_HOSTS = ("h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8")
NEIGHBOURS = ("n1", "n2")
SERVERS = ("s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11")
ROUTERS = ("edge", "isp", "ix", "far", "s10")
NODES = ("sw", "edge", "isp", "ix", "far", *HOME_HOSTS, *NEIGHBOURS, *SERVERS)

# Hosts at home that take their IPv6 address and default route from router advertisements.
SLAAC_HOSTS = ("h3", "h4", "h5", "h6")

HOME_4, HOME_6 = "192.0.2.0/24", "2001:db8:1::/64"
GUESTS = "192.0.2.128/27"
GUESTS_SEEN_AS = "192.0.2.126"

# What guests send leaves the edge on the tagged link, and so does what h6 sends.
VLAN_ID = 20
VLAN_SOURCES = (GUESTS, GUESTS_SEEN_AS + "/32", "192.0.2.16/32")

# Unused addresses of the scanner, so that a nameserver has more than a handful of users.
SCANNER_ADDRESSES = tuple(f"198.51.100.{n}" for n in range(96, 108))


@dataclass(frozen=True)
class Wire:
    """A long link from `a` to `b`, each "node:interface". Times in ms, chances in %, rates in Mb/s.

    `up` limits the rate from a to b, `down` the rate from b to a; 0 is no limit.
    """

    a: str
    b: str
    delay: float
    jitter: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0
    up: float = 0.0
    down: float = 0.0
    mtu: int = 1500


WIRES = (
    # The home LAN: h3 and h4 are on Wi-Fi, the others on cables.
    Wire("h1:eth0", "sw:h1", 0.15, 0.03),
    Wire("h2:eth0", "sw:h2", 0.15, 0.03),
    Wire("h3:eth0", "sw:h3", 1.2, 0.8, loss=0.6),
    Wire("h4:eth0", "sw:h4", 1.6, 1.0, loss=1.0),
    Wire("h5:eth0", "sw:h5", 0.15, 0.03),
    Wire("h6:eth0", "sw:h6", 0.20, 0.05),
    Wire("edge:lan0", "sw:lan", 0.05, 0.01),
    # Guests at home, on another Wi-Fi, and the neighbour's network.
    Wire("h7:eth0", "sw:h7", 2.0, 1.5, loss=1.0),
    Wire("h8:eth0", "sw:h8", 2.4, 1.5, loss=1.2),
    Wire("edge:guest0", "sw:guest", 0.05, 0.01),
    Wire("n1:eth0", "sw:n1", 0.8, 0.2),
    Wire("n2:eth0", "sw:n2", 1.1, 0.4, loss=0.3),
    Wire("edge:next0", "sw:next", 1.5, 0.1),
    # The edge's one link to the world, where the capture is made.
    Wire("edge:wan0", "isp:isp0", 4.0, 0.6, loss=1.5, reorder=0.4, up=9.0, down=25.0),
    # The world.
    Wire("isp:isp1", "ix:ix0", 3.0, 0.4, loss=0.4),
    Wire("s1:eth0", "ix:p1", 4.0, 0.3, loss=0.2),
    Wire("s2:eth0", "ix:p2", 18.0, 1.0, loss=1.5),
    Wire("s3:eth0", "ix:p3", 45.0, 3.0, loss=2.0, reorder=0.6),
    Wire("s4:eth0", "ix:p4", 6.0, 0.5),
    Wire("s5:eth0", "ix:p5", 12.0, 1.0, loss=0.4),
    Wire("s6:eth0", "ix:p6", 22.0, 2.0, loss=0.8),
    Wire("s7:eth0", "ix:p7", 2.0, 0.3),
    Wire("s8:eth0", "ix:p8", 10.0, 1.0, loss=0.3),
    Wire("s10:eth0", "ix:p10", 8.0, 0.5),
    Wire("ix:ix1", "far:far0", 30.0, 2.0, loss=0.5, up=6.0, down=6.0, mtu=1400),
    Wire("far:far1", "s9:eth0", 2.0, 0.2),
    # A bad radio link.
    Wire("s11:eth0", "ix:p11", 55.0, 4.0, loss=5.0, reorder=3.0, up=8.0, down=8.0),
)

# node -> bridge -> its ports. The node sw stands for three switches at home.
BRIDGES: dict[str, dict[str, tuple[str, ...]]] = {
    "sw": {
        "br-lan": ("h1", "h2", "h3", "h4", "h5", "h6", "lan"),
        "br-guest": ("h7", "h8", "guest"),
        "br-next": ("n1", "n2", "next"),
    },
    "ix": {"br0": ("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p10", "p11")},
}

VLAN_ENDS = ("edge:wan0", "isp:isp0")


class Tunnel(NamedTuple):
    """One end of a tunnel: an interface in a node, and the address of the other end.

    `kind` names a class of `tunnels`; `ident` is GRE's key, and the network of VXLAN and Geneve.
    """

    node: str
    ifname: str
    kind: str
    other: str
    mtu: int
    ident: int = 0


TUNNELS = (
    Tunnel("h5", "sit1", "SixInFour", "198.51.100.66", 1480),
    Tunnel("s10", "sit1", "SixInFour", "192.0.2.15", 1480),
    Tunnel("h2", "vxlan1", "Vxlan", "198.51.100.10", 1450, 4021),
    Tunnel("s1", "vxlan1", "Vxlan", "192.0.2.10", 1450, 4021),
    Tunnel("h6", "gre1", "Gre", "198.51.100.20", 1468, 77),
    Tunnel("s2", "gre1", "Gre", "192.0.2.16", 1468, 77),
    # Over IPv6, by the link of MTU 1400.
    Tunnel("h1", "geneve1", "Geneve", "2001:db8:ff:9::194", 1320, 815),
    Tunnel("s9", "geneve1", "Geneve", "2001:db8:1::53", 1320, 815),
)

ADDRESSES = """
edge  lan0     192.0.2.1/25        2001:db8:1::1/64
edge  guest0   192.0.2.129/27
edge  lo       192.0.2.126/32
edge  next0    203.0.113.129/28    2001:db8:3::1/64
edge  wan0     203.0.113.242/30    2001:db8:fe:1::2/64
edge  wan0.20  198.51.100.242/30   2001:db8:fe:20::2/64
isp   isp0     203.0.113.241/30    2001:db8:fe:1::1/64
isp   isp0.20  198.51.100.241/30   2001:db8:fe:20::1/64
isp   isp1     203.0.113.245/30    2001:db8:fe:2::1/64
ix    ix0      203.0.113.246/30    2001:db8:fe:2::2/64
ix    ix1      203.0.113.249/30    2001:db8:fe:3::1/64
ix    br0      198.51.100.1/25     2001:db8:ff::1/64
ix    br0      203.0.113.1/25
far   far0     203.0.113.250/30    2001:db8:fe:3::2/64
far   far1     203.0.113.193/28    2001:db8:ff:9::1/64
h1    eth0     192.0.2.53/25       2001:db8:1::53/64
h2    eth0     192.0.2.10/25       2001:db8:1::10/64
h3    eth0     192.0.2.13/25
h4    eth0     192.0.2.14/25
h5    eth0     192.0.2.15/25
h6    eth0     192.0.2.16/25
h7    eth0     192.0.2.137/27
h8    eth0     192.0.2.138/27
n1    eth0     203.0.113.130/28    2001:db8:3::130/64
n2    eth0     203.0.113.131/28    2001:db8:3::131/64
s1    eth0     198.51.100.10/25    2001:db8:ff::10/64
s2    eth0     198.51.100.20/25    2001:db8:ff::20/64
s3    eth0     203.0.113.10/25     2001:db8:ff::30/64
s4    eth0     198.51.100.53/25    2001:db8:ff::53/64
s5    eth0     203.0.113.53/25     2001:db8:ff::5:53/64
s6    eth0     198.51.100.54/25    2001:db8:ff::54/64
s7    eth0     203.0.113.9/25      2001:db8:ff::9/64
s8    eth0     203.0.113.80/25     2001:db8:ff::80/64
s9    eth0     203.0.113.194/28    2001:db8:ff:9::194/64
s10   eth0     198.51.100.66/25    2001:db8:ff::66/64
h5    sit1     2001:db8:41::2/64
s10   sit1     2001:db8:41::1/64
s11   eth0     198.51.100.11/25    2001:db8:ff::11/64
h2    vxlan1   198.51.100.129/29   2001:db8:42::2/64
s1    vxlan1   198.51.100.130/29   2001:db8:42::1/64
h6    gre1     198.51.100.137/29   2001:db8:43::2/64
s2    gre1     198.51.100.138/29   2001:db8:43::1/64
h1    geneve1  198.51.100.145/29   2001:db8:44::2/64
s9    geneve1  198.51.100.146/29   2001:db8:44::1/64
"""

# node, then what `ip route add` takes. Prohibit and unreachable make ICMP errors of those kinds.
ROUTES = """
h1,h2,h3,h4,h5,h6         default via 192.0.2.1
h1,h2                     default via 2001:db8:1::1
h5                        default via 2001:db8:41::1 table 41
h7,h8                     default via 192.0.2.129
n1,n2                     default via 203.0.113.129
n1,n2                     default via 2001:db8:3::1
edge                      unreachable 192.0.2.0/24
edge                      default via 203.0.113.241
edge                      default via 2001:db8:fe:1::1
edge                      default via 198.51.100.241 table 20
edge                      default via 2001:db8:fe:20::1 table 20
isp                       default via 203.0.113.246
isp                       default via 2001:db8:fe:2::2
isp                       192.0.2.0/24 via 203.0.113.242
isp                       192.0.2.16/32 via 198.51.100.242
isp                       192.0.2.126/32 via 198.51.100.242
isp                       203.0.113.128/28 via 203.0.113.242
isp                       2001:db8:1::/64 via 2001:db8:fe:1::2
isp                       2001:db8:3::/64 via 2001:db8:fe:1::2
ix                        192.0.2.0/24 via 203.0.113.245
ix                        203.0.113.128/28 via 203.0.113.245
ix                        203.0.113.240/30 via 203.0.113.245
ix                        198.51.100.240/30 via 203.0.113.245
ix                        2001:db8:1::/64 via 2001:db8:fe:2::1
ix                        2001:db8:3::/64 via 2001:db8:fe:2::1
ix                        2001:db8:fe:1::/64 via 2001:db8:fe:2::1
ix                        2001:db8:fe:20::/64 via 2001:db8:fe:2::1
ix                        203.0.113.192/28 via 203.0.113.250
ix                        2001:db8:ff:9::/64 via 2001:db8:fe:3::2
ix                        2001:db8:41::/64 via 2001:db8:ff::66
ix                        prohibit 203.0.113.160/28
ix                        unreachable 203.0.113.208/28
ix                        prohibit 2001:db8:bad::/48
ix                        unreachable 2001:db8:dead::/48
far                       default via 203.0.113.249
far                       default via 2001:db8:fe:3::1
s1,s2,s4,s6,s10,s11       default via 198.51.100.1
s3,s5,s7,s8               default via 203.0.113.1
s1,s2,s3,s4,s5,s6,s7,s8,s10,s11  default via 2001:db8:ff::1
s9                        default via 203.0.113.193
s9                        default via 2001:db8:ff:9::1
"""


class Pair(NamedTuple):
    """A node's IPv4 and IPv6 address; v6 is empty where the node has none."""

    v4: str
    v6: str


def mac(end: str) -> str:
    """The MAC address of an interface "node:interface": its place in WIRES, counted from 1."""
    ends = [e for wire in WIRES for e in (wire.a, wire.b)]
    return f"00:00:5e:00:53:{ends.index(end) + 1:02x}"


def tunnel_mac(tunnel: Tunnel) -> str:
    """The MAC address of a tunnel's end: its place in TUNNELS, after those of the wires."""
    return f"00:00:5e:00:53:{0xE0 + TUNNELS.index(tunnel):02x}"


def slaac(node: str) -> str:
    """The IPv6 address that `node` makes of the LAN's prefix and its MAC (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac(node + ":eth0").replace(":", ""))
    eui64 = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    prefix = ipaddress.IPv6Address("2001:db8:1::").packed[:8]
    return str(ipaddress.IPv6Address(prefix + eui64))


def addresses() -> list[tuple[str, str, str]]:
    """ADDRESSES as rows of node, interface, address/length."""
    lines = [line.split() for line in ADDRESSES.splitlines() if line]
    return [(node, ifname, a) for node, ifname, *found in lines for a in found]


def routes() -> list[tuple[str, str]]:
    """ROUTES as rows of one node and one route."""
    lines = [line.split(None, 1) for line in ROUTES.splitlines() if line]
    found = [(node, route) for nodes, route in lines for node in nodes.split(",")]
    return [*found, ("isp", f"{slaac('h6')}/128 via 2001:db8:fe:20::2")]


def pair(node: str) -> Pair:
    """The addresses of a host's or server's eth0."""
    own = [a.partition("/")[0] for n, i, a in addresses() if n == node and i == "eth0"]
    v6 = [a for a in own if ":" in a] or ([slaac(node)] if node in SLAAC_HOSTS else [""])
    return Pair(next(a for a in own if ":" not in a), v6[0])
