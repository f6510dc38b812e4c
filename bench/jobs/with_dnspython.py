"""DNS with dnspython: messages that are in memory, and a trace that plt reads."""

from pathlib import Path

import dns.message
import payloads
from clock import Clock
from shared import Result

import plt

TURNS = 10  # that each message in memory is read


def loop(path: Path, clock: Clock) -> Result:
    messages = responses = answers = letters = 0
    with clock, plt.trace(path) as trace:
        for packet in trace:
            message = dns.message.from_wire(bytes(packet.udp_payload or b""))
            messages += 1
            responses += message.flags >> 15
            answers += sum(len(rrset) for rrset in message.answer)
            letters += len(message.question[0].name.to_text(omit_final_dot=True))
    return {"count": messages, "responses": responses, "answers": answers, "letters": letters}


def answers(messages: list[bytes]) -> int:
    found = (dns.message.from_wire(message, one_rr_per_rrset=True) for message in messages)
    return sum(len(message.answer) for message in found)


def read(path: Path, clock: Clock) -> Result:
    messages = payloads.read(path)
    clock.turns = TURNS
    with clock:
        for _ in range(clock.turns):
            for message in messages:
                dns.message.from_wire(message)
    return {"count": len(messages), "answers": answers(messages)}


def keep(path: Path, clock: Clock) -> Result:
    messages = payloads.read(path)
    clock.turns = TURNS
    with clock:
        for _ in range(clock.turns):
            _ = [dns.message.from_wire(message) for message in messages]
    return {"count": len(messages)}


def text(path: Path, clock: Clock) -> Result:
    messages = payloads.read(path)
    clock.turns = TURNS
    with clock:
        for _ in range(clock.turns):
            for message in messages:
                for section in dns.message.from_wire(message).sections:
                    for rrset in section:
                        rrset.to_text()
    return {"count": len(messages)}
