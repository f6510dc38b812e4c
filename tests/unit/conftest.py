"""What several of the unit tests share."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from flow_traces import Sent, trace
from live import Namespace

from natkit import FlowTable


@pytest.fixture(scope="session")
def namespace() -> Namespace:
    """Runs programs in network namespaces of their own, with a veth pair."""
    return Namespace()


@pytest.fixture
def counted(tmp_path: Path) -> Callable[..., FlowTable]:
    """Makes a flow table of packets."""

    def count(sent: Iterable[Sent], **settings: Any) -> FlowTable:
        table = FlowTable(**settings)
        table.add_trace(trace(tmp_path / "counted.pcap", sent))
        return table

    return count
