"""The topology: makes the plan's network namespaces, and in them bridges, addresses and routes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import plan
import tunnels
from sandbox import STATE, inside, run, start_daemon

HERE = Path(__file__).parent

Settings = dict[str, int | str]

# Written below /proc/sys/net of every node.
SYSCTLS: Settings = {
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv4/conf/all/send_redirects": 0,
    "ipv4/conf/default/send_redirects": 0,
    "ipv4/ping_group_range": "0 0",
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/router_solicitations": 0,
}

# Hosts differ in how they speak TCP: with explicit congestion notification, without timestamps.
SPECIAL_SYSCTLS: dict[str, Settings] = {
    "h3": {"ipv4/tcp_ecn": 1},
    "s1": {"ipv4/tcp_ecn": 1},
    "h6": {"ipv4/tcp_timestamps": 0},
    "s3": {"ipv4/tcp_sack": 0},
    # A switch has no addresses of its own and says nothing.
    "sw": {"ipv6/conf/default/disable_ipv6": 1},
}

# The edge hides its guests behind one address.
NAT = f"""
table ip nat {{
    chain postrouting {{
        type nat hook postrouting priority 100
        ip saddr {plan.GUESTS} oifname "wan0*" snat to {plan.GUESTS_SEEN_AS}
    }}
}}
"""

# h3 and h4 answer no DNS query, not even with an ICMP error.
FIREWALL = """
table inet filter {
    chain input {
        type filter hook input priority 0
        udp dport 53 drop
        tcp dport 53 drop
    }
}
"""


def sysctl(node: str, values: Settings) -> None:
    """Set what is below /proc/sys/net in a node."""
    lines = [f"echo {value} >/proc/sys/net/{key}" for key, value in values.items()]
    run("ip", "netns", "exec", node, "sh", "-c", "; ".join(["set -e", *lines]))


def configure(node: str, lines: list[str]) -> None:
    """Give a batch of commands to `ip` in a node."""
    run("ip", "-n", node, "-batch", "-", given="\n".join(lines) + "\n")


def add_rule(node: str, source: str, table: int) -> None:
    """Route what comes from `source` by a table of its own."""
    family = "-6" if ":" in source else "-4"
    run("ip", "-n", node, family, "rule", "add", "from", source, "table", str(table), "pref", "200")


def add_nodes() -> None:
    for node in plan.NODES:
        run("ip", "netns", "add", node)
        sysctl(node, SYSCTLS | SPECIAL_SYSCTLS.get(node, {}))
        configure(node, ["link set lo up"])
    for node in plan.ROUTERS:
        sysctl(node, {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
    for node in plan.SLAAC_HOSTS:
        sysctl(node, {"ipv6/conf/default/accept_ra": 1, "ipv6/conf/default/addr_gen_mode": 0})


def start_wires() -> subprocess.Popen[bytes]:
    """Start the wires; their interfaces exist when this returns."""
    ready = STATE / "wires-ready"
    wires = start_daemon("wires", sys.executable, str(HERE / "wire.py"), str(ready))
    for _ in range(100):
        if ready.exists():
            return wires
        if wires.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("the wires did not start:\n" + (STATE / "wires.log").read_text())


def add_interfaces() -> None:
    """Name, join and start the interfaces at the ends of the wires."""
    for wire in plan.WIRES:
        for end in (wire.a, wire.b):
            node, ifname = end.split(":")
            configure(node, [f"link set {ifname} address {plan.mac(end)} mtu {wire.mtu}"])
    for node, bridges in plan.BRIDGES.items():
        for bridge, ports in bridges.items():
            # A bridge takes its first port's address, as it would choose the lowest itself.
            address = plan.mac(f"{node}:{ports[0]}")
            configure(
                node,
                [
                    f"link add {bridge} address {address} type bridge",
                    *(f"link set {port} master {bridge}" for port in ports),
                    f"link set {bridge} up",
                ],
            )
    for end in plan.VLAN_ENDS:
        node, ifname = end.split(":")
        configure(node, [f"link set {ifname}.{plan.VLAN_ID} address {plan.mac(end)}"])
    for tunnel in plan.TUNNELS:
        settings = f"addrgenmode none mtu {tunnel.mtu}"
        if tunnels.KINDS[tunnel.kind].is_tap:
            settings += f" address {plan.tunnel_mac(tunnel)}"
        configure(tunnel.node, [f"link set {tunnel.ifname} {settings}"])


def set_up() -> None:
    """Start all interfaces, then give them addresses and the nodes routes."""
    for wire in plan.WIRES:
        for end in (wire.a, wire.b):
            node, ifname = end.split(":")
            configure(node, [f"link set {ifname} up"])
    for end in plan.VLAN_ENDS:
        node, ifname = end.split(":")
        configure(node, [f"link set {ifname}.{plan.VLAN_ID} up"])
    for tunnel in plan.TUNNELS:
        configure(tunnel.node, [f"link set {tunnel.ifname} up"])
    for node, ifname, address in plan.addresses():
        nodad = " nodad" if ":" in address else ""
        configure(node, [f"addr add {address} dev {ifname}{nodad}"])
    for address in plan.SCANNER_ADDRESSES:
        configure("s10", [f"addr add {address}/25 dev eth0"])
    for node, route in plan.routes():
        configure(node, [f"route add {route}"])
    for family, home in (("-4", plan.HOME_4), ("-6", plan.HOME_6)):
        # What stays at home is no matter for the tables below.
        run("ip", "-n", "edge", family, "rule", "add", "to", home, "table", "main", "pref", "100")
    for source in (*plan.VLAN_SOURCES, plan.slaac("h6")):
        add_rule("edge", source, plan.VLAN_ID)
    add_rule("h5", "2001:db8:41::/64", 41)


def add_filters() -> bool:
    """The NAT and the firewalls; False where the kernel has no nf_tables.

    Without them the guests' own addresses are seen outside, which are home's as well.
    """
    rules = {"edge": NAT, "h3": FIREWALL, "h4": FIREWALL}
    for node, given in rules.items():
        done = subprocess.run(
            inside(node, "nft", "-f", "-"), input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            (STATE / "nft.log").write_text(done.stderr)
            return False
    return True


def wait_for_slaac() -> None:
    """Wait until the hosts have made their addresses of the edge's router advertisements."""
    for _ in range(100):
        shown = [run("ip", "-n", node, "-6", "addr", "show", "eth0") for node in plan.SLAAC_HOSTS]
        own = [plan.slaac(node) for node in plan.SLAAC_HOSTS]
        if all(address in text for address, text in zip(own, shown, strict=True)):
            return
        time.sleep(0.2)
    raise SystemExit("no router advertisement came through at home:\n" + "".join(shown))


def build() -> subprocess.Popen[bytes]:
    """Make the whole topology; the process of the wires."""
    add_nodes()
    wires = start_wires()
    add_interfaces()
    set_up()
    return wires
