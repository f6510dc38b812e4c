"""gzip unpacked by the library that plt uses where it is installed, to nowhere."""

from pathlib import Path

from clock import Clock
from payloads import packets_of
from shared import Result
from zlib_ng import zlib_ng

from plt._compression import AT_ONCE, PIECES


def unpack(path: Path, clock: Clock) -> Result:
    packets = packets_of(path)
    with clock, path.open("rb") as file:
        member = zlib_ng.decompressobj(wbits=31)
        while data := member.unconsumed_tail or file.read(PIECES["gzip"]):
            member.decompress(data, AT_ONCE)
    return {"count": packets}
