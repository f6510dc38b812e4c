"""Interpreters with a GIL of their own, and CPython without one."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import packets
import pytest

FRAMES = [
    packets.ethernet(packets.ipv4(packets.udp(b"x" * 30, ports=(i, 53)))) for i in range(1, 2001)
]
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

# --- Interpreters with a GIL of their own --------------------------------------------------------

# _interpreters.create() makes an isolated one, of 3.13 on; _xxsubinterpreters did before.
ISOLATED = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
def run(code):
    number = interpreters.create()
    failed = None
    try:
        failed = interpreters.run_string(number, code)
    except Exception as error:  # what 3.12 raises
        failed = error
    interpreters.destroy(number)
    return failed
"""
isolated = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="interpreters have one GIL before CPython 3.12"
)
with_datetime = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="CPython 3.12's datetime is for the main interpreter only"
)


def run(code: str, *args: object, **kwargs: float) -> str:
    """What a program in a process of its own prints; nothing else may go wrong."""
    run = packets.child(ISOLATED + code, *args, **kwargs)
    lines = run.stderr.splitlines()  # an import that switches the GIL on says so
    assert [line for line in lines if "interpreter lock (GIL) has been enabled" not in line] == []
    assert run.returncode == 0
    return run.stdout


@isolated
@pytest.mark.parametrize("module", ["ipp", "pldns"])
def test_modules_without_datetime(module: str) -> None:
    assert run(f"print([run('import {module}') for _ in range(3)])") == "[None, None, None]\n"


@isolated
@pytest.mark.parametrize("module", ["plt", "natkit"])
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="CPython's datetime is for all of them")
def test_modules_that_need_datetime_are_refused_in_312(module: str) -> None:
    assert "_datetime does not support loading in subinterpreters" in run(
        f"print(run('import {module}'))"
    )


READS = """
import sys, plt, natkit, pldns, ipp
def work(path):
    with plt.trace(path) as trace:
        ports = [packet.udp.src_port for packet in trace]
    assert ports == list(range(1, 2001)), ports
    assert len(plt.columns(path, ["udp.src_port"]).table()) == 2000  # NumPy is for one of them
    table = natkit.FlowTable()
    assert table.add_trace(path) == 2000
    assert len(table) == 2000
    assert len(natkit.flows([path, path])) == 2000
    assert isinstance(next(iter(table)).src_prefix, ipp.IPprefix)
    assert len(pldns.columns(path).table()) == 2000
"""


@with_datetime
def test_files_are_read_in_isolated_interpreters(tmp_path: Path) -> None:
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    code = f"{READS}\nwork({str(path)!r})"
    assert run(f"print([run({code!r}) for _ in range(3)])") == "[None, None, None]\n"


@with_datetime
def test_files_are_read_at_the_same_time(tmp_path: Path) -> None:
    """Each interpreter has its objects, and its GIL."""
    path = packets.write(tmp_path / "t", packets.pcap(FRAMES))
    code = f"{READS}\nfor _ in range(5):\n    work({str(path)!r})"
    program = f"""
import threading
found = []
threads = [threading.Thread(target=lambda: found.append(run({code!r}))) for _ in range(4)]
for thread in threads:
    thread.start()
{READS}
work({str(path)!r})
for thread in threads:
    thread.join()
print(found)
"""
    assert run(program, timeout=300) == "[None, None, None, None]\n"


@with_datetime
def test_no_threads_are_started_in_isolated_interpreters() -> None:
    """Which allow no daemon threads: what has a choice does without, what has none says so."""
    code = "import plt.shared; assert plt.shared.processors() == 1"
    assert run(f"print(run({code!r}))") == "None\n"
    code = """
from plt._threads import Crew, Work
try:
    Crew(2, "t").give(Work(lambda: None))
except RuntimeError as error:
    assert "daemon threads are disabled" in str(error), error
else:
    raise AssertionError("a thread was started")
"""
    assert run(f"print(run({code!r}))") == "None\n"


@with_datetime
def test_libtrace_is_used_by_the_main_interpreter_only() -> None:
    code = """
import plt
try:
    plt.trace("int:lo").start()
except plt.LibtraceError as error:
    assert "libtrace is used by the main interpreter only" in str(error), error
else:
    raise AssertionError("it was started")
"""
    assert run(f"print(run({code!r}))") == "None\n"


# --- CPython without a GIL -----------------------------------------------------------------------

free_threaded = pytest.mark.skipif(
    not FREE_THREADED, reason="this CPython is not a free-threaded build"
)


@free_threaded
@pytest.mark.parametrize("module", ["ipp", "plt", "natkit", "pldns"])
def test_importing_switches_the_gil_on(module: str) -> None:
    code = f"""
import sys, warnings
print(sys._is_gil_enabled())
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import {module}
print(sys._is_gil_enabled(), {{w.category.__name__ for w in caught}})
"""
    assert run(code) == "False\nTrue {'RuntimeWarning'}\n"


@free_threaded
@pytest.mark.parametrize("module", ["ipp", "plt", "natkit", "pldns"])
def test_no_module_is_imported_where_the_gil_stays_off(module: str) -> None:
    found = subprocess.run(
        [sys.executable, "-X", "gil=0", "-c", f"import {module}"],
        capture_output=True, text=True, check=False, env=packets.environment(),
    )  # fmt: skip
    assert found.returncode == 1
    last = found.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert last.endswith(" needs the GIL, which PYTHON_GIL=0 or -X gil=0 keeps off")
