"""The figures of a whole trace, gathered from its columns."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

import plt
from plt.cli import names
from plt.cli.formats import format_of
from plt.cli.sources import path_of
from plt.cli.words import SECOND

FIELDS: Final = (
    "time_ns", "wire_len", "capture_len", "linktype", "ethertype", "version", "proto", "src_port",
    "dst_port",
)  # fmt: skip
#: A time of 0 is none where the earliest other one is later: pcapng's simple packets have no time.
NEAR_ZERO_NS = 365 * 86_400 * SECOND


@dataclass
class Tally:
    """Packets and bytes by a number."""

    packets: Counter[int] = field(default_factory=Counter)
    bytes: Counter[int] = field(default_factory=Counter)

    def add(self, numbers: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any]) -> None:
        """Count packets by their numbers, and sum up their lengths."""
        kinds, which = np.unique(numbers, return_inverse=True)
        counts = np.bincount(which, minlength=len(kinds))
        sums = np.bincount(which, lengths, len(kinds)).astype(np.int64)
        for kind, count, octets in zip(kinds.tolist(), counts.tolist(), sums.tolist(), strict=True):
            self.packets[kind] += count
            self.bytes[kind] += octets

    def most(self) -> list[tuple[int, int, int]]:
        """Number, packets and bytes: the most packets first."""
        return [
            (number, packets, self.bytes[number])
            for number, packets in sorted(
                self.packets.items(), key=lambda item: (-item[1], item[0])
            )
        ]


@dataclass
class Lacking:
    """Packets without a time, and their bytes."""

    packets: int = 0
    bytes: int = 0

    def add(self, which: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any]) -> None:
        """Count some of the packets of a batch."""
        self.packets += int(which.sum())
        self.bytes += int(lengths[which].sum(dtype=np.int64))


@dataclass
class Summary:
    """What `plt info` tells of a trace."""

    packets: int = 0
    wire_bytes: int = 0
    captured_bytes: int = 0
    largest_capture: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    previous_ns: int | None = None
    out_of_order: int = 0
    missing: Lacking = field(default_factory=Lacking)
    zero: Lacking = field(default_factory=Lacking)  # at a time of 0, which may stand for none
    link_types: Tally = field(default_factory=Tally)
    protocols: Tally = field(default_factory=Tally)  # by version << 16 and protocol or ethertype
    ports: Tally = field(default_factory=Tally)  # by protocol << 16 and port

    def add(self, batch: plt.Table) -> None:
        """Count the packets of a batch."""
        lengths = batch["wire_len"]
        captured = batch["capture_len"]
        self.packets += len(batch)
        self.wire_bytes += int(lengths.sum(dtype=np.int64))
        self.captured_bytes += int(captured.sum(dtype=np.int64))
        self.largest_capture = max(self.largest_capture, int(captured.max(initial=0)))
        missing, times = batch.mask("time_ns"), batch["time_ns"]
        zero = ~missing & (times == 0)
        self.missing.add(missing, lengths)
        self.zero.add(zero, lengths)
        self.add_times(times[~missing & ~zero])
        self.link_types.add(batch["linktype"], lengths)
        version = batch["version"].astype(np.int64)
        kind = np.where(version > 0, batch["proto"], batch["ethertype"])
        self.protocols.add(version << 16 | kind, lengths)
        self.add_ports(batch, lengths)

    def add_times(self, times: np.ndarray[Any, Any]) -> None:
        """Go on with the times of packets that follow."""
        if not len(times):
            return
        if self.previous_ns is not None:
            times = np.concatenate(([self.previous_ns], times))
        self.out_of_order += int((np.diff(times) < 0).sum())
        first, last = int(times.min()), int(times.max())
        self.first_ns = first if self.first_ns is None else min(first, self.first_ns)
        self.last_ns = last if self.last_ns is None else max(last, self.last_ns)
        self.previous_ns = int(times[-1])

    def add_ports(self, batch: plt.Table, lengths: np.ndarray[Any, Any]) -> None:
        """Count each packet at its source port, and at its destination port if that is another."""
        has = ~batch.mask("src_port") & ~batch.mask("dst_port")
        proto = batch["proto"][has].astype(np.int64) << 16
        source, destination = proto | batch["src_port"][has], proto | batch["dst_port"][has]
        other = source != destination
        octets = lengths[has]
        self.ports.add(
            np.concatenate((source, destination[other])), np.concatenate((octets, octets[other]))
        )

    def settle_zeros(self) -> Lacking:
        """Take a time of 0 for one where others are near it; what has none then."""
        first, last = self.first_ns, self.last_ns
        if self.zero.packets and first is not None and last is not None and first < NEAR_ZERO_NS:
            self.first_ns, self.last_ns = min(first, 0), max(last, 0)
            return self.missing
        return Lacking(
            self.missing.packets + self.zero.packets, self.missing.bytes + self.zero.bytes
        )

    @property
    def span_ns(self) -> int:
        """From the earliest packet to the latest."""
        return (self.last_ns or 0) - (self.first_ns or 0)

    def as_dict(self, source: str, damage: str | None, top: int) -> dict[str, Any]:
        """All figures by name."""
        kind, compression = format_of(source)
        path = path_of(source)
        lacking = self.settle_zeros()
        seconds = self.span_ns / SECOND
        return {
            "source": source,
            "format": kind,
            "compression": compression,
            "file_bytes": os.path.getsize(path) if os.path.isfile(path) else None,
            "packets": self.packets,
            "wire_bytes": self.wire_bytes,
            "captured_bytes": self.captured_bytes,
            "largest_capture": self.largest_capture,
            "first": None if self.first_ns is None else names.iso(self.first_ns),
            "last": None if self.last_ns is None else names.iso(self.last_ns),
            "seconds": seconds,
            "packets_per_second": (self.packets - lacking.packets) / seconds if seconds else None,
            "bits_per_second": (self.wire_bytes - lacking.bytes) * 8 / seconds if seconds else None,
            "out_of_order": self.out_of_order,
            "without_time": lacking.packets,
            "damage": damage,
            "link_types": [
                {"link_type": number, "name": names.link_type(number), "packets": p, "bytes": b}
                for number, p, b in self.link_types.most()
            ],
            "protocols": [
                {
                    "ip_version": number >> 16 or None,
                    "number": number & 0xFFFF,
                    "name": protocol_name(number),
                    "packets": p,
                    "bytes": b,
                }
                for number, p, b in self.protocols.most()
            ],
            "ports": [
                {
                    "proto": number >> 16,
                    "name": names.protocol(number >> 16),
                    "port": number & 0xFFFF,
                    "packets": p,
                    "bytes": b,
                }
                for number, p, b in self.ports.most()[:top]
            ],
        }


def protocol_name(number: int) -> str:
    """What a protocol over IP, or an ethertype without IP, is called."""
    version, kind = number >> 16, number & 0xFFFF
    return f"IPv{version} {names.protocol(kind)}" if version else names.ethertype(kind)
