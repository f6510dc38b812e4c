"""What is said on standard error, and quantities as people write them."""

from __future__ import annotations

import math
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import plt

#: The packets that a command takes: tcpdump's language, a condition, or all.
Filter: TypeAlias = plt.where | str | None

SECOND = 1_000_000_000


class Failure(Exception):
    """What a command can't do, in one line."""


def complain(what: object, name: str = "plt") -> None:
    """A line on standard error."""
    if sys.stderr is not None:  # print() would take standard output for it
        print(f"{name}: {one_line(what)}", file=sys.stderr)


def one_line(what: object) -> str:
    """The text of an error in one line, without what every reader knows."""
    if isinstance(what, OSError) and what.strerror:
        text = f"{what.filename}: {what.strerror}" if what.filename else what.strerror
    else:
        text = str(what) or type(what).__name__
    text = re.sub(r"^Couldn't \w+ (trace|outputTrace): ((pcapfile|pcapng|erf):)?", "", text)
    return " ".join(text.split())


DURATIONS = {
    "ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
    "d": 86_400 * SECOND,
}  # fmt: skip
LONGEST = 10**9 * SECOND  # 31 years, which timeouts are shorter than and 64 bits hold
SIZES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
         "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}  # fmt: skip


def duration_ns(text: str) -> int:
    """Nanoseconds of 10, 10s, 1.5m, 200ms ...; ValueError where it is none."""
    found = re.fullmatch(r"(\d+)(?:\.(\d{1,9}))?(ns|us|ms|s|m|h|d)?", text)
    if not found:
        raise ValueError(f"{text!r} is no time: 10s, 1.5m, 200ms, 1h are")
    unit = DURATIONS[found[3] or "s"]
    time = int(found[1]) * unit + int((found[2] or "").ljust(9, "0")) * unit // SECOND
    if time >= LONGEST:
        raise ValueError(f"{text!r} is too long: a time is less than {LONGEST // SECOND}s")
    return time


def size_bytes(text: str) -> int:
    """Bytes of 1000, 100M, 64Ki ...; ValueError where it is none."""
    found = re.fullmatch(r"(\d+)([kKMGT]i?)?B?", text)
    if not found or (found[2] or "") not in SIZES:
        raise ValueError(f"{text!r} is no size: 1000000, 100M, 64Ki, 1G are")
    return int(found[1]) * SIZES[found[2] or ""]


def time_ns(text: str) -> int:
    """Nanoseconds since the epoch of an ISO 8601 time (UTC without a zone) or of seconds."""
    if found := re.fullmatch(r"(\d+)(?:\.(\d{1,9}))?", text):
        return int(found[1]) * SECOND + int((found[2] or "").ljust(9, "0"))
    # datetime has no more than six digits of a second
    found = re.fullmatch(r"([^.]*)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", text)
    try:
        moment = datetime.fromisoformat(f"{found[1]}{found[3] or ''}" if found else text)
    except ValueError:
        message = f"{text!r} is no time: 2026-11-22T22:30:52.5Z and 1795386652.5 are"
        raise ValueError(message) from None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return seconds * SECOND + int(((found and found[2]) or "").ljust(9, "0"))


def when(text: str) -> tuple[bool, int]:
    """A time, or one after the first packet (+10s): whether it is that, and nanoseconds."""
    return (True, duration_ns(text[1:])) if text.startswith("+") else (False, time_ns(text))


def ranges(text: str) -> list[tuple[int, int | None]]:
    """Packet numbers 1-10,20,30- as first and last of each; ValueError where they are none."""
    found = []
    for part in listed(text):
        match = re.fullmatch(r"(\d+)(-(\d+)?)?", part)
        first = int(match[1]) if match else 0
        last = None if match and match[2] == "-" else int((match and match[3]) or first)
        if not first or (last is not None and last < first):
            raise ValueError(f"{part!r} is no range of packets: 1-10,20,30- are, from 1 on")
        found.append((first, last))
    return found


def listed(text: str) -> list[str]:
    """What commas separate, without blanks, and without nothing after the last comma."""
    parts = [part.strip() for part in text.split(",")]
    return parts[:-1] if len(parts) > 1 and not parts[-1] else parts


def numbers(text: str) -> tuple[int, ...]:
    """The numbers in 53,5353; ValueError where they are none."""
    try:
        return tuple(map(int, listed(text)))
    except ValueError:
        raise ValueError(f"{text!r} are no numbers: 53 or 53,5353 are") from None


def endless(number: int | None) -> float:
    """The end of a range, which may have none."""
    return math.inf if number is None else number


def as_filter(filter: plt.where | str) -> plt.filter:
    """What filters packets as the user said."""
    return plt.filter(filter) if isinstance(filter, str) else filter
