"""Columns are filled from blocks of packets: that must give what each packet gives by itself.

A C program of its own compares both ways for each packet; plt.columns() is asked where blocks,
reads and batches end.
"""

import io
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from packets import (
    EPOCH,
    ETH,
    Record,
    child,
    enhanced,
    ethernet,
    icmp,
    interface,
    ipv4,
    ipv6,
    pcap,
    section,
    tcp,
    udp,
    write,
)
from present import tool

import plt

SRC = Path(__file__).resolve().parents[2] / "src"

#: Reads packets from its standard input, each after its link type, the length on the wire and its
#: own length, and changes copies of them in many ways.  Compares layers with and without the
#: straight path, and all values of blocks of 1 to 64 packets with those of each packet.
PROGRAM = r"""
#include "packet/block.h"
#include "packet/decode.h"
#include "packet/field.h"
#include "packet/meta.h"
#include "packet/property.h"
#include "packet/straight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;
static uint64_t packets, straight, values;

static uint32_t any(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % below);
}

static struct packet_block block;
static struct packet_block bare; /* the same without packets, found from records */
static struct plt_layers layers[PACKETS_OF_BLOCK];
static struct plt_meta metas[PACKETS_OF_BLOCK];
static uint8_t *bytes[PACKETS_OF_BLOCK]; /* of exactly each packet's size */

static void fail(const char *what, const char *name, size_t i)
{
    const struct plt_packet *packet = &block.packets[i];
    printf("%s %s: link type %u, wire %u:", what, name, packet->meta->dlt,
           (unsigned)packet->meta->wire_len);
    for (uint32_t at = 0; at < packet->len; at++)
        printf(" %02x", packet->data[at]);
    printf("\n");
    exit(1);
}

/* The block that has what something needs, and no more. */
static const struct packet_block *block_for(enum block_need need)
{
    return need == BLOCK_PACKETS ? &block : &bare;
}

static void find_bare(void)
{
    static struct record_block records;
    memset(&bare, 0, sizeof(bare));
    memset(&records, 0, sizeof(records));
    records.count = block.count;
    for (size_t i = 0; i < block.count; i++) {
        const struct plt_packet *packet = &block.packets[i];
        records.records[i] =
            (struct plt_record){.data = packet->data, .len = packet->len, .meta = *packet->meta};
        if (any(3) == 0) /* as where a condition was asked about it */
            records.records[i].layers = packet->layers;
    }
    record_headers_all(&records, &bare);
}

static void compare_property(const struct property *row)
{
    struct block_values out;
    const struct packet_block *from = block_for(property_need((enum property_id)row->id));
    if (row->kind == KIND_TEXT)
        return;
    if (kind_is_address(row->kind)) {
        static uint8_t addresses[PACKETS_OF_BLOCK][16];
        struct block_versions found;
        property_addresses((enum property_id)row->id, from, addresses[0], &found);
        for (size_t i = 0; i < block.count; i++) {
            uint8_t expected[16] = {0};
            uint32_t size = 0;
            const uint8_t *address =
                property_address((enum property_id)row->id, &block.packets[i], &size);
            if (address)
                memcpy(expected, address, size);
            if (memcmp(expected, addresses[i], 16) != 0 || found.absent[i] != !address ||
                found.versions[i] != (!address ? 0 : size == 4 ? 4 : 6))
                fail("address", row->name, i);
            values++;
        }
        return;
    }
    row->fill(from, &out);
    for (size_t i = 0; i < block.count; i++) {
        uint64_t value = 0;
        bool present =
            property_value((enum property_id)row->id, &block.packets[i], &value) == VALUE_PRESENT;
        if (out.absent[i] != !present || out.values[i] != (present ? value : 0))
            fail("property", row->name, i);
        values++;
    }
}

static void compare_field(const struct field *row, uint8_t proto)
{
    struct block_values out;
    field_fill(row, proto, block_for(field_need(row)), &out);
    for (size_t i = 0; i < block.count; i++) {
        const struct plt_packet *packet = &block.packets[i];
        bool has_header = row->base != BASE_TRANSPORT || packet->layers->proto == proto;
        uint32_t at = has_header ? field_at(row, packet->layers, packet->len, PLT_ABSENT)
                                 : PLT_ABSENT;
        uint32_t value = at == PLT_ABSENT ? 0 : field_value(row, packet->data + at);
        if (out.absent[i] != (at == PLT_ABSENT) || out.values[i] != value)
            fail("field", row->name, i);
        values++;
    }
}

static void compare(void)
{
    static const uint8_t protos[] = {6, 17, 132, 1, 58};
    static const uint8_t widths[] = {1, 2, 4};
    block_find_headers(&block);
    find_bare();
    for (size_t i = 0; all_properties[i]; i++)
        compare_property(all_properties[i]);
    for (uint8_t base = BASE_SELF; base <= BASE_TRANSPORT; base++)
        for (uint8_t proto = 0; proto < sizeof(protos); proto++)
            for (uint8_t width = 0; width < sizeof(widths); width++) {
                struct field row = {.name = "made up",
                                    .base = base,
                                    .offset = (uint8_t)any(24),
                                    .width = widths[width],
                                    .shift = (uint8_t)any(8),
                                    .mask = 0xffffffff >> any(32),
                                    .is_flag = any(4) == 0};
                compare_field(&row, protos[proto]);
            }
    for (size_t i = 0; i < block.count; i++)
        free(bytes[i]);
    block.count = 0;
}

static void add(const uint8_t *data, uint32_t len, uint32_t dlt, uint32_t wire_len)
{
    size_t i = block.count++;
    struct plt_layers general, found;
    bytes[i] = malloc(len ? len : 1);
    if (!bytes[i])
        exit(2);
    memcpy(bytes[i], data, len);
    metas[i] = (struct plt_meta){.sec = any(5) ? (int64_t)any(UINT32_MAX) : INT64_MAX,
                                 .nsec = any(1000000000),
                                 .capture_len = len,
                                 .dlt = dlt,
                                 .linktype = any(8) ? PLT_LINKTYPE_OF_DLT : 2,
                                 .direction = -1};
    meta_set_wire_len(&metas[i], bytes[i], len, wire_len);
    if (any(16) == 0)
        metas[i].wire_len = any(1 << 16);
    block.packets[i] = (struct plt_packet){
        .data = bytes[i], .len = len, .layers = &layers[i], .meta = &metas[i]};
    memset(&found, 0xaa, sizeof(found));
    memset(&general, 0xaa, sizeof(general));
    straight += decode_straight(bytes[i], len, &metas[i], &found);
    plt_decode(bytes[i], len, &metas[i], ROOT_LINK, 0, &found);
    plt_decode_general(bytes[i], len, &metas[i], ROOT_LINK, 0, &general);
#define SAME(what) if (found.what != general.what) fail("layers", #what, i)
    SAME(layer2); SAME(layer3); SAME(transport); SAME(payload); SAME(ip_end); SAME(ip_len);
    SAME(linktype); SAME(ethertype); SAME(vlan_id); SAME(version); SAME(proto); SAME(tags);
    SAME(depth); SAME(fragment); SAME(more_fragments); SAME(told_len); SAME(below);
    SAME(below_dlt); SAME(below_at); SAME(below_id);
    layers[i] = found;
    packets++;
    if (block.count == PACKETS_OF_BLOCK || any(100) == 0)
        compare();
}

int main(int argc, char **argv)
{
    int copies = argc > 1 ? atoi(argv[1]) : 0;
    static uint8_t packet[1 << 16], changed[1 << 16];
    uint32_t head[3] = {0};
    while (fread(head, sizeof(head), 1, stdin) == 1) {
        uint32_t len = head[2];
        if (len > sizeof(packet) || fread(packet, 1, len, stdin) != len)
            return 3;
        add(packet, len, head[0], head[1]);
        for (int copy = 0; copy < copies; copy++) {
            memcpy(changed, packet, len);
            uint32_t reach = len < 100 ? len : 100;
            for (uint32_t left = any(4); reach > 0 && left > 0; left--)
                changed[any(reach)] = (uint8_t)any(256);
            uint32_t cut = any(3) && len > 0 ? any(len) : len;
            add(changed, cut, head[0], any(4) ? head[1] : cut);
        }
    }
    compare();
    printf("%d packets %d straight %d values\n", (int)packets, (int)straight, values > 0);
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not SRC.exists():
        pytest.skip("there are no sources")
    folder = tmp_path_factory.mktemp("blocks")
    source = folder / "blocks.c"
    source.write_text(PROGRAM)
    built = folder / "blocks"
    sources = [source, *sorted((SRC / "packet").glob("*.c"))]
    command = [
        tool("cc"),
        "-std=c11",
        "-O1",
        "-fsanitize=undefined,address",
        "-fno-sanitize-recover=all",
    ]
    command += [f"-I{SRC}", "-o", str(built), *map(str, sources)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    return built


def tagged(payload: bytes, ethertype: int, vlan_id: int) -> bytes:
    """IEEE 802.1Q: what follows the tag's own ethertype."""
    return struct.pack(">HH", vlan_id, ethertype) + payload


def made_packets() -> list[bytes]:
    """Some of each kind that the straight path knows, and some that it does not."""
    made = [b"", b"\0" * 13, ethernet(b"\0" * 46, 0x0806), ethernet(b"", 0x0800)]
    for body, proto in [(tcp(b"abc"), 6), (udp(b"abc"), 17), (icmp(8), 1), (b"\0" * 30, 132)]:
        packet4, packet6 = ipv4(body, proto), ipv6(body, 58 if proto == 1 else proto)
        made += [
            ethernet(packet4),
            ethernet(packet4 + b"\0" * 20),  # padding
            ethernet(packet6, 0x86DD),
            ethernet(tagged(packet4, 0x0800, 7), 0x8100),
            ethernet(tagged(packet6, 0x86DD, 7), 0x8100),
            ethernet(tagged(tagged(packet4, 0x0800, 7), 0x8100, 8), 0x88A8),
            ethernet(ipv4(body, proto, options=b"\1" * 8)),
            ethernet(ipv4(body, proto, fragment=0x2000)),
            ethernet(ipv4(body, proto, fragment=100)),
            ethernet(ipv4(body, proto, length=0)),
            ethernet(ipv6(body, proto, length=0), 0x86DD),
            ethernet(ipv6(struct.pack(">BBHI", proto, 0, 100 << 3, 1) + body, 44), 0x86DD),
        ]
    return made


def compare(program: Path, packets: list[tuple[int, int, bytes]], copies: int) -> list[str]:
    """What the program prints, in words; it ends with what differs, where something does."""
    given = b"".join(struct.pack("=III", *head, len(data)) + data for *head, data in packets)
    run = subprocess.run(
        [program, str(copies)], input=given, capture_output=True, check=False, timeout=300
    )
    assert run.returncode == 0, (run.stdout + run.stderr).decode()
    return run.stdout.decode().split()


def test_changed_packets_have_the_same_layers_and_values_in_a_block(program: Path) -> None:
    packets = [(ETH, len(data), data) for data in made_packets()]
    words = compare(program, packets, 300)
    assert words[0] == str(len(packets) * 301)
    assert int(words[2]) > len(packets) * 10  # the straight path was taken, not passed by


def test_the_corpus_has_the_same_layers_and_values_in_a_block(program: Path, corpus: Path) -> None:
    packets: list[tuple[int, int, bytes]] = []
    for path in sorted((corpus / "traces").glob("*.pcap")):
        content = path.read_bytes()[: 1 << 17]
        if content[:4] != bytes.fromhex("d4c3b2a1"):
            continue
        (dlt,) = struct.unpack_from("<I", content, 20)
        at = 24
        while at + 16 <= len(content):
            captured, wire = struct.unpack_from("<II", content, at + 8)
            data = content[at + 16 : at + 16 + captured]
            if captured > 65536 or len(data) < captured:
                break
            packets.append((dlt & 0x3FFFFFF, wire, data))
            at += 16 + captured
    assert compare(program, packets, 3)[0] == str(len(packets) * 4)


# --- Where blocks, reads and batches end ------------------------------------------------------

FIELDS = (
    "time_ns", "wire_len", "capture_len", "src_prefix", "dst_prefix", "version", "proto",
    "vlan_id", "ethertype", "hop_limit", "pkt_len", "src_port", "dst_port", "payload_len",
    "tcp.flags", "udp.len", "direction",
)  # fmt: skip

#: More than one block has, and no multiple of it.
RECORDS = [
    Record(data, EPOCH + i, i, len(data) + i % 3)
    for i, data in enumerate(made_packets() * 8)
    if data
]


def rows(batches: Iterable[plt.Batch]) -> list[tuple[object, ...]]:
    """The rows of batches, missing values as None, addresses as bytes."""
    found: list[tuple[object, ...]] = []
    for batch in batches:
        columns = []
        for name in FIELDS:
            mask = batch.mask(name)
            values = [bytes(v) if v.ndim else v.item() for v in batch[name]]
            columns.append([None if m else v for v, m in zip(values, mask, strict=True)])
        found += zip(*columns, strict=True)
    return found


FILES = {
    "pcap": pcap(RECORDS),
    "big-endian": pcap(RECORDS, order=">"),
    "nanoseconds": pcap(RECORDS, magic=0xA1B23C4D),
    "version 2.2": pcap(RECORDS, version=(2, 2)),
    "pcapng": section() + interface() + b"".join(enhanced(r.data) for r in RECORDS),
}


@pytest.mark.parametrize("name", FILES)
def test_batches_of_any_size_have_the_same_rows(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "trace", FILES[name])
    one_by_one = rows(plt.columns(path, FIELDS, batch=1))
    assert len(one_by_one) == len(RECORDS)
    for size in (2, 63, 64, 65, 128, 1 << 16):
        assert rows(plt.columns(path, FIELDS, batch=size)) == one_by_one


@pytest.mark.parametrize("name", FILES)
def test_layers_that_a_condition_found_are_those_of_their_packets(
    name: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "trace", FILES[name])
    at = FIELDS.index("dst_port")
    chosen = [row for row in rows(plt.columns(path, FIELDS)) if row[at] == 80]
    assert len(chosen) > 64
    assert rows(plt.columns(path, FIELDS, filter=plt.where("dst_port == 80"))) == chosen


class Drip(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def readinto1(self, buffer: memoryview) -> int:
        return super().readinto1(memoryview(buffer)[:97])


@pytest.mark.parametrize("name", FILES)
def test_reads_may_end_anywhere(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "trace", FILES[name])
    assert rows(plt.columns(Drip(FILES[name]), FIELDS)) == rows(plt.columns(path, FIELDS))


@pytest.mark.parametrize("taken", [1, 63, 64, 65, 130])
def test_no_packet_is_read_beyond_a_limit(taken: int, tmp_path: Path) -> None:
    trace = plt.trace(write(tmp_path / "trace", FILES["pcap"]))
    trace.start()
    assert len(plt.columns(trace, ["time_ns"], limit=taken).table()) == taken
    assert next(iter(trace)).ts_sec == RECORDS[taken].sec


def test_rows_before_damage_come_first(tmp_path: Path) -> None:
    path = write(tmp_path / "trace", FILES["pcap"][:-1])
    batches = plt.columns(path, ["time_ns"], batch=64)
    found: list[plt.Batch] = []
    with pytest.raises(plt.LibtraceError, match="cut within a packet"):
        found.extend(batches)
    assert sum(map(len, found)) == len(RECORDS) - 1


# --- Memory of batches that is used again -----------------------------------------------------


def test_kept_batches_keep_their_values_while_others_are_dropped(tmp_path: Path) -> None:
    path = write(tmp_path / "trace", FILES["pcap"])
    expected = rows(plt.columns(path, FIELDS, batch=10))
    kept, arrays = [], []
    for i, batch in enumerate(plt.columns(path, FIELDS, batch=10)):
        if i % 3 == 0:
            kept.append((i * 10, batch))
        elif i % 3 == 1:
            arrays.append((i * 10, batch["time_ns"]))
        del batch
    for start, batch in kept:
        assert rows([batch]) == expected[start : start + len(batch)]
    for start, times in arrays:
        assert times.tolist() == [row[0] for row in expected[start : start + len(times)]]


def test_memory_does_not_grow_with_the_batches_that_are_dropped(tmp_path: Path) -> None:
    path = write(tmp_path / "trace", pcap([Record(made_packets()[4])] * 200_000))
    code = """
import resource, sys, plt
def fault():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
batches = iter(plt.columns(sys.argv[1], ["time_ns", "src_prefix"], batch=20_000))
for _ in range(3):
    next(batches)
before = fault()
for batch in batches:
    pass
print(fault() - before)
"""
    # seven batches of 20,000 rows of 8, 1, 16, 1 and 1 bytes are 900 pages of 4 KiB
    assert int(child(code, path).stdout) < 450
