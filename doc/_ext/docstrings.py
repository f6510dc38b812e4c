"""Docstrings as they are: plain text with `names` in backticks, which reStructuredText is not.

Also sees that the API pages leave no public name out.
"""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

MODULES = ("plt", "ipp", "natkit", "pldns")

logger = logging.getLogger(__name__)


def escape(line: str) -> str:
    """A line of plain text as reStructuredText: `x` as code, nothing else with a meaning."""
    parts = re.split(r"`([^`]*)`", line)
    parts[::2] = [re.sub(r"([\\*_|])", r"\\\1", text) for text in parts[::2]]
    parts[1::2] = [f"``{text}``" for text in parts[1::2]]
    return "".join(parts)


def process(*event: Any) -> None:
    """The handler of autodoc's event, whose last argument is the lines of a docstring."""
    lines: list[str] = event[-1]
    lines[:] = [escape(line) for line in lines]


def missing(documented: set[str], name: str) -> list[str]:
    """The public names of a module that no page documents, there or where they are from."""
    module = importlib.import_module(name)
    found = []
    for public in module.__all__:
        value = getattr(module, public)
        home = f"{getattr(value, '__module__', None)}.{getattr(value, '__name__', None)}"
        if not isinstance(value, ModuleType) and documented.isdisjoint({f"{name}.{public}", home}):
            found.append(f"{name}.{public}")
    return found


def check(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that the API pages leave out."""
    documented = set(env.domaindata["py"]["objects"])
    for module in MODULES:
        for name in missing(documented, module):
            logger.warning("the API pages leave out %s", name)


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("autodoc-process-docstring", process)
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
