"""The memory that this process has, by the kernel's word."""

import os

import pytest

#: A test that looks at it.  AddressSanitizer keeps some of what is freed, not always as much.
by_size = pytest.mark.skipif(
    "PLT_ASAN" in os.environ, reason="AddressSanitizer's own memory hides that of the program"
)


def resident() -> int:
    """Bytes, Linux's alone: what is shared with other processes counts too."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
