"""How many processors there are, and crews of threads."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue

import pace
import pytest
from asan import forks

from plt import _threads
from plt._threads import Crew, ForkedError, Work
from plt.shared import processors

# --- Processors ----------------------------------------------------------------------------------


@pytest.fixture
def no_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "cgroup_quota", lambda: sys.maxsize)


@pytest.mark.usefixtures("no_quota")
def test_processors_are_those_of_the_affinity() -> None:
    """In a process of its own: the threads of this one keep theirs."""
    one = min(os.sched_getaffinity(0))
    program = (
        f"import os; os.sched_setaffinity(0, [{one}]); import plt.shared;"
        "print(plt.shared.processors())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "1\n"


@pytest.mark.usefixtures("no_quota")
@pytest.mark.skipif(sys.version_info < (3, 13), reason="-X cpu_count is of Python 3.13")
def test_processors_that_the_user_sets() -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-X",
            "cpu_count=1",
            "-c",
            "import plt.shared; print(plt.shared.processors())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "1\n"


@pytest.mark.usefixtures("no_quota")
def test_processors_where_the_system_tells_little(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("process_cpu_count", "sched_getaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    for count, expected in ((7, 7), (1, 1), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert processors() == expected


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({}, sys.maxsize),
        ({"a/b": "max 100000"}, sys.maxsize),
        ({"a/b": "200000 100000"}, 2),
        ({"a/b": "150000 100000"}, 2),
        ({"a/b": "10000 100000"}, 1),
        ({"a/b": "max 100000", "a": "300000 100000", ".": "400000 100000"}, 3),
        ({"a/b": "nonsense", "a": "500000 100000"}, 5),
        ({"other": "100000 100000"}, sys.maxsize),
    ],
)
def test_quota_of_a_cgroup(tmp_path: Path, quotas: dict[str, str], expected: int) -> None:
    """cpu.max of cgroup v2: microseconds in each period; the least of all levels counts."""
    own = tmp_path / "cgroup"
    own.write_text("3:cpuset:/elsewhere\n0::/a/b\n")
    for name, quota in quotas.items():
        (tmp_path / "root" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name / "cpu.max").write_text(f"{quota}\n")
    assert _threads.cgroup_quota(str(own), str(tmp_path / "root")) == expected


def test_without_cgroups(tmp_path: Path) -> None:
    (tmp_path / "v1").write_text("3:cpuset:/elsewhere\n")
    for name in ("v1", "gone"):
        assert _threads.cgroup_quota(str(tmp_path / name), str(tmp_path)) == sys.maxsize


def test_a_quota_bounds_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setattr(os, "process_cpu_count", lambda: 4, raising=False)
    monkeypatch.setattr(_threads, "cgroup_quota", lambda: 3)
    assert processors() == 3


def test_one_processor_where_no_crew_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """An isolated interpreter allows no daemon threads, and says so where one is made."""

    def disabled(**_: object) -> None:
        raise RuntimeError("daemon threads are disabled in this (sub)interpreter")

    with monkeypatch.context() as patch:
        patch.setattr(_threads.threading, "Thread", disabled)
        _threads._are_daemons_allowed.cache_clear()
        assert processors() == 1
    _threads._are_daemons_allowed.cache_clear()


# --- Crews ---------------------------------------------------------------------------------------


def named(name: str) -> list[threading.Thread]:
    return pace.threads(name)


def test_in_order() -> None:
    """Whichever is done first."""
    crew = Crew(3, "t-order")
    done = [threading.Event() for _ in range(6)]

    def work(n: int) -> int:
        if n + 1 < len(done) and n % 3 < 2:
            assert done[n + 1].wait(pace.NEVER)  # after the next
        done[n].set()
        return n * n

    assert list(crew.in_order(work, range(6), 3)) == [0, 1, 4, 9, 16, 25]
    assert len(named("t-order")) == 3
    crew.close()
    assert named("t-order") == []


def test_no_more_are_in_hand_than_asked_for() -> None:
    begun: list[int] = []
    crew = Crew(4, "t-hand")
    results = crew.in_order(lambda n: begun.append(n) or n, range(100), 5)
    for n in range(10):
        assert next(results) == n
        pace.wait_until(lambda n=n: len(begun) == n + 5)
        time.sleep(0.01)
        assert sorted(begun) == list(range(n + 5))
    crew.close()
    left = list(results)  # what was done already
    assert left == list(range(10, 10 + len(left)))
    assert len(begun) == 14


def test_exceptions_come_in_their_turn() -> None:
    crew = Crew(2, "t-errors")

    def work(n: int) -> int:
        if n == 2:
            raise ZeroDivisionError("two")
        return n

    results = crew.in_order(work, range(5), 5)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError, match="two"):
        next(results)
    crew.close()


def test_a_work_hands_over_what_a_function_gives_and_raises() -> None:
    def three() -> int | None:
        calls.append(1)
        if len(calls) == 2:
            raise ValueError("second")
        return len(calls) if len(calls) < 4 else None

    calls: list[int] = []
    crew = Crew(1, "t-work")
    work: Work[int] = Work(three, room=1)
    crew.give(work)
    pace.wait_until(lambda: len(calls) == 1)
    time.sleep(0.01)
    assert len(calls) == 1  # there is room for no more
    assert crew.take(work) == 1
    with pytest.raises(ValueError, match="second"):
        crew.take(work)
    assert [crew.take(work), crew.take(work)] == [3, None]
    assert len(calls) == 4
    crew.close()


def test_a_work_that_is_given_twice_runs_once() -> None:
    numbers = iter([1, 2, 3, None])
    crew = Crew(2, "t-twice")
    work: Work[int] = Work(lambda: next(numbers))
    for _ in range(2):
        crew.give(work)
    assert [crew.take(work) for _ in range(4)] == [1, 2, 3, None]
    crew.close()


def test_works_are_stopped_and_closed() -> None:
    """By their own functions, which the crew calls: stop at once, close in the thread."""
    told: list[str] = []
    waits = threading.Event()

    def endless() -> int:
        assert waits.wait(pace.NEVER)
        return 1

    def stop() -> None:
        told.append(threading.current_thread().name)
        waits.set()

    work: Work[int] = Work(
        endless, stop=stop, close=lambda: told.append(threading.current_thread().name)
    )
    crew = Crew(1, "t-stop")
    crew.give(work)
    pace.wait_until(lambda: len(named("t-stop")) == 1)
    crew.close()
    assert told == [threading.current_thread().name, "t-stop"]
    assert named("t-stop") == []


def test_a_crew_that_is_dropped_ends_its_threads() -> None:
    crew = Crew(2, "t-drop")
    assert list(crew.in_order(str, range(4), 4)) == ["0", "1", "2", "3"]
    assert len(named("t-drop")) == 2
    del crew
    pace.wait_until(lambda: not named("t-drop"))


def test_patience() -> None:
    """A thread that does not end is left to itself."""
    release = threading.Event()
    crew = Crew(1, "t-patience", patience=0.05)
    begun = threading.Event()

    def waits() -> None:
        begun.set()
        assert release.wait(pace.NEVER)

    crew.give(Work(waits))
    assert begun.wait(pace.NEVER)
    crew.stop()
    crew.close()
    assert len(named("t-patience")) == 1
    release.set()
    pace.wait_until(lambda: not named("t-patience"))


class Full(SimpleQueue):
    """There is no memory for so many items."""

    left = 2

    def put(self, item: object) -> None:
        if self.left > 0:
            self.left -= 1
            raise MemoryError
        super().put(item)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_thread_has_no_memory_to_hand_over_is_an_error() -> None:
    """It is not taken for the end, nor waited for; the thread does the next work."""
    crew = Crew(1, "t-full")
    work: Work[int] = Work(lambda: 5, room=2)
    work.out = Full()
    crew.give(work)
    with pytest.raises(MemoryError):
        crew.take(work)  # neither the item was handed over nor the end
    assert crew.take(work) is None
    after: Work[int] = Work(_threads.once(int, "7"))
    crew.give(after)
    assert crew.take(after) == 7
    crew.close()


def test_a_thread_that_has_no_memory_to_take_a_work_goes_on() -> None:
    class Full:
        """A queue that has no memory for what it gives, once."""

        def __init__(self) -> None:
            self.answers: list[Work[object] | None | Exception] = [MemoryError(), work, None]

        def get(self) -> Work[object] | None:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    work: Work[object] = Work(lambda: None)
    gone = threading.Lock()
    gone.acquire()
    _threads._run(Full(), gone)  # type: ignore[arg-type]
    assert work.ended
    assert not gone.locked()


def test_a_thread_whose_start_failed_late_ends_with_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """start() waits for the thread that it began, and may have no memory for that."""
    start = threading.Thread.start

    def starts_and_fails(thread: threading.Thread) -> None:
        start(thread)
        raise MemoryError

    crew = Crew(2, "t-late")
    work: Work[int] = Work(_threads.once(int, "7"))
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", starts_and_fails)
        with pytest.raises(MemoryError):
            crew.give(work)
    crew.give(work)
    assert crew.take(work) == 7
    assert len(named("t-late")) == 2
    crew.close()
    assert not named("t-late")


def test_no_thread_is_waited_for_where_the_interpreter_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None goes on then: the collector may still end a crew."""
    release, begun = threading.Event(), threading.Event()
    crew = Crew(1, "t-final")
    crew.give(Work(lambda: begun.set() or (release.wait(pace.NEVER) and None)))
    assert begun.wait(pace.NEVER)
    with monkeypatch.context() as patch:
        patch.setattr(_threads.sys, "is_finalizing", lambda: True)
        crew.stop()
    assert len(named("t-final")) == 1
    release.set()
    crew.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@forks
def test_a_forked_process_has_what_was_handed_over() -> None:
    """Then an error; it can end the crew, too."""
    crew = Crew(1, "t-fork")
    numbers = iter(range(100))
    work: Work[int] = Work(lambda: next(numbers), room=3)
    crew.give(work)
    pace.wait_until(lambda: work.out.qsize() == 3)
    child = os.fork()
    if child == 0:
        taken = [crew.take(work) for _ in range(3)]
        try:
            crew.take(work)
        except ForkedError:
            try:
                crew.give(Work(lambda: None))
            except ForkedError:
                crew.close()
                os._exit(7 if taken == [0, 1, 2] else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert [crew.take(work) for _ in range(50)] == list(range(50))
    crew.close()


AT_EXIT = """
import atexit, threading, time
from plt._threads import Crew, Work
def late():
    for thread in threading.enumerate():
        if thread.name == "t-exit":
            thread.join(10)
            assert not thread.is_alive()
    print("ended", calls == len(range(calls)))
atexit.register(late)  # called after what was registered later
calls = 0
def count():
    global calls
    calls += 1
    return calls
crew = Crew(2, "t-exit")
for _ in range(2):
    crew.give(Work(count, room=1000))
print("given", flush=True)
"""


def test_threads_end_before_the_interpreter() -> None:
    run = subprocess.run(
        [sys.executable, "-c", AT_EXIT],
        capture_output=True,
        text=True,
        check=False,
        timeout=pace.NEVER,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "given\nended True\n", "")
