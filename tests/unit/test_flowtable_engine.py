"""The engine of flow tables in a C program of its own: without Python, libtrace and natkit."""

import subprocess
from pathlib import Path

import pytest
from packets import ipv4, udp
from present import tool

SRC = Path(__file__).resolve().parents[2] / "src"

pytestmark = pytest.mark.skipif(not SRC.exists(), reason="there are no sources")

#: Reads raw IP packets from its standard input, each after a byte with its length, and takes them
#: to be a second apart.  Prints what the flows count, then the same after saving and loading the
#: table, and after merging the table with the loaded one.
PROGRAM = r"""
#include "flowtable/merge.h"
#include "flowtable/save.h"
#include "packet/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t seed[2] = {1, 2};

static bool lasts(void *context)
{
    return *(const bool *)context;
}

static bool feed(struct flow_table *table, const uint8_t *data, uint32_t len)
{
    struct plt_meta meta = {.sec = (int64_t)table->input.packets, .wire_len = len};
    struct plt_layers layers;
    plt_decode(data, len, &meta, ROOT_NETWORK, 4, &layers);
    struct plt_packet packet = {.data = data, .len = len, .layers = &layers, .meta = &meta};
    struct flow_packet read;
    if (!flow_input_packet(&table->input, &packet, &read))
        return true;
    return flow_table_feed(table, &read, 1) == 1;
}

static void print(const char *name, struct flow_table *table)
{
    size_t count = 0;
    flow_ref *refs = flow_set_list(&table->set, LIST_LIVE | LIST_ENDED, &count);
    printf("%s: %zu flows, %d packets, %d not IP\n", name, count, (int)table->input.packets,
           (int)table->input.not_ip);
    for (size_t i = 0; refs && i < count; i++) {
        struct flow_copy copy = flow_set_copy(&table->set, refs[i]);
        const struct flow *flow = &copy.of.flow;
        const struct flow_way *way = flow_way_of(flow, flow_forward(flow));
        const struct flow_way *back = flow_way_of(flow, !flow_forward(flow));
        struct flow_key key = flow_key_of(flow, copy.v6);
        struct flow_tuple tuple = flow_key_to_tuple(&key, copy.v6, flow_forward(flow));
        printf("%u>%u %d+%d packets %d+%d bytes %d+%d payload end %d\n", tuple.src.port,
               tuple.dst.port, (int)way->packets, (int)back->packets, (int)way->bytes,
               (int)back->bytes, (int)way->payload_bytes, (int)back->payload_bytes,
               flow->end_reason);
    }
    free(refs);
}

int main(void)
{
    struct flow_table table, loaded;
    struct flow_timeouts timeouts = {.idle = INT64_C(2500000000), .active = FLOW_NEVER};
    struct flow_saving saving;
    struct flow_load_error error = {""};
    uint8_t packet[256];
    bool patient = true;
    struct flow_patience patience = {.lasts = lasts, .context = &patient};
    int len = 0;

    flow_table_init(&table, seed);
    flow_table_set_timeouts(&table, timeouts);
    while ((len = getchar()) != EOF)
        if (fread(packet, 1, (size_t)len, stdin) != (size_t)len ||
            !feed(&table, packet, (uint32_t)len))
            return 1;
    flow_table_settle(&table);
    print("table", &table);

    if (!flow_saving_begin(&saving, &table))
        return 2;
    uint8_t *bytes = malloc(saving.size);
    size_t size = saving.size;
    if (!bytes || !flow_saving_write(&saving, bytes, &patience))
        return 3;
    flow_saving_end(&saving);
    flow_table_init(&loaded, seed);
    if (flow_table_load(&loaded, bytes, size, &patience, &error) != LOAD_DONE)
        return 4;
    print("loaded", &loaded);

    int merged = flow_table_merge(&table, &loaded, false, &patience);
    printf("merged exactly: %d\n", merged == MERGE_EXACT);
    print("merged", &table);

    flow_table_clear(&loaded);
    flow_table_init(&loaded, seed);
    bytes[0] ^= 1;
    if (flow_table_load(&loaded, bytes, size, &patience, &error) == LOAD_REFUSED)
        printf("refused: %s\n", error.what);
    free(bytes);
    flow_table_clear(&loaded);
    flow_table_clear(&table);
    return 0;
}
"""


#: Hashes keys, and prints the most that come to one of 1024 groups: of keys that were searched for
#: because another table has them all in one group, and of runs of ports and of addresses.
KEYS = r"""
#include "flowtable/hash.h"

#include <stdio.h>

enum { GROUPS = 1024, COLLIDING = 2048, RUN = 8192, TABLES = 20 };

static unsigned counts[GROUPS];

static size_t group_of(const struct flow_hash *hash, struct flow_end src, struct flow_end dst,
                       bool v6)
{
    struct flow_tuple tuple = {.src = src, .dst = dst, .proto = 17, .v6 = v6};
    struct flow_key key;
    flow_key_from_tuple(&tuple, &key);
    return (size_t)(hash_key(hash, &key, v6) / (UINT64_MAX / GROUPS + 1));
}

/* The i-th of addresses that follow each other. */
static struct flow_end address(unsigned i, bool v6)
{
    return v6 ? (struct flow_end){{7, i}, 9} : (struct flow_end){{UINT32_C(0xc0000000) + i}, 9};
}

static unsigned most(void)
{
    unsigned found = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        found = counts[i] > found ? counts[i] : found;
        counts[i] = 0;
    }
    return found;
}

int main(void)
{
    for (int v6 = 0; v6 < 2; v6++) {
        unsigned colliding = 0, ports = 0, addresses = 0;
        for (uint64_t n = 0; n < TABLES; n++) {
            struct flow_hash known, own;
            uint64_t seeds[2][2] = {{n, 1}, {n, 2}};
            struct flow_end dst = {{UINT64_C(0xc6336401)}, 53};
            unsigned found = 0;
            flow_hash_init(&known, seeds[0]);
            flow_hash_init(&own, seeds[1]);
            for (uint64_t i = 0; found < COLLIDING; i++) {
                struct flow_end src = {{i >> 16}, (uint16_t)i};
                if (group_of(&known, src, dst, v6) != 0)
                    continue;
                found++;
                counts[group_of(&own, src, dst, v6)]++;
            }
            found = most();
            colliding = found > colliding ? found : colliding;
            for (unsigned i = 0; i < RUN; i++)
                counts[group_of(&own, (struct flow_end){{9}, (uint16_t)i}, dst, v6)]++;
            found = most();
            ports = found > ports ? found : ports;
            for (unsigned i = 0; i < RUN; i++)
                counts[group_of(&own, address(i, v6), dst, v6)]++;
            found = most();
            addresses = found > addresses ? found : addresses;
        }
        printf("%u %u %u\n", colliding, ports, addresses);
    }
    return 0;
}
"""


def build(folder: Path, program: str) -> Path:
    """A program that is linked with the engine."""
    source = folder / "engine.c"
    source.write_text(program)
    built = folder / "engine"
    sources = [
        source,
        *sorted((SRC / "flowtable").glob("*.c")),
        *sorted((SRC / "packet").glob("*.c")),
    ]
    command = [
        tool("cc"),
        "-std=c11",
        "-O1",
        f"-I{SRC}",
        "-o",
        str(built),
        *map(str, sources),
        "-lm",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    return built


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("engine"), PROGRAM)


def test_flows_are_counted_saved_loaded_and_merged(program: Path) -> None:
    there = ipv4(udp(b"a" * 10, ports=(5000, 53)), 17, src="192.0.2.1", dst="198.51.100.2")
    back = ipv4(udp(b"b" * 20, ports=(53, 5000)), 17, src="198.51.100.2", dst="192.0.2.1")
    other = ipv4(udp(b"c" * 30, ports=(6000, 53)), 17, src="192.0.2.1", dst="198.51.100.2")
    # at 0, 1 and 2 seconds; what is no IP at 3; at 4 and 5 seconds, when the first flow is over,
    # whose last packet was at 1 second and which may be idle for 2.5
    packets = [there, back, other, b"", other, other]
    given = b"".join(bytes([len(packet)]) + packet for packet in packets)
    run = subprocess.run([program], input=given, capture_output=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout
    # IP and UDP headers take 28 bytes; 1 is the end reason of the idle timeout (RFC 5102)
    first = "5000>53 1+1 packets 38+48 bytes 10+20 payload end 1"
    second = "6000>53 3+0 packets 174+0 bytes 90+0 payload end 0"
    assert run.stdout.decode().splitlines() == [
        "table: 2 flows, 6 packets, 1 not IP",
        first,
        second,
        "loaded: 2 flows, 6 packets, 1 not IP",
        first,
        second,
        # the second table begins before the first one's end, and there is a timeout
        "merged exactly: 0",
        "merged: 3 flows, 12 packets, 2 not IP",
        first,
        "6000>53 6+0 packets 348+0 bytes 180+0 payload end 0",
        first,
        "refused: it does not begin as one",
    ]


def test_keys_that_collide_in_one_table_do_not_in_another(tmp_path: Path) -> None:
    """Numbers at random come as often: a group gets 2 of 2048 keys in the mean, and 8 of 8192.

    Poisson's distribution has 14 or more of the first with a probability of 3e-8, and 30 or more of
    the second with 2e-9; and there are 20 tables of 1024 groups, and both versions of IP.
    """
    run = subprocess.run(
        [build(tmp_path, KEYS)], capture_output=True, text=True, check=True, timeout=300
    )
    for line in run.stdout.splitlines():
        colliding, ports, addresses = map(int, line.split())
        assert colliding < 14
        assert max(ports, addresses) < 30
    assert len(run.stdout.splitlines()) == 2
