"""Tests that capture on the loopback interface."""

import socket

import pytest


def permitted() -> bool:
    """Whether this process may open packet sockets, and has the loopback interface."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
            raw.bind(("lo", 0))
    except (AttributeError, OSError):
        return False
    return True


on_lo = pytest.mark.skipif(not permitted(), reason="capturing on lo needs Linux and CAP_NET_RAW")
