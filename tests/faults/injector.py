"""Runs functions while calls of malloc(), read() and their like fail, one at a time.

`inject.c` has to be preloaded, and PYTHONMALLOC=malloc to be set, so that Python asks malloc().
"""

import contextlib
import ctypes
import errno
import functools
import gc
import os
import pickle
import re
import subprocess
import sys
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import ipp
import pldns
import plt
from natkit import Anonymised, Flow, FlowTable, IPflow, Stream, StreamWay

#: The modules in C.
C_MODULES: list[ModuleType] = [
    sys.modules[f"{name}._{name}"] for name in ("ipp", "plt", "natkit", "pldns")
]

#: Instead of an error: one byte is read or written.
SHORT = -1

#: The kinds of calls, in the order of inject.c, and what each is made to fail with.
KINDS = {
    "memory": [errno.ENOMEM],
    "read": [errno.EIO, errno.EINTR, SHORT],
    "write": [errno.ENOSPC, errno.EINTR, SHORT],
    "open": [errno.EMFILE, errno.EACCES],
    "mmap": [errno.ENOMEM],
    "pthread_create": [errno.EAGAIN],
    "close": [errno.EIO],
    "lseek": [errno.EIO],
    "ioctl": [errno.EPERM],
    "socket": [errno.EMFILE],
}

#: Exceptions for want of memory have one of these words, where they are no MemoryError.
WORDS = ("memory", "can't start new thread", "can't allocate", "ERROR_allocation_failed")

#: Packages that have exceptions of their own for it, some of which say no more.
PACKAGES = ("matplotlib", "pyarrow", "polars", "pyo3_runtime", "backports.zstd")

#: What must not be seen from outside: Python calls again, and so has our code to.
HARMLESS = {errno.EINTR, SHORT}


class Injector:
    """The functions of inject.c."""

    def __init__(self) -> None:
        library = ctypes.PyDLL(None)
        self._call = library.inject_call
        self._call.restype = ctypes.py_object
        self._call.argtypes = [
            ctypes.c_void_p, ctypes.py_object, ctypes.c_int,
            ctypes.c_long, ctypes.c_long, ctypes.c_int,
        ]  # fmt: skip
        self._function = ctypes.cast(ctypes.pythonapi.PyObject_CallNoArgs, ctypes.c_void_p)
        self.seen: Callable[[], int] = library.inject_seen
        self.failed: Callable[[], int] = library.inject_failed
        self.live: Callable[[], int] = library.inject_live
        self.frame = library.inject_frame
        self.frame.restype = ctypes.c_size_t
        self.spare: Callable[[bool], int] = library.inject_spare
        self._way = library.inject_way
        self._way.restype = ctypes.c_uint64
        self._way.argtypes = [ctypes.c_long]
        self._library = library
        for function in (self.seen, self.failed, self.live):
            function.restype = ctypes.c_long  # type: ignore[attr-defined]

    def tell_deaths(self) -> None:
        """Have the process say where it dies, and modules that count their lines write the counts.

        tools/coverage.sh builds such modules.
        """
        libraries = [ctypes.CDLL(module.__file__) for module in C_MODULES]
        calls = [
            ctypes.cast(library.write_counts, ctypes.c_void_p)
            for library in libraries
            if hasattr(library, "write_counts")
        ]
        self._library.inject_tell_deaths((ctypes.c_void_p * len(calls))(*calls), len(calls))

    def note_ways(self) -> None:
        """From now on note by which way through the modules each call comes, while none fails."""
        limits = [limit for module in C_MODULES for limit in Objects().limits(module.__file__)]
        numbers = (ctypes.c_size_t * len(limits))(*limits)
        self._library.inject_note_ways(numbers, len(C_MODULES))

    def ways(self) -> dict[int, list[int]]:
        """The numbers of the calls that were made, by their way through the modules."""
        found: dict[int, list[int]] = {}
        for number in range(1, self.seen() + 1):
            if way := self._way(number):
                found.setdefault(way, []).append(number)
        return found

    def call(
        self, function: Callable[[], object], kind: str, first: int, count: int, error: int
    ) -> object:
        """What a function gives while so many calls fail from the first on; 0 lets none fail."""
        number = list(KINDS).index(kind)
        return self._call(self._function, function, number, first, first + count - 1, error)

    def spare_starts(self) -> None:
        """Have memory to start threads.

        Where CPython has none for that it waits for ever for the thread, or for its own locks.
        """
        start, run = threading.Thread.start, threading.Thread.run

        def start_spared(thread: threading.Thread) -> None:
            self.spare(True)
            try:
                start(thread)
            finally:
                self.spare(False)

        def run_unspared(thread: threading.Thread) -> None:
            self.spare(False)
            run(thread)

        threading.Thread.start = start_spared  # type: ignore[method-assign]
        threading.Thread.run = run_unspared  # type: ignore[method-assign]

    def frames(self, call: int = 0) -> list[int]:
        """The addresses from where a call that failed was made, the innermost first."""
        found: list[int] = []
        while address := self.frame(call, len(found)):
            found.append(address)
        return found


# --- Where a call was made --------------------------------------------------------------------


def owner_of(path: str) -> str:
    """A short name of an executable or library: "natkit", "python", "libldns"."""
    name = Path(path).name
    return re.split(r"[.\-]|\d", name.removeprefix("_"))[0] or name


class Objects:
    """The files that are in the memory of this process."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.rows: list[tuple[int, int, str]] = []
        base: dict[str, int] = {}
        for line in Path("/proc/self/maps").read_text().splitlines():
            limits, _, _, _, _, *path = line.split(maxsplit=5)
            if path and path[0].startswith("/"):
                start, end = (int(limit, 16) for limit in limits.split("-"))
                base.setdefault(path[0], start)
                self.starts.append(start)
                self.rows.append((end, base[path[0]], path[0]))

    def limits(self, path: str) -> tuple[int, int]:
        """Where a file begins and ends."""
        parts = [
            (start, end)
            for start, (end, _, name) in zip(self.starts, self.rows, strict=True)
            if name == path
        ]
        return parts[0][0], parts[-1][1]

    def at(self, address: int) -> tuple[str, int]:
        """The file that an address is of, and the place in it."""
        row = bisect_right(self.starts, address) - 1
        if row < 0 or address >= self.rows[row][0]:
            return "?", address
        return self.rows[row][2], address - self.rows[row][1]


@functools.cache
def line_of(path: str, place: int) -> str:
    """The function and line of a place in a file, as far as its debugging symbols tell."""
    command = ["addr2line", "-Cfse", path, hex(place - 1)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    function, _, line = run.stdout.strip().partition("\n")
    return f"{function or '??'} ({line.split(' ')[0] or Path(path).name})"


#: Where others leak when out of memory, as regular expressions for the functions that call
#: malloc(), a line each.  ldns: half a buffer, fields that it has no room for.  lz4 4.4: a context
#: that it has no capsule for, what it has of one.  NumPy: a type of times without a unit.  CPython
#: 3.11: frames whose cell or generator can't be made, picklers, what these load and have no room
#: for, a list or tuple for whose items an empty list has none, the first item of a dictionary, and
#: the state of a thread that can't be started.
LEAKS = (
    "ldns_buffer_new", "ldns_wire2rdf",
    r"PyCapsule_New .*\ncfunction_vectorcall_NOARGS ", "LZ4F_malloc", "LZ4F_calloc",
    "_datetime_dtype_metadata_clone",
    "PyCell_New", "make_gen", "_Pickler_New", "_Unpickler_New", "Pdata_grow",
    "list_preallocate_exact", "insert_to_emptydict", "PyThread_start_new_thread",
)  # fmt: skip

#: What is passed over on the way from a call that failed to whose it was.
BELOW = ("inject", "libc", "libpython", "python")


def is_of_the_interpreter(frames: list[int]) -> bool:
    """Whether CPython's evaluation loop made the call for itself: a frame, a traceback."""
    for address in frames:
        path, place = place_of(address)
        if owner_of(path) not in BELOW:
            return False
        if line_of(path, place).startswith(("_PyEval_EvalFrame", "PyTraceBack_Here")):
            return True
    return True


@functools.cache
def place_of(address: int) -> tuple[str, int]:
    """The file that an address is of, and the place in it."""
    return Objects().at(address)


def described(frames: list[int]) -> tuple[str, list[str]]:
    """Whose call it was: that of the innermost frame beyond the C library; and the frames."""
    places = [place_of(address) for address in frames]
    owners = [owner_of(path) for path, _ in places]
    whose = next((one for one in owners if one not in ("inject", "libc")), "?")
    told = [
        f"{owner}: {line_of(path, place)}"
        for owner, (path, place) in zip(owners, places, strict=True)
        if owner != "inject"
    ]
    return whose, told


# --- What a call gives ------------------------------------------------------------------------


def digest(value: object) -> object:
    """A value that can be compared with that of another run."""
    match value:
        case plt.packet():
            return type(value).__name__, bytes(value) if value else b"", value.info()
        case plt.Table():
            return {name: digest(value[name]) for name in value}
        case FlowTable():
            return value.packets, sorted(map(digest, value))
        case Flow():
            return value.fwd_key, value.rev_key, value.packets, value.bytes, value.first_time_ns
        case IPflow():
            return repr(value)
        case Stream():
            return str(value.src_prefix), value.src_port, digest(value.fwd), digest(value.rev)
        case StreamWay():
            return bytes(value.data), value.is_whole
        case ipp.IPprefix():
            return str(value)
        case Anonymised():
            return int(value), value.unknown
        case pldns.ldns():
            return value.status
        case pldns.ldnsrr():
            return value.str
        case memoryview():
            return value.tobytes()
        case dict():
            return {key: digest(item) for key, item in value.items()}
        case list() | tuple():
            return [digest(item) for item in value]
        case BaseException():
            return type(value), re.sub(r"0x[0-9a-f]+", "0x", str(value))
        case None | bool() | int() | float() | str() | bytes() | bytearray() | type():
            return value
    return digest(value.tolist()) if hasattr(value, "tolist") else type(value)


@dataclass
class Outcome:
    """What a call gave, or the exception that it raised."""

    value: object = None
    raised: type[BaseException] | None = None
    text: str = ""

    def __str__(self) -> str:
        if self.raised is None:
            return repr(self.value)[:200]
        return f"{self.raised.__name__}: {self.text}"

    def is_numpys(self) -> bool:
        """Whether NumPy, which had no memory for a buffer, took an object for a sequence."""
        return self.raised is NotImplementedError and "multi-dimensional sub-views" in self.text

    def is_a_capsules(self) -> bool:
        """Whether PyCapsule_Import() had no memory for a name: it says that there is no module."""
        return self.raised is ImportError and self.text.startswith("PyCapsule_Import could not")

    def is_for(self, kind: str, error: int) -> bool:
        """Whether this is the right exception where a call of a kind fails with an error."""
        if error in HARMLESS or self.raised is None:
            return False
        if self.raised.__module__.startswith(PACKAGES):
            return True
        if kind in ("memory", "mmap") and issubclass(self.raised, MemoryError):
            return True
        if kind == "memory" and issubclass(self.raised, pickle.PickleError):
            return True
        if kind == "memory":
            kinds = (plt.LibtraceError, OSError, RuntimeError, ValueError)
            named = issubclass(self.raised, kinds)
            said = named and any(word in self.text for word in WORDS)
            return said or self.is_numpys() or self.is_a_capsules()
        if kind == "pthread_create":
            return issubclass(self.raised, RuntimeError) and "can't start" in self.text
        named = issubclass(self.raised, (plt.LibtraceError, OSError))
        return named and bool(self.text)


def outcome_of(call: Callable[[], object]) -> Outcome:
    """What a call gives or raises, to be compared."""
    try:
        value = call()
    except BaseException as error:
        raised, text = digest(error)
        return Outcome(raised=raised, text=text)
    return Outcome(digest(value))


# --- Scenarios --------------------------------------------------------------------------------


def nothing() -> None:
    """What a scenario has that needs nothing made before."""


@dataclass(frozen=True)
class Scenario:
    """A call, what it is made with, and the public names that it uses.

    Where `again` is true the call is made again with the same things after it failed, and gives
    what it gives where nothing fails; else with new things: a trace that is read is not as it was.
    """

    name: str
    call: Callable[..., object]
    make: Callable[[], object] = nothing
    covers: tuple[str, ...] = ()
    again: bool = True
    #: That calls of other threads are counted, too, of which there is another number each time.
    threads: bool = False


@dataclass
class Finding:
    """Something that is not as it should be."""

    scenario: str
    kind: str
    error: int
    number: int
    count: int
    what: str
    whose: str = ""
    frames: tuple[str, ...] = ()

    def __str__(self) -> str:
        failing = f"{self.kind} {self.number}" + (f" to {self.number + self.count - 1}") * (
            self.count > 1
        )
        error = "short" if self.error == SHORT else errno.errorcode.get(self.error, "")
        lines = [f"{self.scenario}: {failing} ({error}; {self.whose}): {self.what}"]
        return "\n".join([*lines, *(f"    {frame}" for frame in self.frames[:14])])


def settle() -> None:
    """Free what nothing uses: garbage, and names that Python remembers from attributes."""
    clear = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
    clear()
    gc.collect()


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """The collector comes when it is called, and looks at what is made from now on."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


class Trial:
    """A scenario, run again and again."""

    def __init__(self, injector: Injector, scenario: Scenario) -> None:
        self.injector = injector
        self.scenario = scenario
        self.others_leak = False  # whether others left memory or files behind in the last step
        for _ in range(3):  # what is made once for all calls is made before
            self.expected = self.run_once()

    def run_once(self) -> Outcome:
        """The call as it should be."""
        made = self.scenario.make()
        return outcome_of(
            functools.partial(self.injector.call, self.bound(made), "memory", 0, 0, 0)
        )

    def bound(self, made: object) -> Callable[[], object]:
        call = self.scenario.call
        return call if made is None else functools.partial(call, made)

    def count(self, kind: str) -> int:
        """How many calls of a kind are made."""
        call = self.bound(self.scenario.make())
        outcome_of(lambda: self.injector.call(call, kind, 0, 0, 0))
        return self.injector.seen()

    def attempt(self, kind: str, first: int, count: int, error: int) -> tuple[int, str]:
        """How many calls failed, and what is wrong with what came of it, "" where nothing is."""
        made = self.scenario.make()
        call = self.bound(made)
        got = outcome_of(lambda: self.injector.call(call, kind, first, count, error))
        failed = self.injector.failed()
        if got == self.expected or self.is_by_cpython(got):
            return failed, ""
        if not got.is_for(kind, error):
            return failed, f"gave {got} instead of {self.expected}"
        if not self.scenario.again or kind != "memory":
            del made, call
            made = self.scenario.make()
            call = self.bound(made)
        then = outcome_of(call)
        return failed, "" if then == self.expected else f"then gave {then}, not {self.expected}"

    def is_by_cpython(self, got: Outcome) -> bool:
        """Whether CPython forgot to raise MemoryError for a frame or traceback of its own."""
        return (
            got.raised is SystemError
            and "without" in got.text
            and any(is_of_the_interpreter(self.injector.frames(n)) for n in range(4))
        )

    def grows(self, attempt: Callable[[], object]) -> int:
        """How many blocks of memory each attempt leaves, at least.

        What grows in the first attempts only is no leak: free lists of 16 objects are full by then.
        With fewer objects in such lists another call is the one that fails.  Where others leave an
        object behind then, it does not count, and the list gets another one.
        """
        left = []
        for collected, times in ((False, 3), (True, 24)):
            for _ in range(times):
                if collected:
                    settle()
                before = self.injector.live()
                attempt()
                if self.is_others_leak():
                    self.others_leak = True
                    self.run_once()
                    continue
                if collected:
                    settle()
                grown = self.injector.live() - before
                if grown <= 0:
                    return 0
                if collected:
                    left.append(grown)
        return min(left, default=0)

    def step(self, kind: str, first: int, count: int, error: int) -> tuple[int, list[str]]:
        """An attempt, and whatever is wrong with it."""
        before, files = self.injector.live(), descriptors()
        self.others_leak = False
        failed, wrong = self.attempt(kind, first, count, error)
        problems = [wrong] if wrong else []
        if self.injector.live() > before:
            left = self.grows(lambda: self.attempt(kind, first, count, error))
            if left:
                problems.append(f"leaves {left} blocks of memory each time")
        if descriptors() > files and not (self.others_leak or self.is_others_leak()):
            gc.collect()
            if descriptors() > files:
                problems.append(f"leaves open files: {sorted(descriptors() - files)}")
        return failed, problems

    def is_others_leak(self) -> bool:
        """Whether a call was made where others leave behind what they had made."""
        for call in range(2):
            places = [place_of(address) for address in self.injector.frames(call)[:8]]
            lines = "\n".join(line_of(*place) for place in places)
            if re.search(rf"^({'|'.join(LEAKS)})", lines, re.MULTILINE):
                return True
        return False

    def origin(self) -> tuple[str, list[str]]:
        """Whose the call was that failed, and its frames."""
        return described(self.injector.frames())

    def owner(self) -> str:
        """Whose the call was that failed."""
        owners = [owner_of(place_of(address)[0]) for address in self.injector.frames()]
        return next((one for one in owners if one not in ("inject", "libc")), "?")


def descriptors() -> set[str]:
    """The files that this process has open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add(f"{name}: {os.readlink('/proc/self/fd/' + name)}")
    return {one for one in found if "/fd" not in one}
