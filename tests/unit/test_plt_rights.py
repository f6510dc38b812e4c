"""Live captures by a process that may not capture."""

import shutil
import socket
import subprocess
import sys

import packets
import pytest
from live import on_lo

import plt

CODE = """
import socket, sys
import plt

try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
except PermissionError:
    pass
else:
    sys.exit("may capture")
source = plt.output_trace(sys.argv[1]) if sys.argv[2] == "out" else plt.trace(sys.argv[1])
if sys.argv[2] == "promiscuous":
    source.conf_promisc(True)
try:
    source.start_output() if sys.argv[2] == "out" else source.start()
except (OSError, plt.LibtraceError) as error:
    print(type(error).__name__, error)
"""


def without_rights(uri: str, how: str) -> str:
    """What an unprivileged process says that starts a trace; skips where this is not one."""
    command = [sys.executable, "-c", CODE, uri, how]
    if shutil.which("setpriv"):
        dropped = ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw", *command]
        run = subprocess.run(dropped, capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return run.stdout
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip(f"CAP_NET_RAW cannot be given up: {run.stderr.strip()}")
    return run.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize("name", ["int", "ring", "pcapint"])
@pytest.mark.parametrize("how", ["plain", "promiscuous"])
def test_a_capture_names_the_capability_that_it_lacks(name: str, how: str) -> None:
    # packet(7): packet sockets need CAP_NET_RAW, and PACKET_MR_PROMISC no other
    said = without_rights(f"{name}:lo", how)
    assert said.startswith(f"LibtraceError Couldn't start trace: {name}:lo: ")
    assert "capturing needs the capability CAP_NET_RAW" in said


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_output_to_an_interface_names_it_too() -> None:
    said = without_rights("int:lo", "out")
    assert "Operation not permitted: sending needs the capability CAP_NET_RAW" in said


@on_lo
def test_output_to_an_interface_that_is_not_there() -> None:
    output = plt.output_trace("int:no-such-one")
    with pytest.raises(plt.LibtraceError, match="int:no-such-one: No such device"):
        output.start_output()


def test_output_to_an_interface_where_there_are_no_packet_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on all systems but Linux."""
    monkeypatch.delattr(socket, "AF_PACKET", raising=False)
    with pytest.raises(plt.LibtraceError, match="int:lo: this system has no packet sockets"):
        plt.output_trace("int:lo").start_output()


NO_DESCRIPTORS = """
import os, resource, sys, plt
trace = plt.trace(sys.argv[1])
try:
    plt.trace("/none").start()  # which imports what the other needs
except plt.LibtraceError:
    pass
resource.setrlimit(resource.RLIMIT_NOFILE, (32, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = []
try:
    while True:
        held.append(os.dup(0))
except OSError:
    pass
try:
    trace.start()
except plt.LibtraceError as error:
    said = str(error)
os.close(held.pop())
print(said)
"""


@on_lo
@pytest.mark.parametrize("uri", ["int:lo", "ring:lo", "pcapint:lo", "rt:127.0.0.1:1"])
def test_a_capture_without_descriptors_lacks_no_capability(uri: str) -> None:
    run = packets.child(NO_DESCRIPTORS, uri)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"Couldn't start trace: {uri}: ")
    assert "CAP_NET_RAW" not in run.stdout
