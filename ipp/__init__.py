"""IP addresses and prefixes.

`IPprefix` is an IPv4 or IPv6 address with or without a prefix length; `from_s` makes one from its
text. In packets of `plt` addresses are IPprefixes, in its columns they are arrays of bytes:
`format`, `parse` and `IPprefix.contains` are for those.
"""

from typing import Final

from ipp._ipp import IPprefix, format, from_s, parse

__all__ = [
    "IPprefix",
    "format",
    "from_s",
    "parse",
    "rfc1918s8",
    "rfc1918s12",
    "rfc1918s16",
    "version",
]

#: The private IPv4 prefixes of RFC 1918 section 3: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16.
rfc1918s8: Final = from_s("10.0.0.0/8")
rfc1918s12: Final = from_s("172.16.0.0/12")
rfc1918s16: Final = from_s("192.168.0.0/16")


def version() -> str:
    """The version of the ipp API that this module speaks, not the project's own."""
    return "1.9"
