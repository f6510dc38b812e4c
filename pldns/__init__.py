# ruff: noqa: F403, F405
"""DNS messages of packets, read by NLnet Labs' ldns.

`ldns(payload)` reads the message of a UDP or TCP payload, or of bytes; its lists hold a record
(`ldnsrr`) each. `messages(payload)` reads all those of one TCP payload. `columns(source)` gives all
messages of a trace as NumPy arrays and Arrow, with the response time of queries; `column_fields()`
lists its columns. `opcodestr`, `rcodestr`, `typestr` and `errorstr` name numbers; the `TYPE_`,
`CLASS_`, `OPCODE_` and `RCODE_` constants are those of IANA's registry of DNS parameters.
"""

from pldns._columns import column_fields, columns
from pldns._pldns import *

__all__ = [
    "CLASS_ANY", "CLASS_CH", "CLASS_HS", "CLASS_IN", "CLASS_NONE", "OPCODE_DSO", "OPCODE_IQUERY",
    "OPCODE_NOTIFY", "OPCODE_QUERY", "OPCODE_STATUS", "OPCODE_UPDATE", "RCODE_BADALG",
    "RCODE_BADCOOKIE", "RCODE_BADKEY", "RCODE_BADMODE", "RCODE_BADNAME", "RCODE_BADSIG",
    "RCODE_BADTIME", "RCODE_BADTRUNC", "RCODE_BADVERS", "RCODE_DSOTYPENI", "RCODE_FORMERR",
    "RCODE_NOERROR", "RCODE_NOTAUTH", "RCODE_NOTIMP", "RCODE_NOTZONE", "RCODE_NXDOMAIN",
    "RCODE_NXRRSET", "RCODE_REFUSED", "RCODE_SERVFAIL", "RCODE_YXDOMAIN", "RCODE_YXRRSET", "TYPE_A",
    "TYPE_A6", "TYPE_AAAA", "TYPE_AFSDB", "TYPE_AMTRELAY", "TYPE_ANY", "TYPE_APL", "TYPE_ATMA",
    "TYPE_AVC", "TYPE_AXFR", "TYPE_BRID", "TYPE_CAA", "TYPE_CDNSKEY", "TYPE_CDS", "TYPE_CERT",
    "TYPE_CNAME", "TYPE_CSYNC", "TYPE_DHCID", "TYPE_DLV", "TYPE_DNAME", "TYPE_DNSKEY", "TYPE_DOA",
    "TYPE_DS", "TYPE_DSYNC", "TYPE_EID", "TYPE_EUI48", "TYPE_EUI64", "TYPE_GID", "TYPE_GPOS",
    "TYPE_HHIT", "TYPE_HINFO", "TYPE_HIP", "TYPE_HTTPS", "TYPE_IPSECKEY", "TYPE_ISDN", "TYPE_IXFR",
    "TYPE_KEY", "TYPE_KX", "TYPE_L32", "TYPE_L64", "TYPE_LOC", "TYPE_LP", "TYPE_MAILA",
    "TYPE_MAILB", "TYPE_MB", "TYPE_MD", "TYPE_MF", "TYPE_MG", "TYPE_MINFO", "TYPE_MR", "TYPE_MX",
    "TYPE_NAPTR", "TYPE_NID", "TYPE_NIMLOC", "TYPE_NINFO", "TYPE_NS", "TYPE_NSAP", "TYPE_NSAP_PTR",
    "TYPE_NSEC", "TYPE_NSEC3", "TYPE_NSEC3PARAM", "TYPE_NULL", "TYPE_NXNAME", "TYPE_NXT",
    "TYPE_OPENPGPKEY", "TYPE_OPT", "TYPE_PTR", "TYPE_PX", "TYPE_RESINFO", "TYPE_RKEY", "TYPE_RP",
    "TYPE_RRSIG", "TYPE_RT", "TYPE_SIG", "TYPE_SINK", "TYPE_SMIMEA", "TYPE_SOA", "TYPE_SPF",
    "TYPE_SRV", "TYPE_SSHFP", "TYPE_SVCB", "TYPE_TA", "TYPE_TALINK", "TYPE_TKEY", "TYPE_TLSA",
    "TYPE_TSIG", "TYPE_TXT", "TYPE_UID", "TYPE_UINFO", "TYPE_UNSPEC", "TYPE_URI", "TYPE_WALLET",
    "TYPE_WKS", "TYPE_X25", "TYPE_ZONEMD", "column_fields", "columns", "errorstr", "ldns", "ldnsrr",
    "messages", "opcodestr", "rcodestr", "typestr",
]  # fmt: skip
