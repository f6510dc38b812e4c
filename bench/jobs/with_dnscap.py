"""DNS with dnscap and its plugin txtout, which prints a line for each message."""

from pathlib import Path

from clock import Clock
from shared import Result

from .program import timed


def plugin() -> str:
    """Debian puts it into a folder of the processor's kind."""
    return str(next(Path("/usr/lib").glob("*/dnscap/txtout.so")))


def dns(path: Path, clock: Clock) -> Result:
    messages = responses = 0
    to = ["-P", plugin(), "-o", "/dev/stdout"]
    with timed(clock, path, lambda one: ["dnscap", "-r", str(one), *to]) as printed:
        for line in printed:
            messages += 1
            responses += b"|QR|" in line
    return {"count": messages, "responses": responses}
