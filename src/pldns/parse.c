/* From the wire to ldns's records, one record at a time.
 *
 * ldns_wire2pkt() would do most of this, and its results and statuses are kept, but on bad messages
 * it goes astray: it leaks a second TSIG, keeps the last of several OPTs only, goes on in the
 * middle of a record whose fields end before its RDLENGTH says, and spends RDLENGTH bytes of memory
 * on every string of a TXT (4 GiB for a message of 64 KiB). */
#include "parse.h"

#include "packet/bytes.h"

#include <errno.h>

#define HEADER_SIZE    12
#define QUESTION_MIN   5  /* root name, type, class */
#define RECORD_FIXED   10 /* type, class, TTL, RDLENGTH: RFC 1035 section 3.2.1 */
#define POINTER_LABEL  0xC0
#define STRINGS_BUDGET ((size_t)1 << 25)

/* What one message may yet take. */
struct reader {
    const uint8_t *wire;
    size_t length;
    size_t position;
    size_t budget; /* bytes that ldns may still allocate for character strings */
};

/* The position after the name at `position`, which may be past the end; its labels and pointers are
 * for ldns to judge. */
static size_t name_end(const struct reader *in, size_t position)
{
    while (position < in->length) {
        uint8_t label = in->wire[position];
        if (label >= POINTER_LABEL)
            return position + 2;
        position += (size_t)label + 1;
        if (label == 0)
            break;
    }
    return position;
}

/* Whether the fields of a record of character strings fit the message's budget, which they are
 * taken from. */
static bool strings_fit(struct reader *in, uint16_t type, const uint8_t *rdata, size_t size)
{
    if (ldns_rr_descript(type)->_variable != LDNS_RDF_TYPE_STR)
        return true;
    size_t count = 0;
    for (size_t i = 0; i < size; i += (size_t)rdata[i] + 1)
        count++;
    if (count * size > in->budget)
        return false;
    in->budget -= count * size;
    return true;
}

/* Reads a record whose data is to stay undivided: one field of the unknown kind (RFC 3597). */
static ldns_status read_undivided(struct reader *in, size_t position, ldns_rr **out)
{
    ldns_rdf *owner = NULL;
    ldns_status status = ldns_wire2dname(&owner, in->wire, in->length, &position);
    if (status != LDNS_STATUS_OK)
        return status;
    ldns_rr *rr = ldns_rr_new();
    if (!rr) {
        ldns_rdf_deep_free(owner);
        return LDNS_STATUS_MEM_ERR;
    }
    const uint8_t *fixed = in->wire + position;
    size_t size = load_be16(fixed + 8);
    ldns_rr_set_owner(rr, owner);
    ldns_rr_set_type(rr, load_be16(fixed));
    ldns_rr_set_class(rr, load_be16(fixed + 2));
    ldns_rr_set_ttl(rr, load_be32(fixed + 4));
    if (size > 0) {
        ldns_rdf *data = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_UNKNOWN, size, fixed + RECORD_FIXED);
        if (!data || !ldns_rr_push_rdf(rr, data)) {
            ldns_rdf_deep_free(data);
            ldns_rr_free(rr);
            return LDNS_STATUS_MEM_ERR;
        }
    }
    *out = rr;
    return LDNS_STATUS_OK;
}

/* ldns_wire2rr(), which leaves out fields that it has no memory for, and says that all is well:
 * only errno tells. */
static ldns_status wire_to_rr(struct reader *in, ldns_pkt_section section, ldns_rr **out)
{
    errno = 0;
    ldns_status status = ldns_wire2rr(out, in->wire, in->length, &in->position, section);
    if (errno != ENOMEM)
        return status;
    if (status == LDNS_STATUS_OK)
        ldns_rr_free(*out);
    *out = NULL;
    return LDNS_STATUS_MEM_ERR;
}

/* Adds the value to a CAA record in which it is empty (RFC 8659 section 4.2): ldns makes no field
 * of that. */
static ldns_status complete_caa(ldns_rr *rr)
{
    enum { FIELDS_BEFORE_VALUE = 2 };
    if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_CAA || ldns_rr_rd_count(rr) != FIELDS_BEFORE_VALUE)
        return LDNS_STATUS_OK;
    ldns_rdf *value = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_LONG_STR, 0, "");
    if (value && ldns_rr_push_rdf(rr, value))
        return LDNS_STATUS_OK;
    ldns_rdf_deep_free(value);
    return LDNS_STATUS_MEM_ERR;
}

static ldns_status read_record(struct reader *in, ldns_pkt_section section, ldns_rr **out)
{
    size_t first = in->position;
    if (section == LDNS_SECTION_QUESTION)
        return wire_to_rr(in, section, out);
    size_t fixed = name_end(in, first);
    size_t end = SIZE_MAX;
    if (fixed + RECORD_FIXED <= in->length) {
        const uint8_t *rdata = in->wire + fixed + RECORD_FIXED;
        size_t size = load_be16(rdata - 2);
        end = fixed + RECORD_FIXED + size;
        if (end <= in->length && !strings_fit(in, load_be16(in->wire + fixed), rdata, size)) {
            in->position = end;
            return read_undivided(in, first, out);
        }
    }
    ldns_status status = wire_to_rr(in, section, out);
    if (status != LDNS_STATUS_OK)
        return status;
    if (in->position != end) {
        /* the fields do not end where RDLENGTH says: it rules, and none of its bytes are lost */
        ldns_rr_free(*out);
        in->position = end;
        return read_undivided(in, first, out);
    }
    status = complete_caa(*out);
    if (status != LDNS_STATUS_OK) {
        ldns_rr_free(*out);
        *out = NULL;
    }
    return status;
}

static const struct {
    size_t count_offset; /* of the section's count in the header */
    ldns_status incomplete;
} sections_of_message[4] = {
    {4, LDNS_STATUS_WIRE_INCOMPLETE_QUESTION},
    {6, LDNS_STATUS_WIRE_INCOMPLETE_ANSWER},
    {8, LDNS_STATUS_WIRE_INCOMPLETE_AUTHORITY},
    {10, LDNS_STATUS_WIRE_INCOMPLETE_ADDITIONAL},
};

ldns_status pldns_parse(struct pldns_sections *sections, const uint8_t *wire, size_t length)
{
    *sections = (struct pldns_sections){0};
    if (length < HEADER_SIZE)
        return LDNS_STATUS_WIRE_INCOMPLETE_HEADER;
    sections->ident = load_be16(wire);
    sections->flags = load_be16(wire + 2);
    size_t claimed = 0;
    for (int section = 0; section < 4; section++)
        claimed += load_be16(wire + sections_of_message[section].count_offset);
    /* counts may be wrong: no more room than the bytes that are there can fill */
    size_t possible = (length - HEADER_SIZE) / QUESTION_MIN;
    size_t room = claimed < possible ? claimed : possible;
    sections->rrs = LDNS_XMALLOC(ldns_rr *, room + 1);
    if (!sections->rrs)
        return LDNS_STATUS_MEM_ERR;

    struct reader in = {
        .wire = wire, .length = length, .position = HEADER_SIZE, .budget = STRINGS_BUDGET};
    size_t held = 0;
    for (int section = 0; section < 4; section++) {
        unsigned count = load_be16(wire + sections_of_message[section].count_offset);
        for (unsigned i = 0; i < count; i++) {
            ldns_rr *rr = NULL;
            ldns_status status = read_record(&in, (ldns_pkt_section)section, &rr);
            if (status != LDNS_STATUS_OK) {
                return status == LDNS_STATUS_PACKET_OVERFLOW
                           ? sections_of_message[section].incomplete
                           : status;
            }
            ldns_rr_type type = ldns_rr_get_type(rr);
            if (section == LDNS_SECTION_ADDITIONAL && type == LDNS_RR_TYPE_OPT && !sections->opt)
                sections->opt = rr;
            else if (section == LDNS_SECTION_ADDITIONAL && type == LDNS_RR_TYPE_TSIG &&
                     !sections->tsig)
                sections->tsig = rr;
            else
                sections->rrs[held++] = rr;
            sections->start[4] = held;
        }
        sections->start[section + 1] = held;
    }
    return LDNS_STATUS_OK;
}

void pldns_clear(struct pldns_sections *sections)
{
    for (size_t i = 0; i < sections->start[4]; i++)
        ldns_rr_free(sections->rrs[i]);
    LDNS_FREE(sections->rrs);
    ldns_rr_free(sections->opt);
    ldns_rr_free(sections->tsig);
    *sections = (struct pldns_sections){0};
}
