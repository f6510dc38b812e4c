"""The packets of traces as columns, joined with their flows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, SupportsIndex, TypeAlias

import plt
from natkit._natkit import FlowHome, FlowTable, _joined_fields, _PacketReader
from plt.shared import (
    DEFAULT_FIELDS,
    Addresses,
    ColumnName,
    Decap,
    Reading,
    SharedFilter,
    Source,
    Sources,
    Tell,
    address_kind,
    check_fields,
    community_seed_of,
    packet_batch,
    read_columns,
    shared_filter,
)

__all__ = ["Packets", "packet_fields", "packets"]

#: The columns that tell of a packet's flow.
JoinedName: TypeAlias = Literal["flow", "way", "tcp.rel_seq", "tcp.rel_ack"]


def packet_fields() -> dict[str, str]:
    """The columns of natkit.packets(), each with one sentence: plt's, and those of the flow."""
    return plt.column_fields() | {name: doc for name, _, doc, _ in _joined_fields()}


class Packets(plt.Columns):
    """The packets of natkit.packets(), read as they are asked for, and their flows.

    It is used as plt.Columns is, and `flows()` are those of what was read so far.
    """

    def __init__(self, columns: plt.Columns, table: FlowTable) -> None:
        super().__init__(columns._batches, columns.fields, columns._empty)
        self._table = table

    def flows(
        self, fields: Sequence[str] | str | None = None, *, addresses: Addresses = "auto"
    ) -> plt.Table:
        """The flows of the packets that were read, those that ended too, as columns.

        Row n is the flow whose packets have n in the column "flow".  fields and addresses are those
        of FlowTable.columns().
        """
        return self._table._all_columns(fields, addresses=addresses)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"<natkit.packets of {', '.join(self.fields)}>"

    def _repr_html_(self) -> str:
        """The columns and what they hold, for notebooks; nothing is read."""
        from ipp.shared import html_rows  # noqa: PLC0415  what is seldom shown

        known = packet_fields()
        rows = [(name, known[name]) for name in self.fields]
        return html_rows("natkit.packets, not read yet", rows)


def _reader(
    table: FlowTable,
    names: tuple[str, ...],
    filter: SharedFilter,
    batch: int,
    kind: int,
    seed: int,
    source: Source,
    limit: int,
) -> Any:
    return _PacketReader(table, source, names, filter, limit, batch, kind, seed)


def packets(
    source: Sources,
    fields: Sequence[ColumnName | JoinedName] | ColumnName | JoinedName | None = None,
    *,
    home: FlowHome | None = None,
    idle_timeout: float | None = None,
    active_timeout: float | None = None,
    vlan: bool = False,
    tcp: bool = False,
    decap: Decap = False,
    addresses: Addresses = "auto",
    filter: plt.filter | str | None = None,
    limit: int | None = None,
    batch: int = 1 << 16,
    community_seed: SupportsIndex = 0,
    progress: Tell = None,
) -> Packets:
    """Fields of packets as columns, as plt.columns() has them, joined with the packets' flows.

    source, addresses, filter, limit, batch, community_seed and progress are those of plt.columns();
    home, idle_timeout, active_timeout, vlan, tcp and decap those of FlowTable.  fields are names of
    `packet_fields()`: those of plt.column_fields(), and

    - "flow", the number of the packet's flow: its row in `flows()`, from 0 on,
    - "way", 0 forward and 1 back in it,
    - "tcp.rel_seq" and "tcp.rel_ack", the sequence numbers from the SYN's on, which is 0, modulo
      2**32.  Where no SYN was seen the first segment's is 1, as tshark has it, and so is the first
      acknowledgement of an end that was not heard before.

    A packet that is in no flow has all of them missing, and one without an ACK flag "tcp.rel_ack".
    Without fields they are plt.columns()'s and "flow" and "way".  A flow that ended and began again
    has another number.  The flows are those of natkit.flows(), those that it gives as expired()
    too, but for fragments that come before the first of their packet: these do not wait for it, and
    are in a flow without ports.

    Several sources are read in order, as of one capture: flows go on from one to the next.  What is
    in memory is a batch, and about 220 bytes for each flow.

    ValueError on an unknown field; LibtraceError where a trace can't be read, after what was read
    before it.
    """
    default = (*DEFAULT_FIELDS, "flow", "way")
    names = check_fields(
        default if fields is None else fields, list(packet_fields()), "natkit.packet_fields()"
    )
    kind = address_kind(addresses)
    table = FlowTable(home, idle_timeout, active_timeout, vlan, tcp, decap)
    seed = community_seed_of(community_seed)
    reader = partial(_reader, table, names, shared_filter(filter), batch, kind, seed)
    reading = Reading(packet_batch(names, addresses, _joined_fields()), reader, reader)
    columns = read_columns(
        source, reading, names, limit=limit, batch=batch, workers=1, client=None, progress=progress
    )
    return Packets(columns, table)
