/* A message's names, its first question and its OPT record, read where they are: ldns, which makes
 * objects of all of a message, is not needed for them. */
#include "wire.h"

#include "packet/bytes.h"

#include <string.h>

enum {
    LABEL_KIND = 0xc0, /* the upper two bits of a label's first byte: RFC 1035 section 4.1.4 */
    POINTER = 0xc0,
    LABEL_SIZE = 63, /* RFC 1035 section 2.3.4 */
    TYPE_OPT = 41
};

/* Copies a name that has a pointer, or a label that there is not, without its compression; the
 * position after it, 0 where it is cut, longer than a name can be, of unknown labels, or points out
 * of the message or in a circle. */
static size_t copy_name(const uint8_t *wire, size_t size, size_t at, struct pldns_name *name)
{
    size_t end = 0; /* after the first pointer */
    size_t hops = 0;
    name->bytes = name->copy;
    name->size = name->labels = name->longest = 0;
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
            name->size + label + 1 > PLDNS_NAME_SIZE)
            return 0;
        for (size_t i = 0; i <= label; i++)
            name->copy[name->size++] = wire[at + i];
        name->readable = name->size;
        at += label + 1;
        if (label == 0)
            return end;
        name->labels++;
        name->longest = label > name->longest ? label : name->longest;
    }
    return 0;
}

/* A name that is not compressed stays where it is. */
size_t pldns_name_read(const uint8_t *wire, size_t size, size_t at, struct pldns_name *name)
{
    size_t end = at;
    size_t labels = 0;
    size_t longest = 0;
    size_t label = 0;
    while (end < size && (label = wire[end]) - 1U < LABEL_SIZE) {
        longest = label > longest ? label : longest;
        labels++;
        end += label + 1;
    }
    if (end < size && label > LABEL_SIZE)
        return copy_name(wire, size, at, name);
    if (end >= size || end + 1 - at > PLDNS_NAME_SIZE)
        return 0;
    name->bytes = wire + at;
    name->size = end + 1 - at;
    name->readable = size - at;
    name->labels = labels;
    name->longest = longest;
    return end + 1;
}

bool pldns_question_read(const uint8_t *wire, size_t size, struct pldns_question *question)
{
    if (size < PLDNS_HEADER_SIZE || load_be16(wire + 4) == 0)
        return false;
    size_t at = pldns_name_read(wire, size, PLDNS_HEADER_SIZE, &question->name);
    if (at == 0 || size - at < PLDNS_QUESTION_FIXED)
        return false;
    question->type = load_be16(wire + at);
    question->rr_class = load_be16(wire + at + 2);
    return true;
}

/* --- Text of names --------------------------------------------------------------------------- */

enum { BYTES = PLDNS_STRETCH }; /* that are looked at as one */

typedef uint8_t bytes16 __attribute__((vector_size(BYTES)));

static inline bytes16 load_bytes(const void *from)
{
    bytes16 bytes;
    memcpy(&bytes, from, BYTES);
    return bytes;
}

/* Up to sixteen bytes and what follows them, which is of no name. */
static inline bytes16 load_few(const uint8_t *from, size_t size, size_t readable)
{
    uint8_t copy[BYTES] = {0};
    if (readable >= BYTES)
        return load_bytes(from);
    for (size_t i = 0; i < size; i++)
        copy[i] = from[i];
    return load_bytes(copy);
}

/* 255 in each byte that may have to be escaped: no letter, digit, hyphen or underscore has. */
static inline bytes16 escapable(bytes16 bytes)
{
    return (bytes16)((bytes - '-' > '~' - '-') | (bytes == '.') | (bytes == ';') | (bytes == '\\'));
}

/* Stores bytes with a dot for each that is escapable; 1 for each of those that count. */
static inline bytes16 store_dotted(bytes16 bytes, bytes16 counting, char *text)
{
    bytes16 found = escapable(bytes);
    bytes16 dotted = (bytes & ~found) | (found & '.');
    memcpy(text, &dotted, BYTES);
    return found & counting & 1;
}

/* Copies a name, and maybe some bytes that follow it; false where one of its bytes may have to be
 * escaped.  The lengths of labels, and the 0 at its end, are of the bytes that are escaped: if
 * there are no more than these the name is plain, and they are its dots. */
static bool copy_plain(const struct pldns_name *name, char *text)
{
    static const uint8_t none_all[2 * BYTES] = {[BYTES] = 255, 255, 255, 255, 255, 255, 255, 255,
                                                255,           255, 255, 255, 255, 255, 255, 255};
    const uint8_t *bytes = name->bytes + 1; /* there is no dot for the first length */
    const size_t size = name->size - 1;
    const bytes16 all = load_bytes(none_all + BYTES);
    bytes16 counts = {0};
    size_t at = 0;
    for (; size - at >= BYTES; at += BYTES)
        counts += store_dotted(load_bytes(bytes + at), all, text + at);
    if (size < BYTES) {
        bytes16 few = load_few(bytes, size, name->readable - 1);
        counts = store_dotted(few, ~load_bytes(none_all + BYTES - size), text);
    } else if (at < size) { /* the last sixteen, of which some were counted */
        counts += store_dotted(load_bytes(bytes + size - BYTES), load_bytes(none_all + (size - at)),
                               text + size - BYTES);
    }
    uint64_t halves[2];
    memcpy(halves, &counts, BYTES);
    return (halves[0] + halves[1]) * PLDNS_EACH(1) >> 56 == name->labels;
}

/* Copies a label byte by byte; the length of its text. */
static size_t copy_escaped(const uint8_t *label, size_t size, char *text)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = label[i];
        if (byte <= ' ' || byte >= 0x7f) { /* RFC 1035 section 5.1 */
            text[length++] = '\\';
            text[length++] = (char)('0' + byte / 100);
            text[length++] = (char)('0' + byte / 10 % 10);
            text[length++] = (char)('0' + byte % 10);
            continue;
        }
        if (byte == '.' || byte == '\\' || byte == ';' || byte == '(' || byte == ')')
            text[length++] = '\\';
        text[length++] = (char)byte;
    }
    return length;
}

size_t pldns_name_print(const struct pldns_name *name, char text[PLDNS_TEXT_ROOM])
{
    const uint8_t *label = name->bytes;
    size_t length = 0;
    if (label[0] == 0) {
        text[0] = '.';
        return 1;
    }
    if (name->longest < '-' && copy_plain(name, text))
        return name->size - 1;
    for (; label[0] != 0; label += label[0] + 1) {
        length += copy_escaped(label + 1, label[0], text + length);
        text[length++] = '.';
    }
    return length;
}

/* --- The OPT record -------------------------------------------------------------------------- */

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
        if (at == 0 || size - at < PLDNS_QUESTION_FIXED)
            return false;
        at += PLDNS_QUESTION_FIXED;
    }
    for (size_t i = 0; i < records; i++) {
        at = skip_name(wire, size, at);
        if (at == 0 || size - at < PLDNS_RECORD_FIXED)
            return false;
        const uint8_t *fixed = wire + at;
        if (i >= before && load_be16(fixed) == TYPE_OPT) {
            opt->udp_size = load_be16(fixed + 2);
            opt->ttl = load_be32(fixed + 4);
            return true;
        }
        at += PLDNS_RECORD_FIXED + (size_t)load_be16(fixed + 8);
        if (at > size)
            return false;
    }
    return false;
}
