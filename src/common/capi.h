/* What the modules offer each other, each through a versioned capsule named `<module>._C_API`.
 * Who uses another module's capsule keeps a reference to that module, whose state it points to. */
#ifndef PLT_COMMON_CAPI_H
#define PLT_COMMON_CAPI_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "packet/packet.h"

/* --- ipp ------------------------------------------------------------------------------------ */

#define IPP_CAPSULE     "ipp._ipp._C_API"
#define IPP_API_VERSION 2
#define IPP_NO_LENGTH   (-1)

/* The value of an IPprefix: version 4 or 6, the address in network order (an IPv4 address in the
 * first 4 bytes, the rest zero), length 0 to 128 or IPP_NO_LENGTH. */
struct ipp_value {
    uint8_t version;
    int16_t length;
    uint8_t addr[16];
};

struct ipp_api {
    int api_version;
    PyTypeObject *prefix_type; /* borrowed from the module */
    /* A new IPprefix of an address of 4 or 16 bytes; NULL with an exception when out of memory. */
    PyObject *(*prefix_new)(const struct ipp_api *api, int version, const uint8_t *addr,
                            int length);
    /* The value of an IPprefix (or instance of a subclass): 0, or -1 with TypeError set. */
    int (*prefix_value)(const struct ipp_api *api, PyObject *obj, struct ipp_value *out);
    /* The same, and of a text or an object of the module ipaddress; -1 also with ValueError. */
    int (*prefix_from)(const struct ipp_api *api, PyObject *obj, struct ipp_value *out);
};

/* --- plt ------------------------------------------------------------------------------------ */

#define PLT_CAPSULE     "plt._plt._C_API"
#define PLT_API_VERSION 7

/* The records of a trace, one after another, without a Python object for each. */
struct plt_records;

/* Columns of packets, to be filled by another module's reader. */
struct packet_columns;
struct record_block;
struct column_data;
struct column_info;
struct batch_types;
struct tunnel_ports;

enum plt_records_result { PLT_RECORD, PLT_END, PLT_MORE, PLT_ERROR };
enum { PLT_ENDED = -2 };

struct plt_api {
    int api_version;
    /* 1 and *out set for an object of plt's types, 0 for any other, -1 with ValueError for an empty
     * plt.packet(). */
    int (*packet_of)(const struct plt_api *api, PyObject *obj, struct plt_packet *out);
    /* Cut a packet after so many bytes, as a snap length would; layer objects of it that are there
     * keep theirs.  PLT_ABSENT only asks.  0, or -1 with TypeError for what is no whole packet. */
    int (*packet_cut)(const struct plt_api *api, PyObject *obj, uint32_t len);
    /* Start to read a plt.trace, or the trace that a URI or path names; filter is a plt.filter, an
     * expression or None.  NULL with an exception. */
    struct plt_records *(*records_open)(const struct plt_api *api, PyObject *source,
                                        PyObject *filter);
    /* The next record that the filter accepts.  Needs no GIL and never waits: PLT_MORE asks for
     * records_fill, PLT_ERROR for records_raise.  What the record points to is valid until the next
     * call of either. */
    enum plt_records_result (*records_next)(struct plt_records *records, struct plt_record *record);
    /* Some of the next records, up to `most` of a block; what came after the last of them.  All are
     * valid until the next call of any of these. */
    enum plt_records_result (*records_block)(struct plt_records *records, struct record_block *out,
                                             size_t most);
    /* Whether a thread of its own decompresses what is read. */
    bool (*records_are_read_ahead)(const struct plt_records *records);
    /* Read more, looking for signals first; 0, or with an exception -1, after which more can be
     * read, or PLT_ENDED, as of damage.  1 where nothing came until a time of monotonic_now(),
     * unless that is 0: only pipes, sockets and interfaces are waited for.  With the GIL. */
    int (*records_fill)(struct plt_records *records, double until);
    /* Set the exception for PLT_ERROR.  With the GIL. */
    void (*records_raise)(struct plt_records *records);
    /* Give the trace back; one that records_open made is closed.  With the GIL. */
    void (*records_close)(struct plt_records *records);
    /* For tp_traverse of what has the records; its tp_clear closes them. */
    int (*records_traverse)(const struct plt_records *records, visitproc visit, void *arg);
    /* Of batches whose columns plt tells of. */
    const struct batch_types *batch_types; /* borrowed from the module */
    /* No columns yet; with `enters` they are those of the innermost packets.  NULL with
     * MemoryError. */
    struct packet_columns *(*columns_new)(bool enters, const struct tunnel_ports *ports,
                                          uint16_t community_seed);
    void (*columns_free)(struct packet_columns *columns);
    /* Have the column of a name as the i-th of a batch; false where there is none. */
    bool (*columns_take)(struct packet_columns *columns, size_t i, const char *name,
                         struct column_info *info);
    /* Append the records of a block to these columns of a batch; false when out of memory.  Needs
     * no GIL. */
    bool (*columns_add)(struct packet_columns *columns, struct column_data *const *batch,
                        struct record_block *records);
    struct plt_state *state; /* borrowed from the module */
};

#endif
