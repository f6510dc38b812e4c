"""`plt info`: what is in a trace."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING, Any

import click

import plt
from plt.cli import options
from plt.cli.names import count, date_and_time, duration, rate
from plt.cli.programs import call, constant, program
from plt.cli.progress import bar
from plt.cli.show import console
from plt.cli.sources import BATCH, Reading
from plt.cli.summary import FIELDS, Summary
from plt.cli.words import Filter

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@click.command(
    "info",
    short_help="Say what is in each trace.",
    epilog=options.example("plt info trace.pcap.gz", "plt info --json *.pcap"),
)
@options.sources
@options.filtered
@click.option(
    "--top", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
    help="The ports with the most packets.",
)  # fmt: skip
@options.as_json
@options.python
def command(sources: tuple[str, ...], filter: Filter, top: int, json: bool, python: bool) -> int:
    """Say what is in each trace: format, packets, time, protocols, ports, damage.

    Bytes are those on the wire, with Ethernet's frame check sequence. A packet counts at both of
    its ports.
    """
    if python and json:
        raise click.UsageError("--json and --python: give one of them, the program prints text")
    if python:
        print(python_program(sources, filter, top), end="")
        return 0
    reading = Reading(sources, filter)
    for n, source in enumerate(reading.sources):
        damage = len(reading.damage)
        summary = Summary()
        with (
            bar([source]) as tick,
            plt.columns(source, FIELDS, filter=filter, batch=BATCH) as columns,
        ):
            for batch in reading.batches(columns, tick):
                summary.add(batch)
        told = [text.removeprefix(f"{source}: ") for text in reading.damage[damage:]]
        found = summary.as_dict(source, "; ".join(told) or None, top)
        if json:
            print(json_module.dumps(found, ensure_ascii=False))
        else:
            show(found, separate=n > 0)
        if reading.code == 130:
            break
    return reading.code


def facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures that are one each, in words."""
    packed = f", {found['compression']}" if found["compression"] else ""
    lines = [("trace", found["source"])]
    if found["format"]:
        lines.append(("format", found["format"] + packed))
    if found["file_bytes"] is not None:
        lines.append(("file", f"{count(found['file_bytes'])} bytes"))
    captured = f"{count(found['captured_bytes'])} captured"
    if found["packets"]:
        captured += f", at most {count(found['largest_capture'])} of a packet"
    lines += [
        ("packets", count(found["packets"])),
        ("bytes", f"{count(found['wire_bytes'])} on the wire, {captured}"),
    ]
    if found["first"]:
        lines += [
            ("first", f"{date_and_time(found['first'])} UTC"),
            ("last", f"{date_and_time(found['last'])} UTC, {duration(found['seconds'])} later"),
        ]
    if found["seconds"]:
        per_second = f"{found['packets_per_second']:,.1f} packets/s"
        lines.append(("rate", f"{per_second}, {rate(found['bits_per_second'])}"))
    lines.append(
        ("link", ", ".join(f"{x['name']} ({count(x['packets'])})" for x in found["link_types"]))
    )
    if found["out_of_order"]:
        late = quantity(found["out_of_order"], "packet is", "packets are")
        lines.append(("order", f"{late} earlier than the one before"))
    if found["without_time"]:
        text = f"{quantity(found['without_time'], 'packet', 'packets')} without one"
        lines.append(
            ("time", f"{text}, left out of first, last and rate" if found["first"] else text)
        )
    lines.append(("damage", found["damage"] or "none"))
    return lines


def quantity(number: int, one: str, more: str) -> str:
    """A number with its noun."""
    return f"{count(number)} {one if number == 1 else more}"


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def table() -> Table:
    """A table without lines."""
    from rich.table import Table  # noqa: PLC0415  JSON does without

    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")


def wide(made: Table, screen: Console) -> int:
    """The width of a table that is not made to fit."""
    from rich.measure import Measurement  # noqa: PLC0415  JSON does without

    return Measurement.get(screen, screen.options.update(max_width=10_000), made).maximum


def counts(found: dict[str, Any], title: str, key: str, *, with_shares: bool) -> Table:
    """A row for each protocol or port: packets and bytes, and their shares of all."""
    from rich.text import Text  # noqa: PLC0415  JSON does without

    made = table()
    made.add_column(title, overflow="fold")
    for name in ("packets", "bytes"):
        made.add_column(name, justify="right", no_wrap=True)  # a part of a number is another one
        if with_shares:
            made.add_column("", justify="right", no_wrap=True, style="dim")
    for x in found[key]:
        cells = []
        for name, whole in (("packets", "packets"), ("bytes", "wire_bytes")):
            cells.append(count(x[name]))
            if with_shares:
                cells.append(share(x[name], found[whole]))
        label = f"{x['name']} {x['port']}" if key == "ports" else x["name"]
        made.add_row(Text(label), *cells)
    return made


def show(found: dict[str, Any], *, separate: bool) -> None:
    """Print the figures: with colours on a terminal, as aligned text elsewhere."""
    from rich.console import Console  # noqa: PLC0415  JSON does without
    from rich.text import Text  # noqa: PLC0415

    terminal = sys.stdout.isatty()
    # a pipe has no width at which lines would have to be broken
    screen = console() if terminal else Console(color_system=None, width=10_000, highlight=False)
    head = table()
    head.show_header = False
    head.add_column(style="bold")
    head.add_column(overflow="fold")
    for name, value in facts(found):
        bad = name == "damage" and found["damage"]
        head.add_row(name, Text(value, style="bold red" if bad else ""))
    tables = [head]
    for title, key in (("protocol", "protocols"), ("port", "ports")):
        if found[key]:
            shares = counts(found, title, key, with_shares=True)
            if terminal and wide(shares, screen) > screen.width:
                shares = counts(found, title, key, with_shares=False)
            tables.append(shares)
    for n, part in enumerate(tables):
        if separate or n:
            print()
        if terminal:
            screen.print(part)
        else:
            with screen.capture() as capture:
                screen.print(part)
            print(*(line.rstrip() for line in capture.get().splitlines()), sep="\n")


def python_program(sources: tuple[str, ...], filter: Filter, top: int) -> str:
    """The Python program that counts the same."""
    columns = call("plt.columns", "source", "FIELDS", filter=filter)
    fields = ["time_ns", "wire_len", "version", "proto", "ethertype", "src_port", "dst_port"]
    return program(
        "Say what is in each trace.",
        ["from collections import Counter", "plt"],
        "\n".join([constant("SOURCES", sources), constant("FIELDS", fields)]),
        f"""
for source in SOURCES:
    times, octets = [], 0
    protocols, ports = Counter(), Counter()
    for batch in {columns}:
        times += batch.masked("time_ns").compressed().tolist()
        octets += int(batch["wire_len"].sum())
        version, proto, ethertype, src_port, dst_port = (
            batch.masked(name).tolist() for name in FIELDS[2:]
        )
        protocols.update((v, p if v else e) for v, p, e in zip(version, proto, ethertype))
        for p, src, dst in zip(proto, src_port, dst_port):
            if src is not None and dst is not None:
                ports.update((p, port) for port in {{src, dst}})
    packets = sum(protocols.values())
    print(source, packets, "packets", octets, "bytes", sep="\\t")
    if times:
        print((max(times) - min(times)) / 1e9, "seconds", sep="\\t")
    for (version, number), n in sorted(protocols.items(), key=lambda x: -x[1]):
        kind = f"IPv{{version}} protocol" if version else "ethertype"
        print(kind, number, n, sep="\\t")
    for (proto, port), n in sorted(ports.items(), key=lambda x: (-x[1], x[0]))[:{top}]:
        print("protocol", proto, "port", port, n, sep="\\t")
""",
    )
