"""The tutorial's notebooks as pages: run when the pages are built, shown with what they print.

The notebooks live in tutorial/notebooks and name their traces from there.  A link makes them part
of these pages without moving them: a notebook's working folder is the one that it really lies in.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

LINK = "notebooks"


def names(srcdir: str | os.PathLike[str]) -> list[str]:
    """The notebooks' names as documents, in their order."""
    return [f"{LINK}/{path.stem}" for path in sorted(Path(srcdir, LINK).glob("*.ipynb"))]


class Notebooks(SphinxDirective):
    """A table of contents of the notebooks; nothing where there are none."""

    def run(self) -> list[nodes.Node]:
        found = names(self.env.srcdir)
        if not found:
            return []
        tree = addnodes.toctree()
        tree.update_basic_attributes(
            {
                "parent": self.env.docname,
                "entries": [(None, name) for name in found],
                "includefiles": found,
                "maxdepth": 1,
                "caption": None,
                "rawcaption": "",
                "glob": False,
                "hidden": False,
                "includehidden": False,
                "numbered": 0,
                "titlesonly": True,
            }
        )
        wrapper = nodes.compound(classes=["toctree-wrapper"])
        wrapper += tree
        return [wrapper]


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    link = Path(app.srcdir, LINK)
    if not link.exists():
        link.unlink(missing_ok=True)
        if Path(app.srcdir, "../tutorial/notebooks").is_dir():
            link.symlink_to("../tutorial/notebooks", target_is_directory=True)
    app.add_directive("notebooks", Notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
