"""A field read: by a row of plt's table, and by a getter in C written for that one field."""

import importlib.util
import subprocess
import sysconfig
import timeit
from pathlib import Path
from types import ModuleType

import traces
from clock import Clock
from shared import Result

import plt

HERE = Path(__file__).resolve().parents[1]
SRC = HERE.parent / "src"
AT_ONCE = 20  # reads in a statement: the loop around it does not count for much
READS = 2_000_000


def compiled() -> ModuleType:
    """The module of getter.c, compiled as the project is."""

    def compile_to(path: Path) -> None:
        for older in path.parent.glob("getter-*"):
            older.unlink()
        command = ["cc", "-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden"]
        command += [f"-I{folder}" for folder in (SRC, sysconfig.get_path("include"))]
        subprocess.run([*command, "-o", path, HERE / "getter.c"], check=True)

    newest = max(file.stat().st_mtime_ns for file in SRC.glob("*/*.[ch]"))
    path = traces.kept(f"getter-{newest}{sysconfig.get_config_var('EXT_SUFFIX')}", compile_to)
    spec = importlib.util.spec_from_file_location("getter", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Tcp(plt.tcp):
    """A type of which attributes may be set."""

    __slots__ = ()


def reads(path: Path, clock: Clock, attribute: str) -> Result:
    compiled().attach(Tcp)
    with plt.trace(path) as trace:
        tcp = next(Tcp(pkt) for pkt in trace if pkt.tcp)
    timer = timeit.Timer("; ".join([f"tcp.{attribute}"] * AT_ONCE), globals={"tcp": tcp})
    with clock:
        timer.timeit(READS // AT_ONCE)
    return {"count": READS, "value": getattr(tcp, attribute)}


def by_table(path: Path, clock: Clock) -> Result:
    return reads(path, clock, "dst_port")


def by_hand(path: Path, clock: Clock) -> Result:
    return reads(path, clock, "dst_port_by_hand")
