/* The data of a record as text: by ldns, but for what ldns cannot be trusted with. */
#include "rdata.h"

#include "bitmap.h"
#include "names.h"
#include "svcparams.h"

#include "packet/bytes.h"

#include <string.h>

enum {
    APL_HEADER = 4,    /* an item's family, prefix length, and length with negation bit */
    APL_LENGTH = 0x7f, /* RFC 3123 section 4 */
    APL_IP4 = 1,       /* families: RFC 3123 section 4.1, 4.2 */
    APL_IP6 = 2,
    LOC_SIZE = 16 /* RFC 1876 section 2 */
};

/* Thousandths of a second of arc, RFC 1876 section 2. */
#define LOC_QUARTER    324000000U /* 90 degrees */
#define LOC_POLE_SOUTH (0x80000000U - LOC_QUARTER)
#define LOC_WEST_END   (0x80000000U - 2 * LOC_QUARTER)

/* The data in the form of RFC 3597 section 5, for what ldns cannot print or should not be asked to.
 */
static ldns_status print_generic(ldns_buffer *out, const ldns_rr *rr)
{
    size_t size = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
        size += ldns_rdf_size(ldns_rr_rdf(rr, i));
    ldns_buffer_printf(out, "\\# %zu", size);
    const char *blank = " ";
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        ldns_buffer_printf(out, "%s", blank);
        blank = "";
        ldns_rdf2buffer_str_hex(out, ldns_rr_rdf(rr, i));
    }
    return ldns_buffer_status(out);
}

/* RFC 3123: ldns prints prefixes longer than an address, and words for families that it does not
 * know. */
static bool is_prefix_list(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (size - at < APL_HEADER)
            return false;
        unsigned family = load_be16(data + at);
        size_t length = data[at + 3] & APL_LENGTH;
        size_t address = family == APL_IP4 ? 4 : 16;
        if ((family != APL_IP4 && family != APL_IP6) || length > address ||
            data[at + 2] > 8 * address || length > size - at - APL_HEADER)
            return false;
        at += APL_HEADER + length;
    }
    return true;
}

/* RFC 1876: ldns prints a version that it does not know in hexadecimal, and any angle. */
static bool is_location(const uint8_t *data, size_t size)
{
    if (size != LOC_SIZE || data[0] != 0)
        return false;
    for (size_t i = 1; i < 4; i++) /* size and precisions: a digit, a power of ten */
        if (data[i] >> 4 > 9 || (data[i] & 0xf) > 9)
            return false;
    /* the equator and the prime meridian are 2^31, around it wraps */
    uint32_t latitude = load_be32(data + 4) - LOC_POLE_SOUTH;
    uint32_t longitude = load_be32(data + 8) - LOC_WEST_END;
    return latitude <= 2 * LOC_QUARTER && longitude <= 4 * LOC_QUARTER;
}

/* RFC 4025 section 2.3, RFC 8777 section 4.2.3: whether there is room for a gateway or relay; of an
 * unknown type even its length is unknown. */
static bool is_gateway(unsigned type, size_t size)
{
    static const uint8_t sizes[] = {0, 4, 16, 1}; /* none, IPv4, IPv6, a name of a byte or more */
    return type < sizeof(sizes) && size >= sizes[type];
}

/* Whether a field is well-formed as far as its printer does not find out by itself. */
static bool is_field_printable(const ldns_rdf *field)
{
    const uint8_t *data = ldns_rdf_data(field);
    size_t size = ldns_rdf_size(field);
    switch (ldns_rdf_get_type(field)) {
    case LDNS_RDF_TYPE_APL:
        return is_prefix_list(data, size);
    case LDNS_RDF_TYPE_BITMAP:
        return pldns_is_bitmap(field);
    case LDNS_RDF_TYPE_LOC:
        return is_location(data, size);
    case LDNS_RDF_TYPE_IPSECKEY: /* precedence, gateway type, algorithm, gateway */
        return size >= 3 && is_gateway(data[1], size - 3);
    case LDNS_RDF_TYPE_NSEC3_NEXT_OWNER: /* a length and the hash, of a byte or more: RFC 5155 3.2
                                          */
        return size > 1;
    case LDNS_RDF_TYPE_AMTRELAY: /* precedence, discovery bit with relay type, relay */
        return size >= 2 && is_gateway(data[1] & 0x7f, size - 2);
    default:
        return true;
    }
}

/* Whether ldns prints a field as a character-string without quotes: 1.9 does so of GPOS and
 * RESINFO, and has a type of fields for it, which older ones have not. */
static bool is_unquoted(const ldns_rdf *field)
{
    ldns_rdf_type type = ldns_rdf_get_type(field);
    return type != LDNS_RDF_TYPE_STR &&
           type == ldns_rr_descriptor_field_type(ldns_rr_descript(LDNS_RR_TYPE_GPOS), 0);
}

/* Whether a character-string needs quotes (RFC 1035 section 5.1): it is empty, or has a byte that
 * is no letter, digit or plain sign. */
static bool needs_quotes(const ldns_rdf *field)
{
    const uint8_t *data = ldns_rdf_data(field);
    size_t size = ldns_rdf_size(field);
    for (size_t i = 1; i < size; i++)
        if (data[i] <= ' ' || data[i] > '~' || strchr("\"();\\", data[i]))
            return true;
    return size <= 1;
}

/* Whether the last field of a record may be empty, of which ldns makes no field: of no types (RFC
 * 7477 section 2.1.1.2), and where the flags say that there is no key (RFC 2535 section 3.1.2). */
static bool may_lack_last(const ldns_rr *rr)
{
    enum { NO_KEY = 0xc000 };
    if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_KEY)
        return (ldns_rdf2native_int16(ldns_rr_rdf(rr, 0)) & NO_KEY) == NO_KEY;
    return ldns_rr_get_type(rr) == LDNS_RR_TYPE_CSYNC;
}

bool pldns_is_printable(const ldns_rr *rr)
{
    ldns_rr_type type = ldns_rr_get_type(rr);
    size_t count = ldns_rr_rd_count(rr);
    if (count == 0)
        return true;
    /* ldns looks the ports of a WKS up in the system's services, one file read a port and not safe
     * with threads: 65,536 of them fit one record.  The data of NSAP-PTR is a name (RFC 1706
     * section 6), to ldns a string. */
    if (type == LDNS_RR_TYPE_WKS || type == LDNS_RR_TYPE_NSAP_PTR ||
        count + (may_lack_last(rr) ? 1 : 0) <
            ldns_rr_descriptor_minimum(ldns_rr_descript((uint16_t)type)))
        return false;
    for (size_t i = 0; i < count; i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        /* a part of the data cannot be in the form of RFC 3597 */
        bool is_part = ldns_rdf_get_type(field) == LDNS_RDF_TYPE_UNKNOWN && count > 1;
        if (is_part || !is_field_printable(field))
            return false;
    }
    return true;
}

bool pldns_is_line_printable(const ldns_rr *rr)
{
    if (!pldns_is_printable(rr) || pldns_is_misnamed(ldns_rr_get_type(rr)))
        return false;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        switch (ldns_rdf_get_type(field)) {
        case LDNS_RDF_TYPE_SVCPARAMS:
            return false;
        case LDNS_RDF_TYPE_TYPE:
            if (pldns_is_misnamed(ldns_rdf2native_int16(field)))
                return false;
            break;
        case LDNS_RDF_TYPE_BITMAP:
            if (pldns_is_bitmap_misnamed(field))
                return false;
            break;
        default:
            if (is_unquoted(field) && needs_quotes(field))
                return false;
        }
    }
    return true;
}

ldns_status pldns_print_field(ldns_buffer *out, const ldns_rdf *field)
{
    size_t start = ldns_buffer_position(out);
    ldns_rdf_type type = ldns_rdf_get_type(field);
    ldns_status status = LDNS_STATUS_OK;
    switch (type) {
    case LDNS_RDF_TYPE_SVCPARAMS:
        return pldns_print_svcparams(out, field);
    case LDNS_RDF_TYPE_TYPE:
        return pldns_print_type(out, ldns_rdf2native_int16(field));
    case LDNS_RDF_TYPE_BITMAP:
        status = pldns_print_bitmap(out, field);
        break;
    default:
        status = is_unquoted(field) && needs_quotes(field) ? ldns_rdf2buffer_str_str(out, field)
                                                           : ldns_rdf2buffer_str(out, field);
    }
    while (status == LDNS_STATUS_OK && ldns_buffer_position(out) > start) {
        char last = (char)*ldns_buffer_at(out, ldns_buffer_position(out) - 1);
        /* RFC 5155 section 3.3: the hash is not padded */
        if (last != ' ' && (last != '=' || type != LDNS_RDF_TYPE_NSEC3_NEXT_OWNER))
            break;
        ldns_buffer_skip(out, -1);
    }
    /* RFC 8777 section 4.3.1: a dot where there is no relay, of which ldns 1.8.4 prints nothing */
    if (status == LDNS_STATUS_OK && type == LDNS_RDF_TYPE_AMTRELAY &&
        (ldns_rdf_data(field)[1] & 0x7f) == 0 &&
        *ldns_buffer_at(out, ldns_buffer_position(out) - 1) != '.')
        ldns_buffer_printf(out, " .");
    return status;
}

ldns_status pldns_print_rdata(ldns_buffer *out, const ldns_rr *rr)
{
    size_t start = ldns_buffer_position(out);
    ldns_status status = pldns_is_printable(rr) ? LDNS_STATUS_OK : LDNS_STATUS_SYNTAX_RDATA_ERR;
    for (size_t i = 0; i < ldns_rr_rd_count(rr) && status == LDNS_STATUS_OK; i++) {
        size_t before = ldns_buffer_position(out);
        if (before > start)
            ldns_buffer_printf(out, " ");
        size_t text = ldns_buffer_position(out);
        status = pldns_print_field(out, ldns_rr_rdf(rr, i));
        if (ldns_buffer_position(out) == text) /* a list of nothing */
            ldns_buffer_set_position(out, before);
    }
    if (status != LDNS_STATUS_OK) {
        ldns_buffer_set_position(out, start);
        return print_generic(out, rr);
    }
    return ldns_buffer_status(out);
}
