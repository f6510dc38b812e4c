"""The wires: a process that carries frames between network namespaces as long links do.

Each wire has a TAP interface at both ends. A frame that the kernel sends into one end comes out of
the other after the wire's delay and jitter, unless it is lost; some overtake others; a rate limit
makes a queue that drops what does not fit. The same process also does 802.1Q tags and tunnels, so
the lab needs neither netem nor 8021q, sit, gre, vxlan or geneve of the kernel, only TUN/TAP.

A TAP offers the kernel no offloads, so what a capture sees are segments of true size with right
checksums.

Run as `wire.py READY-FILE` by `topology`; ends with a line of counters when told to terminate.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import plan
import tunnels

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 0x0001, 0x0002, 0x1000
TPID = b"\x81\x00"

FRAME_MAX = 65536
BATCH = 64
QUEUE_SECONDS = 0.15
OVERTAKEN_SECONDS = 0.004
# Preamble, frame check sequence and gap: what Ethernet takes on the wire beyond the frame.
ETHERNET_OVERHEAD = 24


def enter(node: str) -> None:
    """Move this process into the network namespace of `node`."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{node}", "rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns to {node}")


def open_tun(node: str, ifname: str, mode: int) -> int:
    """Make a TUN or TAP interface in `node`; it lives as long as the returned descriptor."""
    enter(node)
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH14x", ifname.encode(), mode | IFF_NO_PI))
    return fd


def frames(fd: int) -> list[bytes]:
    """What waits at a TUN or TAP, at most a batch so that no wire starves the others."""
    waiting: list[bytes] = []
    try:
        while len(waiting) < BATCH:
            waiting.append(os.read(fd, FRAME_MAX))
    except OSError:
        pass
    return waiting


class Wires:
    """All wires, tags and tunnels of the plan, and the loop that runs them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.readers: dict[int, Callable[[], None]] = {}
        self.taps: dict[str, int] = {}
        self.tagged: dict[int, int] = {}
        self.due: list[tuple[float, int, int, bytes]] = []
        self.raw_sockets: list[socket.socket] = []
        self.tunnels: list[object] = []
        for wire in plan.WIRES:
            for end in (wire.a, wire.b):
                node, ifname = end.split(":")
                self.taps[end] = open_tun(node, ifname, IFF_TAP)
            self.add_direction(wire, wire.a, wire.b, wire.up)
            self.add_direction(wire, wire.b, wire.a, wire.down)
        for end in plan.VLAN_ENDS:
            self.add_vlan(end)
        for tunnel in plan.TUNNELS:
            self.add_tunnel(tunnel)

    def add_direction(self, wire: plan.Wire, source: str, target: str, rate: float) -> None:
        fd, out = self.taps[source], self.taps[target]
        delay, jitter = wire.delay / 1e3, wire.jitter / 1e3
        idle_from = last_due = 0.0

        def read() -> None:
            nonlocal idle_from, last_due
            for frame in frames(fd):
                now = time.monotonic()
                self.counts["frames"] += 1
                if self.random.random() * 100 < wire.loss:
                    self.counts["lost"] += 1
                    continue
                start = max(now, idle_from)
                if start - now > QUEUE_SECONDS:
                    self.counts["queue full"] += 1
                    continue
                if rate:
                    start += (len(frame) + ETHERNET_OVERHEAD) * 8 / (rate * 1e6)
                idle_from = start
                due = start + delay + abs(self.random.gauss(0, jitter))
                if self.random.random() * 100 < wire.reorder:
                    self.counts["overtaken"] += 1
                    due += OVERTAKEN_SECONDS
                else:
                    # Jitter alone never changes the order on one wire.
                    due = last_due = max(due, last_due)
                heapq.heappush(self.due, (due, self.counts["frames"], out, frame))

        self.readers[fd] = read

    def add_vlan(self, end: str) -> None:
        """Give `end` a second TAP, "interface.ID", whose frames travel tagged on the first.

        They are sent through the first interface itself, so that a capture there sees them.
        """
        node, ifname = end.split(":")
        fd = open_tun(node, f"{ifname}.{plan.VLAN_ID}", IFF_TAP)
        self.tagged[self.taps[end]] = fd
        link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        link.bind((ifname, 0))
        tag = TPID + struct.pack("!H", plan.VLAN_ID)

        def read() -> None:
            for frame in frames(fd):
                try:
                    link.send(frame[:12] + tag + frame[12:])
                except OSError:
                    self.counts["errors"] += 1

        self.readers[fd] = read
        self.raw_sockets.append(link)

    def add_tunnel(self, tunnel: plan.Tunnel) -> None:
        """One end of a tunnel, whose packets the kernel sends and receives as any others."""
        kind = tunnels.KINDS[tunnel.kind]
        fd = open_tun(tunnel.node, tunnel.ifname, IFF_TAP if kind.is_tap else IFF_TUN)
        end = kind(tunnel)

        def encapsulate() -> None:
            for packet in frames(fd):
                try:
                    end.send(packet)
                except OSError:
                    self.counts["errors"] += 1

        def decapsulate() -> None:
            for _ in range(BATCH):
                try:
                    packet = end.receive()
                except OSError:
                    return
                if packet:
                    self.write(fd, packet)

        self.readers[fd] = encapsulate
        self.readers[end.receiver.fileno()] = decapsulate
        self.tunnels.append(end)

    def write(self, fd: int, data: bytes) -> None:
        try:
            os.write(fd, data)
        except OSError:
            # The interface is down or full; a real wire says nothing either.
            self.counts["errors"] += 1

    def deliver(self, fd: int, frame: bytes) -> None:
        # A tagged frame goes to the first interface too: there the kernel drops it, having no
        # VLAN of its own, but a capture sees it arrive.
        self.write(fd, frame)
        if fd in self.tagged and frame[12:14] == TPID:
            self.write(self.tagged[fd], frame[:12] + frame[16:])

    def run(self) -> None:
        """Carry frames until SIGTERM."""
        stopped = False

        def stop(*_: object) -> None:
            nonlocal stopped
            stopped = True

        signal.signal(signal.SIGTERM, stop)
        fds = list(self.readers)
        while not stopped:
            wait = self.due[0][0] - time.monotonic() if self.due else 0.5
            for fd in select.select(fds, [], [], max(0.0, min(wait, 0.5)))[0]:
                self.readers[fd]()
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                _, _, fd, frame = heapq.heappop(self.due)
                self.deliver(fd, frame)


if __name__ == "__main__":
    wires = Wires(seed=7)
    Path(sys.argv[1]).touch()
    wires.run()
    print(json.dumps(wires.counts))
