"""Tables that are made from the modules when the pages are built, never by hand.

{header-table} tcp               the attributes of a header type and where they lie in it
{column-table} plt               the columns of a module: plt or pldns
{constant-table} plt TRACE_      the constants of a module whose names begin so
"""

from __future__ import annotations

import importlib
import re
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import plt


def inline(text: str) -> list[nodes.Node]:
    """Plain text with `names` in backticks."""
    parts = re.split(r"`([^`]*)`", text)
    found = [nodes.literal(t, t) if n % 2 else nodes.Text(t) for n, t in enumerate(parts)]
    return [node for node in found if node.astext()]


def table(head: list[str], rows: list[list[str]], widths: list[int]) -> nodes.table:
    """A table of cells of such text."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=width) for width in widths]
    for kind, content in ((nodes.thead, [head]), (nodes.tbody, rows)):
        part = kind()
        for cells in content:
            entries = [nodes.entry("", nodes.paragraph("", "", *inline(cell))) for cell in cells]
            part.append(nodes.row("", *entries))
        group.append(part)
    return nodes.table("", group, classes=["colwidths-given"])


def one_line(doc: str | None) -> str:
    """A docstring, or a sentence of one, on one line."""
    return " ".join((doc or "").split())


def position(row: dict[str, Any]) -> str:
    """Where a field lies: its bytes from 0, and its bits where it does not fill them."""
    first, last = row["offset"], row["offset"] + row["width"] - 1
    where = f"{first}" if first == last else f"{first} to {last}"
    bits = row["mask"] << row["shift"]
    whole = bits == (1 << 8 * row["width"]) - 1
    return where if whole else f"{where}: `{bits:#0{2 + 2 * row['width']}x}`"


class ModuleTable(SphinxDirective):
    """A table of what a module says of itself."""

    def depend(self, module: str) -> None:
        """Read the page again when the module was built again."""
        self.env.note_dependency(importlib.import_module(f"{module}._{module}").__file__ or "")


class HeaderTable(ModuleTable):
    """The attributes of a type of plt: where they lie in its header, and what they are."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The table."""
        self.depend("plt")
        kind = getattr(plt, self.arguments[0])
        fields = {row["name"]: row for row in plt._plt._fields() if row["type"] is kind}
        names = [n for n, v in vars(kind).items() if not n.startswith("_") and not callable(v)]
        names.sort(key=lambda name: name not in fields)  # what a row holds first, in its order
        rows = [[f"`{name}`", one_line(getattr(kind, name).__doc__)] for name in names]
        if not fields:
            return [table(["attribute", "what it is"], rows, [25, 75])]
        for name, row in zip(names, rows, strict=True):
            row.insert(1, position(fields[name]) if name in fields else "")
        return [table(["attribute", "bytes", "what it is"], rows, [22, 20, 58])]


class ColumnTable(ModuleTable):
    """What the columns() of a module can read."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The table."""
        self.depend(self.arguments[0])
        # a column can't be set: what a header's attribute says of that is not for here
        found = importlib.import_module(self.arguments[0]).column_fields().items()
        rows = [[f"`{name}`", doc.replace("; settable, 0 to 65535", "")] for name, doc in found]
        return [table(["column", "what it holds"], rows, [30, 70])]


class ConstantTable(ModuleTable):
    """The numbers that a module names."""

    required_arguments = 2
    final_argument_whitespace = True
    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        """The table, and a target for each of its names."""
        name_of_module, prefixes = self.arguments[0], tuple(self.arguments[1].split())
        self.depend(name_of_module)
        module = importlib.import_module(name_of_module)
        found = {
            name: value
            for name in module.__all__
            if name.startswith(prefixes) and isinstance(value := getattr(module, name), int)
        }
        targets: list[nodes.Node] = []
        for name in found:
            full = f"{name_of_module}.{name}"
            target = nodes.target("", "", ids=[full])
            self.state.document.note_explicit_target(target)
            self.env.domains.python_domain.note_object(full, "data", full, location=target)
            targets.append(target)
        rows = [[f"`{name}`", str(found[name])] for name in sorted(found, key=found.__getitem__)]
        return [*targets, table(["name", "value"], rows, [70, 30])]


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.add_directive("header-table", HeaderTable)
    app.add_directive("column-table", ColumnTable)
    app.add_directive("constant-table", ConstantTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
