/* Packets to DNS messages, as columns find them: packet by packet, and with fragments and streams
 * put together; queries are matched with responses.
 *
 * An input: options, then packets (packets.h). */
#include "packets.h"

#include "packet/decode.h"
#include "pldns/matcher.h"
#include "pldns/packet.h"
#include "pldns/reassemble.h"

enum { HEAD = 1, OPTION_AHEAD = 1, OPTION_ALL_PORTS = 2 };

#define SECOND INT64_C(1000000000)

/* --- Records, in the place of plt's ------------------------------------------------------------
 */

/* What reassembly takes records from knows no more of them than this. */
struct plt_records {
    struct packet_reader reader;
};

static enum plt_records_result next_record(struct plt_records *records, struct plt_record *record)
{
    return packets_next(&records->reader, record) ? PLT_RECORD : PLT_END;
}

static const struct plt_api api = {.records_next = next_record};

/* --- Messages --------------------------------------------------------------------------------- */

static void use(struct pldns_matcher *matcher, const struct pldns_packet *packet,
                const struct pldns_found *found)
{
    struct pldns_question question;
    struct pldns_opt opt;
    struct pldns_ends ends = packet->ends;
    bool has_query = false;
    int64_t query_time = 0;
    touch(found->wire, found->size);
    CLAIM(found->size <= found->length);
    bool has_question = pldns_question_read(found->wire, found->size, &question);
    pldns_opt_read(found->wire, found->size, &opt);
    if (found->size < PLDNS_HEADER_SIZE)
        return;
    ends.id = (uint16_t)(found->wire[0] << 8 | found->wire[1]);
    uint64_t digest = pldns_question_digest(matcher, has_question ? &question : NULL);
    if (!pldns_match(matcher, &ends, found->wire[2] & 0x80, packet->time, digest, &has_query,
                     &query_time))
        abort();
}

static void matcher_make(struct pldns_matcher *matcher, uint8_t options)
{
    memset(matcher, 0, sizeof(*matcher));
    matcher->timeout = 5 * SECOND;
    matcher->ahead = options & OPTION_AHEAD;
    matcher->queries.most = 1 << 10;
    matcher->streams.most = 1 << 10;
}

static void matcher_clear(struct pldns_matcher *matcher)
{
    pldns_memory_clear(&matcher->queries);
    pldns_memory_clear(&matcher->streams);
    pldns_reassembly_free(matcher->reassembly);
    free(matcher->assumed);
}

static void read_packets(const struct bytes *in, uint8_t options, const uint8_t *ports)
{
    struct pldns_matcher matcher;
    struct plt_record record;
    struct pldns_packet packet;
    struct pldns_found found;
    struct plt_layers layers;
    struct packet_reader reader = packets_begin(in->data, in->size);
    matcher_make(&matcher, options);
    memset(&packet, 0, sizeof(packet));
    while (packets_next(&reader, &record)) {
        record_layers(&record, &layers);
        if (!pldns_packet_open(&packet, &record, &layers, ports, &matcher))
            abort();
        while (packet.open && pldns_packet_next(&packet, &matcher, &found))
            use(&matcher, &packet, &found);
    }
    matcher_clear(&matcher);
}

static void reassemble(const struct bytes *in, uint8_t options, const uint8_t *ports)
{
    static const uint64_t seed[2] = {1, 2};
    struct plt_records records = {packets_begin(in->data, in->size)};
    struct pldns_records from = {.api = &api, .records = &records, .ports = ports, .is_last = true};
    struct pldns_matcher matcher;
    struct pldns_packet packet;
    struct pldns_found found;
    bool out_of_memory = false;
    matcher_make(&matcher, options);
    memset(&packet, 0, sizeof(packet));
    matcher.reassembly = pldns_reassembly_new(seed);
    if (!matcher.reassembly)
        abort();
    while (pldns_reassembly_next(&matcher, &from, &packet, &found, &out_of_memory) == PLT_RECORD)
        use(&matcher, &packet, &found);
    CLAIM(!out_of_memory);
    packets_end(&records.reader);
    matcher_clear(&matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t ports[PLDNS_PORTS_SIZE];
    struct bytes in = {data, size};
    uint8_t options = take_byte(&in);
    memset(ports, options & OPTION_ALL_PORTS ? 0xff : 0, sizeof(ports));
    ports[53 / 8] |= 1 << 53 % 8;
    read_packets(&in, options, ports);
    reassemble(&in, options, ports);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return mutate_packets(data, size, room, HEAD, seed);
}
