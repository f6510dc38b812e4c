"""Try the installed wheel in a system that has Python and none of the wheel's libraries.

usage: python3 try_wheel.py FOLDER      as root: it captures on lo

FOLDER has tutorial/ and tests/tutorial/expected/ as the project has them.
"""

import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

import ipp
import natkit
import pldns
import plt

PROGRAMS = ["p01_read_test", "p09_pldns_demo", "p15_find_biggest_flows"]
#: The first address of the trace that comes with the paper's program, and what that makes of it.
KEY = bytes.fromhex("1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202")
PLAIN, ANONYMISED = "128.11.68.132", "135.242.180.132"
#: linux/sockios.h and linux/if.h
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def run_programs(folder: Path) -> None:
    """Run programs of the tutorial, and compare what they print with what is expected."""
    for name in PROGRAMS:
        number = name.partition("_")[0]
        printed = subprocess.run(
            [sys.executable, folder / "tutorial" / f"{name}.py"],
            stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
        expected = (folder / "tests" / "tutorial" / "expected" / f"{number}.txt").read_text()
        if printed != expected:
            sys.exit(f"{name} prints\n{printed}\nand not\n{expected}")
        print(f"{number} prints what it should: {len(printed.splitlines())} lines")


def anonymise() -> None:
    """Map an address with AES, which the wheel has of libcrypto."""
    mapped = natkit.CryptoPan(KEY).anonymise(ipp.from_s(PLAIN))
    if mapped != ipp.from_s(ANONYMISED):
        sys.exit(f"{PLAIN} becomes {mapped}, not {ANONYMISED}")
    print(f"{PLAIN} becomes {mapped}")


def bring_up(interface: str) -> None:
    """Bring the interface up, as `ip link set dev lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", interface.encode(), 0)
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)
        (flags,) = struct.unpack_from("h", answer, 16)
        if not flags & IFF_UP:
            request = struct.pack("16sh14x", interface.encode(), flags | IFF_UP)
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def capture(uri: str) -> None:
    """Capture ten datagrams that are sent to ourselves."""
    payloads = [f"datagram {n} for {uri}".encode() for n in range(10)]
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
        plt.trace(uri) as trace,
    ):
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]
        trace.conf_filter(plt.filter(f"udp dst port {port}"))
        trace.conf_timeout(60)
        trace.start()
        for payload in payloads:
            source.sendto(payload, ("127.0.0.1", port))
        # on lo a datagram may show twice: as it leaves, and as it arrives
        captured: dict[bytes, None] = {}
        for packet in trace:
            udp = packet.udp
            data = udp.payload if udp else None
            captured[bytes(data.data) if data else b""] = None
            if len(captured) == len(payloads):
                break
    if list(captured) != payloads:
        sys.exit(f"{uri} gives {list(captured)}")
    print(f"{uri}: {len(captured)} datagrams captured")


def libraries_are_carried() -> None:
    """Each library that is not the system's own was loaded from the wheel."""
    mapped = {
        Path(line.split()[5])
        for line in Path("/proc/self/maps").read_text().splitlines()
        if ".so" in line
    }
    of_wheel = {path for path in mapped if path.parent.name == "python_libtrace.libs"}
    stems = {path.name.partition("-")[0] for path in of_wheel}
    if not {"libtrace", "libwandio", "libpcap"} <= stems:
        sys.exit(f"of the wheel's libraries only {sorted(stems)} were loaded")
    for module in (ipp, plt, natkit, pldns):
        print(module.__name__, "of", module.__file__)
    print("loaded:", *sorted(path.name for path in of_wheel))


if __name__ == "__main__":
    print(f"Python {sys.version.partition(' ')[0]}")
    run_programs(Path(sys.argv[1]))
    anonymise()
    bring_up("lo")
    for live in ("int:lo", "ring:lo", "pcapint:lo"):
        capture(live)
    libraries_are_carried()
