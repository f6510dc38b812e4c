/* A DNS message: read by ldns record by record, each printed in every form; and its question and
 * OPT read in place, which has to give the same.
 *
 * An input is a message. */
#include "mutate_dns.h"

#include "pldns/names.h"
#include "pldns/parse.h"
#include "pldns/plain.h"
#include "pldns/payload.h"
#include "pldns/rdata.h"
#include "pldns/wire.h"

static ldns_buffer *buffer;

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    buffer = ldns_buffer_new(256);
    return 0;
}

static void check_buffer(void)
{
    CLAIM(ldns_buffer_position(buffer) <= ldns_buffer_capacity(buffer));
    touch(ldns_buffer_begin(buffer), ldns_buffer_position(buffer));
    ldns_buffer_clear(buffer);
}

static void print_record(const ldns_rr *rr)
{
    ldns_buffer_clear(buffer);
    CLAIM(pldns_print_rdata(buffer, rr) == LDNS_STATUS_OK);
    check_buffer();
    pldns_print_type(buffer, ldns_rr_get_type(rr));
    check_buffer();
    ldns_rdf2buffer_str_dname(buffer, ldns_rr_owner(rr));
    check_buffer();
    ldns_rr_class2buffer_str(buffer, ldns_rr_get_class(rr));
    check_buffer();
    if (pldns_is_line_printable(rr)) {
        ldns_rr2buffer_str(buffer, rr);
        check_buffer();
    }
    if (!pldns_is_printable(rr))
        return;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        pldns_print_field(buffer, ldns_rr_rdf(rr, i));
        check_buffer();
    }
}

/* The first question and OPT record that were read in place are those that ldns has. */
static void compare(const struct pldns_sections *sections, const uint8_t *wire, size_t size)
{
    struct pldns_question question;
    struct pldns_opt opt;
    char text[PLDNS_TEXT_ROOM];
    bool has_question = sections->start[1] > 0;
    CLAIM(pldns_question_read(wire, size, &question) == has_question);
    if (has_question) {
        const ldns_rr *rr = sections->rrs[0];
        size_t len = pldns_name_print(&question.name, text);
        CLAIM(question.type == ldns_rr_get_type(rr));
        CLAIM(question.rr_class == ldns_rr_get_class(rr));
        ldns_buffer_clear(buffer);
        ldns_rdf2buffer_str_dname(buffer, ldns_rr_owner(rr));
        CLAIM(len == ldns_buffer_position(buffer));
        CLAIM(memcmp(text, ldns_buffer_begin(buffer), len) == 0);
    }
    bool has_opt = pldns_opt_read(wire, size, &opt);
    CLAIM(has_opt == (sections->opt != NULL));
    if (has_opt) {
        CLAIM(opt.udp_size == ldns_rr_get_class(sections->opt));
        CLAIM(opt.ttl == ldns_rr_ttl(sections->opt));
    }
}

/* What is plain is what ldns reads, with as many records. */
static void compare_plain(const struct pldns_sections *sections, ldns_status status,
                          const uint8_t *wire, size_t size)
{
    struct pldns_plain plain;
    if (!pldns_plain_read(wire, size, &plain))
        return;
    CLAIM(status == LDNS_STATUS_OK);
    for (int section = 0; section < 4; section++)
        CLAIM(plain.counts[section] == sections->start[section + 1] - sections->start[section]);
    CLAIM((plain.opt > 0) == (sections->opt != NULL));
}

static void read_message(const uint8_t *wire, size_t size)
{
    struct pldns_sections sections;
    struct pldns_question question;
    struct pldns_opt opt;
    char text[PLDNS_TEXT_ROOM];
    ldns_status status = pldns_parse(&sections, wire, size);
    compare_plain(&sections, status, wire, size);
    if (status == LDNS_STATUS_OK) {
        for (int section = 0; section < 4; section++)
            CLAIM(sections.start[section] <= sections.start[section + 1]);
        for (size_t i = 0; i < sections.start[4]; i++)
            print_record(sections.rrs[i]);
        if (sections.opt)
            print_record(sections.opt);
        if (sections.tsig)
            print_record(sections.tsig);
        compare(&sections, wire, size);
    } else if (pldns_question_read(wire, size, &question)) {
        CLAIM(pldns_name_print(&question.name, text) < PLDNS_TEXT_SIZE);
    }
    pldns_opt_read(wire, size, &opt);
    pldns_clear(&sections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *wire = NULL;
    size_t length = 0;
    uint8_t *copy = copy_of(data, size);
    read_message(copy, size);
    CLAIM(pldns_unframe(copy, size, &wire, &length) <= size);
    CLAIM(wire >= copy && wire + length <= copy + size);
    free(copy);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return mutate_dns(data, size, room, seed);
}
