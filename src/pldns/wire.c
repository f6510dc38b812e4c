/* A message's first question and its OPT record, read where they are: ldns, which makes objects of
 * all of a message, is not needed for them. */
#include "wire.h"

#include "packet/bytes.h"

enum {
    LABEL_KIND = 0xc0, /* the upper two bits of a label's first byte: RFC 1035 section 4.1.4 */
    POINTER = 0xc0,
    QUESTION_FIXED = 4, /* type, class */
    RECORD_FIXED = 10,  /* type, class, TTL, RDLENGTH: RFC 1035 section 3.2.1 */
    TYPE_OPT = 41
};

/* Copies the name at `at` without its compression; the position after it, 0 where it is cut,
 * longer than a name can be, of unknown labels, or points out of the message or in a circle. */
static size_t read_name(const uint8_t *wire, size_t size, size_t at,
                        struct pldns_question *question)
{
    size_t end = 0; /* after the first pointer */
    size_t hops = 0;
    question->name_size = 0;
    while (at < size) {
        size_t label = wire[at];
        if ((label & LABEL_KIND) == POINTER) {
            /* more pointers than there is room for: some were followed twice */
            if (size - at < 2 || ++hops > size / 2)
                return 0;
            if (end == 0)
                end = at + 2;
            at = load_be16(wire + at) & 0x3fffU;
            continue;
        }
        if ((label & LABEL_KIND) != 0 || size - at <= label ||
            question->name_size + label + 1 > PLDNS_NAME_SIZE)
            return 0;
        for (size_t i = 0; i <= label; i++)
            question->name[question->name_size++] = wire[at + i];
        at += label + 1;
        if (label == 0)
            return end ? end : at;
    }
    return 0;
}

bool pldns_question_read(const uint8_t *wire, size_t size, struct pldns_question *question)
{
    if (size < PLDNS_HEADER_SIZE || load_be16(wire + 4) == 0)
        return false;
    size_t at = read_name(wire, size, PLDNS_HEADER_SIZE, question);
    if (at == 0 || size - at < QUESTION_FIXED)
        return false;
    question->type = load_be16(wire + at);
    question->rr_class = load_be16(wire + at + 2);
    return true;
}

size_t pldns_question_text(const struct pldns_question *question, char text[PLDNS_TEXT_SIZE])
{
    size_t size = 0;
    size_t at = 0;
    if (question->name[0] == 0)
        text[size++] = '.';
    while (question->name[at] != 0) {
        size_t end = at + question->name[at] + 1U;
        while (++at < end) {
            uint8_t byte = question->name[at];
            if (byte <= ' ' || byte >= 0x7f) { /* RFC 1035 section 5.1 */
                text[size++] = '\\';
                text[size++] = (char)('0' + byte / 100);
                text[size++] = (char)('0' + byte / 10 % 10);
                text[size++] = (char)('0' + byte % 10);
                continue;
            }
            if (byte == '.' || byte == '\\' || byte == ';' || byte == '(' || byte == ')')
                text[size++] = '\\';
            text[size++] = (char)byte;
        }
        text[size++] = '.';
    }
    return size;
}

/* The position after the name at `at`, 0 where it is cut. */
static size_t skip_name(const uint8_t *wire, size_t size, size_t at)
{
    while (at < size) {
        uint8_t label = wire[at];
        if ((label & LABEL_KIND) == POINTER)
            return size - at < 2 ? 0 : at + 2;
        if ((label & LABEL_KIND) != 0)
            return 0;
        at += (size_t)label + 1;
        if (label == 0)
            return at;
    }
    return 0;
}

bool pldns_opt_read(const uint8_t *wire, size_t size, struct pldns_opt *opt)
{
    if (size < PLDNS_HEADER_SIZE)
        return false;
    size_t questions = load_be16(wire + 4);
    size_t before = (size_t)load_be16(wire + 6) + load_be16(wire + 8);
    size_t records = before + load_be16(wire + 10);
    size_t at = PLDNS_HEADER_SIZE;
    for (size_t i = 0; i < questions; i++) {
        at = skip_name(wire, size, at);
        if (at == 0 || size - at < QUESTION_FIXED)
            return false;
        at += QUESTION_FIXED;
    }
    for (size_t i = 0; i < records; i++) {
        at = skip_name(wire, size, at);
        if (at == 0 || size - at < RECORD_FIXED)
            return false;
        const uint8_t *fixed = wire + at;
        if (i >= before && load_be16(fixed) == TYPE_OPT) {
            opt->udp_size = load_be16(fixed + 2);
            opt->ttl = load_be32(fixed + 4);
            return true;
        }
        at += RECORD_FIXED + (size_t)load_be16(fixed + 8);
        if (at > size)
            return false;
    }
    return false;
}
