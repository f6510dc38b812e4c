"""Live captures in a network namespace: the kernel's counts are those of the trace, whatever is
changed meanwhile."""

import json

import pytest
from live import Namespace

FORMATS = ["int", "ring", "pcapint"]

#: Frames of 60 bytes, the shortest that Ethernet sends without its FCS, by their number.
NUMBERED = """
import json
NUMBER = slice(14, 18)

def numbered(number, ethertype=0x88B5):
    return bytes(12) + ethertype.to_bytes(2, "big") + number.to_bytes(4, "big") + bytes(42)

def send(numbers, ethertype=0x88B5):
    for number in numbers:
        out.send(numbered(number, ethertype))

def number_of(packet):
    return int.from_bytes(bytes(packet)[NUMBER], "big")

def received():  # what the kernel counts
    return json.loads(ip("-j", "-s", "link", "show", "near"))[0]["stats64"]["rx"]

def promiscuity():
    return json.loads(ip("-j", "-d", "link", "show", "near"))[0]["promiscuity"]

def drain():
    numbers = []
    try:
        for packet in trace:
            numbers.append(number_of(packet))
    except plt.LibtraceError as error:
        assert str(error) == "timeout in trace read()", error
    return numbers

ip("link", "set", "near", "up")
trace = plt.trace(f"{sys.argv[1]}:near")
trace.conf_timeout(0.5)
"""


def run(namespace: Namespace, program: str, *args: object) -> list[object]:
    """What a program prints as JSON, line by line."""
    return [json.loads(line) for line in namespace.run(NUMBERED + program, *args).splitlines()]


COUNTED = """
trace.start()
numbers, sizes = [], []
for start in range(0, 20_000, 100):
    send(range(start, start + 100))
    for _ in range(100):
        packet = next(trace)
        numbers.append(number_of(packet))
        sizes.append(packet.capture_len)
print(json.dumps([numbers == list(range(20_000)), sum(sizes), trace.pkt_accepts(),
                  trace.pkt_drops()]))
print(json.dumps([received()["packets"], received()["bytes"]]))
"""


@pytest.mark.parametrize("name", FORMATS)
def test_every_frame_is_counted_once_and_in_order(name: str, namespace: Namespace) -> None:
    trace, kernel = run(namespace, COUNTED, name)
    assert kernel == [20_000, 20_000 * 60]
    assert trace == [True, 20_000 * 60, 20_000, 0]


BURSTS = """
trace.start()
def state():
    print(json.dumps([len(numbers), trace.pkt_accepts(), trace.pkt_drops(),
                      received()["packets"]]))
send(range(20_000))
numbers = drain()
assert numbers == list(range(len(numbers))), "what fits is kept from the first on"
state()
state()  # asking changes nothing
send(range(10))
assert drain() == list(range(10)), "there is room again"
send(range(20_000))
numbers = drain()
state()
trace.pause()
state()
trace.start()
send(range(20_000))
numbers = drain()
state()
trace.close()
print(json.dumps([trace.pkt_accepts(), trace.pkt_drops()]))
"""


@pytest.mark.parametrize("name", FORMATS)
def test_a_burst_beyond_the_ring(name: str, namespace: Namespace) -> None:
    """What does not fit is counted: with what was read it is what the kernel received."""
    first, asked_again, second, paused, third, closed = run(namespace, BURSTS, name)
    held, accepted, drops, received = first
    assert 256 <= held == accepted < 20_000
    assert accepted + drops == received == 20_000
    assert asked_again == first
    for later, sent in ((second, 40_010), (paused, 40_010), (third, 60_010)):
        _, accepted, drops, received = later
        assert accepted + drops == received == sent
        assert drops > 0
    assert closed == third[1:3]


FILTERS = """
both = [plt.filter("ether proto 0x88b5"), plt.filter("ether[12:2] = 0x88b5")]
none = plt.filter("ether proto 0x88b6")
trace.conf_filter(both[0])
trace.start()
numbers = []
for turn in range(60):
    send(range(turn * 50, turn * 50 + 50))
    send(range(50), ethertype=0x88B6)
    numbers += [number_of(next(trace)) for _ in range(25)]
    trace.conf_filter(both[turn % 2])  # with 25 captured and not yet read
    numbers += [number_of(next(trace)) for _ in range(25)]
print(json.dumps([numbers == list(range(3000)), trace.pkt_accepts(), trace.pkt_drops()]))
assert drain() == []  # what the filter rejects is not kept for another
send(range(50))
trace.conf_filter(none)
send(range(50))
print(json.dumps(drain()))
send([7], ethertype=0x88B6)
print(json.dumps(number_of(next(trace))))
"""


@pytest.mark.parametrize("name", FORMATS)
def test_filters_changed_while_it_runs_lose_nothing(name: str, namespace: Namespace) -> None:
    changed, rejected, last = run(namespace, FILTERS, name)
    assert changed == [True, 3000, 0]
    assert rejected == []
    assert last == 7


FLOOD = """
stop = threading.Event()
def flood():
    while not stop.wait(0.002):
        send([0])
trace.conf_filter(plt.filter("ether proto 0x88b6"))
trace.start()
thread = threading.Thread(target=flood)
thread.start()
numbers = drain()  # ends only because its timeout is not put off by what the filter rejects
stop.set()
thread.join()
print(json.dumps([numbers, trace.pkt_accepts()]))
"""


@pytest.mark.parametrize("name", FORMATS)
def test_a_timeout_where_the_filter_rejects_all(name: str, namespace: Namespace) -> None:
    assert run(namespace, FLOOD, name) == [[[], 0]]


SNAPPED = """
trace.conf_snaplen(100)
trace.start()
lengths = []
for length in (60, 99, 100, 101, 1514):
    out.send(numbered(0) + bytes(length - 60))
    packet = next(trace)
    lengths.append([packet.capture_len, packet.wire_len])
print(json.dumps(lengths))
"""


@pytest.mark.parametrize("name", FORMATS)
def test_a_snap_length(name: str, namespace: Namespace) -> None:
    """The wire's length has the FCS's four bytes, which nobody captures."""
    [lengths] = run(namespace, SNAPPED, name)
    assert lengths == [[60, 64], [99, 103], [100, 104], [100, 105], [100, 1518]]


PROMISCUOUS = """
asked = sys.argv[2:]
print(json.dumps(promiscuity()))
for word in asked:
    if word != "default":
        trace.conf_promisc(word == "yes")
    trace.start()
    send([1])
    next(trace)
    print(json.dumps(promiscuity()))
trace.close()
print(json.dumps(promiscuity()))
"""


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("asked", ["yes", "no", "yes no", "no yes", "default"])
def test_promiscuous_mode_is_the_interfaces(name: str, asked: str, namespace: Namespace) -> None:
    """As the kernel says: how many sockets have asked for it."""
    default = int(name != "pcapint")  # libtrace turns it on unless it is told not to
    expected = [{"yes": 1, "no": 0, "default": default}[word] for word in asked.split()]
    assert run(namespace, PROMISCUOUS, name, *asked.split()) == [0, *expected, 0]
