/* A condition of plt.where: its text is compiled, and asked of a packet; so are others made of it,
 * whose answers follow from its own.
 *
 * An input: link type (packets.h), the text, a byte of 0, the packet. */
#include "packets.h"

#include "plt/columns.h"
#include "packet/decode.h"
#include "packet/protocols.h"
#include "where/scan.h"
#include "where/where.h"

#include <arpa/inet.h>

enum { MOST_NAMES = 256, HEADERS = 7 };

/* --- Names, as plt has them ------------------------------------------------------------------- */

struct known {
    char name[COLUMN_NAME_SIZE];
    struct where_name where;
};

static struct known names[MOST_NAMES];
static size_t name_count;

static const struct {
    const char *name;
    const struct field_table *table;
    uint8_t version, proto;
} headers[HEADERS] = {{"ip", &ip_table, 4, 0},
                      {"ip6", &ip6_table, 6, 0},
                      {"tcp", &tcp_table, 0, PROTO_TCP},
                      {"udp", &udp_table, 0, PROTO_UDP},
                      {"sctp", &sctp_table, 0, PROTO_SCTP},
                      {"icmp", &icmp_table, 0, PROTO_ICMP},
                      {"icmp6", &icmp6_table, 0, PROTO_ICMP6}};

static void set_header(struct where_name *out, size_t n)
{
    out->version = headers[n].version;
    out->proto = headers[n].proto;
}

static void add_names(void)
{
    struct column_info info;
    struct column_source source;
    const char *doc = NULL;
    for (size_t n = 0; n < HEADERS; n++) {
        struct known *known = &names[name_count++];
        snprintf(known->name, sizeof(known->name), "%s", headers[n].name);
        known->where = (struct where_name){
            .kind = KIND_BOOL, .field = headers[n].table->rows[0], .is_header = true};
        set_header(&known->where, n);
    }
    for (size_t n = 0; column_nth(n, &info, &source, &doc) && name_count < MOST_NAMES; n++) {
        struct known *known = &names[name_count];
        if (source.of_tunnel)
            continue;
        snprintf(known->name, sizeof(known->name), "%s", info.name);
        known->where = (struct where_name){
            .property = source.property, .field = source.field, .kind = info.kind};
        for (size_t i = 0; i < HEADERS && source.field; i++)
            if ((uint8_t)headers[i].table->type == source.layer)
                set_header(&known->where, i);
        name_count++;
    }
}

static bool find_name(const char *name, size_t len, struct where_name *out)
{
    for (size_t i = 0; i < name_count; i++) {
        if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0) {
            *out = names[i].where;
            return true;
        }
    }
    return false;
}

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    add_names();
    return 0;
}

/* --- Conditions ------------------------------------------------------------------------------- */

/* Whether a condition in some words holds for a packet: 1 or 0, -1 where it is none. */
static int answer_to(const char *before, const char *text, size_t len, const char *after,
                     const struct plt_packet *packet)
{
    struct where_error error = {.message = ""};
    size_t size = strlen(before) + len + strlen(after);
    char *all = malloc(size + 1);
    if (!all)
        abort();
    memcpy(all, before, strlen(before));
    if (len)
        memcpy(all + strlen(before), text, len);
    memcpy(all + strlen(before) + len, after, strlen(after) + 1);
    struct where *where = where_compile(all, size, find_name, &error);
    int answer = -1;
    if (where) {
        where_needs_layers(where);
        answer = where_holds(where, packet);
        where_free(where);
    } else {
        CLAIM(!error.out_of_memory);
        CLAIM(error.at <= size && error.len <= size - error.at);
        CLAIM(memchr(error.message, 0, sizeof(error.message)));
    }
    free(all);
    return answer;
}

static void check_condition(const char *text, size_t len, const struct plt_packet *packet)
{
    int answer = answer_to("", text, len, "", packet);
    if (answer < 0)
        return;
    int inverse = answer_to("not (", text, len, ")", packet);
    CLAIM(inverse < 0 || inverse == !answer); /* it may be too long, or too deep */
    int either = answer_to("(", text, len, ") or proto == 6", packet);
    CLAIM(either < 0 || either >= answer);
    int both = answer_to("(", text, len, ") and proto == 6", packet);
    CLAIM(both < 0 || both <= answer);
}

/* --- Words ------------------------------------------------------------------------------------ */

/* What is an address here is the same one to the C library. */
static void check_prefix(const char *text, size_t len)
{
    struct prefix prefix;
    char copy[64];
    uint8_t address[16];
    if (!scan_prefix(text, len, &prefix))
        return;
    bool v6 = prefix.version == 6;
    CLAIM(v6 || prefix.version == 4);
    CLAIM(prefix.length <= (v6 ? 128 : 32));
    if (len >= sizeof(copy) || memchr(text, '/', len))
        return;
    memcpy(copy, text, len);
    copy[len] = 0;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, address) == 1)
        CLAIM(memcmp(prefix.bytes, address, v6 ? 16 : 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct plt_layers layers;
    uint8_t link = take_byte(&in);
    const uint8_t *end = in.size ? memchr(in.data, 0, in.size) : NULL;
    size_t len = end ? (size_t)(end - in.data) : in.size;
    size_t packet_size = end ? in.size - len - 1 : 0;
    uint8_t *text = copy_of(in.data, len);
    uint8_t *bytes = copy_of(end ? end + 1 : in.data, packet_size);
    struct plt_record record = packet_record(link, bytes, packet_size, 0);
    plt_decode(bytes, record.len, &record.meta, ROOT_LINK, 0, &layers);
    struct plt_packet packet = {
        .data = bytes, .len = record.len, .layers = &layers, .meta = &record.meta};
    int64_t time = 0;
    check_condition((const char *)text, len, &packet);
    check_prefix((const char *)text, len);
    scan_time((const char *)text, len, &time);
    free(bytes);
    free(text);
    return 0;
}
