"""Live captures of interfaces that go down or away, in a network namespace of the test's own."""

import shutil
import subprocess
import sys

import packets
import pytest

FORMATS = ["int", "ring", "pcapint"]

PAIR = """
import socket, subprocess, sys, threading, plt
def ip(*words):
    subprocess.run(["ip", *words], check=True)
for family in "all", "default":
    with open(f"/proc/sys/net/ipv6/conf/{family}/disable_ipv6", "w") as file:
        file.write("1")  # nothing but our frames
ip("link", "add", "near", "type", "veth", "peer", "name", "far")
ip("link", "set", "far", "up")
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
out.bind(("far", 0))
frame = bytes(12) + b"\\x88\\xb5" + bytes(60)  # an ethertype for experiments (IEEE 802)
END = {"down": ("set", "near", "down"), "gone": ("del", "near")}
"""


@pytest.fixture(scope="module")
def namespace() -> list[str]:
    """The command that runs another one in a new network namespace."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("unshare is not installed")
    command = [unshare, "--net", sys.executable, "-c"]
    run = subprocess.run([*command, PAIR], capture_output=True, timeout=60, check=False)
    if run.returncode:
        pytest.skip("network namespaces and veth interfaces are not permitted here")
    return command


def run_in(namespace: list[str], program: str, *args: str) -> str:
    run = subprocess.run(
        [*namespace, PAIR + program, *args],
        capture_output=True, text=True, timeout=60, check=False, env=packets.environment(),
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


LOOP = """
ip("link", "set", "near", "up")
name, how, when = sys.argv[1:]
trace = plt.trace(f"{name}:near")
trace.conf_timeout(30)
trace.start()
def send_and_end():
    for _ in range(20):
        out.send(frame)
    ip("link", *END[how])
if when == "before":
    send_and_end()
else:
    threading.Timer(0.3, send_and_end).start()
count = 0
try:
    for packet in trace:
        count += packet.ethertype == 0x88B5
    print("it ended")
except plt.LibtraceError as error:
    print(error)
print(count, trace.pkt_accepts(), trace.pkt_drops())
try:
    next(trace, None)
    print("it ended")
except plt.LibtraceError as error:
    print(error)
trace.close()
"""


@pytest.mark.parametrize("when", ["before", "while it waits"])
@pytest.mark.parametrize("how", ["down", "gone"])
@pytest.mark.parametrize("name", FORMATS)
def test_an_interface_that_ends(name: str, how: str, when: str, namespace: list[str]) -> None:
    """What it gave before is read, then an error names it, and nothing is printed."""
    error = f"{name}:near: the interface near is {how}, after packet 20"
    out = run_in(namespace, LOOP, name, how, when)
    assert out.splitlines() == [error, "20 20 0", error]


AGAIN = """
ip("link", "set", "near", "up")
trace = plt.trace(f"{sys.argv[1]}:near")
trace.conf_timeout(30)
trace.start()
ip("link", "set", "near", "down")
try:
    next(trace)
except plt.LibtraceError as error:
    print(error)
ip("link", "set", "near", "up")
trace.pause()
trace.start()
out.send(frame)
print(hex(next(trace).ethertype))
trace.close()
"""


@pytest.mark.parametrize("name", FORMATS)
def test_an_interface_that_comes_back(name: str, namespace: list[str]) -> None:
    out = run_in(namespace, AGAIN, name).splitlines()
    assert out == [f"{name}:near: the interface near is down, after packet 0", "0x88b5"]


DOWN_AT_START = """
trace = plt.trace(f"{sys.argv[1]}:near")
trace.conf_timeout(30)
try:
    trace.start()
    next(trace)
except plt.LibtraceError as error:
    print(error)
"""


@pytest.mark.parametrize("name", FORMATS)
def test_an_interface_that_is_down(name: str, namespace: list[str]) -> None:
    out = run_in(namespace, DOWN_AT_START, name)
    assert f"{name}:near" in out
    assert "down" in out or "not up" in out


SENT = """
ip("link", "set", "near", "up")
with plt.trace("int:far") as trace:
    out.send(frame)
    packet = next(trace)
output = plt.output_trace(f"{sys.argv[1]}:near")
output.start_output()
output.write_packet(packet)
ip("link", *END[sys.argv[2]])
try:
    output.write_packet(packet)
    print("it was sent")
except plt.LibtraceError as error:
    print(error)
output.close_output()
"""


@pytest.mark.parametrize("how", ["down", "gone"])
@pytest.mark.parametrize("name", ["int", "ring"])
def test_an_output_to_an_interface_that_ends(name: str, how: str, namespace: list[str]) -> None:
    assert run_in(namespace, SENT, name, how).startswith(f"Couldn't write packet: {name}:near: ")


FAILED_STARTS = """
import os, sys, plt
def start():
    try:
        plt.trace(sys.argv[1]).start()
    except plt.LibtraceError as error:
        return str(error)
assert sys.argv[1] in start()
before = os.listdir("/proc/self/fd")
for _ in range(20):
    start()
print(len(os.listdir("/proc/self/fd")) - len(before))
"""


@pytest.mark.parametrize(
    "uri", ["rt:127.0.0.1:1", "int:nosuch0", "ring:nosuch0", "pcapint:nosuch0"]
)
def test_a_start_that_fails_leaves_nothing_open(uri: str) -> None:
    run = packets.child(FAILED_STARTS, uri)
    assert (run.returncode, run.stdout, run.stderr) == (0, "0\n", "")
