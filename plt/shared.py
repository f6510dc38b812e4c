"""What natkit and pldns use of plt beside its public names.  It is theirs: scripts do without.

`read_columns()` reads sources as columns in order, given a `Reading`; `check_fields()`,
`empty_batch()` and `shared_filter()` are what its caller needs first.  `Lane` is the consumer's
end of a source that is read ahead, by a thread or on a cluster.  `Crew` is threads that work ahead,
`processors()` how many may, `is_file()` whether they may read a source; `sources_of()` lists them.
`measured()` counts the bytes that are read of sources.
"""

from ._columns import SharedFilter, read_columns, shared_filter
from ._inorder import Lane, Reader, Reading
from ._progress import Tell, measured
from ._sources import Source, Sources, is_file, sources_of
from ._table import check_fields, empty_batch
from ._threads import Crew, processors

__all__ = [
    "Crew",
    "Lane",
    "SharedFilter",
    "Reader",
    "Reading",
    "Source",
    "Sources",
    "Tell",
    "check_fields",
    "empty_batch",
    "shared_filter",
    "is_file",
    "measured",
    "processors",
    "read_columns",
    "sources_of",
]
