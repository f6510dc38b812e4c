"""Packet traces, their packets and layers: libtrace for Python."""

import datetime
import sys

import ipp
from ipp import IPprefix

from . import _plt
from ._columns import Batch, Columns, Table, column_fields, columns
from ._plt import *  # noqa: F403
from ._version import __version__


def version() -> str:
    """The version of python-libtrace whose API this is; the project's own is `__version__`."""
    return "1.7"


def _offer(names: dict[str, object]) -> None:
    """Make names known to the running script, as python-libtrace always did, where they are free."""
    main = sys.modules.get("__main__")
    for name, value in names.items():
        if main is not None and not hasattr(main, name):
            setattr(main, name, value)


_offer({"ipp": ipp, "datetime": datetime})

__all__ = [
    "Batch",
    "Columns",
    "IPprefix",
    "Table",
    "__version__",
    "column_fields",
    "columns",
    "ipp",
    "version",
    *(name for name in vars(_plt) if not name.startswith("_")),
]
