"""What p09 to p13 print of a trace, made from tshark's packets with dnspython, without our code."""

import collections
import ipaddress
import statistics
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
from foreign_packets import Address, Packet, at_home, read, records

LDNS_RCODES = {"NOTIMP": "NOTIMPL"}  # where ldns has a name of its own
# RFC 4034: DS, RRSIG, NSEC, DNSKEY; RFC 5155: NSEC3, NSEC3PARAM
DNSSEC = {43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM"}

Message = dns.message.Message


def dns_packets(packets: list[Packet]) -> list[Packet]:
    """Those to and from port 53 whose payload is there."""
    return [p for p in packets if p.transport in ("udp", "tcp") and p.ports and 53 in p.ports]


def cut_short(packets: list[Packet], port_at: tuple[int, ...] = (0, 1)) -> int:
    """Packets whose ports were cut off, or that are DNS by one of them, and cut off after it."""
    cut = 0
    for p in packets:
        if p.transport in ("udp", "tcp"):
            is_dns = p.ports and 53 in [p.ports[i] for i in port_at]
            cut += p.ports is None or bool(is_dns and not p.header_whole)
    return cut


def messages(packets: list[Packet]) -> Iterator[tuple[Packet, Message | None]]:
    """Every DNS message with its packet; None for those that are not whole."""
    for packet in dns_packets(packets):
        for wire in packet.messages:
            yield packet, read(wire)


def is_response(message: Message) -> bool:
    return bool(message.flags & dns.flags.QR)


def header(message: Message) -> str:
    """A message's header as p09 prints it."""
    kind = "response" if is_response(message) else "request"
    rcode = dns.rcode.to_text(dns.rcode.Rcode(message.flags & 0xF))
    flags = ("AA", "TC", "RD", "RA", "AD", "CD")
    names = [f.lower() for f in flags if message.flags & dns.flags.Flag[f]]
    opcode = dns.opcode.to_text(message.opcode())
    codes = f"{opcode}, {LDNS_RCODES.get(rcode, rcode)}"
    return f"  {kind} {message.id}, {codes}, flags: {' '.join(names) or 'none'}"


def body(message: Message) -> Iterator[str]:
    """A message's records as p09 prints them."""
    for rrset in message.question:
        yield f"  asks for {rrset.name.to_text()} {dns.rdatatype.to_text(rrset.rdtype)}"
    for name in ("answer", "authority", "additional"):
        for owner, ttl, rdata in records(getattr(message, name)):
            data = rdata.to_text(chunksize=1 << 16)  # base64 in one piece, as ldns has it
            text = f"{owner} {ttl} {dns.rdatatype.to_text(rdata.rdtype)} {data}"
            yield f"    {name:10} {text if len(text) <= 76 else text[:76] + '...'}"


def p09(packets: list[Packet]) -> Iterator[str]:
    counts: collections.Counter[str] = collections.Counter()
    kinds = set()
    for packet, message in messages(packets):
        if message is None:
            counts["not whole"] += 1
            continue
        counts["responses" if is_response(message) else "requests"] += 1
        # QR, opcode and rcode are bits 15, 14 to 11, and 3 to 0 of the flags
        kind = (packet.transport, message.flags & 0xF80F)
        if kind not in kinds:
            kinds.add(kind)
            yield f"packet {packet.number}, by {packet.transport.upper()}"
            yield header(message)
            yield from body(message)
    yield f"{len(packets)} packets; {cut_short(packets)} cut short"
    total = f"{counts['requests']} requests, {counts['responses']} responses"
    yield f"{total}, {counts['not whole']} messages not whole"


def p10(packets: list[Packet]) -> Iterator[str]:
    found = [message for _, message in messages(packets)]
    responses = [m for m in found if m is not None and is_response(m)]
    having: collections.Counter[str] = collections.Counter()
    types: collections.Counter[int] = collections.Counter()
    for message in responses:
        sections = {
            name: [int(r.rdtype) for _, _, r in records(getattr(message, name))]
            for name in ("answer", "authority", "additional")
        }
        with_dnssec = {name for name, rrs in sections.items() if set(rrs) & set(DNSSEC)}
        having.update(with_dnssec)
        having["any"] += bool(with_dnssec)
        types.update(t for t in sections["authority"] if t in DNSSEC)
    yield f"{len(packets)} packets; {cut_short(packets)} cut short"
    yield f"{len(responses)} responses, {found.count(None)} messages not whole"
    yield "DNSSEC RRs in the"
    for name in ("authority", "answer", "any"):
        yield f"{name + ' section':17} {having[name]:6} responses"
    yield "authority sections hold"
    for number, count in sorted(types.items()):
        yield f"{number:3} {DNSSEC[number]:13} {count:6}"


def p11(packets: list[Packet]) -> Iterator[str]:
    across = [p for p in dns_packets(packets) if at_home(p.src) != at_home(p.dst)]
    not_whole = 0
    requests: dict[Address, list] = collections.defaultdict(list)
    answers: collections.Counter = collections.Counter()
    matched: collections.Counter = collections.Counter()
    for packet, message in messages(across):
        if message is None:
            not_whole += 1
            continue
        (src_port, dst_port), answer = packet.ports, is_response(message)
        if at_home(packet.dst) and dst_port == 53 and not answer:
            call = (packet.src, src_port, packet.transport, message.id)
            requests[packet.dst].append(call)
            answers[packet.dst, call] += 1
        elif at_home(packet.src) and src_port == 53 and answer:
            call = (packet.dst, dst_port, packet.transport, message.id)
            # No more answers than requests so far
            if matched[packet.src, call] < answers[packet.src, call]:
                matched[packet.src, call] += 1
    rows = []
    for server, calls in requests.items():
        answered = sum(n for (who, _), n in matched.items() if who == server)
        clients = len({call[0] for call in calls})
        rows.append((-len(calls), server.version, server.packed, server, answered, clients))
    cut = cut_short(packets)
    incomplete = f"{not_whole} messages across the border not whole"
    yield f"{len(packets)} packets; {cut} cut short, {incomplete}"
    answering = sum(answered > 0 for *_, answered, _ in rows)
    yield f"{len(rows)} addresses at home were asked, {answering} of them answered"
    for minus, _, _, server, answered, clients in sorted(rows):
        text = f"{server}/{server.max_prefixlen}"
        yield f"{text:40} {-minus:5} requests {answered:5} answered {clients:4} clients"


def p12(packets: list[Packet], server: str = "192.0.2.10") -> Iterator[str]:
    asked = ipaddress.ip_address(server)
    # It looks at the ports first, then at the address, then at the payload
    here = [p for p in packets if p.dst == asked or p.ports is None]
    found = [
        (packet, message)
        for packet, message in messages(here)
        if packet.dst == asked and packet.ports[1] == 53
    ]
    requests = [(p, m) for p, m in found if m is not None and not is_response(m)]
    users = collections.Counter(str(packet.src) for packet, _ in requests)
    yield f"{len(packets)} packets; {cut_short(here, port_at=(1,))} cut short"
    not_whole = sum(message is None for _, message in found)
    of = f"{len(requests)} requests of {len(users)} users"
    yield f"{asked}: {of}; {not_whole} messages not whole"
    for user, count in sorted(users.items(), key=lambda item: (-item[1], item[0])):
        yield f"{user:40} {count:6}"


def percentile(ordered: list[int], percent: float) -> float:
    """The value below which PERCENT of a sorted list lie, between two elements linearly."""
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def p13(packets: list[Packet]) -> Iterator[str]:
    from_servers = [p for p in packets if p.transport == "udp" and p.ports and p.ports[0] == 53]
    found = list(messages(from_servers))
    lengths = sorted(len(packet.payload) for packet, m in found if m is not None and is_response(m))
    not_whole = sum(message is None for _, message in found)
    udp = [p for p in packets if p.transport == "udp"]
    yield f"{len(packets)} packets; {cut_short(udp, port_at=(0,))} cut short"
    yield f"{len(lengths)} responses by UDP; {not_whole} messages not whole"
    if len(set(lengths)) < 2:
        yield "too few different lengths to speak of a distribution"
        return
    mean, deviation = statistics.fmean(lengths), statistics.pstdev(lengths)
    # Skewness and excess kurtosis: the third and fourth moments about the mean, in deviations
    skewness = statistics.fmean(((n - mean) / deviation) ** 3 for n in lengths)
    kurtosis = statistics.fmean(((n - mean) / deviation) ** 4 for n in lengths) - 3
    yield f"lengths from {lengths[0]} to {lengths[-1]} bytes"
    yield f"mean {mean:.1f}, standard deviation {deviation:.1f}"
    quarter, median, three_quarters, most = (percentile(lengths, p) for p in (25, 50, 75, 95))
    yield f"quartiles {quarter:.1f} {median:.1f} {three_quarters:.1f}, 95% up to {most:.1f}"
    yield f"skewness {skewness:.3f}, kurtosis {kurtosis:.3f}"
    for limit in (512, 1232):
        yield f"longer than {limit:4}: {sum(n > limit for n in lengths):4}"
