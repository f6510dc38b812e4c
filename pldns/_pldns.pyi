from collections.abc import Iterable
from typing import Any, Literal, Self, SupportsIndex, final, overload

from typing_extensions import disjoint_base

_str = str  # ldnsrr.str hides it

@disjoint_base
class ldns:
    def __new__(cls, payload: object) -> Self: ...
    def __init__(self, payload: object) -> None: ...
    def is_ok(self) -> bool: ...
    def errorstr(self, status: int, /) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def ident(self) -> int: ...
    @property
    def is_response(self) -> bool: ...
    @property
    def opcode(self) -> int: ...
    @property
    def rcode(self) -> int: ...
    @property
    def response_type(self) -> int: ...
    @property
    def aa(self) -> bool: ...
    @property
    def tc(self) -> bool: ...
    @property
    def rd(self) -> bool: ...
    @property
    def ra(self) -> bool: ...
    @property
    def ad(self) -> bool: ...
    @property
    def cd(self) -> bool: ...
    @property
    def question(self) -> list[str]: ...
    @property
    def query_rr_list(self) -> list[ldnsrr]: ...
    @property
    def response_rr_list(self) -> list[ldnsrr]: ...
    @property
    def auth_rr_list(self) -> list[ldnsrr]: ...
    @property
    def addit_rr_list(self) -> list[ldnsrr]: ...
    @property
    def tsig(self) -> ldnsrr | None: ...
    @property
    def edns_udp_size(self) -> int | None: ...
    @property
    def edns_do(self) -> bool | None: ...
    @property
    def edns_version(self) -> int | None: ...
    @property
    def edns_rcode(self) -> int | None: ...
    @property
    def edns_options(self) -> list[tuple[int, bytes]] | None: ...
    def _repr_html_(self) -> str: ...

@disjoint_base
class ldnsrr:
    @property
    def owner(self) -> _str: ...
    @property
    def type(self) -> int: ...
    @property
    def rr_class(self) -> int: ...
    @property
    def cache_flush(self) -> bool: ...
    @property
    def unicast_response(self) -> bool: ...
    @property
    def ttl(self) -> int: ...
    @property
    def rdata(self) -> _str: ...
    @property
    def rdata_fields(self) -> list[_str]: ...
    @property
    def str(self) -> _str: ...
    def _repr_html_(self) -> _str: ...

@final
class _Column:
    def __len__(self) -> int: ...

@final
class _Batch:
    def __len__(self) -> int: ...
    def columns(self) -> list[tuple[_str, int]]: ...
    def values(self, column: int, /) -> _Column: ...
    def mask(self, column: int, /) -> _Column | None: ...
    def items(self, column: int, /) -> _Column: ...
    @overload
    def strings(self, column: int, distinct: Literal[False] = False, /) -> list[_str | None]: ...
    @overload
    def strings(self, column: int, distinct: Literal[True], /) -> tuple[list[_str], bytes]: ...
    def select(self, columns: tuple[int, ...], /) -> _Batch: ...
    def rows(self, start: int, count: int, step: int, /) -> _Batch: ...
    def arrow_c_array(self) -> tuple[object, object]: ...
    def arrow_c_schema(self) -> object: ...
    def rows_in_cache(self) -> int: ...
    def memory(self, batches: int, rows: int, /) -> object: ...
    def arrow_c_stream(self, batches: Iterable[_Batch], /) -> object: ...
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> tuple[Any, ...]: ...
    @classmethod
    def _from_state(cls, state: tuple[Any, ...], /) -> Self: ...
    def __sizeof__(self) -> int: ...

@final
class _Matcher:
    def __new__(
        cls, timeout: int, seed: bytes, ahead: bool = False, reassemble: bool = False, /
    ) -> Self: ...
    def assumed(self) -> bytes: ...
    def agrees(self, assumed: bytes, /) -> bool: ...
    def streams(self) -> bytes: ...
    def add_streams(self, streams: bytes, /) -> None: ...
    def match(self, batch: _Batch, count: int, /) -> _Batch: ...

@final
class _ColumnReader:
    def __new__(
        cls,
        source: object,
        names: tuple[_str, ...],
        filter: object,
        limit: int,
        batch: int,
        address_kind: int,
        ports: tuple[int, ...],
        matcher: _Matcher,
        is_last: bool = False,
        /,
    ) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _Batch: ...
    def rest(self) -> _Batch | None: ...
    def skip(self, rows: int, /) -> None: ...
    def set_batch(self, rows: int, /) -> None: ...
    def expect_many(self, memory: object, /) -> None: ...
    def close(self) -> None: ...
    def stop(self) -> None: ...

def _column_fields() -> list[tuple[_str, int, _str, bool]]: ...
def messages(payload: object, /) -> list[ldns]: ...
def opcodestr(opcode: int, /) -> str: ...
def rcodestr(rcode: int, /) -> str: ...
def typestr(type: int, /) -> str: ...
def errorstr(status: int, /) -> str: ...

TYPE_A: int
TYPE_NS: int
TYPE_MD: int
TYPE_MF: int
TYPE_CNAME: int
TYPE_SOA: int
TYPE_MB: int
TYPE_MG: int
TYPE_MR: int
TYPE_NULL: int
TYPE_WKS: int
TYPE_PTR: int
TYPE_HINFO: int
TYPE_MINFO: int
TYPE_MX: int
TYPE_TXT: int
TYPE_RP: int
TYPE_AFSDB: int
TYPE_X25: int
TYPE_ISDN: int
TYPE_RT: int
TYPE_NSAP: int
TYPE_NSAP_PTR: int
TYPE_SIG: int
TYPE_KEY: int
TYPE_PX: int
TYPE_GPOS: int
TYPE_AAAA: int
TYPE_LOC: int
TYPE_NXT: int
TYPE_EID: int
TYPE_NIMLOC: int
TYPE_SRV: int
TYPE_ATMA: int
TYPE_NAPTR: int
TYPE_KX: int
TYPE_CERT: int
TYPE_A6: int
TYPE_DNAME: int
TYPE_SINK: int
TYPE_OPT: int
TYPE_APL: int
TYPE_DS: int
TYPE_SSHFP: int
TYPE_IPSECKEY: int
TYPE_RRSIG: int
TYPE_NSEC: int
TYPE_DNSKEY: int
TYPE_DHCID: int
TYPE_NSEC3: int
TYPE_NSEC3PARAM: int
TYPE_TLSA: int
TYPE_SMIMEA: int
TYPE_HIP: int
TYPE_NINFO: int
TYPE_RKEY: int
TYPE_TALINK: int
TYPE_CDS: int
TYPE_CDNSKEY: int
TYPE_OPENPGPKEY: int
TYPE_CSYNC: int
TYPE_ZONEMD: int
TYPE_SVCB: int
TYPE_HTTPS: int
TYPE_DSYNC: int
TYPE_HHIT: int
TYPE_BRID: int
TYPE_SPF: int
TYPE_UINFO: int
TYPE_UID: int
TYPE_GID: int
TYPE_UNSPEC: int
TYPE_NID: int
TYPE_L32: int
TYPE_L64: int
TYPE_LP: int
TYPE_EUI48: int
TYPE_EUI64: int
TYPE_NXNAME: int
TYPE_TKEY: int
TYPE_TSIG: int
TYPE_IXFR: int
TYPE_AXFR: int
TYPE_MAILB: int
TYPE_MAILA: int
TYPE_ANY: int
TYPE_URI: int
TYPE_CAA: int
TYPE_AVC: int
TYPE_DOA: int
TYPE_AMTRELAY: int
TYPE_RESINFO: int
TYPE_WALLET: int
TYPE_TA: int
TYPE_DLV: int
CLASS_IN: int
CLASS_CH: int
CLASS_HS: int
CLASS_NONE: int
CLASS_ANY: int
OPCODE_QUERY: int
OPCODE_IQUERY: int
OPCODE_STATUS: int
OPCODE_NOTIFY: int
OPCODE_UPDATE: int
OPCODE_DSO: int
RCODE_NOERROR: int
RCODE_FORMERR: int
RCODE_SERVFAIL: int
RCODE_NXDOMAIN: int
RCODE_NOTIMP: int
RCODE_REFUSED: int
RCODE_YXDOMAIN: int
RCODE_YXRRSET: int
RCODE_NXRRSET: int
RCODE_NOTAUTH: int
RCODE_NOTZONE: int
RCODE_DSOTYPENI: int
# From here on to be compared with edns_rcode, or with the error of a TSIG: rcode has four bits.
RCODE_BADVERS: int
RCODE_BADSIG: int
RCODE_BADKEY: int
RCODE_BADTIME: int
RCODE_BADMODE: int
RCODE_BADNAME: int
RCODE_BADALG: int
RCODE_BADTRUNC: int
RCODE_BADCOOKIE: int
