"""What natkit and pldns use of plt beside its public names.  It is theirs: scripts do without.

`read_columns()` reads sources as columns in order, given a `Reading`; `packet_batch()` and
`community_seed_of()` are for columns of packets; `check_fields()`, `address_kind()`,
`empty_batch()`, `rows_of()` and `shared_filter()` are what its caller needs first.  `Lane` is the
consumer's end of a source that is read ahead, by a thread or on a cluster.  `Crew` is threads that
work ahead, `processors()` how many may, `is_file()` whether they may read a source; `sources_of()`
lists them, and `measured()` counts the bytes that are read of them.  `isoformat()` and `seconds()`
write times and durations, `ColumnName` is for type checkers.
"""

from ._columns import (
    DEFAULT_FIELDS,
    Columns,
    Decap,
    SharedFilter,
    community_seed_of,
    formats_to_split,
    packet_batch,
    read_columns,
    rows_of,
    shared_filter,
)
from ._inorder import Lane, Reader, Reading, Rows
from ._names import ColumnName
from ._parts import Part, Splitting, splitting
from ._progress import Progress, Tell, measured
from ._show import isoformat, seconds
from ._sources import WORTH_IT, Source, Sources, is_file, sources_of
from ._table import Addresses, address_kind, check_fields, empty_batch
from ._threads import Crew, processors
from ._tunnel import TunnelKind

__all__ = [
    "DEFAULT_FIELDS",
    "Addresses",
    "ColumnName",
    "Columns",
    "Crew",
    "Decap",
    "Lane",
    "Part",
    "Progress",
    "SharedFilter",
    "Reader",
    "Reading",
    "Rows",
    "Source",
    "Sources",
    "Splitting",
    "Tell",
    "TunnelKind",
    "WORTH_IT",
    "address_kind",
    "check_fields",
    "community_seed_of",
    "empty_batch",
    "formats_to_split",
    "shared_filter",
    "is_file",
    "isoformat",
    "measured",
    "packet_batch",
    "processors",
    "read_columns",
    "rows_of",
    "sources_of",
    "splitting",
    "seconds",
]
