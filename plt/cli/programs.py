"""The Python programs that `--python` prints."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import plt
from plt.cli.listing import Listing
from plt.cli.names import ADDRESSES
from plt.cli.outputs import PACKED, needs_trace_format
from plt.cli.rows import LISTS, values, with_version
from plt.cli.show import text
from plt.cli.words import Filter
from plt.shared import Decap

WIDTH = 88
OWN = ("ipp", "natkit", "pldns", "plt")


def literal(value: object) -> str:
    """A value in Python, with the quotes that programs of this project have."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)
    if isinstance(value, plt.where):
        return f"plt.where({literal(value.expression)})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def call(function: str, *arguments: str, **named: object) -> str:
    """A call, without the named arguments that are None or False."""
    given = [
        name + "=" + literal(value)
        for name, value in named.items()
        if value is not None and value is not False
    ]
    return f"{function}({', '.join([*arguments, *given])})"


def constant(name: str, value: object) -> str:
    """A name for a value; a long list has a line for each item."""
    line = f"{name} = {literal(value)}"
    if len(line) <= WIDTH or not isinstance(value, (list, tuple)):
        return line
    return f"{name} = [\n" + "".join(f"    {literal(item)},\n" for item in value) + "]"


def decap_given(decap: Decap) -> tuple[list[str], list[str]]:
    """What a program says of tunnels: its constants, and arguments of calls."""
    if not isinstance(decap, dict):
        return [], ["decap=True"] if decap else []
    items = (f"    {literal(kind)}: {literal(ports)},\n" for kind, ports in decap.items())
    return [f"DECAP = {{\n{''.join(items)}}}"], ["decap=DECAP"]


def program(title: str, imports: Sequence[str], *parts: str) -> str:
    """A program: what it does, what it may import (module names or whole lines), and its parts."""
    groups: list[list[str]] = [[], [], []]  # the standard library's, others', the project's
    body = "\n".join(parts)
    lines = {name if " " in name else f"import {name}" for name in [*imports, "plt"]}
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    lines = {line for line in lines if line.split()[-1].partition(".")[0] in used}
    for line in sorted(lines, key=lambda line: (line.startswith("from"), line)):
        root = line.split()[1].partition(".")[0]
        groups[2 if root in OWN else 0 if root in sys.stdlib_module_names else 1].append(line)
    head = [f'"""{title}"""', *("\n".join(group) for group in groups if group)]
    return "\n\n".join([*head, *(part.rstrip("\n") for part in parts if part)]) + "\n"


ROWS = '''def rows(batches):
    """The rows of tables."""
    for batch in batches:
        yield from zip(*(values(batch, name) for name in FIELDS))
'''
ADDRESS = '''def address(text):
    """An address as it is sorted: IPv4 first."""
    prefix = ipp.from_s(text)
    return prefix.version, prefix
'''


ARROW = '''def arrow(batch):
    """The columns of a batch, with addresses as text."""
    table = pa.table(batch)
    for at, name in enumerate(table.column_names):
        if name in ("src", "dst", "src_prefix", "dst_prefix"):
            texts = pa.array(ipp.format(batch[name], batch["version"]), pa.string())
            table = table.set_column(at, name, texts)
    return table.select(FIELDS)
'''


def source_of(function: Callable[..., object]) -> str:
    """A function as it is here, but for its types and what the linter is told."""
    names = ", ".join(inspect.signature(function).parameters)
    source = re.sub(r"  # noqa.*", "", inspect.getsource(function))
    source = re.sub(r"^( +\w+): [^=\n]+ = ", r"\1 = ", source, flags=re.MULTILINE)
    return re.sub(r"\(.*?\) -> [^\n]*:\n", f"({names}):\n", source, count=1, flags=re.DOTALL)


def in_program(function: Callable[..., object]) -> str:
    """A function for a program that has NumPy imported, and a name for a second."""
    lines = source_of(function).replace("SECOND", "10**9").splitlines()
    kept = [line for line in lines if "import numpy" not in line]
    text = "\n".join(kept) + "\n"
    return "\n" + text.replace('"""\n\n', '"""\n', 1)


def listing_program(
    title: str,
    imports: Sequence[str],
    constants: Sequence[str],
    steps: Sequence[str],
    batches: str,
    listing: Listing,
) -> str:
    """A program that prints rows of tables as `Listing.show` does into a pipe."""
    functions = [f"\n{source_of(values)}\n\n{ROWS}"]
    steps = [*steps, f"found = rows({batches})"]
    more = ["ipp", "import numpy as np"]
    return rows_program(title, [*imports, *more], constants, functions, steps, listing)


def rows_program(
    title: str,
    imports: Sequence[str],
    constants: Sequence[str],
    functions: Sequence[str],
    steps: Sequence[str],
    listing: Listing,
) -> str:
    """A program that prints the rows `found`."""
    if listing.sort in ADDRESSES:
        functions = [*functions, f"\n{ADDRESS}"]
    lines = list(steps)
    if listing.numbered:
        lines.append("found = ((number, *row) for number, row in enumerate(found, 1))")
    if listing.sort:
        lines += sorting(listing)
    more = ["ipp", "plt"]
    if listing.limit is not None:
        more.append("from itertools import islice")
        lines.append(f"found = islice(found, {listing.limit})")
    names = '["number", *FIELDS]' if listing.numbered else "FIELDS"
    if listing.style.json:
        more.append("json")
        printed = f"json.dumps(dict(zip({names}, row)), ensure_ascii=False)"
    else:
        if listing.style.header:
            lines.append(f'print(*{names}, sep="\\t")')
        printed = '*("" if value is None else value for value in row), sep="\\t"'
        if {*LISTS} & {*listing.names}:
            functions = [*functions, f"\n{source_of(text)}"]
            printed = '*map(text, row), sep="\\t"'
    lines += ["for row in found:", f"    print({printed})"]
    fields = constant("FIELDS", listing.names)
    return program(
        title,
        [*imports, *more],
        "\n".join([fields, *constants]),
        *functions,
        "\n" + "\n".join(lines),
    )


def file_program(
    title: str,
    imports: Sequence[str],
    constants: Sequence[str],
    steps: Sequence[str],
    batches: str,
    fields: Sequence[str],
    kind: str,
    output: str,
) -> str:
    """A program that writes rows of tables to a file: Parquet, CSV, tab-separated or JSON lines."""
    more = ["ipp", "plt"]
    target = '"/dev/stdout"' if output == "-" else "OUTPUT"
    constants = [
        constant("FIELDS", fields),
        *(c for c in constants if target in c or "OUTPUT" not in c),
    ]
    if kind == "parquet":
        more += ["import pyarrow as pa", "import pyarrow.parquet as pq"]
        functions = [f"\n{ARROW}"]
        lines = [
            "out = None",
            f"for batch in {batches}:",
            "    table = arrow(batch)",
            f"    out = out or pq.ParquetWriter({target}, table.schema)",
            "    out.write_table(table)",
            "if out:",
            "    out.close()",
        ]
    else:
        more += ["import numpy as np"]
        functions = [f"\n{source_of(values)}\n\n{ROWS}"]
        opened = f'open({target}, "w", newline="")'
        if output.endswith(".gz"):
            more.append("gzip")
            opened = f'gzip.open({target}, "wt", newline="")'
        lines = [f"with {opened} as file:"]
        if kind == "jsonl":
            more.append("json")
            lines += [
                f"    for row in rows({batches}):",
                "        line = json.dumps(dict(zip(FIELDS, row)), ensure_ascii=False)",
                "        print(line, file=file)",
            ]
        else:
            more.append("csv")
            tabs = ', delimiter="\\t"' if kind == "tsv" else ""
            listed = {*LISTS} & {*fields}
            if listed:
                functions.append(f"\n{source_of(text)}")
                steps = [*steps, f"found = rows({batches})"]
            written = "map(text, row) for row in found" if listed else f"rows({batches})"
            lines += [
                f'    writer = csv.writer(file{tabs}, lineterminator="\\n")',
                "    writer.writerow(FIELDS)",
                f"    writer.writerows({written})",
            ]
    return program(
        title,
        [*imports, *more],
        "\n".join(constants),
        *functions,
        "\n" + "\n".join([*steps, *lines]),
    )


def sorting(listing: Listing) -> list[str]:
    """Sort rows; those that lack the value come last."""
    assert listing.sort is not None
    value = f"row[{listing.names.index(listing.sort) + listing.numbered}]"
    key = f"address({value})" if listing.sort in ADDRESSES else value
    backward = ", reverse=True" if listing.down else ""
    return [
        "found = list(found)",
        f"present = [row for row in found if {value} is not None]",
        f"present.sort(key=lambda row: {key}{backward})",
        f"found = present + [row for row in found if {value} is None]",
    ]


def read_fields(names: Sequence[str]) -> str:
    """The columns to read, in Python."""
    return '[*FIELDS, "version"]' if len(with_version(names)) > len(names) else "FIELDS"


def trace_program(
    title: str,
    imports: Sequence[str],
    constants: Sequence[str],
    output: str | None,
    steps: str,
    filter: Filter = None,
    snaplen: int | None = None,
    kind: str | None = None,
) -> str:
    """A program that reads packets, and writes them to `out`; it ends on an error."""
    conf = []
    if filter:
        made = f"plt.filter({literal(filter)})" if isinstance(filter, str) else literal(filter)
        conf.append(f"        t.conf_filter({made})\n")
    if snaplen:
        conf.append(f"        t.conf_snaplen({snaplen})\n")
    reader = (
        "def packets(source):\n"
        '    """The packets of a trace."""\n'
        "    with plt.trace(source) as t:\n"
        f"{''.join(conf)}"
        "        yield from t\n"
    )
    opened = [] if output is None else opened_output(output, kind)
    return program(
        title,
        [*imports, "plt"],
        "\n".join(constants),
        f"\n{reader}",
        "\n" + "\n".join(opened) + steps if opened else steps,
    )


def opened_output(name: str, kind: str | None = None) -> list[str]:
    """The lines that make an output trace, as the file's name or a format's says."""
    uri = f"{kind or needs_trace_format(name)}:{name}"
    lines = [f"out = plt.output_trace({literal(uri)})"]
    constants = {plt.ZLIB_COMPRESSION: "ZLIB", plt.BZIP2_COMPRESSION: "BZIP2"}
    packed = PACKED.get(Path(name).suffix)
    if packed is not None:
        lines.append(f"out.conf_compress_type(plt.{constants[packed]}_COMPRESSION)")
    return lines
