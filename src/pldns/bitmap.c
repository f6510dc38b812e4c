/* Lists of types as NSEC, NSEC3 and CSYNC hold them: windows of bits, RFC 4034 section 4.1.2.
 *
 * ldns prints them too, but ldns 1.8.4 calls type 262 TXT there. */
#include "bitmap.h"

#include "names.h"

enum {
    WINDOW_HEADER = 2, /* a window's number, and the length of its bits in bytes */
    WINDOW_MAX = 32,
    WINDOW_TYPES = 256
};

bool pldns_is_bitmap(const ldns_rdf *field)
{
    const uint8_t *data = ldns_rdf_data(field);
    size_t size = ldns_rdf_size(field);
    int last = -1;
    size_t at = 0;
    while (at < size) {
        if (size - at < WINDOW_HEADER)
            return false;
        size_t length = data[at + 1];
        if (data[at] <= last || length == 0 || length > WINDOW_MAX ||
            length > size - at - WINDOW_HEADER)
            return false;
        last = data[at];
        at += WINDOW_HEADER + length;
    }
    return true;
}

/* Calls `each` for every type of a well-formed list until it returns true: whether one did. */
static bool any_type(const ldns_rdf *field, bool (*each)(unsigned type, ldns_buffer *out),
                     ldns_buffer *out)
{
    const uint8_t *data = ldns_rdf_data(field);
    size_t size = ldns_rdf_size(field);
    for (size_t at = 0; at < size; at += WINDOW_HEADER + (size_t)data[at + 1]) {
        for (unsigned bit = 0; bit < data[at + 1] * 8U; bit++)
            if ((data[at + WINDOW_HEADER + bit / 8] & (0x80 >> bit % 8)) != 0 &&
                each(data[at] * WINDOW_TYPES + bit, out))
                return true;
    }
    return false;
}

static bool is_misnamed(unsigned type, ldns_buffer *Py_UNUSED(out))
{
    return pldns_is_misnamed(type);
}

bool pldns_is_bitmap_misnamed(const ldns_rdf *field)
{
    return any_type(field, is_misnamed, NULL);
}

static bool print_type(unsigned type, ldns_buffer *out)
{
    pldns_print_type(out, type);
    ldns_buffer_printf(out, " ");
    return false;
}

ldns_status pldns_print_bitmap(ldns_buffer *out, const ldns_rdf *field)
{
    any_type(field, print_type, out);
    return ldns_buffer_status(out);
}
