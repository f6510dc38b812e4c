"""`plt anon`: traces with other addresses in them."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import click

import natkit
import plt
from plt.cli import options
from plt.cli.outputs import check_output, needs_trace_format, write
from plt.cli.programs import constant, literal, trace_program
from plt.cli.progress import bar
from plt.cli.sources import Reading
from plt.cli.words import Failure, Filter

Payload = Literal["keep", "zero", "drop"]
Unknown = Literal["keep", "zero"]


@click.command(
    "anon",
    short_help="Write a trace with anonymised addresses.",
    epilog=options.example("plt anon --key-file secret -o shared.pcap.gz trace.pcap.gz"),
)
@options.sources
@options.output("The trace to write.")
@click.option(
    "--key-file",
    type=options.PATH,
    metavar="FILE",
    help="A file with a key of 1 to 32 bytes; without it the key is random and not kept.",
)
@click.option(
    "--payload",
    type=click.Choice(["zero", "drop", "keep"]),
    default="zero",
    show_default=True,
    help="What becomes of what applications carry.",
)
@click.option(
    "--unknown",
    type=click.Choice(["zero", "keep"]),
    default="zero",
    show_default=True,
    help="What becomes of layers that can't be looked through.",
)
@options.filtered
@options.python
def command(
    sources: tuple[str, ...],
    output: str,
    key_file: str | None,
    payload: Payload,
    unknown: Unknown,
    filter: Filter,
    python: bool,
) -> int:
    """Write traces with anonymised addresses: the same prefixes stay the same prefixes.

    Addresses in tunnels, ICMP errors, ARP and the like are replaced too. MAC addresses stay.
    Who has the key can undo it.
    """
    needs_trace_format(output)
    if python:
        print(python_program(sources, output, key_file, payload, unknown, filter), end="")
        return 0
    if key_file == "-" and "-" in sources:
        raise Failure("the key and a trace can't both come from standard input")
    pan = natkit.CryptoPan(secrets.token_bytes(32) if key_file is None else key_in(key_file))
    reading = Reading(sources, filter)
    check_output(output, sources)
    layers: Counter[str] = Counter()
    with bar(reading.sources) as tick:
        found = reading.all_packets(filter, None, tick)
        written = write(anonymised(found, pan, payload, unknown, layers), output, reading)
    what = "cleared" if unknown == "zero" else "kept as they are"
    if layers and sys.stderr.isatty():
        names = ", ".join(f"{name} ({n:,})" for name, n in layers.most_common())
        print(f"{written:,} packets; layers that were {what}: {names}", file=sys.stderr)
    return reading.code


def key_in(name: str) -> bytes:
    """The key in a file, without the end of its line."""
    if name == "-":
        return sys.stdin.buffer.read().rstrip(b"\r\n")
    with open(name, "rb") as file:
        return file.read().rstrip(b"\r\n")


def anonymised(
    packets: Iterable[plt.packet],
    pan: natkit.CryptoPan,
    payload: Payload,
    unknown: Unknown,
    layers: Counter[str],
) -> Iterator[plt.packet]:
    """Packets with their addresses replaced; layers that were not looked through are counted."""
    for packet in packets:
        layers.update(pan.packet(packet, payload=payload, unknown=unknown).unknown)
        yield packet


def python_program(
    sources: tuple[str, ...],
    output: str,
    key_file: str | None,
    payload: Payload,
    unknown: Unknown,
    filter: Filter,
) -> str:
    """The Python program that writes the same."""
    if key_file is None:
        imports, key = ["secrets"], "secrets.token_bytes(32)"
    elif key_file == "-":
        imports, key = ["sys"], 'sys.stdin.buffer.read().rstrip(b"\\r\\n")'
    else:
        imports = ["from pathlib import Path"]
        key = f'Path({literal(key_file)}).read_bytes().rstrip(b"\\r\\n")'
    return trace_program(
        "Anonymise traces.",
        ["from itertools import chain", "natkit", *imports],
        [constant("SOURCES", sources)],
        output,
        f"""
pan = natkit.CryptoPan({key})
with out:
    for pkt in chain.from_iterable(map(packets, SOURCES)):
        pan.packet(pkt, payload={literal(payload)}, unknown={literal(unknown)})
        out.write_packet(pkt)
""",
        filter=filter,
    )
