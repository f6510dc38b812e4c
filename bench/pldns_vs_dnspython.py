"""Messages a second of pldns and of dnspython on the same payloads.

    python bench/pldns_vs_dnspython.py [TRACE] [--rounds N]

TRACE is any that plt reads; its payloads of UDP port 53 are taken.  Without one, the tutorial's
DNS trace is, and where that is not there, a few messages made here.  Prints the medians of N rounds
(default 7), the two taking turns, of reading messages and dropping them, of reading and keeping
all, and of reading them and all their records as text.  dnspython is needed: pip install dnspython.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import dns.exception
import dns.message

import pldns

TRACE = Path(__file__).resolve().parents[1] / "tutorial" / "traces" / "dns-1k.pcap.gz"
SECONDS = 0.2  # about as long as a round takes
MADE = [
    """id 1
flags RD
edns 0
payload 1232
;QUESTION
www.example.test. IN A
""",
    """id 2
flags QR RD RA
;QUESTION
www.example.test. IN AAAA
;ANSWER
www.example.test. 300 IN CNAME web.example.test.
web.example.test. 300 IN AAAA 2001:db8::1
web.example.test. 300 IN AAAA 2001:db8::2
;AUTHORITY
example.test. 3600 IN NS ns1.example.test.
example.test. 3600 IN NS ns2.example.test.
;ADDITIONAL
ns1.example.test. 3600 IN A 192.0.2.53
ns2.example.test. 3600 IN AAAA 2001:db8::53
""",
    """id 3
flags QR AA RD
rcode NXDOMAIN
;QUESTION
no.example.test. IN A
;AUTHORITY
example.test. 60 IN SOA ns1.example.test. root.example.test. 1 7200 900 86400 60
example.test. 60 IN RRSIG SOA 13 2 60 20300101000000 20200101000000 9 example.test. c2lnbmF0dXJl
example.test. 60 IN NSEC www.example.test. NS SOA MX RRSIG NSEC DNSKEY
example.test. 60 IN RRSIG NSEC 13 2 60 20300101000000 20200101000000 9 example.test. c2lnbmF0dXJl
""",
    """id 4
flags QR RD RA
;QUESTION
example.test. IN MX
;ANSWER
example.test. 300 IN MX 10 mail.example.test.
example.test. 300 IN MX 20 mail.example.net.
example.test. 300 IN TXT "v=spf1 mx -all"
""",
]


def made_payloads() -> list[bytes]:
    return [dns.message.from_text(text).to_wire() for text in MADE]


def trace_payloads(path: Path) -> list[bytes]:
    """The payloads of UDP port 53 that a trace has."""
    import plt  # noqa: PLC0415  (only a trace needs it)

    payloads = []
    with plt.trace(str(path)) as trace:
        for packet in trace:
            udp = packet.udp
            if udp and 53 in (udp.src_port, udp.dst_port) and udp.payload:
                payloads.append(bytes(udp.payload))
    return payloads


def both_read(payload: bytes) -> bool:
    """Whether both take the payload for a good message: only such are compared."""
    try:
        dns.message.from_wire(payload)
    except (dns.exception.DNSException, ValueError):
        return False
    return pldns.ldns(payload).is_ok()


def pldns_read(payloads: list[bytes]) -> None:
    for payload in payloads:
        pldns.ldns(payload)


def dnspython_read(payloads: list[bytes]) -> None:
    for payload in payloads:
        dns.message.from_wire(payload)


def pldns_keep(payloads: list[bytes]) -> None:
    _ = [pldns.ldns(payload) for payload in payloads]


def dnspython_keep(payloads: list[bytes]) -> None:
    _ = [dns.message.from_wire(payload) for payload in payloads]


def pldns_text(payloads: list[bytes]) -> None:
    for payload in payloads:
        msg = pldns.ldns(payload)
        for rrs in (msg.query_rr_list, msg.response_rr_list, msg.auth_rr_list, msg.addit_rr_list):
            for rr in rrs:
                _ = rr.str


def dnspython_text(payloads: list[bytes]) -> None:
    for payload in payloads:
        for section in dns.message.from_wire(payload).sections:
            for rrset in section:
                rrset.to_text()


def rate(work: Callable[[list[bytes]], None], payloads: list[bytes], turns: int) -> float:
    """Messages a second of a round of so many turns."""
    began = time.perf_counter()
    for _ in range(turns):
        work(payloads)
    return turns * len(payloads) / (time.perf_counter() - began)


def compare(
    title: str,
    ours: Callable[[list[bytes]], None],
    theirs: Callable[[list[bytes]], None],
    payloads: list[bytes],
    rounds: int,
) -> None:
    turns = [
        max(1, round(SECONDS * rate(work, payloads, 1) / len(payloads))) for work in (ours, theirs)
    ]
    pairs = [
        (rate(ours, payloads, turns[0]), rate(theirs, payloads, turns[1])) for _ in range(rounds)
    ]
    fast, slow = (statistics.median(side) for side in zip(*pairs, strict=True))
    # of each pair, not of the medians: what else the machine does then weighs on both alike
    ratios = sorted(one / other for one, other in pairs)
    print(
        f"{title}: pldns {fast:,.0f} messages/s, dnspython {slow:,.0f}: "
        f"{statistics.median(ratios):.1f} times ({ratios[0]:.1f} to {ratios[-1]:.1f} in {rounds})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("trace", type=Path, nargs="?", default=TRACE if TRACE.exists() else None)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    found = trace_payloads(args.trace) if args.trace else made_payloads()
    payloads = [payload for payload in found if both_read(payload)]
    size = sum(map(len, payloads)) / len(payloads)
    print(f"{len(payloads)} messages of {size:.0f} bytes on average, {len(found)} payloads")
    compare("read", pldns_read, dnspython_read, payloads, args.rounds)
    compare("read and keep", pldns_keep, dnspython_keep, payloads, args.rounds)
    compare("read, all records as text", pldns_text, dnspython_text, payloads, args.rounds)


if __name__ == "__main__":
    main()
