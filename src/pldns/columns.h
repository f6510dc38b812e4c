/* pldns's columns: the messages of many packets, read without an object for each.  What the files
 * of pldns.columns() share; of all this only the types need the GIL. */
#ifndef PLDNS_COLUMNS_H
#define PLDNS_COLUMNS_H

#include "common/reader.h"
#include "pldns.h"
#include "streams/connections.h"
#include "streams/defragment.h"

/* --- Messages on the wire, in wire.c -------------------------------------------------------- */

enum {
    PLDNS_HEADER_SIZE = 12,
    PLDNS_ID_SIZE = 2,
    PLDNS_NAME_SIZE = 255,                    /* RFC 1035 section 2.3.4 */
    PLDNS_TEXT_SIZE = PLDNS_NAME_SIZE * 4 + 1 /* every byte of a name as \DDD */
};

struct pldns_question {
    uint8_t name[PLDNS_NAME_SIZE]; /* uncompressed, as sent */
    size_t name_size;
    uint16_t type;
    uint16_t rr_class;
};

/* The first question of a message; false where there is none or its bytes are no question. */
bool pldns_question_read(const uint8_t *wire, size_t size, struct pldns_question *question);
/* The name in the presentation form that ldns prints; its length. */
size_t pldns_question_text(const struct pldns_question *question, char text[PLDNS_TEXT_SIZE]);

struct pldns_opt {
    uint16_t udp_size;
    uint32_t ttl; /* extended rcode, version, flags: RFC 6891 section 6.1.3 */
};

/* The first OPT record of the additional section; false where what was captured has none. */
bool pldns_opt_read(const uint8_t *wire, size_t size, struct pldns_opt *opt);

/* --- What is remembered from packet to packet, in memory.c ---------------------------------- */

/* The ends of a packet, as bytes to be compared. */
struct pldns_ends {
    uint8_t version; /* of IP */
    uint8_t proto;
    uint16_t id; /* of a message, 0 for a TCP stream */
    uint16_t src_port;
    uint16_t dst_port;
    uint8_t src[16];
    uint8_t dst[16];
};

/* Where one direction of a TCP connection stands. */
struct pldns_stream {
    uint32_t next;    /* sequence number expected */
    uint16_t skip;    /* bytes of a message that are yet to come, and not looked at */
    uint16_t length;  /* of the message that comes next, as far as `held` bytes of it are there */
    uint8_t held;     /* bytes there of its length prefix */
    bool synchronous; /* it is known where messages begin */
};

struct pldns_entry {
    struct pldns_ends ends;
    int64_t time;
    uint64_t question; /* of a query: a digest, 0 without a question */
    struct pldns_stream stream;
    uint32_t chained; /* the next older with the same hash */
    uint32_t older;
    uint32_t newer;
};

/* Entries by the ends of their packets and by age.  Full, it forgets the oldest. */
struct pldns_memory {
    struct pldns_entry *entries; /* owned; those from `used` on were never used */
    uint32_t *buckets;           /* owned; as many as entries */
    uint32_t room;               /* a power of 2 */
    uint32_t most;               /* room there can ever be */
    uint32_t used;
    uint32_t free; /* first of those given back, chained */
    uint32_t oldest;
    uint32_t newest;
    uint64_t seed[2];
};

#define PLDNS_NONE UINT32_MAX

void pldns_memory_clear(struct pldns_memory *memory);
/* The newest entry of the ends, NULL without. */
struct pldns_entry *pldns_memory_find(struct pldns_memory *memory, const struct pldns_ends *ends);
/* The next older one of the same ends, NULL without. */
struct pldns_entry *pldns_memory_older(struct pldns_memory *memory,
                                       const struct pldns_entry *entry);
/* A new entry, the newest; NULL when out of memory. */
struct pldns_entry *pldns_memory_add(struct pldns_memory *memory, const struct pldns_ends *ends,
                                     int64_t time);
void pldns_memory_remove(struct pldns_memory *memory, struct pldns_entry *entry);
/* Make an entry the newest. */
void pldns_memory_touch(struct pldns_memory *memory, struct pldns_entry *entry);
/* SipHash-1-3 of up to PLDNS_NAME_SIZE + 4 bytes. */
uint64_t pldns_digest(const uint64_t seed[2], const uint8_t *data, size_t size);

/* --- Queries and streams of one or more traces, in matcher.c -------------------------------- */

struct pldns_reassembly;

struct pldns_matcher {
    PyObject_HEAD struct pldns_memory queries; /* that wait for their response */
    struct pldns_memory streams;
    struct pldns_reassembly *reassembly; /* owned: of what is put together, NULL where nothing is */
    int64_t timeout;                     /* nanoseconds */
    bool ahead;       /* it is of a file that is read before those that come before it */
    uint8_t *assumed; /* owned: streams that were taken to be new, since they were last asked for */
    size_t assumed_size;
    size_t assumed_room;
    bool busy;
};

extern PyType_Spec pldns_matcher_spec;

/* A digest of a question, in which the case of its name makes no difference; 0 without one. */
uint64_t pldns_question_digest(const struct pldns_matcher *matcher,
                               const struct pldns_question *question);
/* Remember a query, or find that of a response, which is forgotten then.  ends are those of the
 * message, with its identifier; question is a digest.  False when out of memory. */
bool pldns_match(struct pldns_matcher *matcher, const struct pldns_ends *ends, bool is_response,
                 int64_t time, uint64_t question, bool *has_query, int64_t *query_time);

/* --- Files that are read ahead of earlier ones, in ahead.c ----------------------------------- */

/* Note that a stream was taken to be new at a segment, and whether a message begins there; false
 * when out of memory. */
bool pldns_assume(struct pldns_matcher *matcher, const struct pldns_ends *ends, uint32_t sequence,
                  bool begins_message);
/* Methods of the matcher. */
PyObject *pldns_matcher_assumed(PyObject *self_, PyObject *args);
PyObject *pldns_matcher_agrees(PyObject *self_, PyObject *bytes);
PyObject *pldns_matcher_streams(PyObject *self_, PyObject *args);
PyObject *pldns_matcher_add_streams(PyObject *self_, PyObject *bytes);
PyObject *pldns_matcher_match(PyObject *self_, PyObject *args);

/* --- The messages of a packet, in packet.c -------------------------------------------------- */

/* A packet whose messages are being handed out. */
struct pldns_packet {
    struct plt_record record;
    struct pldns_ends ends;
    uint32_t at;       /* of the bytes not yet handed out */
    uint32_t captured; /* end of what the headers' lengths cover and was captured */
    uint32_t end;      /* end by the headers' lengths */
    bool open;         /* there may be more messages */
    struct pldns_stream stream;
    bool has_time;
    int64_t time; /* nanoseconds since the epoch */
};

/* A message, or what was captured of it. */
struct pldns_found {
    const uint8_t *wire; /* borrowed from the packet's record */
    size_t size;         /* bytes there */
    uint32_t length;     /* by the header of UDP, or by the prefix in TCP */
};

enum { PLDNS_PORTS_SIZE = 65536 / 8 };

/* Look at the packet's record, whose layers are given: open where it may have messages from or to
 * one of the ports, a bit each; false when out of memory. */
bool pldns_packet_open(struct pldns_packet *packet, const struct plt_layers *layers,
                       const uint8_t ports[PLDNS_PORTS_SIZE], struct pldns_matcher *matcher);
/* The next message; false when there are no more, and the packet is no longer open. */
bool pldns_packet_next(struct pldns_packet *packet, struct pldns_matcher *matcher,
                       struct pldns_found *found);

/* Whether a message begins with the bytes of a segment, of which that is not known: its prefixes
 * lead to the segment's end, or a plain question follows the first. */
bool pldns_begins_message(const uint8_t *bytes, uint32_t captured, uint32_t size);
/* Whether a packet is from or to one of the ports. */
bool pldns_has_port(const struct plt_packet *packet, const uint8_t ports[PLDNS_PORTS_SIZE]);

/* --- Messages of several packets, in reassemble.c -------------------------------------------- */

/* What puts fragments and streams together; NULL when out of memory. */
struct pldns_reassembly *pldns_reassembly_new(const uint64_t seed[2]);
void pldns_reassembly_free(struct pldns_reassembly *self);

/* Where records come from. */
struct pldns_records {
    const struct plt_api *api;   /* borrowed */
    struct plt_records *records; /* borrowed */
    const uint8_t *ports;        /* borrowed: a bit each */
    bool is_last;                /* no others come after these */
};

/* The next message, and the packet that made it whole.  PLT_RECORD, or what the records say at
 * their end: after the last what was not complete was given.  PLT_ERROR with *out_of_memory where
 * there is no memory. */
enum plt_records_result pldns_reassembly_next(struct pldns_matcher *matcher,
                                              const struct pldns_records *from,
                                              struct pldns_packet *packet,
                                              struct pldns_found *found, bool *out_of_memory);

/* --- Columns, in columns.c ------------------------------------------------------------------ */

/* What columns a reader has, as numbers of columns.c. */
struct pldns_wanted {
    uint8_t columns[MAX_COLUMNS];
    bool question;
    bool opt;
    bool status;
    bool query;
};

/* Want the column of a name, as the i-th; false where there is none. */
bool pldns_wanted_add(struct pldns_wanted *wanted, size_t i, const char *name,
                      struct column_info *info);
/* Append a message to a batch that has room for it; false when out of memory. */
bool pldns_columns_append(const struct pldns_wanted *wanted, struct batch *batch,
                          const struct pldns_packet *packet, const struct pldns_found *found,
                          struct pldns_matcher *matcher);
/* pldns._pldns._column_fields(). */
PyObject *pldns_column_list(PyObject *module, PyObject *args);

/* --- The reader, in columnreader.c ---------------------------------------------------------- */

extern PyType_Spec pldns_reader_spec;

#endif
