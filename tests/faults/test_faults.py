"""Every public name has a scenario, what goes wrong is found, and what was mended stays so.

`make faults` runs all scenarios, with every call.
"""

import os
import subprocess
import sys
from pathlib import Path

import live
import pytest

HERE = Path(__file__).resolve().parent
RUN = HERE / "run.py"

pytestmark = pytest.mark.skipif(
    "PLT_ASAN" in os.environ or not sys.platform.startswith("linux"),
    reason="the allocator that fails stands before glibc's, where a sanitizer has its own",
)


def run(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)


UNCOVERED = f"""
import sys
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}]
import scenarios
print(*sorted(scenarios.uncovered()))
"""


def test_every_public_name_has_a_scenario() -> None:
    done = run("-c", UNCOVERED)
    assert (done.stdout.strip(), done.stderr) == ("", "")


FOUND = f"""
import sys
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}]
import run
run.with_injector()
import injector

kept = []

def swallows():
    try:
        return bytes(1000)
    except MemoryError:
        return None

def leaves():
    try:
        return bytes(1000)
    except MemoryError:
        kept.append(bytes(100))
        raise

def loses(left):
    left.pop()
    return bytes(1000) and len(left)

tool = injector.Injector()
for call, make in (swallows, injector.nothing), (leaves, injector.nothing), (loses, lambda: [1, 2]):
    trial = injector.Trial(tool, injector.Scenario(call.__name__, call, make))
    problems = []
    with injector.without_collector():
        for first in range(1, trial.count("memory") + 1):
            problems += trial.step("memory", first, 1, 12)[1]
    print(call.__name__, *problems, sep="; ")
"""


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    """A wrong value, memory that is kept, and a call that can't be made again."""
    program = tmp_path / "found.py"
    program.write_text(FOUND)
    done = run(program)
    swallows, leaves, loses = done.stdout.splitlines()
    assert "gave None instead of b'" in swallows
    assert "blocks of memory each time" in leaves
    assert "then gave 0, not 1" in loses
    assert done.stderr == ""


WAYS = f"""
import sys
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}]
import run
run.with_injector()
import injector, ipp

prefix = ipp.from_s("192.0.2.1")

def call():
    bytes(1000)
    for _ in range(50):
        str(prefix)

tool = injector.Injector()
tool.note_ways()
trial = injector.Trial(tool, injector.Scenario("ways", call))
made = trial.count("memory")
ways = tool.ways()
left = run.Ways(1).left((0, 12, 1), ways)
print([len(numbers) for numbers in ways.values()], len(left), made >= left[-1][0])
"""


def test_calls_by_the_same_way_are_one(tmp_path: Path) -> None:
    """A str takes one block of memory, in one place; what Python does for itself is no way."""
    program = tmp_path / "ways.py"
    program.write_text(WAYS)
    done = run(program)
    assert (done.stdout, done.stderr) == ("[50] 2 True\n", "")


UNREADABLE = f"""
import errno, sys
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}]
import run
run.with_injector()
import injector, scenarios

tool = injector.Injector()
call = scenarios.ALL["live: int"].call
for error in errno.EIO, errno.EINTR:
    print(injector.outcome_of(lambda: tool.call(call, "read", 1, 1, error)), tool.failed())
"""


@live.on_lo
def test_an_interface_that_cannot_be_read(tmp_path: Path) -> None:
    """An exception says why, where libtrace ends the trace; an interrupted call is made again."""
    program = tmp_path / "unreadable.py"
    program.write_text(UNREADABLE)
    failed, interrupted = run(program).stdout.splitlines()
    assert failed.startswith("LibtraceError: int:lo: Input/output error")
    assert failed.endswith(" 1")
    assert interrupted == "b'captured' 1"


MENDED = [
    "plt.filter() 1",  # compiled for another link type, and kept so
    "plt.where() 2",  # Python was called with an exception set
    "plt.trace() 3",  # asked for readinto() in place of readinto1()
    "next() of t.pcap",  # packets were lost, and an interface of pcapng
    "record MD 1",  # fields were left out
    "record IPSECKEY 2",  # was printed in another form
    "plt.output_trace() 1",  # a descriptor was left open
]


@pytest.mark.parametrize("name", MENDED)
def test_mended(name: str) -> None:
    done = run(RUN, "--jobs", 1, "--limit", 300, name)
    assert done.returncode == 0, done.stdout
    assert " 0 findings" in done.stdout
