/* The service parameters of SVCB and HTTPS records in presentation form: RFC 9460 section 2.1 and
 * appendix A.
 *
 * ldns's own printer ends the process on a long list of mandatory keys, prints parameters that are
 * out of order as if they were good, and escapes a list's values once where appendix A.1 wants it
 * twice. */
#include "svcparams.h"

#include "packet/bytes.h"

#include <arpa/inet.h>

enum { PARAM_HEADER = 4, KEY_SIZE = 2 };

/* IANA's registry "Service Parameter Keys (SvcParamKeys)". */
enum svc_key {
    KEY_MANDATORY = 0,
    KEY_ALPN = 1,
    KEY_NO_DEFAULT_ALPN = 2,
    KEY_PORT = 3,
    KEY_IPV4HINT = 4,
    KEY_ECH = 5,
    KEY_IPV6HINT = 6,
    KEY_DOHPATH = 7, /* RFC 9461 */
    KEY_OHTTP = 8,   /* RFC 9540 */
};

/* The bytes of a parameter's value. */
struct value {
    const uint8_t *data; /* borrowed from the field */
    size_t size;
};

/* Prints a value; false where it does not have its key's format. */
typedef bool (*value_printer)(ldns_buffer *out, struct value value);

static void print_key(ldns_buffer *out, uint16_t key);

static void print_byte(ldns_buffer *out, uint8_t byte)
{
    if (byte == '"' || byte == '\\')
        ldns_buffer_printf(out, "\\%c", byte);
    else if (byte >= ' ' && byte <= '~')
        ldns_buffer_printf(out, "%c", byte);
    else
        ldns_buffer_printf(out, "\\%03u", byte);
}

/* Whether a value has bytes that end a word outside of quotes: RFC 9460 appendix A. */
static bool needs_quotes(struct value value)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte == ' ' || byte == '(' || byte == ')' || byte == ';')
            return true;
    }
    return false;
}

static bool print_text(ldns_buffer *out, struct value value)
{
    const char *quote = needs_quotes(value) ? "\"" : "";
    ldns_buffer_printf(out, "%s", quote);
    for (size_t i = 0; i < value.size; i++)
        print_byte(out, value.data[i]);
    ldns_buffer_printf(out, "%s", quote);
    return true;
}

static bool print_nothing(ldns_buffer *out, struct value value)
{
    (void)out;
    return value.size == 0;
}

/* Section 8: keys in strictly increasing order, its own not among them. */
static bool print_mandatory(ldns_buffer *out, struct value value)
{
    uint16_t last = KEY_MANDATORY;
    for (size_t i = 0; i + KEY_SIZE <= value.size; i += KEY_SIZE) {
        uint16_t key = load_be16(value.data + i);
        if (key <= last)
            return false;
        ldns_buffer_printf(out, "%s", i > 0 ? "," : "");
        print_key(out, key);
        last = key;
    }
    return value.size > 0 && value.size % KEY_SIZE == 0;
}

/* Section 7.1.1: identifiers, each with its length before it, none empty.  Commas and backslashes
 * in them are escaped for the list (appendix A.1), then all of it as text. */
static bool print_alpn(ldns_buffer *out, struct value value)
{
    const char *quote = needs_quotes(value) ? "\"" : "";
    size_t at = 0;
    ldns_buffer_printf(out, "%s", quote);
    while (at < value.size) {
        size_t end = at + 1 + value.data[at];
        if (end == at + 1 || end > value.size)
            return false;
        ldns_buffer_printf(out, "%s", at > 0 ? "," : "");
        for (at++; at < end; at++) {
            if (value.data[at] == ',' || value.data[at] == '\\')
                print_byte(out, '\\');
            print_byte(out, value.data[at]);
        }
    }
    ldns_buffer_printf(out, "%s", quote);
    return value.size > 0;
}

static bool print_port(ldns_buffer *out, struct value value)
{
    if (value.size != sizeof(uint16_t))
        return false;
    ldns_buffer_printf(out, "%u", load_be16(value.data));
    return true;
}

/* Section 7.3: one address or more. */
static bool print_addresses(ldns_buffer *out, struct value value, int family, size_t size)
{
    for (size_t i = 0; i + size <= value.size; i += size) {
        char text[INET6_ADDRSTRLEN];
        if (!inet_ntop(family, value.data + i, text, sizeof(text)))
            return false;
        ldns_buffer_printf(out, "%s%s", i > 0 ? "," : "", text);
    }
    return value.size > 0 && value.size % size == 0;
}

static bool print_ipv4hint(ldns_buffer *out, struct value value)
{
    return print_addresses(out, value, AF_INET, 4);
}

static bool print_ipv6hint(ldns_buffer *out, struct value value)
{
    return print_addresses(out, value, AF_INET6, 16);
}

/* RFC 9848 section 3: a list, never empty, in base64 of RFC 4648 section 4. */
static bool print_ech(ldns_buffer *out, struct value value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < value.size; i += 3) {
        size_t there = value.size - i < 3 ? value.size - i : 3;
        uint32_t bits = (uint32_t)value.data[i] << 16;
        bits |= there > 1 ? (uint32_t)value.data[i + 1] << 8 : 0;
        bits |= there > 2 ? value.data[i + 2] : 0;
        ldns_buffer_printf(out, "%c%c%c%c", digits[bits >> 18], digits[bits >> 12 & 63],
                           there > 1 ? digits[bits >> 6 & 63] : '=',
                           there > 2 ? digits[bits & 63] : '=');
    }
    return value.size > 0;
}

static const struct {
    const char *name;
    value_printer print;
} known[] = {
    [KEY_MANDATORY] = {"mandatory", print_mandatory},
    [KEY_ALPN] = {"alpn", print_alpn},
    [KEY_NO_DEFAULT_ALPN] = {"no-default-alpn", print_nothing},
    [KEY_PORT] = {"port", print_port},
    [KEY_IPV4HINT] = {"ipv4hint", print_ipv4hint},
    [KEY_ECH] = {"ech", print_ech},
    [KEY_IPV6HINT] = {"ipv6hint", print_ipv6hint},
    [KEY_DOHPATH] = {"dohpath", print_text},
    [KEY_OHTTP] = {"ohttp", print_nothing},
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

static void print_key(ldns_buffer *out, uint16_t key)
{
    if (key < KNOWN_COUNT)
        ldns_buffer_printf(out, "%s", known[key].name);
    else
        ldns_buffer_printf(out, "key%u", key);
}

static bool print_param(ldns_buffer *out, uint16_t key, struct value value)
{
    print_key(out, key);
    ldns_buffer_printf(out, "%s", value.size > 0 ? "=" : "");
    return (key < KNOWN_COUNT ? known[key].print : print_text)(out, value);
}

ldns_status pldns_print_svcparams(ldns_buffer *out, const ldns_rdf *field)
{
    const uint8_t *data = ldns_rdf_data(field);
    size_t size = ldns_rdf_size(field);
    size_t at = 0;
    int last = -1;
    while (at < size) {
        if (size - at < PARAM_HEADER)
            return LDNS_STATUS_INVALID_SVCPARAM_VALUE;
        uint16_t key = load_be16(data + at);
        struct value value = {.data = data + at + PARAM_HEADER, .size = load_be16(data + at + 2)};
        bool is_whole = value.size <= size - at - PARAM_HEADER;
        /* section 2.2: keys in strictly increasing order */
        if (key <= last || !is_whole)
            return LDNS_STATUS_INVALID_SVCPARAM_VALUE;
        ldns_buffer_printf(out, "%s", at > 0 ? " " : "");
        if (!print_param(out, key, value))
            return LDNS_STATUS_INVALID_SVCPARAM_VALUE;
        last = key;
        at += PARAM_HEADER + value.size;
    }
    return ldns_buffer_status(out);
}
