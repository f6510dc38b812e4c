"""What tests can't do under AddressSanitizer."""

import os

import pytest

IS_ON = "PLT_ASAN" in os.environ

#: A test that looks at the process's memory: some of what is freed is kept, not always as much.
by_size = pytest.mark.skipif(
    IS_ON, reason="AddressSanitizer's own memory hides that of the program"
)

#: A test that forks beside threads: GCC 12's waits in a child for locks of its own that threads of
#: the parent held, and takes memory that the child gets for the stacks of those threads.
#: ThreadSanitizer can.
forks = pytest.mark.skipif(
    IS_ON and "PLT_TSAN" not in os.environ, reason="AddressSanitizer can't fork"
)
