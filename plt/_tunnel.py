"""What `packet.tunnels` holds."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ipp import IPprefix

TunnelKind = Literal[
    "ipip",
    "4in6",
    "6in4",
    "6in6",
    "gre",
    "pptp",
    "erspan",
    "etherip",
    "ethernet",
    "l2tp",
    "mpls",
    "nsh",
    "pppoe",
    "vxlan",
    "vxlan-gpe",
    "geneve",
    "gtp",
    "teredo",
    "lisp",
    "gue",
    "capwap",
    "lwapp",
    "tzsp",
    "pim",
]


class Tunnel(NamedTuple):
    """A tunnel that a packet is: its kind, its id and the addresses of its ends.

    The id is the network of VXLAN and Geneve, the key of GRE, the TEID of GTP-U: see the
    documentation for each kind; None where the header has none.  The addresses are those of the
    outer IP header; None where the tunnel is below IP: PPPoE, MPLS pseudowires, NSH.
    """

    kind: TunnelKind
    id: int | None
    src: IPprefix | None
    dst: IPprefix | None
