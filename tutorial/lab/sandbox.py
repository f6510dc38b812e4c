"""The sandbox: namespaces in which all of the lab lives, so that nothing of it can stay behind.

The lab runs as process 1 of a PID namespace, in a mount namespace and a UTS namespace of its own,
and its files lie in a tmpfs there. When process 1 ends, for whatever reason, the kernel kills every
process of the lab, and with the last of them go the network namespaces and the files. The machine's
own interfaces are out of reach: after the packages are fetched, process 1 itself moves into an
empty network namespace.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import FrameType

from wire import CLONE_NEWNET

LAB = Path("/run/lab")
ROOT = LAB / "root"
CONF = LAB / "conf"
STATE = LAB / "state"
WWW = LAB / "www"
ZONES = LAB / "zones"

# What a command in a node's namespace runs first: its own resolver and hosts file.
ENTER = f"""mount --bind {CONF}/resolv.$0 /etc/resolv.conf
mount --bind {CONF}/hosts /etc/hosts
exec "$@"
"""


def start(arguments: list[str]) -> int:
    """Run this program again with `--inside` as process 1 of a new sandbox; its exit status."""
    # Should this process die of SIGKILL, unshare gets one too, and by --kill-child process 1.
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--uts", "--ipc"]
    command += ["--fork", "--kill-child", "--mount-proc", sys.executable]
    child = subprocess.Popen([*command, *arguments, "--inside"], start_new_session=True)

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        return child.wait()
    finally:
        child.kill()
        child.wait()


def settle() -> None:
    """Make this process's mount namespace the lab's: a tmpfs on /run, a neutral host name."""
    # On many systems /etc/resolv.conf points below /run. Packages are still to be fetched.
    resolver = Path("/etc/resolv.conf")
    nameservers = resolver.read_bytes()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", "/run"], check=True)
    real = resolver.resolve()
    if not real.exists():
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(nameservers)
    socket.sethostname("lab")
    for folder in (LAB, ROOT, CONF, STATE, WWW, ZONES, Path("/run/netns")):
        folder.mkdir()


def leave_network() -> None:
    """Move this process into an empty network namespace, away from the machine's interfaces."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare of the network")


def use_unpacked_packages() -> None:
    """Let this process and its children find the programs and libraries of the packages."""
    programs = [str(ROOT / d) for d in ("usr/sbin", "usr/bin", "sbin", "bin")]
    os.environ["PATH"] = ":".join([*programs, os.environ["PATH"], "/usr/sbin", "/sbin"])
    libraries = [str(p) for d in ("usr/lib", "lib") for p in ROOT.glob(d + "/*-linux-gnu*")]
    os.environ["LD_LIBRARY_PATH"] = ":".join(libraries)
    os.environ.update(LC_ALL="C.UTF-8", TZ="UTC", HOME=str(STATE))
    # No MIB files are needed for numbers, and the agent's state is not the machine's.
    os.environ.update(MIBS="", SNMP_PERSISTENT_DIR=str(STATE / "snmp"))


def inside(node: str, *command: str) -> list[str]:
    """`command` as it is to be run to run in the network namespace of `node`."""
    return ["ip", "netns", "exec", node, "sh", "-c", ENTER, node, *command]


def run(*command: str, given: str | None = None, cwd: Path | None = None) -> str:
    """Run a command to its end; its output. SystemExit with its complaint if it fails."""
    done = subprocess.run(
        command, input=given, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def start_daemon(name: str, *command: str) -> subprocess.Popen[bytes]:
    """Start a process that stays until the sandbox ends; what it says goes to STATE/name.log."""
    with (STATE / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
