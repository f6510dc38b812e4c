"""Signatures with types for what is written in C: they are taken from the stubs."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("ipp", "plt", "natkit", "pldns")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def without_self(arguments: ast.arguments) -> ast.arguments:
    """The arguments of a method as one calls it."""
    (arguments.posonlyargs or arguments.args).pop(0)
    return arguments


def fullest(functions: list[Function]) -> Function:
    """Of overloads, that which takes most."""
    return max(functions, key=lambda f: len(f.args.posonlyargs + f.args.args + f.args.kwonlyargs))


def signature(function: Function, *, is_method: bool) -> tuple[str, str | None]:
    """The arguments in parentheses, and what is returned."""
    static = any(
        isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list
    )
    arguments = without_self(function.args) if is_method and not static else function.args
    returned = ast.unparse(function.returns) if function.returns else None
    return f"({ast.unparse(arguments)})", returned


def is_property(function: Function) -> bool:
    """Whether an attribute is written as a function, as stubs do."""
    names = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any(name == "property" or name.endswith(".setter") for name in names)


def of_body(prefix: str, body: list[ast.stmt], *, is_class: bool) -> dict[str, tuple[str, Any]]:
    """The signatures of the functions of a module or class, by their full names."""
    named: dict[str, list[Function]] = {}
    found: dict[str, tuple[str, Any]] = {}
    for node in body:
        if isinstance(node, Function):
            named.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.ClassDef):
            found |= of_body(f"{prefix}.{node.name}", node.body, is_class=True)
    for name, functions in named.items():
        if is_property(functions[0]):
            found[f"{prefix}.{name}"] = "", signature(functions[0], is_method=True)[1]
        else:
            found[f"{prefix}.{name}"] = signature(fullest(functions), is_method=is_class)
    if is_class:
        for name in ("__init__", "__new__"):
            if name in named:
                found.setdefault(prefix, (found[f"{prefix}.{name}"][0], None))
    return found


def signatures() -> dict[str, tuple[str, Any]]:
    """The signatures in all stubs."""
    found: dict[str, tuple[str, Any]] = {}
    for module in MODULES:
        text = (ROOT / module / f"_{module}.pyi").read_text()
        found |= of_body(module, ast.parse(text).body, is_class=False)
    return found


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    known = signatures()

    def call(_app: Sphinx, _what: str, name: str, *_rest: Any) -> tuple[str, Any] | None:
        found = known.get(name)
        return found if found and found[0] else None

    def attribute(_app: Sphinx, _what: str, name: str, *rest: Any) -> None:
        lines: list[str] = rest[-1]
        arguments, returned = known.get(name, ("(", None))
        if not arguments and returned:
            lines += ["", f":type: ``{returned}``"]

    app.connect("autodoc-process-signature", call)
    # after the docstring was made reStructuredText
    app.connect("autodoc-process-docstring", attribute, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
