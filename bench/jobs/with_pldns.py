"""DNS with pldns: traces, as columns and in a loop; and messages that are in memory."""

from pathlib import Path

import payloads
from clock import Clock
from shared import Result, empty_trace

import pldns
import plt

TURNS = 300  # that each message in memory is read

PLAIN = (
    "time", "src_prefix", "dst_prefix", "src_port", "dst_port", "id", "qr", "opcode", "rcode",
    "qname", "qtype", "ancount",
)  # fmt: skip
TIMED = (*PLAIN, "response_time")
CHECKED = (*TIMED, "edns_udp_size", "edns_do", "status")

with empty_trace() as nothing:  # what pldns imports only here is part of the start
    list(pldns.columns(nothing, PLAIN))


# --- Traces


def loop(path: Path, clock: Clock) -> Result:
    messages = responses = answers = letters = 0
    with clock, plt.trace(path) as trace:
        for packet in trace:
            message = pldns.ldns(packet.udp_payload)
            messages += 1
            responses += message.is_response
            answers += len(message.response_rr_list)
            letters += len(message.query_rr_list[0].owner) - 1  # without the last dot
    return {"count": messages, "responses": responses, "answers": answers, "letters": letters}


def columns(path: Path, clock: Clock, fields: tuple[str, ...] = PLAIN) -> Result:
    with clock:
        table = pldns.columns(path, fields).table()
    return {
        "count": len(table),
        "responses": int(table["qr"].sum()),
        "answers": int(table["ancount"].sum()),
        "letters": sum(len(name) - 1 for name in table["qname"].tolist()),
    }


def batches(path: Path, clock: Clock) -> Result:
    """Batch after batch, each dropped."""
    with clock:
        count = sum(len(batch) for batch in pldns.columns(path, PLAIN))
    return {"count": count}


def columns_timed(path: Path, clock: Clock) -> Result:
    return columns(path, clock, TIMED)


def columns_checked(path: Path, clock: Clock) -> Result:
    return columns(path, clock, CHECKED)


# --- Messages


def answers(messages: list[bytes]) -> int:
    return sum(len(pldns.ldns(message).response_rr_list) for message in messages)


def read(path: Path, clock: Clock) -> Result:
    """Read messages, and drop them."""
    messages = payloads.read(path)
    clock.turns = TURNS
    with clock:
        for _ in range(clock.turns):
            for message in messages:
                pldns.ldns(message)
    return {"count": len(messages), "answers": answers(messages)}


def keep(path: Path, clock: Clock) -> Result:
    """Read all messages, and drop them when all are read."""
    messages = payloads.read(path)
    clock.turns = TURNS
    with clock:
        for _ in range(clock.turns):
            _ = [pldns.ldns(message) for message in messages]
    return {"count": len(messages)}


def text(path: Path, clock: Clock) -> Result:
    """Read messages, and all of their records as text."""
    messages = payloads.read(path)
    clock.turns = TURNS // 5
    with clock:
        for _ in range(clock.turns):
            for message in messages:
                found = pldns.ldns(message)
                for section in (
                    found.query_rr_list,
                    found.response_rr_list,
                    found.auth_rr_list,
                    found.addit_rr_list,
                ):
                    for record in section:
                        _ = record.str
    return {"count": len(messages)}
