"""pldns.columns(reassemble=True): messages that several packets bring."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import EPOCH, TCP, UDP, V4, Record, ethernet, ipv4, ipv6, pcap, tcp, udp, write

import pldns
import plt

SYN, ACK, FIN = 2, 16, 1
CLIENT = 40000
FIELDS = ("time", "src_port", "length", "id", "qr", "ancount", "qname", "status", "wire_len")
DNS = Path(__file__).parents[2] / "tutorial" / "traces" / "dns-1k.pcap.gz"
SECOND = 10**9

Row = dict[str, object]


def message(ident: int, answers: int = 0) -> bytes:
    """A query for the addresses of x.test, or a response of 24 + 16 * answers bytes."""
    flags = 0x8180 if answers else 0x0100
    header = struct.pack(">6H", ident, flags, 1, answers, 0, 0)
    question = b"\1x\4test\0" + struct.pack(">HH", 1, 1)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + b"\xc0\0\2\1"
    return header + question + answer * answers


def framed(*messages: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(m)) + m for m in messages)


def segment(
    payload: bytes, seq: int, sec: int = 0, *, flags: int = ACK, back: bool = True
) -> Record:
    """From the server, unless it is not back."""
    ports = (53, CLIENT) if back else (CLIENT, 53)
    packet = ethernet(ipv4(tcp(payload, ports=ports, seq=seq % 2**32, flags=flags), TCP))
    return Record(packet, sec=EPOCH + sec)


def opening(seq: int = 999) -> Record:
    return segment(b"", seq, flags=SYN | ACK)


def rows(path: Path, records: list[Record], **settings: object) -> list[Row]:
    write(path / "trace.pcap", pcap(records))
    return rows_of(path / "trace.pcap", **settings)


def rows_of(source: object, **settings: object) -> list[Row]:
    columns = pldns.columns(source, FIELDS, reassemble=True, **settings)  # type: ignore[arg-type]
    table = columns.table()
    values = [table[name].tolist() for name in FIELDS]
    return [dict(zip(FIELDS, row, strict=True)) for row in zip(*values, strict=True)]


def found(rows: list[Row]) -> list[tuple[object, object]]:
    return [(row["id"], row["status"] == 0) for row in rows]


# --- TCP --------------------------------------------------------------------------------------


def test_a_message_comes_with_its_last_byte(tmp_path: Path) -> None:
    whole = framed(message(7, 100))
    records = [opening()] + [
        segment(whole[at : at + 500], 1000 + at, sec) for sec, at in enumerate(range(0, 1700, 500))
    ]
    (row,) = rows(tmp_path, records)
    assert row["id"] == 7
    assert row["length"] == 24 + 16 * 100
    assert row["ancount"] == 100
    assert row["qname"] == "x.test."
    assert row["status"] == 0
    assert row["time"] == (EPOCH + 3) * SECOND
    assert row["wire_len"] == 14 + 20 + 20 + (2 + 24 + 1600 - 1500) + 4  # with the FCS


def test_the_segment_that_fills_a_hole_completes_messages(tmp_path: Path) -> None:
    stream = framed(message(1, 3), message(2, 3), message(3, 3))
    records = [
        opening(),
        segment(stream[:10], 1000, 1),
        segment(stream[40:], 1040, 2),
        segment(stream[10:40], 1010, 3),
    ]
    assert [(row["id"], row["time"]) for row in rows(tmp_path, records)] == [
        (ident, (EPOCH + 3) * SECOND) for ident in (1, 2, 3)
    ]


@st.composite
def segmentations(draw: st.DrawFn) -> tuple[int, list[int], list[tuple[int, int]], bytes]:
    """A first sequence number, messages by their number of answers, and the parts that are sent."""
    answers = draw(st.lists(st.integers(0, 20), min_size=1, max_size=6))
    stream = framed(*(message(i, count) for i, count in enumerate(answers)))
    cuts = sorted(draw(st.sets(st.integers(1, len(stream) - 1), max_size=12)))
    parts = list(zip([0, *cuts], [*cuts, len(stream)], strict=True))
    again = draw(st.lists(st.sampled_from(parts), max_size=4))
    return draw(st.integers(0, 2**32 - 1)), answers, draw(st.permutations(parts + again)), stream


@given(segmentations())
def test_any_segmentation_gives_the_same_messages(
    tmp_path_factory: pytest.TempPathFactory,
    sent: tuple[int, list[int], list[tuple[int, int]], bytes],
) -> None:
    seq, answers, parts, stream = sent
    records = [opening(seq - 1)]
    records += [segment(stream[start:end], seq + start) for start, end in parts]
    for batch in (1, 1000):
        result = rows(tmp_path_factory.mktemp("trace"), records, batch=batch)
        assert [(row["id"], row["ancount"], row["status"]) for row in result] == [
            (i, count, 0) for i, count in enumerate(answers)
        ]


def test_lost_bytes_cost_the_message_that_has_them(tmp_path: Path) -> None:
    stream = framed(message(1, 3), message(2, 30), message(3, 3))
    hole = slice(200, 300)  # within the second
    records = [
        opening(),
        segment(stream[: hole.start], 1000, 1),
        segment(stream[hole.stop :], 1000 + hole.stop, 2),
    ]
    result = rows(tmp_path, records)
    assert found(result) == [(1, True), (2, False), (3, True)]
    assert [row["length"] for row in result] == [72, 504, 72]


def test_a_lost_prefix_costs_no_later_segment(tmp_path: Path) -> None:
    one, two, three = (framed(message(i, 3)) for i in (1, 2, 3))
    stream = one + two + three
    resumes = len(one + two)
    records = [
        opening(),
        segment(one, 1000, 1),
        segment(stream[len(one) + 10 : resumes], 1000 + len(one) + 10, 2),
        segment(three, 1000 + resumes, 3),
    ]
    assert found(rows(tmp_path, records)) == [(1, True), (3, True)]


@pytest.mark.parametrize("later", [0, 1])
@pytest.mark.parametrize("start", [[opening()], []])
def test_lengths_in_segments_of_their_own(start: list[Record], later: int, tmp_path: Path) -> None:
    """After lost bytes, and in the midst of a connection; tshark finds them too."""
    query = framed(message(1))
    records = [*start]
    for seq in (1000 + len(query), 1000 + 2 * len(query)):  # the first was lost
        records += [segment(query[:2], seq), segment(query[2:], seq + 2, later)]
    assert found(rows(tmp_path, records)) == [(1, True), (1, True)]


@pytest.mark.parametrize("later", [[], [segment(framed(message(2)), 3000)]])
def test_two_bytes_that_are_no_length(later: list[Record], tmp_path: Path) -> None:
    """Nothing follows them, or something after a gap."""
    result = rows(tmp_path, [segment(b"\0\x18", 1000), *later])
    assert found(result) == [(2, True)] * len(later)


class Exchange:
    """The segments of one connection, at whole seconds."""

    FIELDS = ("time", "id", "qr", "status", "response_time")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.seqs = {True: 1000, False: 5000}
        for client, flags in ((True, SYN), (False, SYN | ACK), (True, ACK)):
            self.send(0, client=client, flags=flags)
            self.seqs[client] += flags & SYN != 0

    def send(self, sec: int, payload: bytes = b"", *, client: bool, **kwargs: int) -> None:
        """A segment; it acknowledges all that the other end sent, or `ack`."""
        self.records.append(self.made(sec, payload, client=client, **kwargs))
        self.seqs[client] += len(payload)

    def lose(self, payload: bytes, *, client: bool) -> None:
        """A segment that is not in the trace."""
        self.seqs[client] += len(payload)

    def made(
        self,
        sec: int,
        payload: bytes,
        *,
        client: bool,
        flags: int = ACK,
        ack: int | None = None,
        captured: int = 65535,
    ) -> Record:
        ports, (src, dst) = ((CLIENT, 53), V4) if client else ((53, CLIENT), V4[::-1])
        ack = self.seqs[not client] if ack is None else ack
        header = tcp(payload, ports=ports, seq=self.seqs[client], ack=ack, flags=flags)
        packet = ethernet(ipv4(header, TCP, src=src, dst=dst))
        return Record(packet[:captured], sec=EPOCH + sec, wire=len(packet))

    def rows(self, path: Path) -> list[tuple[object, ...]]:
        """Seconds, id, whether it is a response, whether it is whole, seconds since the query."""
        write(path / "trace.pcap", pcap(self.records))
        table = pldns.columns(path / "trace.pcap", self.FIELDS, reassemble=True).table()
        took = table.mask("response_time").tolist()
        return [
            (
                int(table["time"][i].astype("int64")) // SECOND - EPOCH,
                int(table["id"][i]),
                bool(table["qr"][i]),
                int(table["status"][i]) == 0,
                None if took[i] else int(table["response_time"][i].astype("int64")) // SECOND,
            )
            for i in range(len(table))
        ]


def test_what_the_receiver_has_and_the_capture_lost_is_not_waited_for(tmp_path: Path) -> None:
    """The second half of the first response; then the query of the second."""
    exchange = Exchange()
    first = framed(message(1, 30))
    exchange.send(1, framed(message(1)), client=True)
    exchange.send(2, first[:200], client=False)
    exchange.lose(first[200:], client=False)
    exchange.lose(framed(message(2)), client=True)  # it acknowledges the first response
    exchange.send(9, framed(message(2, 30)), client=False)
    exchange.send(10, framed(message(3)), client=True)
    exchange.send(12, framed(message(3, 30)), client=False)
    assert exchange.rows(tmp_path) == [
        (1, 1, False, True, None),
        (2, 1, True, False, 1),
        (9, 2, True, True, None),
        (10, 3, False, True, None),
        (12, 3, True, True, 2),
    ]


def test_what_was_not_captured_is_not_waited_for(tmp_path: Path) -> None:
    """A snap length that leaves 74 bytes of each segment."""
    exchange = Exchange()
    for i in range(5):
        exchange.send(10 * i, framed(message(i)), client=True)
        response = framed(message(i, 30))
        record = exchange.made(10 * i + 1, response, client=False, captured=14 + 20 + 20 + 74)
        exchange.lose(response, client=False)
        exchange.records.append(record)
    assert exchange.rows(tmp_path) == [
        row
        for i in range(5)
        for row in ((10 * i, i, False, True, None), (10 * i + 1, i, True, False, 1))
    ]


def test_messages_that_waited_for_lost_bytes_have_the_time_of_their_own(tmp_path: Path) -> None:
    """Nothing tells that these were lost: no segment acknowledges them."""
    exchange = Exchange()
    before = exchange.seqs[False]
    lost = framed(message(0, 30))
    exchange.send(0, framed(message(0)), client=True)
    exchange.lose(lost[:200], client=False)
    exchange.send(3, lost[200:], client=False)
    for i in (1, 2):
        exchange.send(20 * i, framed(message(i)), client=True, ack=before)
        exchange.send(20 * i + 3, framed(message(i, 30)), client=False)
    assert exchange.rows(tmp_path) == [
        (0, 0, False, True, None),
        (20, 1, False, True, None),
        (40, 2, False, True, None),
        (23, 1, True, True, 3),
        (43, 2, True, True, 3),
    ]


def test_a_length_alone_before_lost_bytes(tmp_path: Path) -> None:
    """Its message has none of its bytes, and the next is where it says."""
    stream = framed(message(1, 3), message(2))
    records = [opening(), segment(stream[:2], 1000), segment(stream[50:], 1050, 1)]
    result = rows(tmp_path, records)
    assert found(result) == [(0, False), (2, True)]
    assert [row["length"] for row in result] == [24 + 48, 24]


def test_more_bytes_at_once_than_a_message_has(tmp_path: Path) -> None:
    """A segment of 70,452 bytes, as offload makes them, in a connection whose start is missing."""
    stream = framed(message(1, 4000), message(2, 400))
    packet = ipv6(tcp(stream, ports=(53, CLIENT), seq=1000, flags=ACK), TCP, length=0)
    assert found(rows(tmp_path, [Record(ethernet(packet, 0x86DD))])) == [(1, True), (2, True)]


def test_much_after_lost_bytes_gives_them_up(tmp_path: Path) -> None:
    """The rows come before the connection is over: a limit ends after them."""
    stream = b"".join(framed(message(i, 4000)) for i in range(6))  # of 64,024 bytes each
    pieces = [(at, stream[at : at + 1400]) for at in range(0, len(stream), 1400)]
    records = [opening()] + [segment(data, 1000 + at) for at, data in pieces if at != 2800]
    result = rows(tmp_path, records, limit=3)
    assert found(result) == [(0, False), (1, True), (2, True)]


def test_a_connection_whose_start_is_missing(tmp_path: Path) -> None:
    long = framed(message(1, 100))
    records = [
        segment(long[1000:], 5000, 1),
        segment(framed(message(2, 3)), 5000 + len(long) - 1000, 2),
    ]
    assert found(rows(tmp_path, records)) == [(2, True)]


def test_what_is_not_complete_at_the_end_is_there_as_far_as_it_came(tmp_path: Path) -> None:
    part = framed(message(9, 50))[:300]
    records = [opening(), segment(part, 1000, 1)]
    (row,) = rows(tmp_path, records)
    assert (row["id"], row["length"], row["qname"]) == (9, 24 + 800, "x.test.")
    assert row["status"] != 0
    columns = pldns.columns(tmp_path / "trace.pcap", ["wire_len"], reassemble=True)
    assert columns.table().mask("wire_len").tolist() == [True]  # it is of no packet
    assert rows(tmp_path, [opening(), segment(framed(message(9))[:2], 1000)]) == []


def test_a_connection_goes_on_in_the_next_file(tmp_path: Path) -> None:
    stream = framed(message(1, 100))
    one = write(tmp_path / "1.pcap", pcap([opening(), segment(stream[:700], 1000)]))
    two = write(tmp_path / "2.pcap", pcap([segment(stream[700:], 1700, 1)]))
    assert found(rows_of([one, two])) == [(1, True)]
    assert found(rows_of([one])) == [(1, False)]
    # however these files are named
    for source in (tmp_path, [str(tmp_path)], [f"{tmp_path}/1*", two], iter([one, two])):
        assert found(rows_of(source)) == [(1, True)]


def test_before_an_error_comes_what_was_read(tmp_path: Path) -> None:
    stream = framed(message(1, 3), message(2, 3))
    content = pcap([opening(), segment(stream[:100], 1000), segment(stream[100:], 1100)])
    path = write(tmp_path / "cut.pcap", content[:-1])
    columns = pldns.columns(path, ["id", "status"], reassemble=True)
    with pytest.raises(plt.LibtraceError) as error:
        columns.table()
    table = error.value.table  # type: ignore[attr-defined]
    assert table["id"].tolist() == [1, 2]
    assert [status == 0 for status in table["status"].tolist()] == [True, False]


# --- UDP --------------------------------------------------------------------------------------


def test_a_last_file_that_cant_be_opened_costs_nothing_of_those_before(tmp_path: Path) -> None:
    stream = framed(message(1, 100))
    one = write(tmp_path / "1.pcap", pcap([opening(), segment(stream[:700], 1000)]))
    columns = pldns.columns([one, tmp_path / "none.pcap"], ["id", "status"], reassemble=True)
    with pytest.raises(plt.LibtraceError, match="none") as error:
        columns.table()
    table = error.value.table  # type: ignore[attr-defined]
    assert table["id"].tolist() == [1]
    assert table["status"][0] != 0
    assert len(columns.table()) == 0
    batches = iter(pldns.columns([one, tmp_path / "none.pcap"], ["id"], reassemble=True))
    assert next(batches)["id"].tolist() == [1]
    with pytest.raises(plt.LibtraceError, match="none"):
        next(batches)
    with pytest.raises(StopIteration):
        next(batches)


def fragments4(datagram: bytes, size: int, ident: int = 5) -> list[bytes]:
    parts = range(0, len(datagram), size)
    return [
        ethernet(
            ipv4(
                datagram[at : at + size],
                UDP,
                ident=ident,
                fragment=at // 8 | (0x2000 if at + size < len(datagram) else 0),
            )
        )
        for at in parts
    ]


def fragments6(datagram: bytes, size: int) -> list[bytes]:
    out = []
    for at in range(0, len(datagram), size):
        field = at | (at + size < len(datagram))
        header = struct.pack(">BBHI", UDP, 0, field, 77)
        out.append(ethernet(ipv6(header + datagram[at : at + size], 44), 0x86DD))
    return out


@pytest.mark.parametrize("fragments", [fragments4, fragments6])
def test_fragments_make_a_whole_message(tmp_path: Path, fragments: object) -> None:
    datagram = udp(message(3, 200), ports=(53, CLIENT))
    packets = fragments(datagram, 1200)  # type: ignore[operator]
    assert len(packets) == 3
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        records = [Record(packets[i], sec=EPOCH + at) for at, i in enumerate(order)]
        (row,) = rows(tmp_path, records)
        assert (row["id"], row["ancount"], row["status"]) == (3, 200, 0)
        assert row["time"] == (EPOCH + 2) * SECOND
        assert row["length"] == 24 + 3200


def test_a_first_fragment_alone_is_there_as_far_as_it_came(tmp_path: Path) -> None:
    first, *_ = fragments4(udp(message(3, 200), ports=(53, CLIENT)), 1200)
    assert found(rows(tmp_path, [Record(first)])) == [(3, False)]


def test_a_lost_fragment_costs_no_response_time(tmp_path: Path) -> None:
    """The first one waits for more than a minute, its query for ten seconds."""
    first, *_ = fragments4(udp(message(3, 200), ports=(53, CLIENT)), 1200)
    queries = [
        Record(
            ethernet(ipv4(udp(message(3 + i), ports=(CLIENT, 53)), src=V4[1], dst=V4[0])),
            sec=EPOCH + 20 * i,
        )
        for i in range(5)
    ]
    records = [queries[0], Record(first, sec=EPOCH + 2), *queries[1:]]
    write(tmp_path / "trace.pcap", pcap(records))
    table = pldns.columns(tmp_path / "trace.pcap", ["qr", "response_time"], reassemble=True).table()
    assert table["qr"].sum() == 1
    assert table["response_time"][table["qr"]].astype("int64").tolist() == [2 * SECOND]


# --- Traces -----------------------------------------------------------------------------------


def test_the_tutorials_trace() -> None:
    """tshark -r dns-1k.pcap.gz -Y 'dns && tcp' counts 52 messages, dns && udp 744."""
    table = pldns.columns(DNS, ["proto", "status"], reassemble=True).table()
    by_tcp = table["proto"] == TCP
    assert (by_tcp.sum(), (~by_tcp).sum()) == (52, 744)
    assert (table["status"] == 0).all()


def test_a_filter_and_ports(tmp_path: Path) -> None:
    records = [opening(), segment(framed(message(1)), 1000)]
    assert rows(tmp_path, records, ports=54) == []
    assert rows(tmp_path, records, filter="udp") == []
    assert len(rows(tmp_path, records, filter="tcp", ports=(53, 54))) == 1


def test_threads_and_machines_do_not_reassemble() -> None:
    for settings in ({"workers": 2}, {"client": object()}):
        with pytest.raises(ValueError, match="one thread reads all sources in order"):
            pldns.columns(DNS, reassemble=True, **settings)  # type: ignore[arg-type]
    assert len(pldns.columns(DNS, reassemble=True, workers=1).table()) == 796
