"""Tests that capture on the loopback interface, or in a network namespace of their own."""

import os
import shutil
import socket
import subprocess
import sys

import packets
import pytest


def permitted() -> bool:
    """Whether this process may open packet sockets, and has the loopback interface.

    Not where qemu, which knows not all of their calls, runs another processor's programs: that sets
    PLT_EMULATED.
    """
    if "PLT_EMULATED" in os.environ:
        return False
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
            raw.bind(("lo", 0))
    except (AttributeError, OSError):
        return False
    return True


on_lo = pytest.mark.skipif(not permitted(), reason="capturing on lo needs Linux and CAP_NET_RAW")

#: What a program in a namespace begins with: a veth pair, near and far, on which nobody else talks.
PAIR = """
import socket, subprocess, sys, threading, plt

def ip(*words):
    return subprocess.run(["ip", *words], check=True, stdout=subprocess.PIPE, text=True).stdout

def pair():
    ip("link", "add", "near", "type", "veth", "peer", "name", "far")
    ip("link", "set", "far", "up")
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    out.bind(("far", 0))
    return out

for family in "all", "default":
    with open(f"/proc/sys/net/ipv6/conf/{family}/disable_ipv6", "w") as file:
        file.write("1")  # nothing but our frames
out = pair()
frame = bytes(12) + b"\\x88\\xb5" + bytes(60)  # an ethertype for experiments (IEEE 802)

def next_sent(trace):
    # the first may be lost where the interface has just come up
    read = threading.Event()
    def send():
        while not read.wait(0.05):
            out.send(frame)
    sending = threading.Thread(target=send)
    sending.start()
    try:
        return next(trace)
    finally:
        read.set()
        sending.join()
"""


class Namespace:
    """New network namespaces, each for one program; skips the test where there can be none."""

    def __init__(self) -> None:
        if not shutil.which("unshare") or not shutil.which("ip"):
            pytest.skip("live captures in network namespaces need unshare and ip (iproute2)")
        # who is not root is root of a user namespace, where the system permits those
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self.command = ["unshare", *user, "--net", sys.executable, "-c"]
        run = subprocess.run([*self.command, PAIR], capture_output=True, timeout=60, check=False)
        if run.returncode:
            pytest.skip("live captures in network namespaces need root, or user namespaces")

    def run(self, program: str, *args: object) -> str:
        """What a program prints, which must end well, and say nothing on stderr."""
        run = subprocess.run(
            [*self.command, PAIR + program, *map(str, args)],
            capture_output=True, text=True, timeout=120, check=False, env=packets.environment(),
        )  # fmt: skip
        assert (run.returncode, run.stderr) == (0, "")
        return run.stdout
