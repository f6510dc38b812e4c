"""What is compared with what."""

from dataclasses import dataclass, replace
from pathlib import Path

import traces
from machine import missing
from measure import FLOOR, Job

#: The part of a trace that a slow tool gets.
PART = {"dpkt": 10, "tshark": 10, "nfstream": 10, "scapy": 100, "dnspython": 10}
READ_AND_HOP = "the floor: read and hop, in C"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    packets: int = 2_000_000
    messages: int = 200_000
    addresses: int = 1_000_000
    flows: int = 10_000_000
    files: int = 10_000
    larger: float = 1.125  # times the memory of this machine
    rounds: int = 5


QUICK = Sizes(
    packets=100_000,
    messages=20_000,
    addresses=100_000,
    flows=100_000,
    files=500,
    larger=0.01,
    rounds=3,
)


@dataclass(frozen=True)
class Comparison:
    """Jobs that do the same.

    Where there is a floor, it is the first job.
    """

    title: str
    jobs: tuple[Job, ...]
    judge: str | None  # the job whose findings those of all others must agree with
    unit: str = "packets"
    against: str = ""  # what others are compared with besides the floor
    rate: bool = False  # that ratio is one of rates: the higher the better
    wall: bool = False  # and of the wall's clock, not of CPU time
    group: int = 0  # of so many jobs in a row the first is what the others are compared with
    in_memory: bool = True  # else the trace is larger than memory, is read once and then removed

    @property
    def has_floor(self) -> bool:
        return self.jobs[0].run == FLOOR

    def floor(self, job: Job) -> Job | None:
        """That of the trace which a job has, or stands on."""
        if not self.has_floor:
            return None
        paths = {one.path: one for one in reversed(self.jobs) if one.run == FLOOR}
        return paths[job.floor] if job.floor else self.jobs[0]

    def rival(self, job: Job) -> Job | None:
        """What a job is compared with besides the floor."""
        if not self.against or job.run == FLOOR:
            return None
        others = [one for one in self.jobs if one.run != FLOOR]
        size = self.group or len(others)
        return others[others.index(job) // size * size]

    def feasible(self) -> tuple[Job, ...]:
        """The jobs whose tools are there, and those that they are compared with."""
        lacks = {*missing()}
        return tuple(
            job for job in self.jobs if not lacks & (job.needs() | (self.rival(job) or job).needs())
        )


def slow(tool: str, sizes: Sizes) -> int:
    """How many of the packets a slow tool gets."""
    return sizes.packets // PART[tool]


def ours(title: str, run: str, path: Path) -> Job:
    """A job of this project, which has a limit."""
    return Job(title, run, path, ours=True)


def count(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    tenth, hundredth = (traces.mixed(slow(tool, sizes)) for tool in ("dpkt", "scapy"))
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        ours("plt.columns()", "with_columns.count", path),
        ours("plt, loop that counts packets", "with_plt.count_packets", path),
        ours("plt, loop, and bytes", "with_plt.count", path),
        Job("libtrace, in C", "c.libtrace", path),
        Job("dnsjit, in Lua", "with_dnsjit.count", path),
        Job("gopacket, in Go", "with_gopacket.count", path),
        Job("tcpdump --count", "with_tcpdump.count", path),
        Job("cypcap, loop, and bytes", "with_cypcap.count", path),
        Job("dpkt, captured bytes", "with_dpkt.count", tenth),
        Job("scapy, not dissected", "with_scapy.count_raw", tenth),
        Job("scapy", "with_scapy.count", hundredth),
        Job("tshark -z io,stat", "with_tshark.count", tenth),
    )
    return Comparison("Count packets and bytes", jobs, "with_plt.count")


def ports(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    tenth, hundredth = (traces.mixed(slow(tool, sizes)) for tool in ("dpkt", "scapy"))
    uncut = traces.mixed(slow("nfstream", sizes), traces.WHOLE)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        Job("the floor of whole packets", FLOOR, uncut, floor=uncut),
        ours("plt.columns(), NumPy", "with_columns.ports", path),
        ours("plt, loop", "with_plt.ports", path),
        ours("plt, loop, pkt.tcp.dst_port alone", "with_plt.dst_ports", path),
        Job("dnsjit, in Lua, whole packets", "with_dnsjit.ports", uncut, floor=uncut),
        Job("gopacket, in Go", "with_gopacket.ports", path),
        Job("dpkt", "with_dpkt.ports", tenth),
        Job("scapy", "with_scapy.ports", hundredth),
        Job("tshark -T fields", "with_tshark.ports", tenth),
    )
    return Comparison("Bytes by TCP destination port, in a dict", jobs, "with_plt.ports")


def columns(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    tenth, hundredth = (traces.mixed(slow(tool, sizes)) for tool in ("dpkt", "scapy"))
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        Job("nine columns, in C", "c.nine_columns", path),
        ours("plt.columns(), by batches", "with_columns.batches", path),
        ours("plt.columns(), by batches, 1 worker", "with_columns.batches_1_worker", path),
        ours("plt.columns(decap=True), by batches", "with_columns.decap_batches", path),
        ours("plt.columns(), one table", "with_columns.table", path),
        ours("plt.columns(), pyarrow table", "with_pyarrow.columns", path),
        ours("plt.columns(), pyarrow, bytes", "with_pyarrow.columns_of_bytes", path),
        Job("tcpdump, a line each", "with_tcpdump.text", tenth),
        Job("dpkt, lists", "with_dpkt.columns", tenth),
        Job("scapy, lists", "with_scapy.columns", hundredth),
        Job("tshark -T fields, pyarrow table", "with_pyarrow.tshark", tenth),
    )
    return Comparison("Nine columns of each packet", jobs, "with_columns.table")


def filters(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        ours("plt.filter, one column", "with_columns.bpf", path),
        ours("plt.where, one column", "with_columns.where", path),
        ours("plt.filter, nine columns", "with_columns.bpf_nine", path),
        ours("plt.where, nine columns", "with_columns.where_nine", path),
        Job("tcpdump --count, libpcap's filter", "with_tcpdump.bpf", path),
        Job("cypcap, loop, libpcap's filter", "with_cypcap.bpf", path),
    )
    return Comparison("Only TCP to ports 80 and 443, tagged or not", jobs, "with_columns.bpf")


def flows(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    pieces = traces.mixed_pieces(sizes.packets)
    tenth = traces.mixed(slow("dpkt", sizes))
    uncut = traces.mixed(slow("nfstream", sizes), traces.WHOLE)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        Job("the floor of whole packets", FLOOR, uncut, floor=uncut),
        ours("natkit.FlowTable", "with_natkit.flow_table", path),
        ours("natkit.FlowTable(tcp=True)", "with_natkit.flow_table_tcp", path),
        ours("natkit.FlowTable(decap=True)", "with_natkit.flow_table_decap", path),
        ours("natkit.FlowTable(first=20)", "with_natkit.flow_table_first", path),
        ours("natkit.FlowTable(statistics=True)", "with_natkit.flow_table_statistics", path),
        ours("natkit.flows(), 2 workers", "with_natkit.parts_2_workers", path),
        ours("natkit.flows(), 4 files, 1 worker", "with_natkit.flows_1_worker", pieces),
        ours("natkit.flows(), 4 files, 2 workers", "with_natkit.flows_2_workers", pieces),
        ours("IPflow, dict (p15)", "with_natkit.flow_dict", path),
        ours("FlowHome, dict (p16)", "with_natkit.home_dict", path),
        Job("nfpcapd, to a file", "with_exporters.nfpcapd", path),
        Job("softflowd", "with_exporters.softflowd", path),
        Job("gopacket, map, in Go", "with_gopacket.flows", path),
        Job("dpkt, dict", "with_dpkt.flows", tenth),
        Job("nfstream, whole packets", "with_nfstream.flows", uncut, floor=uncut),
        Job("tshark -z conv,tcp -z conv,udp", "with_tshark.flows", tenth),
    )
    return Comparison("Flows: packets and bytes each way", jobs, "with_natkit.flow_table")


def joined(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        ours("plt.columns() and natkit.FlowTable", "with_natkit.columns_and_table", path),
        ours("natkit.packets()", "with_natkit.packets", path),
    )
    title = "Nine columns of each packet, and their flows"
    return Comparison(title, jobs, jobs[1].run, against="columns and table")


def dns(sizes: Sizes) -> Comparison:
    path = traces.dns(sizes.messages)
    tenth = traces.dns(sizes.messages // 10)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        ours("pldns.columns(), by batches", "with_pldns.batches", path),
        ours("pldns.columns()", "with_pldns.columns", path),
        ours("pldns.columns(), and response time", "with_pldns.columns_timed", path),
        ours("pldns.columns(), and EDNS, status", "with_pldns.columns_checked", path),
        ours("plt and pldns, loop", "with_pldns.loop", path),
        Job("dnsjit, in Lua", "with_dnsjit.dns", path),
        Job("dnsjit, in Lua, without names", "with_dnsjit.dns_without_names", path),
        Job("gopacket, in Go", "with_gopacket.dns", path),
        Job("dnscap, a line each", "with_dnscap.dns", tenth),
        Job("plt and dnspython, loop", "with_dnspython.loop", tenth),
        Job("dpkt", "with_dpkt.dns", tenth),
        Job("tshark -T fields", "with_tshark.dns", tenth),
    )
    title = "Each message of a DNS trace: header, question, number of answers"
    return Comparison(title, jobs, "with_pldns.loop", unit="messages")


def real(sizes: Sizes) -> Comparison:
    path, tenth = traces.real(sizes.packets), traces.real(slow("tshark", sizes))
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        Job("nine columns, in C", "c.nine_columns", path),
        ours("plt.columns(wire_len)", "with_columns.count", path),
        ours("plt.columns(), by batches", "with_columns.batches", path),
        ours("plt.columns(decap=True), by batches", "with_columns.decap_batches", path),
        ours("plt, loop, bytes by TCP port", "with_plt.all_ports", path),
        ours("natkit.FlowTable", "with_natkit.whole_flow_table", path),
        ours("natkit.FlowTable(tcp=True)", "with_natkit.whole_flow_table_tcp", path),
        Job("libtrace, in C", "c.libtrace", path),
        Job("dnsjit, in Lua, bytes by TCP port", "with_dnsjit.all_ports", path),
        Job("gopacket, in Go, bytes by TCP port", "with_gopacket.all_ports", path),
        Job("tcpdump --count", "with_tcpdump.count", path),
        Job("nfpcapd, flows to a file", "with_exporters.nfpcapd", path),
        Job("softflowd, flows", "with_exporters.softflowd", path),
        Job("tshark -z io,stat", "with_tshark.count", tenth),
    )
    return Comparison("Whole packets of many kinds", jobs, "with_columns.table")


def streams(sizes: Sizes) -> Comparison:
    path = traces.streams(sizes.packets // 4)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        ours("natkit.streams(), and their bytes", "with_natkit.streams", path),
    )
    return Comparison("TCP streams, in segments of 1,448 bytes", jobs, None)


def formats(sizes: Sizes) -> Comparison:
    plain = traces.mixed(sizes.packets)
    packed = {name: traces.mixed_as(sizes.packets, name) for name in ("pcapng", "gz", "xz")}
    if "zstd" not in missing():
        packed["zst"] = traces.mixed_as(sizes.packets, "zst")
    nine = "plt.columns(), by batches"
    unpackers = {"gz": "gzip", "xz": "xz", "zst": "zstd"}
    jobs = [Job(f"{READ_AND_HOP}, plain", FLOOR, plain)]
    jobs += [ours(f"{nine}, plain", "with_columns.batches", plain)]
    for name, path in packed.items():
        jobs.append(ours(f"{nine}, {name}", "with_columns.batches", path))
        if program := unpackers.get(name):
            jobs.append(Job(f"{program} -dc alone, {name}", f"with_unpackers.{program}", path))
    jobs += [
        Job("zlib-ng alone, gz", "with_zlib_ng.unpack", packed["gz"]),
        ours("plt, loop, and bytes, gz", "with_plt.count", packed["gz"]),
        ours("natkit.FlowTable, gz", "with_natkit.flow_table", packed["gz"]),
        Job("libtrace, in C, gz", "c.libtrace", packed["gz"]),
        Job("tcpdump --count, pcapng", "with_tcpdump.count", packed["pcapng"]),
    ]
    return Comparison("Formats of files", tuple(jobs), "with_columns.batches")


def small_files(sizes: Sizes) -> Comparison:
    packets = sizes.packets // 2
    path, one = traces.mixed_pieces(packets, sizes.files), traces.mixed(packets)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        Job("the floor of one file", FLOOR, one, floor=one),
        ours("plt.columns(), by batches", "with_columns.all_batches", path),
        replace(ours("plt.columns(), one file", "with_columns.all_batches", one), floor=one),
        ours("natkit.flows(), 1 worker", "with_natkit.flows_1_worker", path),
        replace(ours("natkit.flows(), one file", "with_natkit.flows_1_worker", one), floor=one),
        Job("cypcap, loop, and bytes", "with_cypcap.count_all", path),
    )
    each = packets // sizes.files
    return Comparison(f"{sizes.files:,} files of {each} packets, and one of all", jobs, None)


def on_processors(sizes: Sizes) -> Comparison:
    plain, packed = traces.mixed(sizes.packets), traces.mixed_as(sizes.packets, "gz")
    pieces = traces.mixed_pieces(sizes.packets)
    does = (
        ("plt.columns(), by batches, plain", "with_columns.batches", plain),
        ("plt.columns(), by batches, gz", "with_columns.batches", packed),
        ("natkit.FlowTable, plain", "with_natkit.flow_table", plain),
        ("natkit.FlowTable(tcp=True), plain", "with_natkit.flow_table_tcp", plain),
        ("natkit.FlowTable, gz", "with_natkit.flow_table", packed),
        ("natkit.flows(), plain", "with_natkit.parts_2_workers", plain),
        ("natkit.flows(), 4 files", "with_natkit.flows_2_workers", pieces),
    )
    jobs = [Job(READ_AND_HOP, FLOOR, plain, processors=1)]
    for title, run, path in does:
        for number in (1, 2):
            one = ours(f"{title}, on {number}", run, path)
            jobs.append(replace(one, processors=number))
    return Comparison(
        "On one processor, and on two",
        tuple(jobs),
        None,
        against="one processor",
        rate=True,
        wall=True,
        group=2,
    )


def larger(sizes: Sizes) -> Comparison | None:
    """None where the disk has no room for the file."""
    size = int(traces.memory() * sizes.larger)
    if traces.room() < size * 5 // 4:
        return None
    path = traces.larger(sizes.packets, size)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        Job("nine columns, in C", "c.nine_columns", path),
        ours("plt.columns(), by batches", "with_columns.batches", path),
        ours("natkit.FlowTable", "with_natkit.whole_flow_table", path),
    )
    return Comparison("A file larger than memory", jobs, None, in_memory=False)


def messages(_: Sizes) -> Comparison:
    path = traces.tutorial_dns()
    jobs = (
        Job("dnspython, read", "with_dnspython.read", path),
        ours("pldns, read", "with_pldns.read", path),
        Job("dnspython, read and keep", "with_dnspython.keep", path),
        ours("pldns, read and keep", "with_pldns.keep", path),
        Job("dnspython, all records as text", "with_dnspython.text", path),
        ours("pldns, all records as text", "with_pldns.text", path),
    )
    return Comparison(
        "DNS messages in memory",
        jobs,
        "with_pldns.read",
        "messages",
        against="dnspython",
        rate=True,
        group=2,
    )


def anonymise(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets // 4)
    jobs = (
        Job(READ_AND_HOP, FLOOR, path),
        Job("traceanon", "with_traceanon.anonymise", path),
        ours("CryptoPan, loop", "with_natkit.anonymise", path),
    )
    return Comparison(
        "Read, anonymise and write packets", jobs, jobs[1].run, against="traceanon", rate=True
    )


def random_addresses(sizes: Sizes) -> Comparison:
    path = traces.random_headers(sizes.addresses // 2)
    jobs = (
        Job("traceanon, IPv4", "with_traceanon.addresses", path),
        ours("CryptoPan, IPv4 array", "with_natkit.addresses", path),
        ours("CryptoPan, IPv6 array", "with_natkit.addresses_ipv6", path),
    )
    title = "Anonymise random addresses, none of them remembered"
    return Comparison(title, jobs, None, "addresses", against="traceanon", rate=True)


def texts(sizes: Sizes) -> Comparison:
    path = traces.random_headers(sizes.addresses // 2)
    jobs = (
        Job("ipaddress, to text", "with_ipp.text_one_by_one", path),
        ours("ipp.format()", "with_ipp.text", path),
        Job("ipaddress, from text", "with_ipp.parse_one_by_one", path),
        ours("ipp.parse()", "with_ipp.parse", path),
        Job("ipaddress, in a network", "with_ipp.contains_one_by_one", path),
        ours("IPprefix.contains()", "with_ipp.contains", path),
    )
    return Comparison(
        "Many addresses", jobs, None, "addresses", against="ipaddress", rate=True, group=2
    )


def fields(sizes: Sizes) -> Comparison:
    path = traces.mixed(sizes.packets // 100)
    jobs = (
        Job("by a getter in C of its own", "with_getter.by_hand", path),
        ours("by a row of plt's table", "with_getter.by_table", path),
    )
    return Comparison("Read a field: tcp.dst_port", jobs, None, "reads", against="the getter")


COMPARISONS = {
    "count": count,
    "ports": ports,
    "columns": columns,
    "filters": filters,
    "flows": flows,
    "joined": joined,
    "dns": dns,
    "real": real,
    "streams": streams,
    "messages": messages,
    "formats": formats,
    "small-files": small_files,
    "processors": on_processors,
    "anonymise": anonymise,
    "random-addresses": random_addresses,
    "texts": texts,
    "fields": fields,
    "larger": larger,
}
#: What is measured only where it is asked for by name.
ON_DEMAND = ("larger",)
