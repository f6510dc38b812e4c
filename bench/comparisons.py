"""What is compared with what."""

from dataclasses import dataclass

import traces
from machine import missing
from measure import FLOOR, Job

PART = {"dpkt": 10, "tshark": 10, "nfstream": 10, "scapy": 100, "dnspython": 10}


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    packets: int = 2_000_000
    messages: int = 200_000
    addresses: int = 1_000_000
    flows: int = 10_000_000
    rounds: int = 5


QUICK = Sizes(packets=100_000, messages=20_000, addresses=100_000, flows=100_000, rounds=3)


@dataclass(frozen=True)
class Comparison:
    """Jobs that do the same."""

    title: str
    jobs: tuple[Job, ...]
    judge: str | None  # the job whose findings those of all others must agree with
    against: str = "the floor"  # what the first job is: the others are compared with it
    unit: str = "packets"
    rate: bool = False  # the ratio is that of rates: the higher the better
    group: int = 0  # of so many jobs in a row the first is what the others are compared with

    def base(self, job: Job) -> Job:
        size = self.group or len(self.jobs)
        return self.jobs[self.jobs.index(job) // size * size]

    def feasible(self) -> tuple[Job, ...]:
        """The jobs whose tools are there, and those that they are compared with."""
        lacks = {*missing()}
        return tuple(job for job in self.jobs if not lacks & (job.needs() | self.base(job).needs()))


def slow(tool: str, sizes: Sizes) -> int:
    """How many of the packets a slow tool gets."""
    return sizes.packets // PART[tool]


def count(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    tenth, hundredth = (traces.mixed(slow(tool, sizes)) for tool in ("dpkt", "scapy"))
    jobs = (
        Job("the floor, in C", FLOOR, path),
        Job("plt, loop that counts packets", "with_plt.count_packets", path, 2.0),
        Job("plt, loop, and bytes", "with_plt.count", path),
        Job("plt.columns()", "with_columns.count", path),
        Job("dpkt, captured bytes", "with_dpkt.count", tenth),
        Job("scapy, not dissected", "with_scapy.count_raw", tenth),
        Job("scapy", "with_scapy.count", hundredth),
        Job("tshark -z io,stat", "with_tshark.count", tenth),
    )
    return Comparison("Count packets and bytes", jobs, "with_plt.count")


def ports(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    tenth, hundredth = (traces.mixed(slow(tool, sizes)) for tool in ("dpkt", "scapy"))
    jobs = (
        Job("the floor, in C", FLOOR, path),
        Job("plt, loop", "with_plt.ports", path, 4.2),
        Job("plt.columns(), NumPy", "with_columns.ports", path),
        Job("dpkt", "with_dpkt.ports", tenth),
        Job("scapy", "with_scapy.ports", hundredth),
        Job("tshark -T fields", "with_tshark.ports", tenth),
    )
    return Comparison("Bytes by TCP destination port, in a dict", jobs, "with_plt.ports")


def columns(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    tenth, hundredth = (traces.mixed(slow(tool, sizes)) for tool in ("dpkt", "scapy"))
    jobs = (
        Job("the floor, in C", FLOOR, path),
        Job("plt.columns(), by batches", "with_columns.batches", path, 2.2),
        Job("plt.columns(), by batches, 1 worker", "with_columns.batches_1_worker", path),
        Job("plt.columns(decap=True), by batches", "with_columns.decap_batches", path, 2.5),
        Job("plt.columns(), one table", "with_columns.table", path),
        Job("plt.columns(), pyarrow table", "with_pyarrow.columns", path, 2.2),
        Job("plt.columns(), pyarrow, bytes", "with_pyarrow.columns_of_bytes", path),
        Job("dpkt, lists", "with_dpkt.columns", tenth),
        Job("scapy, lists", "with_scapy.columns", hundredth),
        Job("tshark -T fields, pyarrow table", "with_pyarrow.tshark", tenth),
    )
    return Comparison("Nine columns of each packet", jobs, "with_columns.table")


def filters(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    jobs = (
        Job("plt.filter, one column", "with_columns.bpf", path),
        Job("plt.where, one column", "with_columns.where", path, 1.5),
        Job("plt.filter, nine columns", "with_columns.bpf_nine", path),
        Job("plt.where, nine columns", "with_columns.where_nine", path, 1.3),
    )
    title = "Only TCP to ports 80 and 443, tagged or not"
    return Comparison(title, jobs, jobs[0].run, "libpcap's filter", group=2)


def flows(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    pieces = traces.mixed_pieces(sizes.packets)
    tenth = traces.mixed(slow("dpkt", sizes))
    uncut = traces.mixed(slow("nfstream", sizes), traces.WHOLE)
    jobs = (
        Job("the floor, in C", FLOOR, path),
        Job("natkit.FlowTable", "with_natkit.flow_table", path, 2.5),
        Job("natkit.FlowTable(decap=True)", "with_natkit.flow_table_decap", path, 2.9),
        Job("natkit.FlowTable(tcp=True)", "with_natkit.flow_table_tcp", path),
        Job("natkit.FlowTable(first=20)", "with_natkit.flow_table_first", path),
        Job("natkit.FlowTable(statistics=True)", "with_natkit.flow_table_statistics", path),
        Job("natkit.flows(), 2 workers", "with_natkit.parts_2_workers", path),
        Job("natkit.flows(), 4 files, 1 worker", "with_natkit.flows_1_worker", pieces),
        Job("natkit.flows(), 4 files, 2 workers", "with_natkit.flows_2_workers", pieces),
        Job("IPflow, dict (p15)", "with_natkit.flow_dict", path, 8.0),
        Job("FlowHome, dict (p16)", "with_natkit.home_dict", path, 8.0),
        Job("dpkt, dict", "with_dpkt.flows", tenth),
        Job("nfstream", "with_nfstream.flows", uncut),
        Job("tshark -z conv,tcp -z conv,udp", "with_tshark.flows", tenth),
    )
    return Comparison("Flows: packets and bytes each way", jobs, "with_natkit.flow_table")


def joined(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    jobs = (
        Job("plt.columns() and natkit.FlowTable", "with_natkit.columns_and_table", path),
        Job("natkit.packets()", "with_natkit.packets", path, 1.3),
    )
    title = "Nine columns of each packet, and their flows"
    return Comparison(title, jobs, jobs[0].run, "columns and table")


def dns(sizes: Sizes) -> Comparison:
    path = traces.dns(sizes.messages)
    tenth = traces.dns(sizes.messages // 10)
    jobs = (
        Job("the floor, in C", FLOOR, path),
        Job("pldns.columns()", "with_pldns.columns", path),
        Job("pldns.columns(), and response time", "with_pldns.columns_timed", path),
        Job("pldns.columns(), and EDNS, status", "with_pldns.columns_checked", path),
        Job("plt and pldns, loop", "with_pldns.loop", path),
        Job("plt and dnspython, loop", "with_dnspython.loop", tenth),
        Job("dpkt", "with_dpkt.dns", tenth),
        Job("tshark -T fields", "with_tshark.dns", tenth),
    )
    title = "Each message of a DNS trace: header, question, number of answers"
    return Comparison(title, jobs, "with_pldns.loop", unit="messages")


def streams(sizes: Sizes) -> Comparison:
    path = traces.streams(sizes.packets // 4)
    jobs = (
        Job("the floor, in C", FLOOR, path),
        Job("natkit.streams(), and their bytes", "with_natkit.streams", path),
    )
    return Comparison("TCP streams, in segments of 1,448 bytes", jobs, None)


def messages(_: Sizes) -> Comparison:
    path = traces.tutorial_dns()
    jobs = (
        Job("dnspython, read", "with_dnspython.read", path),
        Job("pldns, read", "with_pldns.read", path, 3.0),
        Job("dnspython, read and keep", "with_dnspython.keep", path),
        Job("pldns, read and keep", "with_pldns.keep", path, 3.0),
        Job("dnspython, all records as text", "with_dnspython.text", path),
        Job("pldns, all records as text", "with_pldns.text", path, 3.0),
    )
    return Comparison(
        "DNS messages in memory", jobs, "with_pldns.read", "dnspython", "messages", True, group=2
    )


def gz(sizes: Sizes) -> Comparison:
    plain, packed = traces.mixed(sizes.packets), traces.mixed_gz(sizes.packets)
    does = (
        ("the floor, in C", FLOOR),
        ("plt, loop, and bytes", "with_plt.count"),
        ("plt.columns(), by batches", "with_columns.batches"),
        ("natkit.FlowTable", "with_natkit.flow_table"),
    )
    jobs = [
        Job(f"{title}, {name}", run, path)
        for title, run in does
        for name, path in (("plain", plain), ("gz", packed))
    ]
    return Comparison("Compressed files", tuple(jobs), None, "plain", group=2)


def anonymise(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets // 4)
    jobs = (
        Job("traceanon", "with_traceanon.anonymise", path),
        Job("CryptoPan, loop", "with_natkit.anonymise", path, 3.0),
    )
    return Comparison(
        "Read, anonymise and write packets", jobs, jobs[0].run, "traceanon", rate=True
    )


def random_addresses(sizes: Sizes) -> Comparison:
    path = traces.random_headers(sizes.addresses // 2)
    jobs = (
        Job("traceanon, IPv4", "with_traceanon.addresses", path),
        Job("CryptoPan, IPv4 array", "with_natkit.addresses", path, 3.0),
        Job("CryptoPan, IPv6 array", "with_natkit.addresses_ipv6", path),
    )
    title = "Anonymise random addresses, none of them remembered"
    return Comparison(title, jobs, None, "traceanon", "addresses", True)


def texts(sizes: Sizes) -> Comparison:
    path = traces.random_headers(sizes.addresses // 2)
    jobs = (
        Job("ipaddress, to text", "with_ipp.text_one_by_one", path),
        Job("ipp.format()", "with_ipp.text", path),
        Job("ipaddress, from text", "with_ipp.parse_one_by_one", path),
        Job("ipp.parse()", "with_ipp.parse", path),
        Job("ipaddress, in a network", "with_ipp.contains_one_by_one", path),
        Job("IPprefix.contains()", "with_ipp.contains", path),
    )
    return Comparison("Many addresses", jobs, None, "ipaddress", "addresses", True, group=2)


def fields(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets // 100)
    jobs = (
        Job("by a getter in C of its own", "with_getter.by_hand", path),
        Job("by a row of plt's table", "with_getter.by_table", path),
    )
    return Comparison("Read a field: tcp.dst_port", jobs, None, "the getter", "reads")


COMPARISONS = {
    "count": count,
    "ports": ports,
    "columns": columns,
    "filters": filters,
    "flows": flows,
    "joined": joined,
    "dns": dns,
    "streams": streams,
    "messages": messages,
    "gz": gz,
    "anonymise": anonymise,
    "random-addresses": random_addresses,
    "texts": texts,
    "fields": fields,
}
