"""Live captures of interfaces that go down or away, in a network namespace of the test's own."""

import packets
import pytest
from live import Namespace

FORMATS = ["int", "ring", "pcapint"]

LOOP = """
END = {"down": ("set", "near", "down"), "gone": ("del", "near")}
ip("link", "set", "near", "up")
name, how, when = sys.argv[1:]
trace = plt.trace(f"{name}:near")
trace.conf_timeout(30)
trace.start()
def send_and_end():
    for _ in range(20):
        out.send(frame)
    ip("link", *END[how])
ending = threading.Timer(0.3, send_and_end)
if when == "before":
    send_and_end()
else:
    ending.start()
count = 0
try:
    for packet in trace:
        count += packet.ethertype == 0x88B5
    print("it ended")
except plt.LibtraceError as error:
    print(error)
print(count, trace.pkt_accepts(), trace.pkt_drops())
if when != "before":
    ending.join()
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
def test_an_interface_that_ends(name: str, how: str, when: str, namespace: Namespace) -> None:
    """What it gave before is read, then an error names it, and nothing is printed.

    Linux takes an interface down before it deletes it, which a read that waits may see.
    """
    error = f"{name}:near: the interface near is {how}, after packet 20"
    first, *rest = namespace.run(LOOP, name, how, when).splitlines()
    assert rest == ["20 20 0", error]
    assert first == error or (when != "before" and first == error.replace("gone", "down"))


AGAIN = """
name, how = sys.argv[1:]
ip("link", "set", "near", "up")
trace = plt.trace(f"{name}:near")
trace.conf_timeout(30)
trace.start()
if how == "gone":
    ip("link", "del", "near")
else:
    ip("link", "set", "near", "down")
try:
    next(trace)
except plt.LibtraceError as error:
    print(error)
if how == "gone":
    out = pair()
ip("link", "set", "near", "up")
trace.pause()
trace.start()
print(hex(next_sent(trace).ethertype))
trace.close()
"""


@pytest.mark.parametrize("how", ["down", "gone"])
@pytest.mark.parametrize("name", FORMATS)
def test_an_interface_that_comes_back(name: str, how: str, namespace: Namespace) -> None:
    out = namespace.run(AGAIN, name, how).splitlines()
    assert out == [f"{name}:near: the interface near is {how}, after packet 0", "0x88b5"]


#: What comes after an interface had gone: it is there again, and a packet is read.
THERE_AGAIN = """
out = pair()
ip("link", "set", "near", "up")
trace.start()
print(hex(next_sent(trace).ethertype))
trace.close()
"""


RECONFIGURED = (
    """
name = sys.argv[1]
ip("link", "set", "near", "up")
trace = plt.trace(f"{name}:near")
trace.conf_timeout(30)
trace.start()
ip("link", "del", "near")
try:
    trace.conf_promisc(True)
except plt.LibtraceError as error:
    print(str(error).rpartition(": ")[0])
print(repr(trace))
try:
    next(trace)
except plt.LibtraceError as error:
    print(error)
"""
    + THERE_AGAIN
)


STARTED_AGAIN = (
    """
name = sys.argv[1]
ip("link", "set", "near", "up")
trace = plt.trace(f"{name}:near")
trace.conf_timeout(30)
trace.start()
trace.pause()
ip("link", "del", "near")
for _ in range(2):
    try:
        trace.start()
    except plt.LibtraceError as error:
        print(str(error).rpartition(": ")[0], trace.pkt_drops())
"""
    + THERE_AGAIN
)


@pytest.mark.parametrize("name", FORMATS)
def test_a_start_may_be_tried_again(name: str, namespace: Namespace) -> None:
    refused = f"Couldn't start trace: {name}:near 0"
    assert namespace.run(STARTED_AGAIN, name).splitlines() == [refused, refused, "0x88b5"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_capture_that_can_not_be_begun_anew_is_paused(name: str, namespace: Namespace) -> None:
    assert namespace.run(RECONFIGURED, name).splitlines() == [
        f"Couldn't configure trace: {name}:near",
        f"<plt.trace '{name}:near': paused, 0 packets read>",
        "Trace not started",
        "0x88b5",
    ]


NO_DESCRIPTORS = """
import os, resource
ip("link", "set", "near", "up")
trace = plt.trace(f"{sys.argv[1]}:near")
trace.conf_timeout(30)
trace.start()
names = [int(name) for name in os.listdir("/proc/self/fd")]
resource.setrlimit(resource.RLIMIT_NOFILE, (max(names), 1 << 12))
try:
    while True:
        os.dup(0)
except OSError:
    pass
sending = threading.Timer(0.3, out.send, [frame])
sending.start()
print(hex(next(trace).ethertype))
sending.join()
trace.close()
"""


@pytest.mark.parametrize("name", FORMATS)
def test_a_capture_goes_on_where_no_descriptor_is_left(name: str, namespace: Namespace) -> None:
    """Whether the interface is there can't be asked then, which says nothing of it."""
    assert namespace.run(NO_DESCRIPTORS, name) == "0x88b5\n"


DOWN_AND_UP = """
ip("link", "set", "near", "up")
trace = plt.trace(f"{sys.argv[1]}:near")
trace.conf_timeout(30)
trace.start()
ip("link", "set", "near", "down")
ip("link", "set", "near", "up")
print(hex(next_sent(trace).ethertype))
trace.close()
"""


@pytest.mark.parametrize("name", FORMATS)
def test_an_interface_that_was_down_and_is_up_again(name: str, namespace: Namespace) -> None:
    assert namespace.run(DOWN_AND_UP, name) == "0x88b5\n"


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
def test_an_interface_that_is_down(name: str, namespace: Namespace) -> None:
    out = namespace.run(DOWN_AT_START, name)
    assert f"{name}:near" in out
    assert "down" in out or "not up" in out


SENT = """
END = {"down": ("set", "near", "down"), "gone": ("del", "near")}
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
def test_an_output_to_an_interface_that_ends(name: str, how: str, namespace: Namespace) -> None:
    assert namespace.run(SENT, name, how).startswith(f"Couldn't write packet: {name}:near: ")


BESIDE_A_THREAD = """
import os, sys, threading, plt
end = threading.Event()
threading.Thread(target=end.wait).start()
for _ in range(3):
    own = os.dup(0)
    try:
        plt.trace(sys.argv[1]).start()
    except plt.LibtraceError as error:
        print(error)
    os.fstat(own)
end.set()
"""


@pytest.mark.parametrize("uri", ["rt:127.0.0.1:1", "rt:nosuch.invalid:1"])
def test_a_start_that_fails_beside_a_thread_closes_nothing_of_that(uri: str) -> None:
    run = packets.child(BESIDE_A_THREAD, uri)
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"Couldn't start trace: {uri}: ") for line in lines)


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
