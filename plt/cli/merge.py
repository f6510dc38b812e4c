"""`plt merge`: several traces as one, in the order of time."""

from __future__ import annotations

import heapq

import click

from plt.cli import options
from plt.cli.outputs import check_output, needs_trace_format, write
from plt.cli.programs import constant, trace_program
from plt.cli.progress import bar, counting
from plt.cli.sources import Reading
from plt.cli.words import Filter


@click.command(
    "merge",
    short_help="Write several traces as one, by time.",
    epilog=options.example("plt merge -o all.pcap.gz eth0.pcap eth1.pcap"),
)
@options.sources
@options.output("The trace to write.")
@options.filtered
@options.python
def command(sources: tuple[str, ...], output: str, filter: Filter, python: bool) -> int:
    """Write the packets of several traces as one, in the order of their times.

    Each trace is taken to be in order; packets of the same time come in the order of the sources.
    """
    needs_trace_format(output)
    if python:
        print(python_program(sources, output, filter), end="")
        return 0
    reading = Reading(sources, filter)
    check_output(output, sources)
    with bar(reading.sources) as tick:
        traces = [reading.packets(source, filter) for source in reading.sources]
        merged = heapq.merge(*traces, key=lambda packet: packet.time_ns)
        write(counting(merged, tick), output, reading)
    return reading.code


def python_program(sources: tuple[str, ...], output: str, filter: Filter) -> str:
    """The Python program that writes the same."""
    return trace_program(
        "Merge traces by time.",
        ["heapq"],
        [constant("SOURCES", sources)],
        output,
        """
merged = heapq.merge(*map(packets, SOURCES), key=lambda pkt: pkt.time_ns)
with out:
    for pkt in merged:
        out.write_packet(pkt)
""",
        filter=filter,
    )
