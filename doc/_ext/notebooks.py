"""The tutorial's notebooks as pages: run when the pages are built, shown with what they print.

The notebooks live in tutorial/notebooks and name their traces from there.  A link makes them part
of these pages without moving them: a notebook's working folder is the one that it really lies in.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

LINK = "notebooks"


def names(srcdir: str | os.PathLike[str]) -> list[str]:
    """The notebooks' names as documents, in their order."""
    found = [path.stem for path in Path(srcdir, LINK).glob("*.ipynb")]
    return [f"{LINK}/{name}" for name in sorted(found, key=lambda n: int(n.partition("_")[0]))]


class Notebooks(SphinxDirective):
    """A table of contents of the notebooks; nothing where there are none."""

    def run(self) -> list[nodes.Node]:
        found = names(self.env.srcdir)
        if not found:
            return []
        tree = addnodes.toctree(
            parent=self.env.docname,
            entries=[(None, name) for name in found],
            includefiles=found,
            maxdepth=1,
            glob=False,
            hidden=False,
            includehidden=False,
            numbered=0,
            titlesonly=True,
        )
        wrapper = nodes.compound(classes=["toctree-wrapper"])
        wrapper += tree
        return [wrapper]


def link(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Write links from one notebook to another so that they do not lead out of these pages."""
    if docname.startswith(f"{LINK}/"):
        source[0] = re.sub(r"\[([^][]*)\]\((\w+)\.ipynb\)", r"{doc}`\1 <\2>`", source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    folder = Path(app.srcdir, LINK)
    if not folder.exists():
        folder.unlink(missing_ok=True)  # a link to what is no more
        if Path(app.srcdir, "../tutorial/notebooks").is_dir():
            folder.symlink_to("../tutorial/notebooks", target_is_directory=True)
    app.connect("source-read", link)
    app.add_directive("notebooks", Notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
